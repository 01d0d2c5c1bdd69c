// Which call is what, and who the account is; the rest is in instagram_publish.cc, instagram_media.cc,
// instagram_comments.cc.
#include "sandbox/transport/instagram.h"

#include "sandbox/domain/cat.h"
#include "sandbox/transport/instagram_json.h"

namespace parvis::sandbox {
namespace {

const std::set<std::string> kUserFields = {
    "user_id",      "username",        "name",          "biography",   "website",           "profile_picture_url",
    "account_type", "followers_count", "follows_count", "media_count", "mentioned_comment", "mentioned_media"};
const std::vector<std::string_view> kUserInsights = {
    "views",  "reach",   "accounts_engaged",   "total_interactions",   "likes", "comments", "saved",
    "shares", "replies", "profile_links_taps", "follows_and_unfollows"};

}  // namespace

Reply Instagram::Route(const Asked& asked) {
  if (asked.own()) return RouteUser(asked);
  if (asked.edge.empty()) return RouteObject(asked);
  const bool get = asked.method == "GET", post = asked.method == "POST";
  const std::string& edge = asked.edge;
  if (edge == "comments" && get) return Guarded(asked, "list", [&](Answer a) { return Comments(asked, a); });
  if (edge == "replies" && get) return Guarded(asked, "list", [&](Answer a) { return Replies(asked, a); });
  if ((edge == "comments" || edge == "replies") && post)
    return Guarded(asked, "reply", [&](Answer a) { return Comment(asked, a); });
  if (edge == "insights" && get) return Guarded(asked, "read", [&](Answer) { return MediaInsights(asked); });
  return Unsupported(asked);
}

Reply Instagram::RouteUser(const Asked& asked) {
  const bool get = asked.method == "GET", post = asked.method == "POST";
  const std::string& edge = asked.edge;
  if (edge.empty() && get) return Guarded(asked, "identity", [&](Answer) { return Identity(asked); });
  if (get && (edge == "media" || edge == "stories"))
    return Guarded(asked, "list", [&](Answer a) { return Media(asked, a); });
  if (get && edge == "tags") return Guarded(asked, "list", [&](Answer a) { return Tags(asked, a); });
  if (get && edge == "content_publishing_limit")
    return Guarded(asked, "read", [&](Answer) { return PublishingLimit(asked); });
  if (get && edge == "conversations") return Guarded(asked, "list", [&](Answer) { return Conversations(asked); });
  if (get && edge == "insights") {
    return Guarded(asked, "read", [&](Answer) {
      if (asked.Param("metric_type") != "total_value")
        return GraphInvalid("The metric requires metric_type=total_value");
      if (asked.Param("period") != "day") return GraphInvalid("Incompatible metrics with this period");
      return Insights(asked, kUserInsights, nullptr, true);
    });
  }
  if (!post) return Unsupported(asked);
  if (edge == "media") return Guarded(asked, "media", [&](Answer a) { return MakeContainer(asked, a); });
  if (edge == "media_publish") return Guarded(asked, "post", [&](Answer a) { return Publish(asked, a); });
  if (edge == "mentions") return Guarded(asked, "reply", [&](Answer a) { return Mention(asked, a); });
  if (edge == "messages") return Guarded(asked, "private_reply", [&](Answer a) { return Message(asked, a); });
  if (edge == "subscribed_apps")
    return Guarded(asked, "identity", [&](Answer) { return JsonResponse(200, {{"success", true}}); });
  return Unsupported(asked);
}

Reply Instagram::RouteObject(const Asked& asked) {
  if (asked.method == "GET") return Guarded(asked, "read", [&](Answer) { return ReadObject(asked); });
  if (asked.method == "DELETE") return Guarded(asked, "delete", [&](Answer a) { return Remove(asked, a); });
  const std::string hide = asked.Param("hide"), enabled = asked.Param("comment_enabled");
  if (!hide.empty()) {
    return Guarded(asked, GraphTrue(hide, false) ? "hide" : "unhide", [&](Answer a) { return Hide(asked, a); });
  }
  if (!enabled.empty()) {
    return Guarded(asked, GraphTrue(enabled, true) ? "unlock" : "lock",
                   [&](Answer a) { return EnableComments(asked, a); });
  }
  return Guarded(asked, "edit", [&](Answer) {
    return GraphInvalid(Target(asked) != nullptr && Target(asked)->kind == Item::Kind::kComment
                            ? "The parameter hide is required"
                            : "The parameter comment_enabled is required");
  });
}

// The token is the account's own, as with Instagram Login: `id` is the one it has for this app, `user_id` the one that
// webhooks and edges know; whoever mixes them finds nothing (facts 2.1).
net::HttpResponse Instagram::Identity(const Asked& asked) {
  const auto fields = GraphFields(asked.Param("fields"));
  if (auto unknown = UnknownField(fields, kUserFields, "IGUser")) return *std::move(unknown);
  const bool me = !asked.request.path.empty() && asked.request.path.front() == "me";
  const Account& account = *asked.account;
  const auto posts =
      context_.world.Read(Network::kInstagram, World::List::kPosts, account.id, {.limit = 0, .count_all = true});
  Json json = GraphOnly({{"id", me ? Cat("2", account.id.substr(1)) : account.id},
                         {"user_id", account.id},
                         {"username", account.handle},
                         {"name", account.name},
                         {"biography", ""},
                         {"website", ""},
                         {"account_type", "BUSINESS"},
                         {"followers_count", 5000},
                         {"follows_count", 12},
                         {"media_count", posts.total}},
                        fields);
  return MentionedFields(asked, &json);
}

// mentioned_comment.comment_id(ID){..} and mentioned_media.media_id(ID){..} (facts 2.3).
net::HttpResponse Instagram::MentionedFields(const Asked& asked, Json* json) {
  const std::string fields = asked.Param("fields");
  for (const auto& [name, argument] :
       {std::pair<const char*, std::string>{"mentioned_comment", ".comment_id("}, {"mentioned_media", ".media_id("}}) {
    const std::string detail = GraphFieldDetail(fields, name);
    if (detail.empty()) continue;
    const size_t end = detail.find(')');
    if (!detail.starts_with(argument) || end == std::string::npos)
      return GraphInvalid(Cat("The parameter ", argument.substr(1), ") is required"));
    const std::string id = detail.substr(argument.size(), end - argument.size());
    const ItemPtr item = Find(asked, id);
    const bool media = argument == ".media_id(";
    if (item == nullptr || item->by_us ||
        (media ? item->kind != Item::Kind::kMention : item->kind != Item::Kind::kComment))
      return GraphGone(id);
    const auto wanted = GraphFields(GraphDetailFields(detail));
    (*json)[name] = media ? InstagramMention(*item, wanted) : InstagramComment(*item, wanted);
  }
  return JsonResponse(200, *json);
}

}  // namespace parvis::sandbox
