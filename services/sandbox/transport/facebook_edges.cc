// The edges of the Graph API: what is read and written.
#include <absl/strings/ascii.h>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/facebook.h"
#include "sandbox/transport/facebook_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kPostMax = 63206, kCommentMax = 8000;      // characters (facts 0.3)
constexpr absl::Duration kDuplicateWindow = absl::Hours(1);  // a number of ours

net::HttpResponse Duplicate() { return GraphErrorResponse({.code = 506, .message = "Duplicate status message"}); }

}  // namespace

net::HttpResponse Facebook::Identity(const Asked& asked) {
  return JsonResponse(200, FacebookPage(*asked.account, GraphFields(asked.Param("fields"))));
}

net::HttpResponse Facebook::MyAccounts(const Asked& asked) {
  Json data = Json::array();
  std::vector<AccountPtr> pages = context_.world.PagesOf(product_.network, asked.account->token);
  if (!asked.account->personal) pages = {asked.account};
  for (const AccountPtr& page : pages) {
    data.push_back(FacebookPage(*page, {"name", "access_token", "tasks", "category"}));
  }
  return JsonResponse(200, {{"data", data}});
}

net::HttpResponse Facebook::Publish(const Asked& asked, Answer answer) {
  if (!asked.own()) return GraphForbidden();
  const std::string message = asked.Param("message"), link = asked.Param("link");
  const bool attached = !asked.Param("attached_media").empty() ||
                        (asked.request.json.is_object() && asked.request.json.contains("attached_media"));
  if (message.empty() && link.empty() && !attached) return GraphInvalid("Missing message or attachment");
  if (static_cast<int64_t>(CodePoints(message)) > kPostMax) return GraphInvalid("Param message is too long");
  const absl::Time now = context_.clock.WallNow();
  absl::Time created = absl::InfinitePast();
  const bool published = GraphTrue(asked.Param("published"), true);
  const std::string scheduled = asked.Param("scheduled_publish_time");
  if (!scheduled.empty()) {
    const auto seconds = ReadNumber(scheduled, 0, 0, 1'000'000'000'000);
    std::string error;
    absl::Time at;
    if (seconds)
      at = absl::FromUnixSeconds(*seconds);
    else if (!absl::ParseTime(absl::RFC3339_full, scheduled, &at, &error))
      return GraphInvalid("Invalid scheduled_publish_time");
    if (published || at < now + absl::Minutes(10) || at > now + absl::Hours(24 * 30)) {
      return GraphInvalid("The specified scheduled publish time is invalid.");
    }
    created = at;
  }
  if (context_.world.FindDuplicate(Network::kFacebook, asked.account->id, "", message, now - kDuplicateWindow)) {
    return Duplicate();
  }
  const auto item = context_.world.Create({.network = Network::kFacebook,
                                           .account = asked.account->id,
                                           .author_id = asked.account->id,
                                           .author_name = asked.account->name,
                                           .text = message,
                                           .link = link,
                                           .media = asked.Param("attached_media"),
                                           .by_us = true,
                                           .published = published,
                                           .created = created},
                                          Us(asked, answer));
  if (!item.ok()) return GraphFailed(item.status());
  const auto fields = GraphFields(asked.Param("fields"));
  return JsonResponse(200, fields.empty() ? Json{{"id", (*item)->id}} : FacebookPost(**item, fields, {}));
}

// A photo that is published makes a post; an unpublished one waits for attached_media.
net::HttpResponse Facebook::Photo(const Asked& asked, Answer answer) {
  if (!asked.own()) return GraphForbidden();
  const bool has_file = std::any_of(asked.request.parts.begin(), asked.request.parts.end(),
                                    [](const Part& part) { return part.name == "source" && !part.body.empty(); });
  const std::string url = asked.Param("url");
  if (!has_file && url.empty()) {
    return GraphErrorResponse({.code = 324, .message = "(#324) Requires upload file"});
  }
  size_t size = 0;
  for (const Part& part : asked.request.parts) {
    if (part.name != "source") continue;
    size = part.body.size();
    if (size > (4u << 20)) return GraphErrorResponse({.code = 1, .subcode = 1366046, .message = "Photo too large"});
  }
  const std::string caption = asked.Param("caption", asked.Param("message"));
  const bool published = GraphTrue(asked.Param("published"), true);
  NewItem photo = Ours(asked, Item::Kind::kMedia);
  photo.text = caption;
  photo.link = url;
  photo.media = "image";
  if (size > 0) photo.extra["size"] = std::to_string(size);
  photo.published = published;
  const auto made = context_.world.Create(photo, Us(asked, answer));
  if (!made.ok()) return GraphFailed(made.status());
  Json json = {{"id", (*made)->id}};
  if (published) {
    NewItem item = Ours(asked, Item::Kind::kPost);
    item.text = caption;
    item.media = (*made)->id;
    const auto post = context_.world.Create(item, Us(asked, answer));
    if (!post.ok()) return GraphFailed(post.status());
    json["post_id"] = (*post)->id;
  }
  return JsonResponse(200, json);
}

