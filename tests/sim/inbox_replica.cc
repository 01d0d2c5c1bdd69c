#include "tests/sim/inbox_replica.h"

#include "inbox/domain/claim.h"
#include "inbox/domain/upkeep.h"

namespace parvis::sim {

// ---- the stores ----------------------------------------------------------------------------------------------------

StatusOr<StreamPosition> InboxPort::Claim(const std::string& group, const std::string& topic, int32_t partition) {
  const Fate fate = world_.database.Pass(process_, "claim partition", 20);
  if (fate == Fate::kLostBefore) return Database::Lost();
  auto claimed = world_.store.Claim(group, topic, partition);
  return fate == Fate::kDone ? claimed : Database::Lost();
}

// A transaction that no epoch guards: its offset is kept under a name of its own.
Status InboxPort::Unfenced(const StreamPosition& position, const inbox::FoldKeys& keys,
                           const std::function<void(inbox::Workset&)>& fold) {
  StreamPosition shadow = position;
  shadow.group += "/unfenced";
  PARVIS_ASSIGN_OR_RETURN(const StreamPosition current,
                          world_.store.Claim(shadow.group, shadow.topic, shadow.partition));
  shadow.epoch = current.epoch;
  shadow.next = current.next + 1;
  PARVIS_RETURN_IF_ERROR(world_.store.Apply(shadow, keys, fold));
  world_.oracle.OnApplied(position, batch_begin);
  return absl::OkStatus();
}

Status InboxPort::Apply(const StreamPositions& positions, const inbox::FoldKeys& keys,
                        const std::function<void(inbox::Workset&)>& fold) {
  const StreamPosition& position = *positions.begin();  // the simulated consumer hands over one partition at a time
  const int64_t begin = batch_begin;
  const Fate fate = world_.database.Pass(process_, "fold");
  if (fate == Fate::kLostBefore) return Database::Lost();
  batch_begin = begin;
  Status status;
  if (world_.sim.bug == Bug::kOffset) {
    status = Unfenced(position, keys, fold);
    if (fate != Fate::kDone || world_.database.Pass(process_, "offset") == Fate::kLostBefore) return Database::Lost();
    return world_.store.Apply(position, {}, [](inbox::Workset&) {});
  }
  status = world_.store.Apply(position, keys, fold);
  if (status.ok()) world_.oracle.OnApplied(position, begin);
  if (world_.sim.bug == Bug::kFencing && ReasonOf(status) == "FENCED") status = Unfenced(position, keys, fold);
  return fate == Fate::kDone ? status : Database::Lost();
}

StatusOr<inbox::Conversation> InboxPort::Change(const Call& call, const inbox::EditScope& scope,
                                                const std::function<Status(inbox::Edit&)>& edit) {
  const int64_t token = token_in_hand;
  const Fate fate = world_.database.Pass(process_, "change");
  if (fate == Fate::kLostBefore) return Database::Lost();
  inbox::Claim before, after;
  absl::Time now;
  bool replied = false, wrote = false;
  auto changed = world_.store.Change(call, scope, [&](inbox::Edit& e) -> Status {
    before = e.conversation.claim;
    now = e.now;
    if (world_.sim.bug == Bug::kClaimToken && token > 0) {
      e.conversation.claim = {call.principal.member_id, token, e.now + absl::Hours(1)};  // whatever it names is right
    }
    PARVIS_RETURN_IF_ERROR(edit(e));
    if (world_.sim.bug == Bug::kClaimToken && token > 0) e.conversation.claim = before;
    after = e.conversation.claim;
    replied = e.delivery.has_value();
    wrote = !e.events.empty();
    return absl::OkStatus();
  });
  if (changed.ok() && wrote) {
    world_.oracle.OnClaim(changed->id, before, after, now);
    if (replied) world_.oracle.OnReply(changed->id, call.principal.member_id, token, now);
    for (const inbox::DeliveryRequest& request : world_.store.TakeDeliveries()) {
      world_.outbox.Append(Topic::kCommands,
                           publishing::PartitionOf(publishing::ShardOf(request.channel_id), kPartitions),
                           request.channel_id, std::make_shared<Payload>(ToCommand(request)));
    }
  }
  return fate == Fate::kDone ? changed : Database::Lost();
}

// ---- the process ---------------------------------------------------------------------------------------------------

InboxReplica::InboxReplica(InboxWorld& world, int slot)
    : Process(world.sim.scheduler, "inbox-" + std::to_string(slot)), world_(world), slot_(slot) {}

InboxReplica::~InboxReplica() {
  if (up()) Crash();
}

void InboxReplica::OnBoot() {
  port_ = std::make_unique<InboxPort>(world_, *this);
  relay_ = std::make_unique<SimRelay>(world_.sim, world_.bus, world_.outbox, world_.database, *this);
  const auto fold = [this](const StreamPosition& position, int64_t begin, const std::vector<Record>& batch) {
    std::vector<inbox::FoldInput> inputs;
    inputs.reserve(batch.size());
    for (const Record& record : batch) {
      if (const auto* assessed = std::get_if<inbox::Assessed>(record.get())) {
        inputs.emplace_back(*assessed);
      } else if (const auto* update = std::get_if<inbox::DeliveryUpdate>(record.get())) {
        inputs.emplace_back(*update);
      }
    }
    port_->batch_begin = begin;
    return inbox::FoldBatch(*port_, position, inputs);
  };
  consumer_ = std::make_unique<SimConsumer>(world_.sim, world_.bus, world_.group, *this, slot_, *port_, fold, nullptr);
  world_.group.Join(slot_, consumer_.get());
  After(absl::Seconds(15), [this] { Upkeep(); });
}

void InboxReplica::OnDeath() {
  world_.sim.Note(name(), "is dead");
  world_.group.Died(slot_);
  consumer_.reset();
  relay_.reset();
  port_.reset();
}

void InboxReplica::Upkeep() {
  if (world_.database.Pass(*this, "upkeep") == Fate::kDone) {
    // Nothing else changes a claim, and only those that nobody holds any more: no news to the oracle.
    (void)inbox::UpkeepRound(world_.store, {}, [] {});
  }
  After(absl::Seconds(15), [this] { Upkeep(); });
}

// ---- between the services ------------------------------------------------------------------------------------------

publishing::DeliveryCommand ToCommand(const inbox::DeliveryRequest& r) {
  publishing::DeliveryCommand command;
  command.command_id = inbox::ReplyCommandId(r.message_id);
  command.workspace_id = r.workspace_id;
  command.channel_id = r.channel_id;
  command.kind = publishing::DeliveryKind::kReply;
  command.target_remote_id = r.target_remote_id;
  command.text = r.text;
  command.requested_by = r.member_id;
  command.post_remote_id = r.post_remote_id;
  command.thread = r.thread;
  command.requested_time = r.requested_time;
  command.expire_time = r.expire_time;
  return command;
}

namespace {

inbox::SendState StateOf(publishing::DeliveryState state) {
  switch (state) {
    case publishing::DeliveryState::kDelivered:
      return inbox::SendState::kSent;
    case publishing::DeliveryState::kFailed:
    case publishing::DeliveryState::kCancelled:
    case publishing::DeliveryState::kExpired:
      return inbox::SendState::kFailed;
    case publishing::DeliveryState::kUnknown:
      return inbox::SendState::kUnknown;
    default:
      return inbox::SendState::kSending;
  }
}

}  // namespace

Record ToUpdate(const publishing::Delivery& d, absl::Time time) {
  inbox::DeliveryUpdate update;
  switch (d.kind) {
    case publishing::DeliveryKind::kReply:
      update.kind = inbox::DeliveryKind::kReply;
      break;
    case publishing::DeliveryKind::kHide:
      update.kind = inbox::DeliveryKind::kHide;
      break;
    case publishing::DeliveryKind::kUnhide:
      update.kind = inbox::DeliveryKind::kUnhide;
      break;
    case publishing::DeliveryKind::kDelete:
      update.kind = inbox::DeliveryKind::kDelete;
      break;
    case publishing::DeliveryKind::kPost:
      return std::make_shared<Payload>();
  }
  if (update.kind == inbox::DeliveryKind::kReply && inbox::MessageIdOfCommand(d.command_id).empty()) {
    return std::make_shared<Payload>();
  }
  update.workspace_id = d.workspace_id;
  update.channel_id = d.channel_id;
  update.command_id = d.command_id;
  update.state = StateOf(d.state);
  update.remote_id = d.remote_id;
  update.target_remote_id = d.target_remote_id;
  update.permalink = d.permalink;
  if (update.state != inbox::SendState::kSent) update.reason = d.error_reason;
  update.time = d.delivered_time > absl::InfinitePast() ? d.delivered_time : time;
  update.sequence = d.sequence;
  return std::make_shared<Payload>(std::move(update));
}

}  // namespace parvis::sim
