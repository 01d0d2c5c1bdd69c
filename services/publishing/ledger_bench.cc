// parvis-ledger-bench: deliveries per second of the ledger on a private PostgreSQL that keeps what it has acknowledged
// (fsync on). One slice claims and settles kDeliveries that are due, in batches of the deliverer's size, on one connection.
//   ours      claimed, then delivered: with history row and event, as in every change of the ledger
//   intent    claimed, sent (the intent), then delivered: the deliverer's own protocol
// tests/load/ledger.py runs graphile-worker on the same server beside it.
#include "platform/base/ids.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/bench.h"
#include "platform/testing/postgres.h"
#include "publishing/bus/delivery_events.h"
#include "publishing/domain/deliverer.h"
#include "publishing/domain/settle.h"
#include "publishing/storage/ledger_store.h"

namespace parvis::publishing {
namespace {

constexpr int kDeliveries = 4000, kAccept = 1000, kChannels = 50;
constexpr char kWorkspace[] = "0190a0b1-0000-7000-8000-000000000001";

class Bench {
 public:
  Bench() {
    for (int i = 0; i < kChannels; ++i) channels_.push_back(ids_.New());
    for (int shard = 0; shard < kShards; ++shard) request_.shards.push_back(shard);
    request_.owned = {position_};
    request_.limit = DelivererOptions{}.claim_batch;
    request_.actor = "bench";
  }

  double Slice(bool intent) {
    Fill();
    const Instant began = clock_.Now();
    int settled = 0;
    while (settled < kDeliveries) {
      const absl::Time now = clock_.WallNow();
      request_.now = request_.horizon = now;
      request_.lease_until = now + absl::Seconds(60);
      auto claimed = ledger_.Claim(request_);
      testing::BenchCheck(claimed.status());
      if (claimed->empty()) testing::BenchCheck(MakeError(Code::kInternal, "NOTHING_DUE", "the ledger has lost something"));
      settled += Settle(intent ? Sent(*claimed, now) : *claimed, intent, now);
    }
    const double seconds = absl::ToDoubleSeconds(clock_.Now() - began);
    db_.Script("TRUNCATE outbox");   // the relay's business
    return settled / seconds;
  }

  std::string Notes() const { return "{\"port\": " + std::to_string(postgres_.port()) + "}"; }

 private:
  void Fill() {
    const absl::Time now = clock_.WallNow();
    std::vector<Delivery> deliveries;
    for (int i = 0; i < kDeliveries; ++i) {
      Delivery d;
      d.workspace_id = kWorkspace;
      d.id = ids_.New();
      d.channel_id = channels_[static_cast<size_t>(i % kChannels)];
      d.network = "facebook";
      d.kind = DeliveryKind::kReply;
      d.target_remote_id = d.post_remote_id = d.thread = "1790000_" + std::to_string(next_++);
      d.content.text = "Bonjour, merci pour votre message ! Nous revenons vers vous au plus vite.";
      d.command_id = "inbox/reply/" + d.id;
      d.requested_by = "bench";
      d.lane = LaneOf(d);
      d.due_time = d.ready_time = now;
      d.expire_time = now + absl::Hours(24);
      deliveries.push_back(std::move(d));
      if (deliveries.size() < kAccept) continue;
      position_.next += kAccept;
      testing::BenchCheck(ledger_.Accept(position_, deliveries, now, "bench").status());
      deliveries.clear();
    }
    db_.Script("TRUNCATE outbox");
  }

  std::vector<Delivery> Sent(const std::vector<Delivery>& claimed, absl::Time now) {
    std::vector<Change> changes;
    for (const Delivery& d : claimed) changes.push_back(BeginSend(d, now, now + absl::Seconds(60), rules_));
    std::vector<Delivery> sent;
    for (auto& d : Applied(changes, now)) sent.push_back(*std::move(d));
    return sent;
  }

  int Settle(const std::vector<Delivery>& deliveries, bool intent, absl::Time now) {
    std::vector<Change> changes;
    for (const Delivery& d : deliveries) {
      WriteOutcome accepted;
      accepted.result = WriteResult::kAccepted;
      accepted.remote_id = "r" + d.target_remote_id;
      changes.push_back(AfterCall(d, accepted, {}, now, 0, rules_));
      if (!intent) changes.back().from = {DeliveryState::kClaimed};
    }
    return static_cast<int>(Applied(changes, now).size());
  }

  // Every change must have applied.
  std::vector<std::optional<Delivery>> Applied(const std::vector<Change>& changes, absl::Time now) {
    auto applied = ledger_.Apply(changes, now);
    testing::BenchCheck(applied.status());
    for (const auto& row : *applied) {
      if (!row) testing::BenchCheck(MakeError(Code::kInternal, "NOT_APPLIED", "a change did not apply"));
    }
    return *std::move(applied);
  }

  RealClock clock_;
  Ids ids_{clock_};
  testing::Postgres postgres_{/*durable=*/true, "shared_buffers = 128MB"};
  testing::ServiceDatabase db_{"publishing", "", postgres_};
  obs::Metrics metrics_;
  db::Pool stream_{db_.StreamConfig(), clock_, metrics_};
  LedgerStore ledger_{stream_, ToRecord, nullptr};
  StreamPosition position_ = *db::OffsetTable(stream_, "publishing").Claim("publishing.accept", "bench", 0);
  SettleRules rules_;
  ClaimRequest request_;
  std::vector<std::string> channels_;
  int64_t next_ = 0;
};

}  // namespace
}  // namespace parvis::publishing

int main() {
  parvis::publishing::Bench bench;
  return parvis::testing::ServeBench({{"ours", [&] { return bench.Slice(false); }},
                                      {"intent", [&] { return bench.Slice(true); }}},
                                     [&] { return bench.Notes(); });
}
