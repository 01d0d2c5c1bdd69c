// Conversations, messages, notes and cases on PostgreSQL, for requests: the api role, row-level security forced.
#pragma once

#include "inbox/domain/store.h"
#include "inbox/storage/write.h"
#include "platform/db/pool.h"

namespace parvis::inbox::storage {

// The settings of the pool that serves requests. Which index serves a statement is decided by its text (the states are
// literals for that), whatever the values, so plans are reused for a while: planning a page costs a third of reading
// it.
inline db::PoolConfig RequestPool(db::PoolConfig config = {}) {
  config.plan_max_age = db::PoolConfig::kReusePlans;
  return config;
}

class PgConversationStore : public ConversationStore {
 public:
  // `changed` is called after every commit that wrote an event (wakes the relay and the watchers).
  PgConversationStore(db::Pool& api, Encoders encoders, std::function<void()> changed);

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

 private:
  db::Pool& api_;
  const Encoders encoders_;
  const std::function<void()> changed_;
};

}  // namespace parvis::inbox::storage
