#include "networks/discourse/discourse_parse.h"

#include <absl/strings/match.h>

#include <algorithm>

#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/webhook_json.h"
#include "platform/base/ids.h"

namespace parvis::networks {
namespace {

constexpr size_t kIdMax = 256, kNameMax = 1024;
constexpr std::string_view kReview = "review/", kTopic = "t/";

// A time that a record can carry; the forum's are RFC 3339 with milliseconds.
std::optional<absl::Time> TimeOf(const Json& object, const char* key) {
  const auto time = ParseIsoTime(Text(object, key));
  if (!time || *time < absl::UnixEpoch()) return std::nullopt;
  return time;
}

// The first post of a topic carries the topic's title: for a reader it is part of what was said.
std::string WithTitle(const std::string& title, std::string text) {
  if (title.empty()) return text;
  return text::CutBytes(text.empty() ? title : title + "\n\n" + text, kHappeningTextMax);
}

std::string ContentOf(const Json& post) {
  const std::string raw = Text(post, "raw");
  return text::CutBytes(text::ToUtf8(raw.empty() ? text::HtmlToText(Text(post, "cooked"), false) : raw),
                        kHappeningTextMax);
}

}  // namespace

std::string DiscourseIdOf(const Json& post) {
  const std::string topic = Text(post, "topic_id");
  const bool first = IsNumber(topic) && Text(post, "post_number") == "1" && !Text(post, "id").empty();
  return first ? std::string(kTopic) + topic + "/1" : CleanText(post, "id", kIdMax);
}

std::vector<Happening> DiscoursePost(const Json& post, const DiscourseReader& reader, std::string* missing) {
  Happening h;
  h.remote_id = DiscourseIdOf(post);
  const std::string topic = CleanText(post, "topic_id", kIdMax), number = CleanText(post, "post_number", kIdMax);
  const auto created = TimeOf(post, "created_at");
  if (h.remote_id.empty() || topic.empty() || !created) {
    *missing = "a post without id, topic_id or created_at";
    return {};
  }
  const std::string type = Text(post, "post_type");
  if (type == "2" || type == "3") return {};  // "closed this topic", "split this topic": written by the forum
  h.account_remote_id = reader.instance;
  h.thread = h.conversation = std::string(kTopic) + topic;
  const bool first = number == "1";
  if (!first) h.post_remote_id = h.thread + "/1";
  const std::string answered = CleanText(post, "reply_to_post_number", kIdMax);
  h.parent_remote_id = IsNumber(answered) ? h.thread + "/" + answered : h.post_remote_id;
  h.author_remote_id = CleanText(post, "user_id", kIdMax);
  h.author_handle = CleanText(post, "username", kNameMax);
  h.author_name = CleanText(post, "name", kNameMax);
  if (h.author_name.empty()) h.author_name = h.author_handle;
  h.by_us = !reader.username.empty() && absl::EqualsIgnoreCase(h.author_handle, reader.username);
  if (Text(post, "topic_archetype") == "private_message") h.kind = Happening::Kind::kMessage;
  h.text = first ? WithTitle(CleanText(post, "topic_title", kNameMax), ContentOf(post)) : ContentOf(post);
  h.occurred_at = *created;
  h.revision = RevisionOf(*created);
  if (!reader.instance.empty()) h.permalink = reader.instance + "/t/-/" + topic + (number.empty() ? "" : "/" + number);
  std::vector<Happening> out = {h};
  const absl::Time changed = std::max(TimeOf(post, "updated_at").value_or(*created), *created);
  const auto change = [&](Happening::Kind kind, absl::Time time) {
    Happening later = h;
    later.kind = kind;
    later.occurred_at = time;
    later.revision = RevisionOf(time);
    out.push_back(std::move(later));
  };
  const Json& version = Member(post, "version");
  if (version.is_number_integer() && version.get<int64_t>() > 1) change(Happening::Kind::kEdit, changed);
  // An author's own deletion leaves the post for a day, with user_deleted; a moderator's dates it.
  if (const auto deleted = TimeOf(post, "deleted_at"); deleted || IsTrue(post, "user_deleted")) {
    out.clear();
    change(Happening::Kind::kRemoval, deleted.value_or(changed));
    out.back().by_us = false;  // who deleted it is not who wrote it
    out.back().text.clear();
  }
  return out;
}

std::vector<Happening> DiscourseReviewable(const Json& reviewable, const DiscourseReader& reader,
                                           std::string* missing) {
  if (Text(reviewable, "type") != "ReviewableQueuedPost") return {};
  const std::string id = CleanText(reviewable, "id", kIdMax - kReview.size());
  const auto created = TimeOf(reviewable, "created_at");
  if (id.empty() || !created) {
    *missing = "an entry of the review queue without id or created_at";
    return {};
  }
  const Json& payload = Member(reviewable, "payload");
  Happening h;
  h.account_remote_id = reader.instance;
  h.remote_id = std::string(kReview) + id;
  const std::string topic = CleanText(reviewable, "topic_id", kIdMax),
                    answered = CleanText(payload, "reply_to_post_number", kIdMax);
  h.thread = h.conversation = topic.empty() ? h.remote_id : std::string(kTopic) + topic;
  if (!topic.empty()) h.post_remote_id = h.thread + "/1";
  h.parent_remote_id = !topic.empty() && IsNumber(answered) ? h.thread + "/" + answered : h.post_remote_id;
  const Json& created_by = Member(reviewable, "target_created_by");
  const Json& author = created_by.is_object() ? created_by : Member(reviewable, "created_by");
  h.author_remote_id = CleanText(author, "id", kIdMax);
  if (h.author_remote_id.empty()) h.author_remote_id = CleanText(reviewable, "target_created_by_id", kIdMax);
  h.author_handle = CleanText(author, "username", kNameMax);
  h.author_name = CleanText(author, "name", kNameMax);
  if (h.author_name.empty()) h.author_name = h.author_handle;
  h.by_us = !reader.username.empty() && absl::EqualsIgnoreCase(h.author_handle, reader.username);
  h.text = WithTitle(CleanText(payload, "title", kNameMax),
                     text::CutBytes(text::ToUtf8(Text(payload, "raw")), kHappeningTextMax));
  h.occurred_at = *created;
  h.revision = RevisionOf(*created);
  if (!reader.instance.empty()) h.permalink = reader.instance + "/review/" + id;
  const Json& status = Member(reviewable, "status");
  if (status.is_number_integer() && status.get<int64_t>() != 0) {
    h.kind = Happening::Kind::kRemoval;
    h.by_us = false;
    h.text.clear();
    h.occurred_at = std::max(TimeOf(reviewable, "updated_at").value_or(*created), *created);
    h.revision = RevisionOf(h.occurred_at);
    return {h};
  }
  Happening held = h;
  held.kind = Happening::Kind::kHide;
  return {h, held};
}

std::optional<DiscoursePosition> ParseDiscoursePosition(std::string_view id) {
  if (id.substr(0, kTopic.size()) != kTopic) return std::nullopt;
  id.remove_prefix(kTopic.size());
  const size_t slash = id.find('/');
  const std::string_view topic = id.substr(0, slash);
  const std::string_view number = slash == std::string_view::npos ? "1" : id.substr(slash + 1);
  if (!IsNumber(topic) || !IsNumber(number)) return std::nullopt;
  return DiscoursePosition{std::string(topic), std::string(number)};
}

std::string ReviewableOf(std::string_view id) {
  if (id.substr(0, kReview.size()) != kReview || !IsNumber(id.substr(kReview.size()))) return "";
  return std::string(id.substr(kReview.size()));
}

std::string DiscourseExternalId(const std::string& idempotency_key) {
  const bool plain =
      !idempotency_key.empty() && idempotency_key.size() <= 50 &&
      std::all_of(idempotency_key.begin(), idempotency_key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  if (plain || idempotency_key.empty()) return idempotency_key;
  return UuidOfName(idempotency_key);
}

}  // namespace parvis::networks
