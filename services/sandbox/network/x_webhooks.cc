#include "sandbox/network/x_webhooks.h"

#include <cstdlib>

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/network/signature.h"

namespace parvis::sandbox {
namespace {

using Json = nlohmann::json;

// The older account activity events, as against activity events.
bool Older(const StyleSettings& settings) { return settings.shape == "aaa"; }

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

// Exactly one notice.
std::string ActivityBody(const Notice& notice) {
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
  return DumpJson({{"data",
                {{"event_uuid", uuid},
                 {"event_type", XEventType(notice)},
                 {"filter", filter},
                 {"tag", "sandbox"},
                 {"payload", payload},
                 {"includes", {{"users", {user}}}}}}},
              false);
}

// Notices of one account and of one group (see Together).
std::string AccountActivityBody(const std::vector<Notice>& notices) {
  Json body = {{"for_user_id", notices.front().account->id}};
  for (const Notice& notice : notices) {
    if (notice.kind == Notice::Kind::kRemove) {
      body["tweet_delete_events"].push_back({{"status", {{"id", notice.item->id}, {"user_id", notice.item->author_id}}},
                                             {"timestamp_ms", std::to_string(absl::ToUnixMillis(notice.time))}});
    } else {
      body["tweet_create_events"].push_back(ClassicTweet(notice));
    }
  }
  return DumpJson(body, false);
}

}  // namespace

bool XWebhooks::Tells(const Notice& notice) const {
  return notice.item->kind != Item::Kind::kMedia && !XEventType(notice).empty();
}

bool XWebhooks::Together(const StyleSettings& settings, const Notice& a, const Notice& b) const {
  return Older(settings) && a.account->id == b.account->id &&
         (a.kind == Notice::Kind::kRemove) == (b.kind == Notice::Kind::kRemove);
}

std::string XWebhooks::Body(const StyleSettings& settings, const std::vector<Notice>& notices, absl::Time) const {
  return Older(settings) ? AccountActivityBody(notices) : ActivityBody(notices.front());
}

std::string XWebhooks::Odd(const StyleSettings& settings, const Notice& like, absl::Time now) const {
  const std::string& account = like.account->id;
  const Json member = {{"deep", {1, nullptr, "🛸"}}};
  if (Older(settings)) return DumpJson({{"for_user_id", account}, {"sparkle_events", {member}}}, false);
  return DumpJson({{"data",
                {{"event_uuid", Cat("odd-", absl::ToUnixMicros(now))},
                 {"event_type", "post.sparkle.create"},
                 {"filter", {{"user_id", account}}},
                 {"payload", member}}},
               {"new_member", member}},
              false);
}

void XWebhooks::Dress(const StyleSettings& settings, const std::string& body, const Notice&, net::Headers* headers) const {
  (*headers)["Content-Type"] = "application/json";
  (*headers)["x-twitter-webhooks-signature"] = Cat("sha256=", HmacBase64(settings.secret, body));
}

std::optional<Challenge> XWebhooks::MakeChallenge(const StyleSettings& settings, Rng&) const {
  const std::string token = RandomHex(32);
  return Challenge{"crc_token=" + token, Cat("sha256=", HmacBase64(settings.secret, token))};
}

bool XWebhooks::Answered(const std::string& expected, const std::string& body) const {
  const auto json = Json::parse(body, nullptr, false);
  return json.is_object() && json.contains("response_token") && json.at("response_token") == expected;
}

}  // namespace parvis::sandbox
