// One replica of publishing: the real deliverer and the real command use case over simulated ports. The pool that calls
// the networks is a list of events, so calls end in any order, late, or never.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "publishing/domain/accept_commands.h"
#include "publishing/domain/deliverer.h"
#include "tests/sim/sim_bus.h"
#include "tests/sim/sim_ledger.h"
#include "tests/sim/sim_network.h"

namespace parvis::sim {

constexpr char kAcceptGroup[] = "publishing.accept";

// What all replicas of publishing share.
struct PublishingWorld {
  Sim& sim;
  Oracle& oracle;
  SimLedger& ledger;
  Database& database;
  SimOutbox& outbox;
  SimBus& bus;
  SimGroup& group;
  SimNetwork& network;
};

// The ledger as one process meets it, with faults in front of every transaction (and, on demand, planted bugs).
class LedgerPort : public pub::DeliveryLedger, public OffsetStore {
 public:
  LedgerPort(PublishingWorld& world, Process& process) : world_(world), process_(process) {}
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

  int64_t batch_begin = 0;  // of the batch that is being accepted
  std::deque<pub::Delivery>
      about_to_call;  // whose intent this process knows to be committed, in the order of its calls

 private:
  StatusOr<int> AcceptNow(StreamPosition position, const std::vector<pub::Delivery>& deliveries, absl::Time now,
                          const std::string& actor);
  PublishingWorld& world_;
  Process& process_;
};

class PublishingReplica : public Process, public pub::NetworkWriter {
 public:
  PublishingReplica(PublishingWorld& world, int slot);
  ~PublishingReplica() override;

  pub::WriteOutcome Write(const Call& call, const pub::Delivery& delivery) override;
  StatusOr<std::vector<pub::FoundItem>> ReadBack(const Call& call, const pub::Delivery& delivery,
                                                 absl::Time since) override;
  std::string BudgetOf(const std::string&, pub::DeliveryKind) const override { return ""; }
  pub::NetworkTraits Traits(const std::string& network) const override { return SimNetwork::TraitsOf(network); }
  StatusOr<std::string> CredentialsVersion(const Call& call, const std::string& workspace_id,
                                           const std::string& channel_id) override;
  // As SIGTERM: gives back what it holds, then ends.
  void StopGently();

 protected:
  void OnBoot() override;
  void OnDeath() override;

 private:
  struct Trip {  // one call to a network
    pub::Delivery delivery;
    std::function<void()> task;  // the deliverer's: calls Write or ReadBack
    SimNetwork::Trip fate;
    bool ended = false;
    std::optional<pub::WriteOutcome> outcome;  // what the network answered
  };
  bool Submit(std::function<void()> task);
  void BeginWrite(const std::shared_ptr<Trip>& trip);
  void EndWrite(const std::shared_ptr<Trip>& trip, const pub::WriteOutcome& outcome);
  void StepIn(absl::Duration wait);
  void Step();

  PublishingWorld& world_;
  const int slot_;
  std::unique_ptr<LedgerPort> port_;
  std::unique_ptr<pub::Deliverer> deliverer_;
  std::unique_ptr<SimConsumer> consumer_;
  std::unique_ptr<SimRelay> relay_;
  const Trip* calling_ = nullptr;  // whose task runs now
  int64_t step_at_ = -1;
};

}  // namespace parvis::sim
