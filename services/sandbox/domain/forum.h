// What forums have in common: numbers of topics beside those of posts, and a queue of what waits for approval.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "sandbox/domain/world.h"

namespace parvis::sandbox {

// What waits in the queue is no post yet: it has a number of its own there, and is published as another item.
constexpr std::string_view kQueued = "hold", kQueueAccepted = "queue_accepted", kQueueRejected = "queue_rejected";

inline bool InQueue(const Item& item) {
  return item.status == kQueued || item.status == kQueueAccepted || item.status == kQueueRejected;
}

// Decides about `queued`, which waits. What is accepted is published as another item, with `status`: that one is returned,
// otherwise nullptr.
StatusOr<ItemPtr> Decide(World& world, const Item& queued, bool accept, const WriteContext& us,
                         const std::string& status = "");

// A topic has another number than its first post, and no post has a topic's: whoever takes one for the other finds
// nothing.
constexpr int64_t kTopicsBelowPosts = 1'500'000'000'000;

inline std::string ShiftedNumber(std::string_view id, int64_t by) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size()) return "";
  return std::to_string(number + by);
}
inline std::string TopicOfFirstPost(std::string_view post) { return ShiftedNumber(post, -kTopicsBelowPosts); }
inline std::string FirstPostOfTopic(std::string_view topic) { return ShiftedNumber(topic, kTopicsBelowPosts); }

// Before a deed that is none on the text: remembers when the text was last changed, which is what forums call the
// post's change.
inline void KeepTextTime(Item& item, absl::Time changed) {
  item.extra["said"] = item.text;
  item.extra["said_at"] = std::to_string(absl::ToUnixMicros(changed));
}
inline absl::Time TextTime(const Item& item) {
  const auto said = item.extra.find("said"), at = item.extra.find("said_at");
  if (said == item.extra.end() || at == item.extra.end() || said->second != item.text) return item.changed;
  int64_t micros = 0;
  std::from_chars(at->second.data(), at->second.data() + at->second.size(), micros);
  return absl::FromUnixMicros(micros);
}

}  // namespace parvis::sandbox
