#include "ingestion/domain/activity.h"

#include <algorithm>

#include "platform/base/ids.h"

namespace parvis::ingestion {
namespace {

constexpr size_t kTextMax = 64 << 10;
constexpr size_t kFieldMax = 2 << 10;
constexpr size_t kAttachmentsMax = 50;

void Bound(std::string& text, size_t max) {
  if (text.find('\0') != std::string::npos) {
    std::string clean;
    for (char c : text) {
      if (c == '\0') {
        clean += "\xEF\xBF\xBD";
      } else {
        clean += c;
      }
    }
    text = std::move(clean);
  }
  if (text.size() <= max) return;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  text.resize(max);
}

}  // namespace

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kComment:
      return "comment";
    case Kind::kMention:
      return "mention";
    case Kind::kMessage:
      return "message";
    case Kind::kEdit:
      return "edit";
    case Kind::kRemoval:
      return "removal";
    case Kind::kReaction:
      return "reaction";
    case Kind::kHide:
      return "hide";
    case Kind::kUnhide:
      return "unhide";
  }
  return "comment";
}

std::string ActivityId(std::string_view channel_id, Kind kind, std::string_view remote_id, int64_t revision) {
  std::string name;
  name.reserve(channel_id.size() + remote_id.size() + 40);
  name.append("activity/").append(channel_id).append("/").append(KindName(kind)).append("/");
  name.append(std::to_string(revision)).append("/").append(remote_id);  // last: it may contain anything
  return UuidOfName(name);
}

Activity MakeActivity(Happening what, const Binding& binding, std::string_view network, Origin origin,
                      absl::Time received_at) {
  for (std::string* field :
       {&what.remote_id, &what.thread, &what.conversation, &what.parent_remote_id, &what.post_remote_id,
        &what.author_remote_id, &what.author_name, &what.author_handle, &what.permalink}) {
    Bound(*field, kFieldMax);
  }
  Bound(what.text, kTextMax);
  if (what.attachments.size() > kAttachmentsMax) what.attachments.resize(kAttachmentsMax);
  for (auto& [type, url] : what.attachments) {
    Bound(type, kFieldMax);
    Bound(url, kFieldMax);
  }
  if (what.thread.empty()) what.thread = what.remote_id;
  if (what.conversation.empty()) what.conversation = what.thread;
  Activity activity;
  activity.id = ActivityId(binding.channel_id, what.kind, what.remote_id, what.revision);
  activity.workspace_id = binding.workspace_id;
  activity.channel_id = binding.channel_id;
  activity.network = network;
  activity.what = std::move(what);
  activity.received_at = received_at;
  activity.origin = origin;
  return activity;
}

absl::Time TimeOf(const Happening& happening) {
  return std::max(happening.occurred_at, absl::FromUnixMicros(happening.revision));
}

}  // namespace parvis::ingestion
