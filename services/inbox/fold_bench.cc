// parvis-fold-bench: what the fold costs beside a raw COPY of the same rows into the same tables with the same indexes.
//
//   parvis-fold-bench --stored=100000      messages that are there before
#include <string>

#include "inbox/bus/encode.h"
#include "inbox/bus/fold_consumer.h"
#include "inbox/storage/fold_store.h"
#include "inbox/storage/rows.h"
#include "inbox/storage/testdata/fill.h"
#include "inbox/transport/convert.h"
#include "parvis/moderation/v1/assessment.pb.h"
#include "platform/base/ids.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/bench.h"

namespace parvis::inbox {
namespace {

constexpr int kBatch = 1000, kBatches = 4;
constexpr const char* kWorkspace = testing::kFillWorkspace;
constexpr char kChannel[] = "0190a0b1-0000-7000-8000-0000000000c1";   // one of those that Fill fills

// Comment `number`: two of three begin a thread of their own, the third answers in the one before.
moderation::v1::Assessment Comment(int64_t number) {
  moderation::v1::Assessment out;
  auto& a = *out.mutable_activity();
  const std::string thread = "1790000_" + std::to_string(number - (number % 3 == 2));
  a.set_id("activity-" + std::to_string(number));
  a.set_workspace_id(kWorkspace);
  a.set_channel_id(kChannel);
  a.set_network("facebook");
  a.set_kind(ingestion::v1::Activity::KIND_COMMENT);
  a.set_remote_id("1790000_" + std::to_string(number));
  a.set_thread(thread);
  a.set_conversation(thread);
  a.set_post_remote_id("page_1");
  a.mutable_author()->set_remote_id(std::to_string(number % 5000));
  a.mutable_author()->set_name("A person with a name");
  a.set_text("Bonjour, où puis-je trouver cette lampe ? Je la cherche depuis des semaines, number " + std::to_string(number));
  a.mutable_occurred_at()->set_seconds(1'790'000'000 + number / 100);
  a.set_revision((1'790'000'000 + number / 100) * 1'000'000);
  out.set_language("fr");
  out.set_intent(moderation::v1::INTENT_QUESTION);
  out.set_action(moderation::v1::ACTION_ALLOW);
  return out;
}

class Bench {
 public:
  explicit Bench(int64_t stored) { testing::Fill(db_, postgres_, stored); }

  double Ours() {
    std::vector<std::vector<parvis::bus::Received>> batches(kBatches);
    for (auto& batch : batches) {
      for (int i = 0; i < kBatch; ++i) {
        batch.push_back({.record = {.topic = "parvis.moderation.assessment.v1", .key = "",
                                    .payload = Comment(next_++).SerializeAsString(), .headers = {}}});
      }
    }
    return Timed([&] {
      for (const auto& batch : batches) {
        position_.next += kBatch;
        parvis::testing::BenchCheck(fold_(position_, batch));
      }
    });
  }

  // The rows that the fold would have written, made beforehand.
  double Against() {
    std::vector<std::pair<std::string, std::string>> batches(kBatches);
    for (auto& [conversations, messages] : batches) {
      for (int i = 0; i < kBatch; ++i) AppendRows(next_++, conversations, messages);
    }
    return Timed([&] {
      for (const auto& [conversations, messages] : batches) {
        parvis::testing::BenchCheck(stream_.Run(BackgroundCall("bench"), [&](db::Tx& tx) -> Status {
          PARVIS_RETURN_IF_ERROR(tx.Copy("COPY conversations FROM STDIN", conversations).status());
          return tx.Copy("COPY messages FROM STDIN", messages).status();
        }));
      }
    });
  }

 private:
  double Timed(const std::function<void()>& work) {
    const Instant began = clock_.Now();
    work();
    const double seconds = absl::ToDoubleSeconds(clock_.Now() - began);
    db_.Script("TRUNCATE outbox");   // the relay's business
    return kBatch * kBatches / seconds;
  }
  static void AppendRows(int64_t number, std::string& conversations, std::string& messages) {
    const std::string thread = "1790000_" + std::to_string(number - (number % 3 == 2));
    const absl::Time at = absl::FromUnixSeconds(1'790'000'000 + number / 100);
    Message m;
    m.workspace_id = kWorkspace;
    m.channel_id = kChannel;
    m.remote_key = "1790000_" + std::to_string(number);
    m.id = MessageId(kWorkspace, kChannel, m.remote_key);
    m.conversation_id = ConversationId(kWorkspace, kChannel, thread);
    m.present = true;
    m.kind = MessageKind::kComment;
    m.author = {.remote_id = std::to_string(number % 5000), .name = "A person with a name", .handle = ""};
    m.occurred_at = at;
    m.order_key = OrderKey(m.remote_key);
    m.content.text = "Bonjour, où puis-je trouver cette lampe ? Je la cherche depuis des semaines, number " + std::to_string(number);
    storage::WriteMessage(m, [&](auto values) { db::AppendCopyRow(messages, values); });
    if (number % 3 == 2) return;
    Conversation c;
    c.id = m.conversation_id;
    c.workspace_id = kWorkspace;
    c.channel_id = kChannel;
    c.network = "facebook";
    c.remote_conversation = c.thread = thread;
    c.post_remote_id = "page_1";
    c.state = State::kOpen;
    c.kind = Kind::kQuestion;
    c.language = "fr";
    c.person = m.author;
    c.preview = m.content.text;
    c.first_key = c.last_key = m.order_key;
    c.first_message_time = c.last_message_time = c.waiting_since_time = at;
    storage::WriteConversation(c, [&](auto values) { db::AppendCopyRow(conversations, values); });
  }

  RealClock clock_;
  parvis::testing::Postgres postgres_{/*durable=*/false, "shared_buffers = 128MB\nmax_wal_size = 2GB"};
  parvis::testing::ServiceDatabase db_{"inbox", "", postgres_};
  db::PoolConfig Streams() const {
    db::PoolConfig config = db::PoolConfig::ForStreams();
    config.dsn = db_.StreamConfig().dsn;
    return config;
  }
  obs::Metrics metrics_;
  db::Pool stream_{Streams(), clock_, metrics_};
  storage::PgFoldStore store_{stream_,
                              {.event = [](const Event& e) { return bus::EventRecord(e, EncodeEvent(e)); },
                               .delivery = bus::CommandRecord}, [] {}};
  bus::FoldHandler fold_{store_, clock_, metrics_};
  StreamPosition position_ = *db::OffsetTable(stream_, "inbox").Claim("inbox.fold", "bench", 0);
  int64_t next_ = 0;
};

}  // namespace
}  // namespace parvis::inbox

int main(int argc, char** argv) {
  parvis::inbox::Bench bench(parvis::testing::BenchOption(argc, argv, "stored", 0));
  return parvis::testing::ServeBench({{"ours", [&] { return bench.Ours(); }}, {"against", [&] { return bench.Against(); }}});
}
