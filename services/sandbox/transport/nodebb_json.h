// The JSON that NodeBB speaks (facts 10).
#pragma once

#include <string>
#include <string_view>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// {"status": {"code": "ok", "message": "OK"}, "response": {...}}; 202 is "accepted".
net::HttpResponse NodebbAnswer(const Json& response, int status = 200);
// `message` is a key of the translations, "[[error:no-topic]]"; some keys have a status of their own, all else is
// `status`.
net::HttpResponse NodebbError(int status, std::string_view message);
// What /api answers, without the envelope.
net::HttpResponse NodebbPage(const Json& json, int status = 200);

// Removed, but it can come back.
bool IsRemoved(const Item& item);
Json NodebbUser(std::string_view uid, std::string_view name, std::string_view handle);
// `html`: as pages show it; else as it was written.
Json NodebbPost(const Item& item, const Item& first, int64_t replies, bool html);
Json NodebbTopic(const Item& first, int64_t posts, const Item& last);
// "reply-17", "topic-17": what waits in the queue.
std::string QueueIdOf(const Item& item);
Json NodebbQueued(const Item& item, const Item* first);

}  // namespace parvis::sandbox