net::HttpResponse Facebook::Feed(const Asked& asked, Answer answer) {
  if (!asked.own()) return GraphForbidden();
  auto options = Listing(asked, answer);
  const auto since = ReadNumber(asked.Param("since"), 0, 0, 1'000'000'000'000);
  if (!options || !since) return GraphInvalid("Invalid limit, after or since");
  const bool scheduled = asked.edge == "scheduled_posts";
  const absl::Time from = absl::FromUnixSeconds(*since);
  // Scheduled posts are created in the future, so this list is not in the order of their times. Stories are not in it.
  options->filter = [&](const Item& item) {
    return item.published != scheduled && item.created >= from && !item.extra.contains("story");
  };
  return Listed(asked, context_.world.Read(Network::kFacebook, World::List::kPosts, asked.account->id, *options));
}

net::HttpResponse Facebook::Comments(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return GraphGone(asked.object);
  auto options = Listing(asked, answer);
  const auto since = ReadNumber(asked.Param("since"), 0, 0, 1'000'000'000'000);
  if (!options || !since) return GraphInvalid("Invalid limit, after or since");
  const std::string order = asked.Param("order", "chronological"), filter = asked.Param("filter", "toplevel");
  if ((order != "chronological" && order != "reverse_chronological") || (filter != "toplevel" && filter != "stream")) {
    return GraphInvalid("Invalid order or filter");
  }
  options->newest_first = order == "reverse_chronological";
  const bool post = target->kind == Item::Kind::kPost;
  if (*since > 0) options->since = absl::FromUnixSeconds(*since);
  options->filter = [&](const Item& item) { return !post || filter == "stream" || item.parent == target->id; };
  return Listed(asked, context_.world.Read(Network::kFacebook, post ? World::List::kComments : World::List::kChildren,
                                           target->id, *options));
}

net::HttpResponse Facebook::Listed(const Asked& asked, const Page& page) {
  const auto fields = GraphFields(asked.Param("fields"));
  return Paged(asked, page, [&](const Item& item) {
    return item.kind == Item::Kind::kPost ? FacebookPost(item, fields, {}) : FacebookComment(item, fields, {});
  });
}

net::HttpResponse Facebook::Comment(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return GraphGone(asked.object);
  const std::string message = asked.Param("message");
  if (message.empty() && asked.Param("attachment_url").empty()) return GraphInvalid("Missing message or attachment");
  if (static_cast<int64_t>(CodePoints(message)) > kCommentMax) return GraphInvalid("Param message is too long");
  if (context_.world.FindDuplicate(Network::kFacebook, asked.account->id, target->id, message,
                                   context_.clock.WallNow() - kDuplicateWindow)) {
    return Duplicate();
  }
  const auto item = context_.world.Create({.network = Network::kFacebook,
                                           .kind = Item::Kind::kComment,
                                           .account = asked.account->id,
                                           .parent = target->id,
                                           .author_id = asked.account->id,
                                           .author_name = asked.account->name,
                                           .text = message,
                                           .by_us = true},
                                          Us(asked, answer));
  if (!item.ok()) return GraphFailed(item.status());
  const auto fields = GraphFields(asked.Param("fields"));
  return JsonResponse(200, fields.empty() ? Json{{"id", (*item)->id}} : FacebookComment(**item, fields, {}));
}

net::HttpResponse Facebook::Update(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return GraphGone(asked.object);
  const std::string hidden = asked.Param("is_hidden"), message = asked.Param("message");
  if (!hidden.empty()) {
    if (hidden != "true" && hidden != "false" && hidden != "1" && hidden != "0")
      return GraphInvalid("is_hidden must be a boolean");
    if (target->kind == Item::Kind::kComment && target->by_us) return GraphForbidden();
    const auto changed =
        context_.world.SetHidden(Network::kFacebook, target->id, GraphTrue(hidden, false), Us(asked, answer));
    return changed.ok() ? JsonResponse(200, {{"success", true}}) : GraphFailed(changed.status());
  }
  if (message.empty()) return GraphInvalid("Missing message or attachment");
  if (!target->by_us) return GraphForbidden();
  if (static_cast<int64_t>(CodePoints(message)) > (target->kind == Item::Kind::kPost ? kPostMax : kCommentMax)) {
    return GraphInvalid("Param message is too long");
  }
  const auto changed = context_.world.Edit(Network::kFacebook, target->id, message, Us(asked, answer));
  return changed.ok() ? JsonResponse(200, {{"success", true}}) : GraphFailed(changed.status());
}

net::HttpResponse Facebook::Remove(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return GraphGone(asked.object);
  const auto gone = context_.world.Delete(Network::kFacebook, target->id, Us(asked, answer));
  return gone.ok() ? JsonResponse(200, {{"success", true}}) : GraphFailed(gone.status());
}

net::HttpResponse Facebook::ReadObject(const Asked& asked) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return GraphGone(asked.object);
  const auto fields = GraphFields(asked.Param("fields"));
  if (target->kind == Item::Kind::kMedia) return ReadMedia(*target, fields);
  const bool post = target->kind == Item::Kind::kPost;
  FacebookCounts counts;
  if (fields.contains("comments") || fields.contains("comment_count")) {
    counts.comments = context_.world
                          .Read(Network::kFacebook, post ? World::List::kComments : World::List::kChildren, target->id,
                                {.limit = 0, .count_all = true})
                          .total;
  }
  return JsonResponse(200, post ? FacebookPost(*target, fields, counts) : FacebookComment(*target, fields, counts));
}

}  // namespace parvis::sandbox
