// Webhooks of X: the X Activity API and the older Account Activity API (facts 3.4).
#include "networks/text/unicode.h"
#include "networks/wire/webhook_json.h"
#include "networks/x/x.h"

namespace parvis::networks {
namespace {

std::string FirstId(const JsonValue& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (std::string id = GetId(object, key); !id.empty()) return id;
  }
  return "";
}

std::string RepliedTo(const JsonValue& post) {
  simdjson::dom::array references;
  const auto member = Get(post, "referenced_tweets");
  if (member && member->get_array().get(references) == simdjson::SUCCESS) {
    for (const JsonValue reference : references) {
      if (GetText(reference, "type") == std::string_view("replied_to")) return GetId(reference, "id");
    }
  }
  return "";
}

// Links as the author wrote them: the text has t.co links, the entities say what each stands for.
std::string WithExpandedLinks(std::string text, const JsonValue& post) {
  const auto entities = Get(post, "entities");
  const auto member = entities ? Get(*entities, "urls") : std::nullopt;
  simdjson::dom::array urls;
  if (!member || member->get_array().get(urls) != simdjson::SUCCESS) return text;
  int count = 0;
  for (const JsonValue url : urls) {
    const auto shown = GetText(url, "url"), meant = GetText(url, "expanded_url");
    if (++count > 100 || !shown || !meant || shown->empty() || meant->empty() || meant->size() > 4096) continue;
    const size_t at = text.find(*shown);
    if (at != std::string::npos) text.replace(at, shown->size(), *meant);
  }
  return text;
}

// Thread, conversation and kind, once the ids and `by_us` are known: the same as a poll finds.
void Place(const std::string& thread, const std::string& answered_person, Happening* h) {
  h->kind = h->parent_remote_id.empty() ? Happening::Kind::kMention : Happening::Kind::kComment;
  h->thread = thread.empty() ? h->remote_id : thread;
  const std::string& person = h->by_us && !answered_person.empty() ? answered_person : h->author_remote_id;
  h->conversation = h->thread + "/" + person;
  if (!h->parent_remote_id.empty()) h->post_remote_id = h->thread;
  h->permalink = "https://x.com/i/web/status/" + h->remote_id;
}

void AddUser(const JsonValue& user, Happening* h) {
  h->author_name = GetString(user, "name");
  h->author_handle = GetString(user, "username");
  if (h->author_handle.empty()) h->author_handle = GetString(user, "screen_name");
}

// X Activity API: one event a call, the post in the form of API v2.
void ParsePost(const JsonValue& data, const JsonValue& payload, const std::string& us, WebhookContent* content) {
  Happening h;
  h.account_remote_id = us;
  h.remote_id = FirstId(payload, {"id_str", "id"});
  h.author_remote_id = FirstId(payload, {"author_id_str", "author_id"});
  if (h.remote_id.empty() || h.author_remote_id.empty()) return AddUnparsed(data, "MISSING_FIELD", "payload.id or payload.author_id", content);
  const auto time = XPostTime(GetText(payload, "created_at").value_or(""), h.remote_id);
  if (!time) return AddUnparsed(data, "MISSING_FIELD", "payload.created_at", content);
  h.by_us = h.author_remote_id == us;
  h.parent_remote_id = FirstId(payload, {"in_reply_to_tweet_id_str", "in_reply_to_tweet_id"});
  if (h.parent_remote_id.empty()) h.parent_remote_id = RepliedTo(payload);
  if (h.by_us && h.parent_remote_id.empty()) {   // a post of ours
    ++content->ignored;
    return;
  }
  Place(FirstId(payload, {"conversation_id_str", "conversation_id"}), FirstId(payload, {"in_reply_to_user_id_str", "in_reply_to_user_id"}), &h);
  h.text = WithExpandedLinks(GetString(payload, "text"), payload);
  h.occurred_at = *time;
  h.revision = RevisionOf(*time);
  auto includes = Get(data, "includes");
  if (!includes) includes = Get(payload, "includes");
  simdjson::dom::array users;
  const auto member = includes ? Get(*includes, "users") : std::nullopt;
  if (member && member->get_array().get(users) == simdjson::SUCCESS) {
    for (const JsonValue user : users) {
      if (GetId(user, "id") == h.author_remote_id) AddUser(user, &h);
    }
  }
  if (const auto author = Get(payload, "author")) AddUser(*author, &h);
  content->happenings.push_back(std::move(h));
}

void AddRemoval(const std::string& id, const std::string& author, const std::string& thread, const std::string& us, absl::Time time,
                WebhookContent* content) {
  Happening h;
  h.kind = Happening::Kind::kRemoval;
  h.account_remote_id = us;
  h.remote_id = id;
  h.author_remote_id = author;
  h.by_us = author == us;
  h.thread = thread.empty() ? id : thread;   // a removal tells no conversation
  h.conversation = author.empty() ? h.thread : h.thread + "/" + author;
  h.occurred_at = time;
  h.revision = RevisionOf(time);
  content->happenings.push_back(std::move(h));
}

void ParseActivity(const JsonValue& data, WebhookContent* content) {
  const auto type = GetText(data, "event_type");
  if (!type) return AddUnparsed(data, "MISSING_FIELD", "data.event_type", content);
  const auto filter = Get(data, "filter");
  const std::string us = filter ? FirstId(*filter, {"user_id_str", "user_id"}) : "";
  const auto payload = Get(data, "payload");
  const bool post = *type == "post.create" || *type == "post.mention.create" || *type == "post.reply.create" || *type == "post.quote.create";
  if (!post && *type != "post.delete") {   // likes, follows, messages, profile changes: not followed here
    ++content->ignored;
    return;
  }
  if (us.empty()) return AddUnparsed(data, "MISSING_FIELD", "data.filter.user_id", content);
  if (!payload || !payload->is_object()) return AddUnparsed(data, "MISSING_FIELD", "data.payload", content);
  if (post) return ParsePost(data, *payload, us, content);
  const std::string id = FirstId(*payload, {"id_str", "id", "tweet_id"});
  if (id.empty()) return AddUnparsed(data, "MISSING_FIELD", "payload.id", content);
  std::optional<absl::Time> time;
  for (const char* key : {"deleted_at", "created_at"}) {
    if (!time) time = XPostTime(GetText(*payload, key).value_or(""), "");
  }
  for (const char* key : {"timestamp_ms", "timestamp"}) {
    if (const auto number = GetNumber(*payload, key); !time && number) time = TimeOfNumber(*number);
  }
  // Without a time of its own the removal is dated by the post: it wins over everything whatever its revision.
  if (!time) time = XPostTime("", id);
  AddRemoval(id, FirstId(*payload, {"author_id_str", "author_id", "user_id"}), FirstId(*payload, {"conversation_id_str", "conversation_id"}), us,
             time.value_or(absl::UnixEpoch()), content);
}

// Account Activity API: lists of posts in the form of API v1.1, where `id` is a rounded number.
void ParseLegacyPost(const JsonValue& tweet, const std::string& us, WebhookContent* content) {
  if (const auto repost = Get(tweet, "retweeted_status"); repost && repost->is_object()) {
    ++content->ignored;
    return;
  }
  Happening h;
  h.account_remote_id = us;
  h.remote_id = GetId(tweet, "id_str");
  const auto user = Get(tweet, "user");
  h.author_remote_id = user ? GetId(*user, "id_str") : "";
  if (h.author_remote_id.empty() && user) h.author_remote_id = GetId(*user, "id");
  if (h.remote_id.empty() || h.author_remote_id.empty()) return AddUnparsed(tweet, "MISSING_FIELD", "id_str or user.id_str", content);
  const auto time = XPostTime(GetText(tweet, "created_at").value_or(""), h.remote_id);
  if (!time) return AddUnparsed(tweet, "MISSING_FIELD", "created_at", content);
  AddUser(*user, &h);
  h.by_us = h.author_remote_id == us;
  h.parent_remote_id = GetId(tweet, "in_reply_to_status_id_str");
  if (h.by_us && h.parent_remote_id.empty()) {
    ++content->ignored;
    return;
  }
  std::string thread = FirstId(tweet, {"conversation_id_str", "conversation_id"});
  if (thread.empty()) thread = h.parent_remote_id;   // v1.1 names the post answered, not the conversation
  Place(thread, GetId(tweet, "in_reply_to_user_id_str"), &h);
  h.text = GetString(tweet, "text");
  const auto extended = Get(tweet, "extended_tweet");
  if (extended && GetText(*extended, "full_text")) h.text = GetString(*extended, "full_text");
  if (GetText(tweet, "full_text")) h.text = GetString(tweet, "full_text");
  h.text = WithExpandedLinks(std::move(h.text), extended ? *extended : tweet);
  h.occurred_at = *time;
  h.revision = RevisionOf(*time);
  content->happenings.push_back(std::move(h));
}

void ParseLegacyRemoval(const JsonValue& event, const std::string& us, WebhookContent* content) {
  const auto status = Get(event, "status");
  const std::string id = status ? FirstId(*status, {"id_str", "id"}) : "";
  if (id.empty()) return AddUnparsed(event, "MISSING_FIELD", "status.id", content);
  const auto stamp = GetNumber(event, "timestamp_ms");
  const absl::Time time = stamp ? TimeOfNumber(*stamp) : XPostTime("", id).value_or(absl::UnixEpoch());
  AddRemoval(id, FirstId(*status, {"user_id_str", "user_id"}), FirstId(*status, {"conversation_id_str", "conversation_id"}), us, time, content);
}

template <class Each>
void ForEachEvent(const JsonValue& root, const char* key, WebhookContent* content, Each each) {
  const auto member = Get(root, key);
  if (!member) return;
  simdjson::dom::array events;
  if (member->get_array().get(events) != simdjson::SUCCESS) return AddUnparsed(*member, "UNKNOWN_SHAPE", std::string(key).append(" is no list"), content);
  size_t count = 0;
  for (const JsonValue event : events) {
    if (++count > kWebhookPartsMax) return AddUnparsed(event, "UNKNOWN_SHAPE", "too many events in one call", content);
    each(event);
  }
}

void ParseLegacy(const JsonValue& root, WebhookContent* content) {
  const std::string us = GetId(root, "for_user_id");
  const size_t before = content->unparsed.size() + content->happenings.size() + static_cast<size_t>(content->ignored);
  ForEachEvent(root, "tweet_create_events", content, [&](const JsonValue& tweet) { ParseLegacyPost(tweet, us, content); });
  ForEachEvent(root, "tweet_delete_events", content, [&](const JsonValue& event) { ParseLegacyRemoval(event, us, content); });
  // Likes, follows, messages and the rest.
  if (before == content->unparsed.size() + content->happenings.size() + static_cast<size_t>(content->ignored)) ++content->ignored;
}

}  // namespace

WebhookContent XConnector::ParseWebhook(std::string_view body) const {
  WebhookContent content;
  const auto root = ParseWebhookBody(body, &content);
  if (!root) return content;
  const auto data = Get(*root, "data");
  simdjson::dom::array several;
  if (data && data->get_array().get(several) == simdjson::SUCCESS) {
    size_t count = 0;
    for (const JsonValue one : several) {
      if (++count > kWebhookPartsMax) {
        AddUnparsed(one, "UNKNOWN_SHAPE", "too many events in one call", &content);
        break;
      }
      ParseActivity(one, &content);
    }
  } else if (data && data->is_object()) {
    ParseActivity(*data, &content);
  } else if (!GetId(*root, "for_user_id").empty()) {
    ParseLegacy(*root, &content);
  } else if (Get(*root, "user_event")) {
    ++content.ignored;
  } else {
    content.unparsed.push_back({std::string(body), "UNKNOWN_SHAPE", "neither an activity nor events for a user"});
  }
  return content;
}

}  // namespace parvis::networks
