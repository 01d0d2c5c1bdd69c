// A network in memory, for tests of the deliverer: records every accepted write (the oracle), and fails on demand. And the
// directory and rules that go with it.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "publishing/domain/channels.h"
#include "publishing/domain/network_writer.h"

namespace parvis::publishing {

// What the network does with the next write.
enum class Behaviour {
  kAccept,
  kAcceptThenLose,      // it takes it, the answer is lost: unknown
  kLose,                // it never arrives, but nobody can tell: unknown
  kNotSent,
  kRefuse,
  kRateLimit,
  kTokenExpired,
  kTransient,
};

struct Accepted {
  std::string delivery_id, remote_id, text, target;
  DeliveryKind kind = DeliveryKind::kPost;
  absl::Time time;
};

// One rate budget of the network: `left` of `limit` calls until `end`, then anew for `length`.
struct FakeWindow {
  int limit = 0, left = 0;
  absl::Duration length = absl::Minutes(15);
  Instant end{0};
};

class FakeNetwork : public NetworkWriter {
 public:
  explicit FakeNetwork(const Clock& clock) : clock_(clock) {}
  WriteOutcome Write(const Call& call, const Delivery& delivery) override {
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
  StatusOr<std::vector<FoundItem>> ReadBack(const Call& call, const Delivery& delivery, absl::Time since) override {
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
  NetworkTraits Traits(const std::string&) const override { return traits; }
  std::string BudgetOf(const std::string&, DeliveryKind kind) const override {
    const auto at = budgets.find(kind);
    return at == budgets.end() ? "" : at->second;
  }
  StatusOr<std::string> CredentialsVersion(const Call&, const std::string&, const std::string&) override {
    const std::lock_guard lock(mutex_);
    return version;
  }

  int CountOf(const std::string& delivery_id) {
    const std::lock_guard lock(mutex_);
    int count = 0;
    for (const Accepted& item : accepted) count += item.delivery_id == delivery_id;
    return count;
  }

  std::mutex mutex_;
  std::deque<Behaviour> next;          // kAccept when empty
  std::vector<Accepted> accepted;      // in order
  std::set<std::string> hidden, deleted;
  std::set<std::string> keys;          // seen, when traits.idempotency_key
  NetworkTraits traits;
  std::map<DeliveryKind, std::string> budgets;
  std::map<std::pair<std::string, std::string>, FakeWindow> windows;   // by (channel, budget)
  std::optional<std::string> next_budget;   // what the next kRateLimit is for, when not the kind's budget
  int limited = 0;                     // calls that were refused because a window was used up
  Status read_error;
  std::string version = "1";
  int calls = 0, reads = 0;

 private:
  // Takes one call from the window and tells of it as the networks' headers do; false when there was none left.
  bool Draw(FakeWindow& window, WriteOutcome& outcome) {
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
  void Accept(const Delivery& delivery, WriteOutcome& outcome) {
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
  const Clock& clock_;
};

// Two networks: "short" (10 characters, no title) and "blog" (needs a title). Channels are what the test puts in.
class FakeDirectory : public ChannelDirectory {
 public:
  StatusOr<Channel> GetChannel(const Call&, const std::string& workspace_id, const std::string& channel_id) override {
    if (!down.ok()) return down;
    const auto at = channels.find(workspace_id + "/" + channel_id);
    if (at == channels.end()) return NotFound("channels/" + channel_id);
    return at->second;
  }
  StatusOr<std::string> GetTimeZone(const Call&, const std::string&) override { return zone; }
  void Add(const std::string& workspace_id, const std::string& channel_id, const std::string& network) {
    channels[workspace_id + "/" + channel_id] = {channel_id, network, network};
  }
  std::map<std::string, Channel> channels;
  std::string zone = "Europe/Paris";
  Status down;
};

class FakeRules : public NetworkRules {
 public:
  bool Knows(const std::string& network) const override { return network == "short" || network == "blog"; }
  std::vector<Violation> Check(const std::string& network, DeliveryKind, const Content& content) const override {
    std::vector<Violation> violations;
    if (network == "short" && content.text.size() > 10) violations.push_back({"text", "at most 10", "TEXT_TOO_LONG"});
    if (network == "blog" && content.title.empty()) violations.push_back({"title", "is required", "TITLE_REQUIRED"});
    return violations;
  }
  Length TextLength(const std::string& network, const std::string& text) const override {
    return {static_cast<int>(text.size()), network == "short" ? 10 : 0};
  }
};

}  // namespace parvis::publishing
