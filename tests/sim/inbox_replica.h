// One replica of the inbox: the real fold and the real claim and reply use cases over the in-memory store of the
// inbox's tests, with faults in front of every transaction.
#pragma once

#include <memory>
#include <string>

#include "inbox/domain/fold.h"
#include "inbox/domain/testing/memory_store.h"
#include "tests/sim/sim_bus.h"

namespace parvis::sim {

constexpr char kFoldGroup[] = "inbox.fold";

// What all replicas of the inbox share. The store lives by the database's own clock.
struct InboxWorld {
  Sim& sim;
  Oracle& oracle;
  inbox::testing::MemoryStore& store;
  Database& database;
  SimOutbox& outbox;
  SimBus& bus;
  SimGroup& group;
  std::map<std::string, int64_t> unfenced;  // planted bugs: offsets of transactions that no fence guards
};

class InboxPort : public inbox::FoldStore, public inbox::ConversationStore, public OffsetStore {
 public:
  InboxPort(InboxWorld& world, Process& process) : world_(world), process_(process) {}
  StatusOr<StreamPosition> Claim(const std::string& group, const std::string& topic, int32_t partition) override;
  Status Apply(const StreamPositions& positions, const inbox::FoldKeys& keys,
               const std::function<void(inbox::Workset&)>& fold) override;
  StatusOr<inbox::Conversation> Change(const Call& call, const inbox::EditScope& scope,
                                       const std::function<Status(inbox::Edit&)>& edit) override;
  // Lists are not simulated: they change nothing.
  StatusOr<inbox::ConversationPage> ListConversations(const Call& call, const inbox::ConversationFilter& filter,
                                                      const std::optional<inbox::ConversationPosition>& after,
                                                      int limit) override {
    return world_.store.ListConversations(call, filter, after, limit);
  }
  StatusOr<inbox::Conversation> GetConversation(const Call& call, const std::string& id) override {
    return world_.store.GetConversation(call, id);
  }
  StatusOr<std::vector<inbox::Message>> ListMessages(const Call& call, const std::string& conversation_id,
                                                     const std::optional<inbox::MessagePosition>& after,
                                                     int limit) override {
    return world_.store.ListMessages(call, conversation_id, after, limit);
  }
  StatusOr<std::vector<inbox::Note>> ListNotes(const Call& call, const std::string& conversation_id,
                                               const std::optional<inbox::TimePosition>& after, int limit) override {
    return world_.store.ListNotes(call, conversation_id, after, limit);
  }
  StatusOr<inbox::Case> GetCase(const Call& call, const std::string& id) override {
    return world_.store.GetCase(call, id);
  }
  StatusOr<std::vector<inbox::Case>> ListCases(const Call& call, const inbox::CaseFilter& filter,
                                               const std::optional<inbox::TimePosition>& after, int limit) override {
    return world_.store.ListCases(call, filter, after, limit);
  }

  int64_t batch_begin = 0;    // of the batch that is being folded
  int64_t token_in_hand = 0;  // that the request under way names

 private:
  Status Unfenced(const StreamPosition& position, const inbox::FoldKeys& keys,
                  const std::function<void(inbox::Workset&)>& fold);
  InboxWorld& world_;
  Process& process_;
};

class InboxReplica : public Process {
 public:
  InboxReplica(InboxWorld& world, int slot);
  ~InboxReplica() override;
  // Valid while the process is up.
  InboxPort& port() { return *port_; }

 protected:
  void OnBoot() override;
  void OnDeath() override;

 private:
  void Upkeep();
  InboxWorld& world_;
  const int slot_;
  std::unique_ptr<InboxPort> port_;
  std::unique_ptr<SimConsumer> consumer_;
  std::unique_ptr<SimRelay> relay_;
};

// What inbox/bus/encode.cc and publishing/bus/command_consumer.cc do between them, without the wire format.
publishing::DeliveryCommand ToCommand(const inbox::DeliveryRequest& request);
// What publishing/bus/delivery_events.cc and inbox/bus/decode.cc do between them.
Record ToUpdate(const publishing::Delivery& delivery, absl::Time time);

}  // namespace parvis::sim
