// The inbox's nouns in the words of its API, and back.
#pragma once

#include <string>

#include "inbox/domain/conversation.h"
#include "parvis/inbox/v1/events.pb.h"

namespace parvis::inbox {

std::string ConversationName(const std::string& workspace_id, const std::string& id);
std::string CaseName(const std::string& workspace_id, const std::string& id);

void ToProto(const Conversation& from, v1::Conversation& to);
void ToProto(const Message& from, v1::Message& to);
void ToProto(const Note& from, v1::Note& to);
// `now` decides whether an open case is overdue.
void ToProto(const Case& from, absl::Time now, v1::Case& to);

// The payload of an event: for Kafka, and for those who watch.
std::string EncodeEvent(const Event& event);

absl::Time TimeOf(const google::protobuf::Timestamp& time);

}  // namespace parvis::inbox
