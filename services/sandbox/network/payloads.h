// The bodies of webhooks: Facebook's entries and changes (facts 1.5), X's activity events (XAA) and the older account
// activity events (AAA; facts 3.4).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/domain/model.h"

namespace parvis::sandbox {

enum class XShape { kActivity, kAccountActivity };  // "xaa", "aaa"

// Whether the network tells anybody about it at all.
bool HasWebhook(const Notice& notice);

// All notices in one body, several changes of a Page in one entry. JSON with all but ASCII escaped: what is signed is
// what is sent.
std::string FacebookBody(const std::vector<Notice>& notices, absl::Time sent);
// Exactly one notice.
std::string XActivityBody(const Notice& notice);
// Notices of one account and of one group (see SameGroup).
std::string XAccountActivityBody(const std::vector<Notice>& notices);
// What a network may start to send any day: unknown fields, verbs, event types and members.
std::string OddBody(const Notice& like, XShape shape, absl::Time now);
bool SameGroup(const Notice& a, const Notice& b);

}  // namespace parvis::sandbox
