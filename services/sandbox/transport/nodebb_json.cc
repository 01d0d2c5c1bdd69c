#include "sandbox/transport/nodebb_json.h"

#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/transport/discourse_json.h"

namespace parvis::sandbox {
namespace {

std::string_view CodeOf(int status) {
  switch (status) {
    case 200:
      return "ok";
    case 202:
      return "accepted";
    case 400:
      return "bad-request";
    case 401:
      return "not-authorised";
    case 403:
      return "forbidden";
    case 404:
      return "not-found";
    case 429:
      return "too-many-requests";
    default:
      return "internal-server-error";
  }
}

Json AuthorOf(const Item& item) { return NodebbUser(item.author_id, item.author_name, item.author_handle); }
std::string SlugOf(const Item& first) { return Cat(Extra(first, "tid"), "/", ForumSlug(first.title)); }

}  // namespace

net::HttpResponse NodebbPage(const Json& json, int status) {
  net::HttpResponse response = JsonResponse(status, json, false);
  response.headers["Content-Type"] = "application/json; charset=utf-8";
  response.headers["X-Powered-By"] = "NodeBB";
  return response;
}

net::HttpResponse NodebbAnswer(const Json& body, int status) {
  return NodebbPage(
      {{"status", {{"code", CodeOf(status)}, {"message", status == 202 ? "Accepted" : "OK"}}}, {"response", body}},
      status);
}

net::HttpResponse NodebbError(int status, std::string_view message) {
  if (message == "[[error:no-privileges]]" || message == "[[error:user-banned]]") status = 403;
  if (message == "[[error:invalid-uid]]") status = 401;
  return NodebbPage({{"status", {{"code", CodeOf(status)}, {"message", message}}}, {"response", Json::object()}},
                    status);
}

bool IsRemoved(const Item& item) { return item.deleted || Extra(item, "deleted") == "1"; }

Json NodebbUser(std::string_view uid, std::string_view name, std::string_view handle) {
  return {{"uid", ForumNumber(uid)}, {"username", handle}, {"userslug", handle},  {"displayname", name},
          {"fullname", name},        {"picture", nullptr}, {"status", "offline"}, {"reputation", 0},
          {"postcount", 1},          {"banned", false},    {"icon:text", "P"},    {"icon:bgColor", "#e91e63"}};
}

Json NodebbPost(const Item& item, const Item& first, int64_t replies, bool html) {
  const bool removed = IsRemoved(item);
  const int64_t votes = ForumValue(Extra(item, "up")) - ForumValue(Extra(item, "down"));
  Json post = {
      {"pid", ForumNumber(item.id)},
      {"tid", ForumNumber(Extra(item, "tid"))},
      {"uid", ForumNumber(item.author_id)},
      {"content", html ? ForumHtml(item.text) + "\n" : item.text},
      {"timestamp", absl::ToUnixMillis(item.created)},
      {"timestampISO", ForumTime(item.created)},
      {"edited", item.edited ? absl::ToUnixMillis(TextTime(item)) : 0},
      {"editedISO", item.edited ? ForumTime(TextTime(item)) : ""},
      {"editor", nullptr},
      {"votes", votes},
      {"upvotes", ForumValue(Extra(item, "up"))},
      {"downvotes", ForumValue(Extra(item, "down"))},
      {"deleted", removed ? 1 : 0},
      {"deleterUid",
       removed ? ForumNumber(Extra(item, "deleter").empty() ? item.author_id : Extra(item, "deleter")) : Json(0)},
      {"index", ForumValue(Extra(item, "index"))},
      {"replies", {{"count", replies}, {"hasMore", replies > 6}, {"users", Json::array()}}},
      {"bookmarks", 0},
      {"isMainPost", item.kind == Item::Kind::kPost},
      {"user", AuthorOf(item)},
      {"topic",
       {{"tid", ForumNumber(Extra(first, "tid"))},
        {"uid", ForumNumber(first.author_id)},
        {"cid", ForumNumber(Extra(first, "cid"))},
        {"title", first.title},
        {"slug", SlugOf(first)},
        {"mainPid", ForumNumber(first.id)},
        {"deleted", IsRemoved(first) ? 1 : 0}}},
      {"category", {{"cid", ForumNumber(Extra(first, "cid"))}, {"name", "General Discussion"}}}};
  if (const std::string to = Extra(item, "toPid"); !to.empty()) post["toPid"] = ForumNumber(to);
  return post;
}

Json NodebbTopic(const Item& first, int64_t posts, const Item& last) {
  return {{"tid", ForumNumber(Extra(first, "tid"))},
          {"uid", ForumNumber(first.author_id)},
          {"cid", ForumNumber(Extra(first, "cid"))},
          {"mainPid", ForumNumber(first.id)},
          {"title", first.title},
          {"titleRaw", first.title},
          {"slug", SlugOf(first)},
          {"timestamp", absl::ToUnixMillis(first.created)},
          {"timestampISO", ForumTime(first.created)},
          {"lastposttime", absl::ToUnixMillis(last.created)},
          {"lastposttimeISO", ForumTime(last.created)},
          {"postcount", posts},
          {"viewcount", 1 + 2 * posts},
          {"postercount", 1},
          {"followercount", 0},
          {"upvotes", ForumValue(Extra(first, "up"))},
          {"downvotes", ForumValue(Extra(first, "down"))},
          {"votes", ForumValue(Extra(first, "up")) - ForumValue(Extra(first, "down"))},
          {"deleted", IsRemoved(first) ? 1 : 0},
          {"locked", Extra(first, "locked") == "1" ? 1 : 0},
          {"pinned", Extra(first, "pinned") == "1" ? 1 : 0},
          {"scheduled", Extra(first, "scheduled") == "1"},
          {"tags", Json::array()},
          {"user", AuthorOf(first)},
          {"teaserPid", ForumNumber(last.id)}};
}

std::string QueueIdOf(const Item& item) { return Cat(item.kind == Item::Kind::kPost ? "topic-" : "reply-", item.id); }

Json NodebbQueued(const Item& item, const Item* first) {
  const bool topic = item.kind == Item::Kind::kPost;
  Json data = {{"uid", ForumNumber(item.author_id)},
               {"content", ForumHtml(item.text)},
               {"rawContent", item.text},
               {"timestamp", absl::ToUnixMillis(item.created)},
               {"timestampISO", ForumTime(item.created)}};
  if (topic) {
    data["title"] = item.title;
    data["cid"] = ForumNumber(Extra(item, "cid"));
  } else {
    data["tid"] = ForumNumber(Extra(item, "tid"));
    if (const std::string to = Extra(item, "toPid"); !to.empty()) data["toPid"] = ForumNumber(to);
  }
  Json json = {{"id", QueueIdOf(item)},
               {"uid", ForumNumber(item.author_id)},
               {"type", topic ? "topic" : "reply"},
               {"data", data},
               {"user", AuthorOf(item)},
               {"topic", {{"cid", ForumNumber(Extra(item, "cid"))}}}};
  if (!topic && first != nullptr) json["topic"] = {{"title", first->title}, {"cid", ForumNumber(Extra(*first, "cid"))}};
  return json;
}

}  // namespace parvis::sandbox
