// What every writing transaction of the inbox ends with: rows, events with their numbers, and records for the outbox.
#pragma once

#include <functional>
#include <vector>

#include "inbox/domain/conversation.h"
#include "inbox/domain/workset.h"
#include "platform/base/stream.h"
#include "platform/db/pool.h"

namespace parvis::inbox::storage {

// How events and deliveries become what is sent; given by main from transport/ and bus/.
struct Encoders {
  std::function<std::string(const Event&)> event;   // the payload, for the feed and for Kafka
  std::function<StreamRecord(const DeliveryRequest&)> delivery;
};

// The api role may not COPY (row-level security); the stream role does, because it is faster.
enum class Way { kInsert, kCopy };

Status InsertConversations(db::Tx& tx, const std::vector<const Conversation*>& conversations);   // by COPY
Status UpdateConversations(db::Tx& tx, const std::vector<const Conversation*>& conversations);
Status InsertMessages(db::Tx& tx, Way way, const std::vector<const Message*>& messages);
Status UpdateMessages(db::Tx& tx, const std::vector<const Message*>& messages);
Status DeleteMessages(db::Tx& tx, const std::vector<MessageKey>& keys);
Status InsertReactions(db::Tx& tx, const std::vector<std::pair<ReactionKey, std::string>>& reactions);

// Gives the events their numbers (this takes the feeds' row locks: do it last), stores them in the feed, from where they
// are told to Kafka (event_outbox.h), and puts `records` into the outbox.
Status WriteEvents(db::Tx& tx, Way way, const Encoders& encoders, std::vector<Event> events,
                   const std::vector<StreamRecord>& records);

}  // namespace parvis::inbox::storage
