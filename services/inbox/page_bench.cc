// parvis-page-bench: the 99th percentile, in microseconds, of the inbox's pages ("ours": the filters a team uses)
// beside that of a look-up by primary key in the same table ("against"), both in a transaction of the api role under
// row-level security. Without a cache of ours in between; the server's own is as it is.
//
//   parvis-page-bench --stored=5000000      conversations; filling takes a while
#include <random>

#include "inbox/bus/encode.h"
#include "inbox/storage/conversation_store.h"
#include "inbox/storage/testdata/fill.h"
#include "inbox/transport/convert.h"
#include "platform/testing/bench.h"

namespace parvis::inbox {
namespace {

constexpr int kCalls = 400, kPage = 50;

class Bench {
 public:
  explicit Bench(int64_t conversations) : conversations_(conversations) {
    testing::Fill(db_, postgres_, conversations * 3 / 2, /*with_messages=*/false);
  }

  // What people ask: what is open, in my language, mine, of one kind; the first page or a later one.
  double Ours() {
    return Percentile([&](int number) {
      ConversationFilter filter{
          .state = State::kOpen, .assignee = std::nullopt, .channel_id = "", .language = "", .kind = std::nullopt};
      switch (number % 5) {
        case 1:
          filter.language = "fr";
          break;
        case 2:
          filter.assignee = "member-" + std::to_string(random_() % 30);
          break;
        case 3:
          filter.assignee = "member-" + std::to_string(random_() % 30), filter.language = "fr";
          break;
        case 4:
          filter.assignee = "", filter.language = "en";
          break;
        default:
          break;
      }
      std::optional<ConversationPosition> after;
      if (number % 2 == 1) {
        after = {absl::FromUnixSeconds(1'780'000'000) +
                     absl::Seconds(random_() % static_cast<uint64_t>(1 + conversations_ / 50)),
                 "80000000-0000-0000-0000-000000000000"};
      }
      return store_.ListConversations(call_, filter, after, kPage + 1).status();
    });
  }

  double Against() {
    return Percentile([&](int) {
      const std::string number = std::to_string(1 + random_() % static_cast<uint64_t>(conversations_));
      return api_.Run(call_, [&](db::Tx& tx) -> Status {
        PARVIS_ASSIGN_OR_RETURN(
            const db::Rows rows,
            tx.Query("SELECT * FROM conversations WHERE workspace_id = $1 AND id = md5('c' || $2)::uuid",
                     {call_.workspace_id, number}));
        return rows.size() == 1 ? absl::OkStatus() : MakeError(Code::kInternal, "NOT_THERE", "conversation " + number);
      });
    });
  }

 private:
  double Percentile(const std::function<Status(int)>& one) {
    std::vector<absl::Duration> times;
    for (int i = 0; i < kCalls; ++i) {
      const Instant began = clock_.Now();
      parvis::testing::BenchCheck(one(i));
      times.push_back(clock_.Now() - began);
    }
    return parvis::testing::PercentileMicros(times, 0.99);
  }

  const int64_t conversations_;
  RealClock clock_;
  obs::Metrics metrics_;
  std::mt19937_64 random_{1};
  parvis::testing::Postgres postgres_{/*durable=*/false, "shared_buffers = 512MB\nmax_wal_size = 4GB"};
  parvis::testing::ServiceDatabase db_{"inbox", "", postgres_};
  const Call call_ = BackgroundCall("bench", testing::kFillWorkspace);
  db::Pool api_{storage::RequestPool(db_.ApiConfig()), clock_, metrics_};  // the service's, for both sides
  storage::PgConversationStore store_{api_, {.event = EncodeEvent, .delivery = bus::CommandRecord}, [] {}};
};

}  // namespace
}  // namespace parvis::inbox

int main(int argc, char** argv) {
  parvis::inbox::Bench bench(parvis::testing::BenchOption(argc, argv, "stored", 5'000'000));
  return parvis::testing::ServeBench(
      {{"ours", [&] { return bench.Ours(); }}, {"against", [&] { return bench.Against(); }}});
}
