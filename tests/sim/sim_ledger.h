// The delivery ledger in memory with the indexes that a database would have: what PostgreSQL promises (the contract
// suite ledger_contract.h runs on it), fast enough for millions of deliveries. Every call is one transaction that
// succeeds; faults are put in front of it by publishing_ports.h.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "publishing/domain/ledger.h"
#include "publishing/domain/post_store.h"

namespace parvis::sim {

namespace pub = parvis::publishing;

// Told of everything that is committed, in order.
class LedgerWatcher {
 public:
  virtual ~LedgerWatcher() = default;
  virtual void OnInserted(const pub::Delivery& delivery) = 0;
  virtual void OnChanged(const pub::Delivery& before, const pub::Delivery& after) = 0;
  virtual void OnEvent(const pub::Delivery& delivery, absl::Time time) = 0;  // a row for the outbox
};

class SimLedger : public pub::DeliveryLedger, public pub::DeliveryStore, public OffsetStore {
 public:
  // `watcher` may be null. Histories are kept only on demand.
  explicit SimLedger(LedgerWatcher* watcher, bool keep_history = false)
      : watcher_(watcher), keep_history_(keep_history) {}

  StatusOr<StreamPosition> Claim(const std::string& group, const std::string& topic, int32_t partition) override;

  StatusOr<int> Accept(const StreamPositions& positions, const std::vector<pub::Delivery>& deliveries, absl::Time now,
                       const std::string& actor) override;
  StatusOr<std::vector<pub::Delivery>> Claim(const pub::ClaimRequest& request) override;
  StatusOr<std::vector<std::optional<pub::Delivery>>> Apply(const std::vector<pub::Change>& changes,
                                                            absl::Time now) override;
  StatusOr<std::vector<pub::Delivery>> FindUnsettled(const std::vector<int>& shards, absl::Time now, bool every_claim,
                                                     int limit) override;
  StatusOr<std::vector<pub::Delivery>> FindExpired(const std::vector<int>& shards, absl::Time now, int limit) override;
  StatusOr<std::set<std::string>> TakenRemoteIds(const std::string& workspace_id, const std::string& channel_id,
                                                 const std::vector<std::string>& remote_ids) override;
  Status Pause(const pub::PausedChannel& channel) override;
  Status Resume(const std::string& workspace_id, const std::string& channel_id) override;
  StatusOr<std::vector<pub::PausedChannel>> ListPaused(const std::vector<int>& shards,
                                                    const std::optional<pub::PausedChannel>& after,
                                                    int limit) override;

  StatusOr<pub::Delivery> GetDelivery(const Call& call, const std::string& id) override;
  StatusOr<std::vector<pub::Delivery>> ListDeliveries(const Call& call, const pub::DeliveryFilter& filter,
                                                      const pub::Page& page) override;
  StatusOr<std::vector<pub::Transition>> ListTransitions(const Call& call, const std::string& id, int64_t after_number,
                                                         int limit) override;
  StatusOr<pub::Delivery> InsertDelivery(const Call& call, const pub::Delivery& delivery, absl::Time now,
                                         const std::string& actor) override;
  StatusOr<pub::Delivery> SettleByPerson(const Call& call, const pub::Change& change, absl::Time now) override;

  // New deliveries outside the stream: what an API call's transaction does.
  int Insert(const std::vector<pub::Delivery>& deliveries, absl::Time now, const std::string& actor);

  // For the world.
  struct Row {
    pub::Delivery d;
    int number = 0, lane = 0, shard = 0;
    uint64_t touched = 0;  // the transaction that changed it last
    std::vector<pub::Transition> history;
  };
  const std::deque<Row>& rows() const { return rows_; }
  const Row* Find(const std::string& id) const;
  int unsettled() const { return unsettled_; }  // neither final nor waiting for a person
  StreamPosition PositionOf(const std::string& group, const std::string& topic, int32_t partition) const;

 private:
  struct Shard {
    std::set<std::pair<absl::Time, int>> ready, expiring;  // scheduled
    std::set<std::pair<absl::Time, int>> checks;           // claimed, sent, unknown
    std::set<int> claimed;
  };
  using Part = std::tuple<std::string, std::string, int32_t>;
  bool EpochHolds(const StreamPosition& position) const;
  void Index(int row);
  void Unindex(int row);
  bool Earlier(int a, int b) const;
  bool BehindOthers(const Row& row, absl::Time horizon, bool claiming, const std::set<pub::ClaimSkip>& skip = {}) const;
  bool Guarded(const pub::Change& change, const Row* row) const;
  void Note(Row& row, absl::Time time, pub::DeliveryState from, const std::string& detail, const std::string& actor);
  Row* FindOf(const std::string& workspace_id, const std::string& id);

  LedgerWatcher* const watcher_;
  const bool keep_history_;
  std::deque<Row> rows_;
  std::unordered_map<std::string, int> by_id_;
  std::unordered_map<std::string, int> lane_numbers_;
  std::vector<std::vector<int>> lanes_;  // unsettled rows of each lane, by (due_time, id)
  std::vector<Shard> shards_{static_cast<size_t>(pub::kShards)};
  std::unordered_set<std::string> remotes_;  // workspace/channel/remote id of what has one
  std::map<std::pair<std::string, std::string>, pub::PausedChannel> paused_;
  std::map<Part, StreamPosition> positions_;
  uint64_t transaction_ = 0;
  int unsettled_ = 0;
};

}  // namespace parvis::sim
