#include "sandbox/network/payloads.h"

#include <cstdlib>

#include <nlohmann/json.hpp>

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

using Json = nlohmann::json;

constexpr size_t kChangesPerEntry = 5;  // so that one Page often has several entries in one body

std::string_view VerbOf(Notice::Kind kind) {
  switch (kind) {
    case Notice::Kind::kAdd:
      return "add";
    case Notice::Kind::kEdit:
      return "edited";
    case Notice::Kind::kRemove:
      return "remove";
    case Notice::Kind::kHide:
      return "hide";
    case Notice::Kind::kUnhide:
      return "unhide";
  }
  return "";
}

Json FacebookChange(const Notice& notice) {
  const Item& item = *notice.item;
  const bool post = item.kind == Item::Kind::kPost;
  // The time of what happened: of the creation for "add", of the change for all others (seconds).
  Json value = {{"verb", VerbOf(notice.kind)},
                {"post_id", item.post},
                {"from", {{"id", notice.actor_id}, {"name", notice.actor_name}}},
                {"created_time", absl::ToUnixSeconds(notice.time)}};
  if (post) {
    const bool gone = notice.kind == Notice::Kind::kRemove;
    value["item"] = gone ? "post" : item.media.empty() ? "status" : "photo";
    if (!gone) {
      if (!item.text.empty()) value["message"] = item.text;
      if (!item.link.empty()) value["link"] = item.link;
      value["published"] = item.published ? 1 : 0;
    }
  } else {
    value["item"] = "comment";
    value["comment_id"] = item.id;
    value["parent_id"] = item.parent;  // the post for a top-level comment, else the comment it answers
    if (notice.kind != Notice::Kind::kRemove) value["message"] = item.text;
  }
  return {{"field", "feed"}, {"value", std::move(value)}};
}

std::string Dump(const Json& json, bool ascii) { return json.dump(-1, ' ', ascii, Json::error_handler_t::replace); }

// Members that hold numbers come twice.
void Double(Json& object, const char* name, const std::string& value) {
  object[name] = value;
  object[std::string(name) + "_str"] = value;
}

bool MentionsUs(const Notice& notice) {
  return notice.item->text.find(Cat("@", notice.account->handle)) != std::string::npos;
}

std::string_view XEventType(const Notice& notice) {
  const Item& item = *notice.item;
  if (notice.kind == Notice::Kind::kRemove) return "post.delete";
  if (notice.kind != Notice::Kind::kAdd) return "";
  if (item.by_us) return "post.create";
  if (item.kind == Item::Kind::kMention) return "post.mention.create";
  if (item.parent == item.post) return "post.reply.create";  // direct replies only
  return MentionsUs(notice) ? "post.mention.create" : "";
}

Json ClassicUser(const Item& item) {
  const int64_t id = std::atoll(item.author_id.c_str());
  return {{"id", static_cast<int64_t>(static_cast<double>(id))},
          {"id_str", item.author_id},
          {"name", item.author_name},
          {"screen_name", item.author_handle}};
}

Json ClassicTweet(const Notice& notice) {
  const Item& item = *notice.item;
  auto rounded = [](const std::string& id) {  // what is left of a 64-bit number in a double
    return static_cast<int64_t>(static_cast<double>(std::atoll(id.c_str())));
  };
  Json tweet = {{"created_at", absl::FormatTime("%a %b %d %H:%M:%S +0000 %Y", item.created, absl::UTCTimeZone())},
                {"id", rounded(item.id)},
                {"id_str", item.id},
                {"text", item.text},
                {"user", ClassicUser(item)},
                {"in_reply_to_status_id", nullptr},
                {"in_reply_to_status_id_str", nullptr},
                {"timestamp_ms", std::to_string(absl::ToUnixMillis(item.created))},
                {"entities", {{"urls", Json::array()}, {"user_mentions", Json::array()}}}};
  if (!item.parent.empty()) {
    tweet["in_reply_to_status_id"] = rounded(item.parent);
    tweet["in_reply_to_status_id_str"] = item.parent;
    if (item.parent == item.post) {
      tweet["in_reply_to_user_id_str"] = notice.account->id;
      tweet["in_reply_to_screen_name"] = notice.account->handle;
    }
  }
  for (const auto& [link, url] : item.urls) {
    tweet["entities"]["urls"].push_back({{"url", link}, {"expanded_url", url}, {"display_url", url}});
  }
  return tweet;
}

}  // namespace

