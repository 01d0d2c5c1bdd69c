// parvis-fold-bench: what the fold costs beside a raw COPY of the same rows into the same tables with the same indexes.
//
//   parvis-fold-bench --stored=100000 --batch=999      messages that are there before; comments a batch
#include <string>

#include "inbox/bus/decode.h"
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

constexpr int kBatches = 4;
constexpr char kCopyFeed[] =
    "COPY feed_events (workspace_id, sequence, payload, create_time, conversation_id) FROM STDIN (FORMAT binary)";
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
  Bench(int64_t stored, int64_t batch) : batch_(batch) { testing::Fill(db_, postgres_, stored); }

  double Ours() {
    std::vector<std::vector<parvis::bus::Received>> batches(kBatches);
    for (auto& batch : batches) batch = NextBatch();
    return Timed([&] {
      for (const auto& batch : batches) {
        position_.next += batch_;
        parvis::testing::BenchCheck(fold_(position_, batch));
      }
    });
  }

  // The rows that the fold would have written, made beforehand by the fold itself, in the same format. `with_feed`: the
  // events, too, which the fold must write for those who watch and for Kafka.
  double Against(bool with_feed) {
    std::vector<Rows> batches(kBatches);
    for (Rows& batch : batches) FoldAside(batch);
    return Timed([&] {
      for (const Rows& batch : batches) {
        parvis::testing::BenchCheck(stream_.Run(BackgroundCall("bench"), [&](db::Tx& tx) -> Status {
          PARVIS_RETURN_IF_ERROR(tx.Copy("COPY messages FROM STDIN (FORMAT binary)", batch.messages).status());
          PARVIS_RETURN_IF_ERROR(tx.Copy("COPY conversations FROM STDIN (FORMAT binary)", batch.conversations).status());
          return with_feed ? tx.Copy(kCopyFeed, batch.feed).status() : absl::OkStatus();
        }));
      }
    });
  }

 private:
  struct Rows {
    std::string messages, conversations, feed;   // COPY's binary format
  };

  std::vector<parvis::bus::Received> NextBatch() {
    std::vector<parvis::bus::Received> batch;
    for (int i = 0; i < batch_; ++i) {
      batch.push_back({.record = {.topic = "parvis.moderation.assessment.v1", .key = "",
                                  .payload = Comment(next_++).SerializeAsString(), .headers = {}}});
    }
    return batch;
  }
  double Timed(const std::function<void()>& work) {
    const Instant began = clock_.Now();
    work();
    const double seconds = absl::ToDoubleSeconds(clock_.Now() - began);
    db_.Script("TRUNCATE outbox, feed_outbox");   // the relay's business
    return static_cast<double>(batch_) * kBatches / seconds;
  }
  void FoldAside(Rows& out) {
    std::vector<FoldInput> inputs;
    for (const auto& received : NextBatch()) inputs.push_back(**bus::Decode(received.record));
    Workset work;
    work.set_now(clock_.WallNow());
    Fold(inputs, work);
    db::BinaryRows messages, conversations, feed;
    for (const auto& [key, entry] : work.messages()) storage::WriteMessage(entry.value, messages);
    for (const auto& [key, entry] : work.conversations()) storage::WriteConversation(entry.value, conversations);
    std::vector<Event> events = work.TakeEvents();
    int64_t sequence = db_.Number("UPDATE feeds SET last_sequence = last_sequence + " + std::to_string(events.size()) +
                                  " RETURNING last_sequence - " + std::to_string(events.size()));
    for (Event& event : events) {
      event.sequence = ++sequence;
      event.id = EventId(kWorkspace, sequence);
      feed.Row(5);
      feed.Uuid(kWorkspace);
      feed.Int8(sequence);
      feed.Text(EncodeEvent(event));
      feed.Time(event.time);
      feed.Uuid(event.conversation.id);
    }
    for (db::BinaryRows* rows : {&messages, &conversations, &feed}) rows->End();
    out = {std::move(messages.bytes()), std::move(conversations.bytes()), std::move(feed.bytes())};
  }

  const int64_t batch_;
  RealClock clock_;
  parvis::testing::Postgres postgres_{/*durable=*/false, "shared_buffers = 128MB\nmax_wal_size = 2GB"};
  parvis::testing::ServiceDatabase db_{"inbox", "", postgres_};
  obs::Metrics metrics_;
  db::Pool stream_{db_.StreamConfig(), clock_, metrics_};
  storage::PgFoldStore store_{stream_, {.event = EncodeEvent, .delivery = bus::CommandRecord}, [] {}};
  bus::FoldHandler fold_{store_, clock_, metrics_};
  StreamPosition position_ = *db::OffsetTable(stream_, "inbox").Claim("inbox.fold", "bench", 0);
  int64_t next_ = 0;
};

}  // namespace
}  // namespace parvis::inbox

int main(int argc, char** argv) {
  // A multiple of three: threads do not cross batches.
  parvis::inbox::Bench bench(parvis::testing::BenchOption(argc, argv, "stored", 0),
                             parvis::testing::BenchOption(argc, argv, "batch", 999));
  return parvis::testing::ServeBench({{"ours", [&] { return bench.Ours(); }}, {"against", [&] { return bench.Against(true); }},
                                      {"without_feed", [&] { return bench.Against(false); }}});
}
