#include "inbox/domain/conversation.h"

#include <algorithm>
#include <tuple>

#include "platform/base/ids.h"

namespace parvis::inbox {
namespace {

constexpr std::string_view kUnsentPrefix = "parvis:";
constexpr std::string_view kReplyPrefix = "inbox/reply/";

std::string Joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  size_t size = parts.size();
  for (const std::string_view part : parts) size += part.size();
  out.reserve(size);
  for (const std::string_view part : parts) {
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool StartsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

bool Wins(const Content& a, const Content& b) {
  const auto rank = [](const Content& c) {
    return std::tie(c.revision, c.is_edit, c.policy_version, c.action, c.text, c.attachments);
  };
  return rank(a) > rank(b);
}

std::string Message::RemoteId() const {
  return std::string_view(remote_key).starts_with(kUnsentPrefix) ? std::string() : remote_key;
}

std::string ConversationId(std::string_view workspace_id, std::string_view channel_id, std::string_view conversation) {
  return UuidOfName(Joined({"inbox/conversation", workspace_id, channel_id, conversation}));
}

std::string MessageId(std::string_view workspace_id, std::string_view channel_id, std::string_view remote_id) {
  return UuidOfName(Joined({"inbox/message", workspace_id, channel_id, remote_id}));
}

std::string EventId(std::string_view workspace_id, int64_t sequence) {
  return UuidOfName(Joined({"inbox/event", workspace_id, std::to_string(sequence)}));
}

std::string IdOfRequest(std::string_view what, std::string_view conversation_id, std::string_view request_id) {
  return UuidOfName(Joined({"inbox/request", what, conversation_id, request_id}));
}

std::string UnsentKey(std::string_view message_id) { return std::string(kUnsentPrefix).append(message_id); }

std::string ReplyCommandId(std::string_view message_id) { return std::string(kReplyPrefix).append(message_id); }

std::string MessageIdOfCommand(std::string_view command_id) {
  return command_id.starts_with(kReplyPrefix) ? NormalizeUuid(command_id.substr(kReplyPrefix.size())) : std::string();
}

std::string OrderKey(std::string_view remote_key) {
  std::string out;
  for (size_t i = 0; i < remote_key.size();) {
    if (!IsDigit(remote_key[i])) {
      out += remote_key[i++];
      continue;
    }
    size_t end = i;
    while (end < remote_key.size() && IsDigit(remote_key[end])) ++end;
    // A run's length before its digits makes byte order the order of the numbers; digits sort before letters either way.
    const size_t digits = end - i;
    out += static_cast<char>('0' + std::min<size_t>(digits / 10, 9));
    out += static_cast<char>('0' + digits % 10);
    out.append(remote_key.substr(i, digits));
    i = end;
  }
  return out;
}

std::string Shorten(std::string_view text, int characters) {
  int seen = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (StartsCharacter(text[i]) && ++seen > characters) return std::string(text.substr(0, i));
  }
  return std::string(text);
}

int CountCharacters(std::string_view utf8) {
  int count = 0;
  for (const char c : utf8) count += StartsCharacter(c);
  return count;
}

}  // namespace parvis::inbox
