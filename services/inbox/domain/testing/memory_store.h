// All ports of the inbox in memory, for tests: behaves as the PostgreSQL stores do, which the contract suite checks.
#pragma once

#include <map>
#include <mutex>

#include "inbox/domain/fold.h"
#include "inbox/domain/store.h"
#include "platform/base/clock.h"

namespace parvis::inbox::testing {

class MemoryStore : public FoldStore, public ConversationStore, public FeedStore, public UpkeepStore, public OffsetStore {
 public:
  explicit MemoryStore(const Clock& clock) : clock_(clock) {}

  StatusOr<StreamPosition> Claim(const std::string& group, const std::string& topic, int32_t partition) override;

  Status Apply(const StreamPositions& positions, const FoldKeys& keys,
               const std::function<void(Workset&)>& fold) override;

  StatusOr<Conversation> Change(const Call& call, const EditScope& scope,
                                const std::function<Status(Edit&)>& edit) override;
  StatusOr<ConversationPage> ListConversations(const Call& call, const ConversationFilter& filter,
                                               const std::optional<ConversationPosition>& after, int limit) override;
  StatusOr<Conversation> GetConversation(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Message>> ListMessages(const Call& call, const std::string& conversation_id,
                                              const std::optional<MessagePosition>& after, int limit) override;
  StatusOr<std::vector<Note>> ListNotes(const Call& call, const std::string& conversation_id,
                                        const std::optional<TimePosition>& after, int limit) override;
  StatusOr<Case> GetCase(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Case>> ListCases(const Call& call, const CaseFilter& filter,
                                        const std::optional<TimePosition>& after, int limit) override;

  StatusOr<std::vector<FeedHead>> Heads(const std::vector<std::string>& workspace_ids) override;
  StatusOr<std::vector<FeedEntry>> Read(const Call& call, int64_t after, int limit) override;

  StatusOr<int> ReleaseExpiredClaims(int limit) override;
  StatusOr<int> TrimFeeds(absl::Duration keep, int limit) override;
  StatusOr<int> ForgetAbsentMessages(absl::Duration keep, int limit) override;

  // What went to the outbox.
  std::vector<Event> events() const;
  std::vector<DeliveryRequest> deliveries() const;
  std::vector<DeliveryRequest> TakeDeliveries();   // since the last time; they are forgotten
  int absent_messages() const;

 private:
  void AddEvents(std::vector<Event> events);
  void Put(const MessageKey& key, const Message& message);
  void Remove(const MessageKey& key);
  void Unindex(const Message& message);
  const std::vector<const Message*>& MessagesOf(const std::string& workspace_id, const std::string& conversation_id) const;
  Summary SummaryOf(const Conversation& conversation) const;
  StatusOr<Edit> Load(const Call& call, const EditScope& scope);
  const Message* TargetOf(const EditScope& scope, const Conversation& conversation) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int32_t>, StreamPosition> offsets_;
  std::map<ConversationKey, Conversation> conversations_;
  std::map<MessageKey, Message> messages_;
  std::map<ConversationKey, std::vector<const Message*>> by_conversation_;          // of messages_
  std::map<std::pair<std::string, std::string>, const Message*> written_here_;      // by workspace and id
  std::set<ReactionKey> reactions_;
  std::map<std::pair<std::string, std::string>, Note> notes_;
  std::map<std::pair<std::string, std::string>, Case> cases_;
  std::map<std::string, FeedHead> heads_;
  std::map<std::pair<std::string, int64_t>, absl::Time> feed_;   // the payload is nobody's business here
  std::vector<Event> events_;
  std::vector<DeliveryRequest> deliveries_;
};

}  // namespace parvis::inbox::testing
