#include "tests/sim/publishing_replica.h"

namespace parvis::sim {
namespace {

constexpr absl::Duration kCallMax = absl::Seconds(20);

pub::WriteOutcome Outcome(pub::WriteResult result, const char* reason) {
  pub::WriteOutcome outcome;
  outcome.result = result;
  outcome.reason = reason;
  return outcome;
}

}  // namespace

PublishingReplica::PublishingReplica(PublishingWorld& world, int slot)
    : Process(world.sim.scheduler, "publishing-" + std::to_string(slot)), world_(world), slot_(slot) {}

PublishingReplica::~PublishingReplica() {
  if (up()) Crash();
}

void PublishingReplica::OnBoot() {
  port_ = std::make_unique<LedgerPort>(world_, *this);
  pub::DelivererOptions options;
  options.replica = name();
  options.partitions = kPartitions;
  options.call_max = kCallMax;
  options.rules.actor = "publishing/" + name();
  options.rules.retry_max = absl::Seconds(20);
  options.rules.rate_wait = absl::Seconds(10);
  pub::DelivererObserver observer;
  observer.fenced = [this] {
    world_.sim.Note(name(), "fenced for long");
    if (world_.sim.bug == Bug::kDeaf) return;
    After(absl::Milliseconds(1), [this] { consumer_->StartOver(); });
  };
  deliverer_ = std::make_unique<pub::Deliverer>(
      *port_, *this, clock(), [this](std::function<void()> task) { return Submit(std::move(task)); }, options,
      observer);
  relay_ = std::make_unique<SimRelay>(world_.sim, world_.bus, world_.outbox, world_.database, *this);
  const auto accept = [this](const StreamPosition& position, int64_t begin,
                             const std::vector<Record>& batch) -> Status {
    std::vector<pub::DeliveryCommand> commands;
    for (const Record& record : batch) commands.push_back(std::get<pub::DeliveryCommand>(*record));
    port_->batch_begin = begin;
    const pub::AcceptContext context{*port_, world_.network, world_.network, clock(), "publishing/" + name()};
    return pub::AcceptCommands(context, position, commands).status();
  };
  consumer_ = std::make_unique<SimConsumer>(world_.sim, world_.bus, world_.group, *this, slot_, *port_, accept,
                                            [this](const std::vector<StreamPosition>& owned) {
                                              deliverer_->SetOwned(owned);
                                              StepIn(absl::Milliseconds(1));
                                            });
  world_.group.Join(slot_, consumer_.get());
  step_at_ = -1;
  StepIn(absl::ZeroDuration());
}

void PublishingReplica::OnDeath() {
  world_.sim.Note(name(), "is dead");
  world_.group.Died(slot_);
  // The process counts as gone, so its ports refuse whatever the destructor would still write.
  deliverer_->Stop(absl::ZeroDuration());
  deliverer_.reset();
  consumer_.reset();
  relay_.reset();
  port_.reset();
}

void PublishingReplica::StopGently() {
  if (world_.sim.quiet) return;
  world_.sim.Note(name(), "stops");
  deliverer_->Stop(absl::ZeroDuration());
  Crash();
}

// ---- the deciding thread -------------------------------------------------------------------------------------------

void PublishingReplica::StepIn(absl::Duration wait) {
  const int64_t at = scheduler_.now() + absl::ToInt64Nanoseconds(std::max(wait, absl::Milliseconds(5)));
  if (step_at_ >= 0 && step_at_ <= at) return;
  step_at_ = at;
  scheduler_.At(at, this, [this, at] {
    if (step_at_ == at) Step();
  });
}

void PublishingReplica::Step() {
  step_at_ = -1;
  StepIn(deliverer_->Step());
}

// ---- the calling threads -------------------------------------------------------------------------------------------

// The deliverer submits the calls of the intents that it has just committed, in their order; anything else is a
// reading.
bool PublishingReplica::Submit(std::function<void()> task) {
  if (dying()) return true;  // nobody will run it
  const auto trip = std::make_shared<Trip>();
  trip->task = std::move(task);
  trip->fate = world_.network.NewTrip();
  if (port_->about_to_call.empty()) {
    After(trip->fate.there, [this, trip] {
      calling_ = trip.get();
      trip->task();
      calling_ = nullptr;
      StepIn(absl::Milliseconds(5));
    });
    return true;
  }
  trip->delivery = std::move(port_->about_to_call.front());
  port_->about_to_call.pop_front();
  // The thread starts a moment later, or much later if the process is held up meanwhile.
  After(world_.sim.random.Around(absl::Milliseconds(1)), [this, trip] { BeginWrite(trip); });
  return true;
}

void PublishingReplica::BeginWrite(const std::shared_ptr<Trip>& trip) {
  const SimNetwork::Trip& fate = trip->fate;
  if (fate.refused) return EndWrite(trip, Outcome(pub::WriteResult::kNotSent, "CONNECT_FAILED"));
  const bool lost = fate.request_lost || fate.answer_lost;
  After(lost && fate.at_once ? fate.there + fate.back : kCallMax, [this, trip] {
    if (!trip->ended) EndWrite(trip, Outcome(pub::WriteResult::kUnknown, "OUTCOME_UNKNOWN"));
  });
  if (fate.request_lost) return;
  // On its way it does not depend on the process any more; the answer finds it, if it still lives.
  SimNetwork* const network = &world_.network;
  const uint32_t incarnation = this->incarnation();
  scheduler_.After(fate.there, nullptr, [this, trip, network, incarnation] {
    trip->outcome = network->Arrive(trip->delivery);
    if (trip->fate.answer_lost || incarnation != this->incarnation()) return;
    After(trip->fate.back, [this, trip] {
      if (!trip->ended) EndWrite(trip, *trip->outcome);
    });
  });
}

void PublishingReplica::EndWrite(const std::shared_ptr<Trip>& trip, const pub::WriteOutcome& outcome) {
  trip->ended = true;
  trip->outcome = outcome;
  world_.sim.Note(name(), "call ends", world_.oracle.IndexOf(trip->delivery.id), static_cast<int>(outcome.result));
  calling_ = trip.get();
  trip->task();
  calling_ = nullptr;
  StepIn(absl::Milliseconds(5));
}

pub::WriteOutcome PublishingReplica::Write(const Call&, const pub::Delivery& delivery) {
  if (calling_->delivery.id != delivery.id) {
    world_.sim.Violate("a call is for another delivery than the one whose intent was committed");
  }
  pub::WriteOutcome outcome = *calling_->outcome;
  if (world_.sim.bug == Bug::kRetry && outcome.result == pub::WriteResult::kUnknown) {
    outcome.result = pub::WriteResult::kNotSent;
  }
  return outcome;
}

StatusOr<std::vector<pub::FoundItem>> PublishingReplica::ReadBack(const Call&, const pub::Delivery& delivery,
                                                                  absl::Time since) {
  auto found = world_.network.Read(delivery, since);
  world_.sim.Note(name(), "reads back", world_.oracle.IndexOf(delivery.id),
                  found.ok() ? static_cast<int64_t>(found->size()) : -1);
  return found;
}

StatusOr<std::string> PublishingReplica::CredentialsVersion(const Call&, const std::string&,
                                                            const std::string& channel_id) {
  if (world_.sim.Fault(world_.sim.faults.directory_down)) return MakeError(Code::kUnavailable, "UNAVAILABLE", "");
  return std::to_string(world_.network.ChannelOf(channel_id).version);
}

}  // namespace parvis::sim
