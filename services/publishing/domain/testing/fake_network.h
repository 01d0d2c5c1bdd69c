// A network in memory, for tests of the deliverer: records every accepted write (the oracle), and fails on demand. And the
// directory and rules that go with it.
#pragma once

#include <deque>
#include <functional>
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
  kWithoutMedium,       // not sent, for want of something of ours
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
  WriteOutcome Write(const Call& call, const Delivery& delivery) override;
  StatusOr<std::vector<FoundItem>> ReadBack(const Call& call, const Delivery& delivery, absl::Time since) override;
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
  std::function<void(const Call& call)> on_write;   // during each write, before anything has happened
  std::string version = "1";
  int calls = 0, reads = 0;

 private:
  // Takes one call from the window and tells of it as the networks' headers do; false when there was none left.
  bool Draw(FakeWindow& window, WriteOutcome& outcome);
  void Accept(const Delivery& delivery, WriteOutcome& outcome);
  const Clock& clock_;
};

// Two networks: "short" (10 characters, no title, bans and mutes whom one names) and "blog" (needs a title). Channels are what the test puts in.
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
  std::vector<Violation> Check(const std::string& network, DeliveryKind kind, const Content& content) const override {
    std::vector<Violation> violations;
    if (network == "short" && kind == DeliveryKind::kLock) violations.push_back({"kind", "lock is not possible on Short", "NOT_POSSIBLE"});
    if (IsIdempotent(kind)) return violations;
    if (network == "short" && content.text.size() > 10) violations.push_back({"text", "at most 10", "TEXT_TOO_LONG"});
    if (network == "blog" && content.title.empty()) violations.push_back({"title", "is required", "TITLE_REQUIRED"});
    return violations;
  }
  bool AuthorIsEnough(const std::string& network, DeliveryKind kind) const override {
    return network == "short" && (kind == DeliveryKind::kBan || kind == DeliveryKind::kMute);
  }
  std::string WhyNoThread(const std::string& network) const override {
    return network == "blog" ? "a thread is not possible on Blog" : "";
  }
  Length TextLength(const std::string& network, const std::string& text) const override {
    return {static_cast<int>(text.size()), network == "short" ? 10 : 0};
  }
  Preview Show(const std::string& network, const Content& content) const override {
    Preview preview;
    preview.text = content.text + (network == "short" && !content.link.empty() ? " " + content.link : "");
    return preview;
  }
};

}  // namespace parvis::publishing
