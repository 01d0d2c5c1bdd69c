// From what happened in the inbox to records for Kafka.
#pragma once

#include "inbox/domain/conversation.h"
#include "platform/base/stream.h"

namespace parvis::inbox::bus {

inline constexpr char kConversationTopic[] = "parvis.inbox.conversation.v1";
inline constexpr char kCommandTopic[] = "parvis.publishing.command.v1";

// Topic parvis.inbox.conversation.v1, key: the conversation. `payload` is the encoded ConversationEvent (the API's own
// words, so transport/ encodes it).
StreamRecord EventRecord(const Event& event, std::string payload);
// Topic parvis.publishing.command.v1, key: the channel; command_id "inbox/reply/<message id>".
StreamRecord CommandRecord(const DeliveryRequest& request);

}  // namespace parvis::inbox::bus
