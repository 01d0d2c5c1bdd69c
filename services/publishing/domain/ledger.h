// Port: the delivery ledger as the deliverer and the command consumer see it (the stream role: many workspaces at once).
// Its contract suite is ledger_contract.h.
//
// Two guards. The partition's epoch (StreamPosition) guards new claims. A delivery's fence guards everything that follows:
// a change applies only if the row still has the fence and one of the states it was decided on.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/stream.h"
#include "publishing/domain/delivery.h"

namespace parvis::publishing {

// One step that was decided, to be written if nothing else has happened in between.
struct Change {
  Delivery after;                       // new values of all that changes; `sequence` is set by the ledger
  std::vector<DeliveryState> from;      // the row's state must be one of these ...
  int64_t fence = 0;                    // ... and its fence this
  std::string detail, actor;            // for the history
  bool in_lane_order = false;           // refuse while an earlier one of its lane is not settled
};

// Deliveries of one kind to one channel that are not claimed for now.
struct ClaimSkip {
  std::string channel_id;
  DeliveryKind kind = DeliveryKind::kPost;
  auto operator<=>(const ClaimSkip&) const = default;
};

struct ClaimRequest {
  std::vector<StreamPosition> owned;    // partitions of the command topic with the epochs we hold
  std::vector<int> shards;              // what they stand for
  absl::Time now;
  absl::Time horizon;                   // claims what is ready until then
  absl::Time lease_until;
  int limit = 200;
  std::vector<ClaimSkip> skip;          // rate-limited, or with enough in memory already
  std::string actor;
};

// A channel that waits for new credentials.
struct PausedChannel {
  std::string workspace_id, channel_id, reason, credentials_version;
  absl::Time since;
};

class DeliveryLedger {
 public:
  virtual ~DeliveryLedger() = default;

  // Stores new deliveries, scheduled or already failed, and the consumer's position, in one transaction. One whose
  // (workspace, command_id) is there already is left out. Returns how many were new. ABORTED FENCED for a zombie.
  virtual StatusOr<int> Accept(const StreamPositions& positions, const std::vector<Delivery>& deliveries, absl::Time now,
                               const std::string& actor) = 0;

  // Moves scheduled deliveries of `shards` to claimed with a new fence and returns them, earliest ready first. Leaves out
  // paused channels, what `skip` names, and those behind one of their lane that cannot go yet (skipped ones too: nothing
  // overtakes in a lane). ABORTED FENCED when any of `owned` has a higher epoch by now.
  virtual StatusOr<std::vector<Delivery>> Claim(const ClaimRequest& request) = 0;

  // Applies each change whose guard holds, in one transaction, with its history row and, where visible, its event.
  // Returns for each, in order, the row after the change, or nullopt when it did not apply. Posts whose deliveries have all
  // ended become published or failed.
  virtual StatusOr<std::vector<std::optional<Delivery>>> Apply(const std::vector<Change>& changes, absl::Time now) = 0;

  // Deliveries of `shards` that somebody must look after: claimed (all, whatever their lease, with `every_claim`; else only
  // with a lease that has ended), sent whose lease has ended, and unknown whose check is due and that need no person.
  virtual StatusOr<std::vector<Delivery>> FindUnsettled(const std::vector<int>& shards, absl::Time now, bool every_claim,
                                                        int limit) = 0;
  // Scheduled deliveries of `shards` whose expire_time has passed.
  virtual StatusOr<std::vector<Delivery>> FindExpired(const std::vector<int>& shards, absl::Time now, int limit) = 0;

  // Which of `remote_ids` are known as the result of another delivery of that channel.
  virtual StatusOr<std::set<std::string>> TakenRemoteIds(const std::string& workspace_id, const std::string& channel_id,
                                                         const std::vector<std::string>& remote_ids) = 0;

  // Claim leaves a paused channel alone. Pausing one that is paused already changes nothing.
  virtual Status Pause(const PausedChannel& channel) = 0;
  virtual Status Resume(const std::string& workspace_id, const std::string& channel_id) = 0;
  // The longest paused first, from `after` on.
  virtual StatusOr<std::vector<PausedChannel>> ListPaused(const std::vector<int>& shards,
                                                          const std::optional<PausedChannel>& after, int limit) = 0;
};

}  // namespace parvis::publishing
