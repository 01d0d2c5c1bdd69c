// The social networks and the people on them: threads of comments, our posts and replies, hidden and deleted things;
// answers that get lost, refusals, limits, tokens that expire; webhooks that come late, twice and in any order. Its
// journal is the truth that the oracle compares with.
//
// Three networks differ in what they offer against doubles: "keyed" recognises our key, "dedupe" refuses the same
// content again, "plain" offers nothing.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "inbox/domain/activity.h"
#include "publishing/domain/channels.h"
#include "publishing/domain/network_writer.h"
#include "tests/sim/oracle.h"
#include "tests/sim/sim.h"

namespace parvis::sim {

struct SimChannel {
  std::string workspace_id, id, network;
  int version = 1;  // of its credentials
  bool token_broken = false;
};

// Something on a network: a comment of a person, or what we wrote.
struct Item {
  int channel = 0;
  std::string remote_id, thread, text, parent;
  bool by_us = false, hidden = false, deleted = false, seen_deleted = false;
  absl::Time time;
  int64_t visible = 0;   // reads show it from then on
  int64_t revision = 0;  // of the text
  bool edited = false;
};

class SimNetwork : public publishing::ChannelDirectory, public publishing::NetworkRules {
 public:
  // `ingest` puts an activity on the bus; false when that fails and the webhook must come again.
  SimNetwork(Sim& sim, Oracle& oracle, std::function<bool(const inbox::Assessed&)> ingest);

  // ---- what our calls meet ----
  // How the way there and back goes, decided when a call begins.
  struct Trip {
    absl::Duration there, back;
    bool refused = false;  // no connection: not sent
    bool request_lost = false, answer_lost = false;
    bool at_once = false;  // what is lost shows at once (a reset), not by the timeout
  };
  Trip NewTrip();
  publishing::WriteOutcome Arrive(const publishing::Delivery& delivery);
  StatusOr<std::vector<publishing::FoundItem>> Read(const publishing::Delivery& delivery, absl::Time since);
  static publishing::NetworkTraits TraitsOf(const std::string& network);

  StatusOr<publishing::Channel> GetChannel(const Call& call, const std::string& workspace_id,
                                           const std::string& channel_id) override;
  StatusOr<std::string> GetTimeZone(const Call&, const std::string&) override { return std::string("Europe/Paris"); }
  bool Knows(const std::string&) const override { return true; }
  bool AuthorIsEnough(const std::string&, publishing::DeliveryKind) const override { return true; }
  std::string WhyNoThread(const std::string&) const override { return ""; }
  std::vector<Violation> Check(const std::string&, publishing::DeliveryKind,
                               const publishing::Content&) const override {
    return {};
  }
  Length TextLength(const std::string&, const std::string& text) const override {
    return {static_cast<int>(text.size()), 0};
  }
  publishing::Preview Show(const std::string&, const publishing::Content&) const override { return {}; }

  // ---- what people do ----
  // A comment in a thread of the channel ("" begins a new one); returns its thread.
  std::string AddComment(int channel, const std::string& thread);
  void EditComment();
  void RemoveComment();
  void BreakToken();  // and somebody renews it after a while
  void RenewAll();

  const std::vector<SimChannel>& channels() const { return channels_; }
  const SimChannel& ChannelOf(const std::string& channel_id) const {
    return channels_[static_cast<size_t>(channel_numbers_.at(channel_id))];
  }
  const std::vector<Item>& items() const { return items_; }
  int webhooks_pending() const { return webhooks_; }
  // A comment of a person in this channel that is still there, or null.
  const Item* SomeComment(int channel);

 private:
  void Webhook(int item, inbox::ActivityKind kind, absl::Duration delay);
  void Send(const inbox::Assessed& activity, absl::Duration delay);
  int AddItem(Item item);
  publishing::WriteOutcome Post(int channel, const publishing::Delivery& delivery);
  publishing::WriteOutcome Moderate(int channel, const publishing::Delivery& delivery);
  absl::Time Now() const { return absl::FromUnixSeconds(1'800'000'000) + absl::Nanoseconds(sim_.scheduler.now()); }

  Sim& sim_;
  Oracle& oracle_;
  const std::function<bool(const inbox::Assessed&)> ingest_;
  std::vector<SimChannel> channels_;
  std::unordered_map<std::string, int> channel_numbers_;
  std::vector<Item> items_;
  std::vector<std::vector<int>> comments_;  // by channel: of people
  std::unordered_map<std::string, int> by_remote_;
  std::unordered_map<std::string, int> keys_;                   // keyed: our key -> item
  std::unordered_map<std::string, std::vector<int>> contents_;  // channel/target/text -> items of ours
  int webhooks_ = 0;
  int64_t next_activity_ = 1;
};

}  // namespace parvis::sim