bool HasWebhook(const Notice& notice) {
  if (notice.item->kind == Item::Kind::kMedia) return false;
  switch (notice.item->network) {
    case Network::kFacebook:
      return true;
    case Network::kX:
      return !XEventType(notice).empty();
    case Network::kBlog:
      return false;
  }
  return false;
}

std::string FacebookBody(const std::vector<Notice>& notices, absl::Time sent) {
  Json entries = Json::array();
  for (const Notice& notice : notices) {
    if (entries.empty() || entries.back()["id"] != notice.account->id ||
        entries.back()["changes"].size() >= kChangesPerEntry) {
      entries.push_back({{"id", notice.account->id}, {"time", absl::ToUnixSeconds(sent)}, {"changes", Json::array()}});
    }
    entries.back()["changes"].push_back(FacebookChange(notice));
  }
  return Dump({{"object", "page"}, {"entry", std::move(entries)}}, true);
}

std::string XActivityBody(const Notice& notice) {
  const Item& item = *notice.item;
  Json payload = Json::object();
  Double(payload, "id", item.id);
  Double(payload, "author_id", item.author_id);
  Double(payload, "conversation_id", item.thread);
  if (notice.kind == Notice::Kind::kAdd) {
    payload["text"] = item.text;
    payload["created_at"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", item.created, absl::UTCTimeZone());
    payload["edit_history_tweet_ids"] = {item.id};
    if (!item.parent.empty()) {
      Double(payload, "in_reply_to_tweet_id", item.parent);
      payload["referenced_tweets"] = {{{"type", "replied_to"}, {"id", item.parent}}};
    }
    for (const auto& [link, url] : item.urls) {
      payload["entities"]["urls"].push_back({{"url", link}, {"expanded_url", url}, {"display_url", url}});
    }
  } else {
    payload["deleted_at"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", notice.time, absl::UTCTimeZone());
  }
  Json filter = Json::object();
  Double(filter, "user_id", notice.account->id);
  const Json user = {{"id", item.author_id}, {"name", item.author_name}, {"username", item.author_handle}};
  // The same notice has the same uuid, however often it is delivered.
  const std::string uuid = Cat(item.id, "-", static_cast<int>(notice.kind), "-", absl::ToUnixMicros(notice.time));
  return Dump({{"data",
                {{"event_uuid", uuid},
                 {"event_type", XEventType(notice)},
                 {"filter", filter},
                 {"tag", "sandbox"},
                 {"payload", payload},
                 {"includes", {{"users", {user}}}}}}},
              false);
}

std::string OddBody(const Notice& like, XShape shape, absl::Time now) {
  const std::string& account = like.account->id;
  const Json member = {{"deep", {1, nullptr, "🛸"}}};
  if (like.item->network == Network::kFacebook) {
    const Json value = {{"item", "hologram"},
                        {"verb", "sparkle"},
                        {"post_id", like.item->post},
                        {"created_time", absl::ToUnixSeconds(now)},
                        {"new_member", member}};
    return Dump({{"object", "page"},
                 {"entry",
                  {{{"id", account},
                    {"time", absl::ToUnixSeconds(now)},
                    {"changes", {{{"field", "feed"}, {"value", value}}, {{"field", "ratings"}, {"value", member}}}}}}}},
                true);
  }
  if (shape == XShape::kAccountActivity) return Dump({{"for_user_id", account}, {"sparkle_events", {member}}}, false);
  return Dump({{"data",
                {{"event_uuid", Cat("odd-", absl::ToUnixMicros(now))},
                 {"event_type", "post.sparkle.create"},
                 {"filter", {{"user_id", account}}},
                 {"payload", member}}},
               {"new_member", member}},
              false);
}

bool SameGroup(const Notice& a, const Notice& b) {
  return a.account->id == b.account->id && (a.kind == Notice::Kind::kRemove) == (b.kind == Notice::Kind::kRemove);
}

std::string XAccountActivityBody(const std::vector<Notice>& notices) {
  Json body = {{"for_user_id", notices.front().account->id}};
  for (const Notice& notice : notices) {
    if (notice.kind == Notice::Kind::kRemove) {
      body["tweet_delete_events"].push_back({{"status", {{"id", notice.item->id}, {"user_id", notice.item->author_id}}},
                                             {"timestamp_ms", std::to_string(absl::ToUnixMillis(notice.time))}});
    } else {
      body["tweet_create_events"].push_back(ClassicTweet(notice));
    }
  }
  return Dump(body, false);
}

}  // namespace parvis::sandbox
