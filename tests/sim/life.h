// Those who make a world live: customers who comment, members who claim and answer, moderators and campaigns that order
// deliveries, and the trouble that comes over the processes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/base/ids.h"
#include "tests/sim/inbox_replica.h"
#include "tests/sim/publishing_replica.h"

namespace parvis::sim {

// The parts of a world that life happens to.
struct Scene {
  Sim& sim;
  Oracle& oracle;
  SimBus& bus;
  SimNetwork& network;
  SimLedger& ledger;
  Database& publishing_database;
  Database& inbox_database;
  SimClock& inbox_clock;          // the database server's
  std::vector<SimGroup*> groups;  // publishing's, the inbox's
  std::vector<std::unique_ptr<PublishingReplica>>& publishing;
  std::vector<std::unique_ptr<InboxReplica>>& inbox;
};

class Life {
 public:
  Life(Scene scene, int deliveries) : scene_(scene), sim_(scene.sim), left_(deliveries) {}
  void Begin();
  bool over() const { return left_ <= 0; }  // nothing more will be ordered
  int crashes() const { return crashes_; }
  int replies() const { return replies_; }
  int comments() const { return comments_; }
  int requests() const { return requests_; }  // of members, under way

 private:
  struct Session;  // a member at work on one conversation
  void Customers();
  void Orders();
  void OrderCommand(int channel);
  void OrderPost(int channel);
  void BeginSession();
  void AskClaim(const std::shared_ptr<Session>& session);
  void AskReply(const std::shared_ptr<Session>& session);
  void AskRelease(const std::shared_ptr<Session>& session);
  // Runs `ask` at some replica of the inbox, or tries again later, at most session's tries.
  void Request(const std::shared_ptr<Session>& session, std::function<Status(InboxPort&)> ask,
               std::function<void(const Status&)> then);

  void Trouble();
  void Every(absl::Duration mean, std::function<void()> what);
  Process& SomeProcess(int& group, int& slot);
  void Crash();
  void Pause();
  void StepClock();

  Scene scene_;
  Sim& sim_;
  int left_;
  int crashes_ = 0, replies_ = 0, comments_ = 0, requests_ = 0;
  int next_order_ = 0, next_session_ = 0;
  struct Thread {
    int channel;
    std::string name;
  };
  std::vector<Thread> threads_;
};

}  // namespace parvis::sim
