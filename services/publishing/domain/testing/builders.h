// Deliveries and calls for tests.
#pragma once

#include <string>

#include "platform/base/call.h"
#include "platform/base/ids.h"
#include "publishing/domain/delivery.h"

namespace parvis::publishing {

inline const char kWorkspace[] = "0190a0b1-0000-7000-8000-000000000001";
inline const char kOtherWorkspace[] = "0190a0b1-0000-7000-8000-000000000002";
inline const char kChannel[] = "0190a0b1-0000-7000-8000-00000000c001";
inline const char kOtherChannel[] = "0190a0b1-0000-7000-8000-00000000c002";

inline Call CallOf(const std::string& member, const std::string& workspace = kWorkspace) {
  Call call = BackgroundCall("publishing", workspace);
  call.principal = Principal{};
  call.principal.workspace_id = workspace;
  call.principal.member_id = member;
  call.principal.roles = {Role::kManager};
  call.workspace_id = workspace;
  call.deadline = Instant::Max();
  return call;
}

// A reply; `name` makes its natural key.
inline Delivery MakeReply(const std::string& name, absl::Time due, const std::string& thread = "t1",
                          const std::string& channel = kChannel, const std::string& workspace = kWorkspace) {
  Delivery d;
  d.workspace_id = workspace;
  d.command_id = "inbox/reply/" + name;
  d.id = UuidOfName("delivery/" + workspace + "/" + d.command_id);
  d.channel_id = channel;
  d.network = "short";
  d.kind = DeliveryKind::kReply;
  d.target_remote_id = "c-" + thread;
  d.thread = thread;
  d.content.text = name;
  d.requested_by = "m1";
  d.due_time = d.ready_time = due;
  d.expire_time = due + absl::Hours(24);
  d.lane = LaneOf(d);
  return d;
}

// The first part of a thread.
inline Delivery MakeThread(const std::string& text, const std::vector<std::string>& parts, absl::Time due) {
  Delivery d = MakeReply(text, due);
  d.command_id.clear();
  d.kind = DeliveryKind::kPost;
  d.target_remote_id.clear();
  d.thread.clear();
  for (const std::string& part : parts) d.content.thread.push_back({part, {}});
  d.lane = LaneOf(d);
  return d;
}

// One with every member that only some networks take.
inline Content SpecialContent() {
  Content content{"h\xc3\xa9llo", "Title", "https://brand.example", "fr", {{"https://brand.example/a.pdf", "application/pdf", "a plan", 7, "Plan"}}};
  content.format = PostFormat::kReel;
  content.poll = Poll{{"yes", "no"}, absl::Hours(48), true};
  content.quote_remote_id = "q1";
  content.tags = {"lamp", "\xc3\xa9t\xc3\xa9"};
  content.thumbnail = Media{"https://brand.example/t.png", "image/png", "", 3, ""};
  content.options = {{"visibility", "unlisted"}};
  return content;
}

}  // namespace parvis::publishing
