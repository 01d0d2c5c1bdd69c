#include "publishing/domain/testing/fake_network.h"

namespace parvis::publishing {

WriteOutcome FakeNetwork::Write(const Call& call, const Delivery& delivery) {
  if (on_write) on_write(call);
  const std::lock_guard lock(mutex_);
  ++calls;
  Behaviour behaviour = Behaviour::kAccept;
  if (!next.empty()) {
    behaviour = next.front();
    next.pop_front();
  }
  WriteOutcome outcome;
  outcome.credentials_version = version;
  const auto window = windows.find({delivery.channel_id, BudgetOf(delivery.network, delivery.kind)});
  if (window != windows.end() && !Draw(window->second, outcome)) return outcome;
  if (behaviour == Behaviour::kAccept || behaviour == Behaviour::kAcceptThenLose) Accept(delivery, outcome);
  if (behaviour == Behaviour::kAcceptThenLose || behaviour == Behaviour::kLose) outcome = {WriteResult::kUnknown};
  if (behaviour == Behaviour::kNotSent) outcome.result = WriteResult::kNotSent;
  if (behaviour == Behaviour::kWithoutMedium) outcome.result = WriteResult::kNotSent, outcome.ours = true;
  if (behaviour == Behaviour::kRefuse) outcome = {WriteResult::kRefused, Refusal::kInvalid, "REJECTED", "no"};
  if (behaviour == Behaviour::kTransient) outcome = {WriteResult::kRefused, Refusal::kTransient, "TRANSIENT", "later"};
  if (behaviour == Behaviour::kTokenExpired) {
    outcome = {WriteResult::kRefused, Refusal::kTokenExpired, "TOKEN_EXPIRED", "the token has expired"};
    outcome.credentials_version = version;
  }
  if (behaviour == Behaviour::kRateLimit) {
    const std::optional<std::string> budget = std::exchange(next_budget, std::nullopt);
    outcome = {WriteResult::kRefused, Refusal::kRateLimited, "RATE_LIMITED", "slow down"};
    outcome.budget = budget;
    outcome.rate.retry_after = absl::Seconds(30);
  }
  return outcome;
}

StatusOr<std::vector<FoundItem>> FakeNetwork::ReadBack(const Call& call, const Delivery& delivery, absl::Time since) {
  const std::lock_guard lock(mutex_);
  ++reads;
  if (!read_error.ok()) return read_error;
  std::vector<FoundItem> found;
  if (IsIdempotent(delivery.kind)) {
    if (!deleted.contains(delivery.target_remote_id)) {
      found.push_back({delivery.target_remote_id, "", hidden.contains(delivery.target_remote_id)});
    }
    return found;
  }
  for (const Accepted& item : accepted) {
    if (item.kind == delivery.kind && item.text == delivery.content.text && item.target == delivery.target_remote_id &&
        item.time >= since) {
      found.push_back({item.remote_id, "https://net.example/" + item.remote_id, false});
    }
  }
  return found;
}

bool FakeNetwork::Draw(FakeWindow& window, WriteOutcome& outcome) {
  const Instant now = clock_.Now();
  if (now >= window.end) {
    window.left = window.limit;
    window.end = now + window.length;
  }
  const bool left = window.left > 0;
  if (left) --window.left;
  if (!left) {
    ++limited;
    outcome = {WriteResult::kRefused, Refusal::kRateLimited, "RATE_LIMITED", "slow down"};
  }
  outcome.rate.limit = window.limit;
  outcome.rate.remaining = window.left;
  outcome.rate.reset_in = window.end - now;
  return left;
}

void FakeNetwork::Accept(const Delivery& delivery, WriteOutcome& outcome) {
  outcome.result = WriteResult::kAccepted;
  if (delivery.kind == DeliveryKind::kHide) hidden.insert(delivery.target_remote_id);
  if (delivery.kind == DeliveryKind::kUnhide) hidden.erase(delivery.target_remote_id);
  if (delivery.kind == DeliveryKind::kDelete) deleted.insert(delivery.target_remote_id);
  if (IsIdempotent(delivery.kind)) return;
  for (const Accepted& item : accepted) {
    if (traits.idempotency_key && item.delivery_id == delivery.id) {
      outcome.remote_id = item.remote_id;   // the network remembers the key
      return;
    }
  }
  outcome.remote_id = "r" + std::to_string(accepted.size() + 1);
  accepted.push_back({delivery.id, outcome.remote_id, delivery.content.text, delivery.target_remote_id, delivery.kind,
                      clock_.WallNow()});
}

}  // namespace parvis::publishing
