// One post and one entry of the review queue, as the forum's webhooks and its own reading routes give them: the same
// JSON, so that both make the same activities. Pure; every text that comes out is UTF-8 without NUL, every id has at
// most 256 bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// Where and as whom we read: the forum's address without a slash at the end, and our name there ("" = not known).
struct DiscourseReader {
  std::string instance, username;
};

// What a post goes by: its number. The first post of a topic goes by its place, "t/12/1": what hangs below it tells the topic,
// never that post's number.
std::string DiscourseIdOf(const Json& post);

// What a post says has happened: that it was written (at created_at), edited (at updated_at, from version 2 on),
// deleted. Empty, with `missing` set, without id, topic_id or created_at; empty without it for what the forum itself
// writes between posts ("closed this topic").
std::vector<Happening> DiscoursePost(const Json& post, const DiscourseReader& reader, std::string* missing);
// A post that waits for approval: written and hidden; or, once it was decided, taken away (what was approved is a post
// of its own then). Empty for what else is reviewed.
std::vector<Happening> DiscourseReviewable(const Json& reviewable, const DiscourseReader& reader, std::string* missing);

// "t/12/3" -> topic 12, number 3.
struct DiscoursePosition {
  std::string topic, number;
};
std::optional<DiscoursePosition> ParseDiscoursePosition(std::string_view id);
// "review/7" -> "7", "" otherwise.
std::string ReviewableOf(std::string_view id);
// What the forum calls its topic by our key: letters, digits, "-" and "_", at most 50.
std::string DiscourseExternalId(const std::string& idempotency_key);

}  // namespace parvis::networks
