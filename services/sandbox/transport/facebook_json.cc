#include "sandbox/transport/facebook_json.h"

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

Json Summary(int64_t total) {
  return {{"data", Json::array()},
          {"summary", {{"order", "chronological"}, {"total_count", total}, {"can_comment", true}}}};
}

// A figure that a test has set.
std::string Permalink(const Item& item) {
  const std::string post = item.post.substr(item.post.find('_') == std::string::npos ? 0 : item.post.find('_') + 1);
  std::string link = Cat("https://www.facebook.com/", item.account, "/posts/", post);
  if (item.kind != Item::Kind::kPost) link += Cat("?comment_id=", item.id.substr(item.id.find('_') + 1));
  return link;
}

}  // namespace

Json FacebookPage(const Account& account, const std::set<std::string>& fields) {
  return GraphOnly({{"id", account.id},
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
              {"created_time", GraphTime(item.created)},
              {"updated_time", GraphTime(item.changed)},
              {"permalink_url", Permalink(item)},
              {"is_published", item.published},
              {"is_hidden", item.hidden},
              {"from", {{"id", item.author_id}, {"name", item.author_name}}},
              {"comments", Summary(counts.comments)},
              {"reactions",
               {{"data", Json::array()}, {"summary", {{"total_count", ExtraNumber(item, "likes")}, {"viewer_reaction", "NONE"}}}}}};
  if (!item.text.empty()) all["message"] = item.text;  // an empty message is left out, as the network does
  if (!item.published) all["scheduled_publish_time"] = absl::ToUnixSeconds(item.created);
  if (!item.link.empty()) all["link"] = item.link;
  return GraphOnly(std::move(all), fields.empty() ? std::set<std::string>{"message", "created_time"} : fields);
}

Json FacebookComment(const Item& item, const std::set<std::string>& fields, const FacebookCounts& counts) {
  Json all = {{"id", item.id},
              {"message", item.text},
              {"created_time", GraphTime(item.created)},
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
  return GraphOnly(std::move(all), fields.empty() ? std::set<std::string>{"message", "created_time", "from"} : fields);
}

Json FacebookVideo(const Item& item, const std::set<std::string>& fields) {
  const auto of = [&](const char* name) {
    const auto it = item.extra.find(name);
    return it == item.extra.end() ? std::string() : it->second;
  };
  Json all = {
      {"id", item.id},
      {"created_time", GraphTime(item.created)},
      {"updated_time", GraphTime(item.changed)},
      {"permalink_url", Cat(item.title == "reel" ? "/reel/" : Cat("/", item.account, "/videos/"), item.id, "/")}};
  if (const std::string words = of("description"); !words.empty()) all["description"] = words;
  // The number of the post alone, as videos tell it.
  if (const std::string post = of("post"); !post.empty()) all["post_id"] = post.substr(post.find('_') + 1);
  return GraphOnly(std::move(all), fields.empty() ? std::set<std::string>{"updated_time", "description"} : fields);
}

}  // namespace parvis::sandbox
