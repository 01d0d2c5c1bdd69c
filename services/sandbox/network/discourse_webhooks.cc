#include "sandbox/network/discourse_webhooks.h"

#include <atomic>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/network/signature.h"

namespace parvis::sandbox {
namespace {

using Json = nlohmann::json;

Json Id(const std::string& id) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  return error == std::errc() && end == id.data() + id.size() ? Json(number) : Json(id);
}

std::string Iso(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()); }

// {type, name} of the event; {"", ""} for what nobody is told of.
std::pair<std::string_view, std::string_view> EventOf(const Notice& notice) {
  const Item& item = *notice.item;
  if (item.kind == Item::Kind::kMedia) return {};
  if (InQueue(item)) {
    if (notice.kind == Notice::Kind::kAdd) return {"reviewable", "reviewable_created"};
    if (notice.kind == Notice::Kind::kEdit) return {"reviewable", "reviewable_transitioned_to"};
    return {};
  }
  if (notice.kind == Notice::Kind::kAdd) return {"post", "post_created"};
  if (notice.kind == Notice::Kind::kRemove) return {"post", "post_destroyed"};
  if (notice.deed == "edit") return {"post", "post_edited"};
  if (notice.deed == "lock" || notice.deed == "unlock") return {"topic", "topic_closed_status_updated"};
  if (notice.deed == "archive" || notice.deed == "unarchive") return {"topic", "topic_archived_status_updated"};
  if (notice.deed == "pin" || notice.deed == "unpin") return {"topic", "topic_pinned_status_updated"};
  if (notice.deed == "hide" || notice.deed == "unhide") return {"topic", "topic_visible_status_updated"};
  return {};
}

Json PostJson(const Notice& notice) {
  const Item& item = *notice.item;
  const bool by_author = item.deleted && notice.actor_id == item.author_id && !item.by_us;
  const bool gone = item.deleted && !by_author;
  Json post = {{"id", Id(item.id)},
               {"name", item.author_name},
               {"username", item.author_handle},
               {"avatar_template", "/letter_avatar_proxy/v4/letter/p/bc79bd/{size}.png"},
               {"created_at", Iso(item.created)},
               {"cooked", Cat("<p>", item.text, "</p>")},
               {"raw", item.text},
               {"post_number", Id(Extra(item, "post_number"))},
               {"post_type", 1},
               {"updated_at", Iso(item.deleted ? item.changed : TextTime(item))},
               {"reply_count", 0},
               {"reply_to_post_number", nullptr},
               {"quote_count", 0},
               {"reads", 0},
               {"score", 0},
               {"topic_id", Id(Extra(item, "topic_id"))},
               {"version", item.edited && item.changed - item.created > absl::Minutes(5) ? 2 : 1},
               {"user_id", Id(item.author_id)},
               {"hidden", false},
               {"trust_level", item.by_us ? 4 : 1},
               {"deleted_at", gone ? Json(Iso(item.changed)) : Json()},
               {"user_deleted", by_author},
               {"topic_archetype", "regular"}};
  if (!item.title.empty()) post["topic_title"] = item.title;
  if (const std::string to = Extra(item, "reply_to"); !to.empty()) post["reply_to_post_number"] = Id(to);
  return post;
}

Json TopicJson(const Item& first) {
  return {{"id", Id(Extra(first, "topic_id"))},
          {"title", first.title},
          {"created_at", Iso(first.created)},
          {"closed", Extra(first, "closed") == "true"},
          {"archived", Extra(first, "archived") == "true"},
          {"pinned", Extra(first, "pinned") == "true"},
          {"visible", !first.hidden},
          {"archetype", "regular"},
          {"user_id", Id(first.author_id)}};
}

Json ReviewableJson(const Item& item) {
  return {{"id", Id(item.id)},
          {"type", "ReviewableQueuedPost"},
          {"status", item.status == kQueued          ? 0
                     : item.status == kQueueAccepted ? 1
                                                     : 2},
          {"topic_id", item.kind == Item::Kind::kPost ? Json() : Id(Extra(item, "topic_id"))},
          {"target_created_by_id", Id(item.author_id)},
          {"created_at", Iso(item.created)},
          {"version", item.status == kQueued ? 0 : 1},
          {"payload", {{"raw", item.text}}}};
}

}  // namespace

bool DiscourseWebhooks::Tells(const Notice& notice) const { return !EventOf(notice).first.empty(); }

bool DiscourseWebhooks::Together(const StyleSettings&, const Notice&, const Notice&) const { return false; }

std::string DiscourseWebhooks::Body(const StyleSettings&, const std::vector<Notice>& notices, absl::Time) const {
  const Notice& notice = notices.front();
  const std::string type(EventOf(notice).first);
  const Item& item = *notice.item;
  return DumpJson({{type, type == "post"    ? PostJson(notice)
                          : type == "topic" ? TopicJson(item)
                                            : ReviewableJson(item)}},
                  false);
}

std::string DiscourseWebhooks::Odd(const StyleSettings&, const Notice& like, absl::Time now) const {
  if (absl::ToUnixMicros(now) % 2 == 0) return DumpJson({{"ping", "OK"}}, false);
  return DumpJson({{"sparkle", {{"id", Id(like.item->id)}, {"deep", {1, nullptr, "🛸"}}}}}, false);
}

void DiscourseWebhooks::Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
                              net::Headers* headers) const {
  // Each attempt is an event with a number of its own.
  static std::atomic<int64_t> events{0};
  const size_t quote = body.find('"', 2);
  const std::string key = body.size() > 2 && quote != std::string::npos ? body.substr(2, quote - 2) : "";
  const auto [type, name] = EventOf(like);
  const bool odd = key != type;
  (*headers)["Content-Type"] = "application/json";
  (*headers)["Accept"] = "*/*";
  (*headers)["User-Agent"] = "Discourse/3.6.0";
  (*headers)["X-Discourse-Instance"] = Cat("http://forum-", like.account->id, ".example");
  (*headers)["X-Discourse-Event-Id"] = std::to_string(++events);
  (*headers)["X-Discourse-Event-Type"] = odd ? key : std::string(type);
  if (key != "ping") (*headers)["X-Discourse-Event"] = odd ? Cat(key, "_created") : std::string(name);
  (*headers)["X-Discourse-Event-Signature"] = Cat("sha256=", HmacHex(settings.secret, body));
}

std::optional<Challenge> DiscourseWebhooks::MakeChallenge(const StyleSettings&, Rng&) const { return std::nullopt; }

bool DiscourseWebhooks::Answered(const std::string&, const std::string&) const { return true; }

}  // namespace parvis::sandbox
