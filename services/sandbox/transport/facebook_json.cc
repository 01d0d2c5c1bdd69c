#include "sandbox/transport/facebook_json.h"

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

// Keeps what was asked for; the id always comes along.
Json Only(Json all, const std::set<std::string>& fields) {
  Json out = Json::object();
  for (auto& [name, value] : all.items()) {
    if (name == "id" || fields.contains(name)) out[name] = std::move(value);
  }
  return out;
}

Json Summary(int64_t total) {
  return {{"data", Json::array()},
          {"summary", {{"order", "chronological"}, {"total_count", total}, {"can_comment", true}}}};
}

std::string Permalink(const Item& item) {
  const std::string post = item.post.substr(item.post.find('_') == std::string::npos ? 0 : item.post.find('_') + 1);
  std::string link = Cat("https://www.facebook.com/", item.account, "/posts/", post);
  if (item.kind != Item::Kind::kPost) link += Cat("?comment_id=", item.id.substr(item.id.find('_') + 1));
  return link;
}

}  // namespace

std::set<std::string> FacebookFields(std::string_view fields) {
  std::set<std::string> out;
  std::string name;
  int depth = 0;
  bool in_name = true;
  for (char c : fields) {
    if (c == '{' || c == '(') ++depth;
    if (c == '{' || c == '(' || c == '.') in_name = false;
    if (depth == 0 && c == ',') {
      out.insert(name);
      name.clear();
      in_name = true;
    } else if (depth == 0 && in_name && c != ' ') {
      name.push_back(c);
    }
    if (c == '}' || c == ')') --depth;
  }
  if (!name.empty()) out.insert(name);
  out.erase("");
  return out;
}

std::string FacebookTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S+0000", time, absl::UTCTimeZone());
}

Json FacebookPage(const Account& account, const std::set<std::string>& fields) {
  return Only({{"id", account.id},
               {"name", account.name},
               {"username", account.handle},
               {"link", Cat("https://www.facebook.com/", account.id)},
               {"access_token", account.token},
               {"category", "Brand"},
               {"followers_count", 5000},
               {"tasks", {"CREATE_CONTENT", "MANAGE", "MODERATE", "ANALYZE"}}},
              fields.empty() ? std::set<std::string>{"name"} : fields);
}

Json FacebookPost(const Item& item, const std::set<std::string>& fields, const FacebookCounts& counts) {
  Json all = {{"id", item.id},
              {"created_time", FacebookTime(item.created)},
              {"updated_time", FacebookTime(item.changed)},
              {"permalink_url", Permalink(item)},
              {"is_published", item.published},
              {"is_hidden", item.hidden},
              {"from", {{"id", item.author_id}, {"name", item.author_name}}},
              {"comments", Summary(counts.comments)},
              {"reactions", {{"data", Json::array()}, {"summary", {{"total_count", 0}, {"viewer_reaction", "NONE"}}}}}};
  if (!item.text.empty()) all["message"] = item.text;  // an empty message is left out, as the network does
  if (!item.published) all["scheduled_publish_time"] = absl::ToUnixSeconds(item.created);
  if (!item.link.empty()) all["link"] = item.link;
  return Only(std::move(all), fields.empty() ? std::set<std::string>{"message", "created_time"} : fields);
}

Json FacebookComment(const Item& item, const std::set<std::string>& fields, const FacebookCounts& counts) {
  Json all = {{"id", item.id},
              {"message", item.text},
              {"created_time", FacebookTime(item.created)},
              {"from", {{"id", item.author_id}, {"name", item.author_name}}},
              {"is_hidden", item.hidden},
              {"is_private", false},
              {"can_hide", !item.by_us},
              {"can_remove", true},
              {"can_comment", true},
              {"can_reply_privately", !item.by_us},
              {"like_count", 0},
              {"comment_count", counts.comments},
              {"user_likes", false},
              {"permalink_url", Permalink(item)},
              {"object", {{"id", item.post}}}};
  if (item.parent != item.post) all["parent"] = {{"id", item.parent}};
  return Only(std::move(all), fields.empty() ? std::set<std::string>{"message", "created_time", "from"} : fields);
}

net::HttpResponse FacebookErrorResponse(const FacebookError& error) {
  Json json = {
      {"message", error.message}, {"type", error.type}, {"code", error.code}, {"fbtrace_id", Cat("A", RandomHex(21))}};
  if (error.subcode != 0) {
    json["error_subcode"] = error.subcode;
    json["error_user_title"] = "Une erreur est survenue";  // localised: never to be matched on
    json["error_user_msg"] = "Veuillez réessayer plus tard.";
  }
  if (error.transient) json["is_transient"] = true;
  net::HttpResponse response = JsonResponse(error.http_status, {{"error", std::move(json)}});
  response.headers["Facebook-API-Version"] = "v23.0";
  return response;
}

}  // namespace parvis::sandbox
