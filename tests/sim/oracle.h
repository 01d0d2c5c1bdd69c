// What must hold whatever happens. The oracle is told of everything that is really so: what the databases have
// committed, what the networks have accepted, what the bus holds; it stops the run at the first contradiction, and
// judges the end.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "inbox/domain/conversation.h"
#include "publishing/domain/delivery.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_ledger.h"

namespace parvis::sim {

class Oracle {
 public:
  explicit Oracle(Sim& sim) : commands(sim, "inbox"), deliveries(sim, "publishing"), sim_(sim) {}

  // ---- the outboxes: every record is published at least once, those of one key in the order of their commits ----
  class Outbox {
   public:
    Outbox(Sim& sim, std::string name) : sim_(sim), name_(std::move(name)) {}
    void OnAppended(int64_t id, const std::string& key);
    void OnPublished(int64_t id);
    void AtEnd();

   private:
    Sim& sim_;
    const std::string name_;
    struct Row {
      int key = 0;
      bool published = false;
    };
    std::vector<Row> rows_{1};  // by id, from 1
    std::unordered_map<std::string, int> keys_;
    std::vector<int64_t> latest_;  // by key: published for the first time last
  };
  Outbox commands, deliveries;

  // ---- streams: the effects of every record are committed once ----
  void OnApplied(const StreamPosition& position, int64_t begin);
  int64_t AppliedOf(const std::string& group, const std::string& topic, int partition) const;

  // ---- the ledger ----
  void OnInserted(const pub::Delivery& delivery);
  void OnChanged(const pub::Delivery& before, const pub::Delivery& after);
  void OnEvent(const pub::Delivery& delivery);
  int IndexOf(const std::string& delivery_id) const;
  int settled() const { return settled_; }  // deliveries that have come to their end

  // ---- the networks: a new post or reply exists ----
  void OnPosted(const pub::Delivery& delivery, bool keyed, const std::string& remote_id);

  // ---- claims ----
  void OnClaim(const std::string& conversation, const inbox::Claim& before, const inbox::Claim& after, absl::Time now);
  void OnReply(const std::string& conversation, const std::string& member, int64_t token, absl::Time now);

  void AtEnd(const SimLedger& ledger);

 private:
  struct Intent {
    int number = 0;
    int posted = 0;
    int64_t inserted = 0, sent = -1, posted_at = -1;  // by the order of what happened
    bool ever_human = false, keyed = false;
    int64_t sequence = 0;
    std::string remote_id;
  };
  struct Lease {
    inbox::Claim claim;
    int64_t highest = 0;
  };
  void CheckLanes(const SimLedger& ledger);
  void CheckIntent(const pub::Delivery& d, const Intent& intent);
  std::string Show(const pub::Delivery& d) const;
  Sim& sim_;
  std::unordered_map<std::string, Intent> intents_;
  std::unordered_map<std::string, int> owners_;             // network's id -> intent that says it is its own
  std::map<std::pair<std::string, int>, int64_t> applied_;  // group/topic, partition
  std::unordered_map<std::string, Lease> claims_;
  int64_t clock_ = 0;
  int settled_ = 0;
};

}  // namespace parvis::sim
