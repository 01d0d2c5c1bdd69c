// The edges of the Graph API: what is read and written.
#include <absl/strings/ascii.h>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/facebook.h"
#include "sandbox/transport/facebook_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kPostMax = 63206, kCommentMax = 8000;      // characters (facts 0.3)
constexpr absl::Duration kDuplicateWindow = absl::Hours(1);  // a number of ours
constexpr int64_t kPageMax = 100;
constexpr int64_t kNowhere = 999'999'999'999;  // a position behind everything

net::HttpResponse Invalid(std::string_view message) {
  return FacebookErrorResponse({.code = 100, .message = Cat("(#100) ", message)});
}
net::HttpResponse Gone(std::string_view object) {
  return FacebookErrorResponse({.code = 100,
                                .subcode = 33,
                                .message = Cat("Unsupported request. Object with ID '", object,
                                               "' does not exist, cannot be loaded due to "
                                               "missing permissions, or does not support this operation"),
                                .type = "GraphMethodException"});
}
net::HttpResponse Forbidden() {
  return FacebookErrorResponse({.http_status = 403, .code = 200, .message = "(#200) Permissions error"});
}
net::HttpResponse Failed(const Status& status) {
  if (status.code() == Code::kNotFound) return Gone("?");
  return FacebookErrorResponse({.http_status = 500,
                                .code = 2,
                                .message = "An unexpected error has occurred. Please "
                                           "retry your request later.",
                                .transient = true});
}
net::HttpResponse Duplicate() { return FacebookErrorResponse({.code = 506, .message = "Duplicate status message"}); }
bool IsTrue(const std::string& text, bool fallback) { return text.empty() ? fallback : text == "true" || text == "1"; }

}  // namespace

ItemPtr Facebook::Target(const Asked& asked) const {
  ItemPtr item = context_.world.Find(Network::kFacebook, asked.object);
  return item == nullptr || item->deleted || item->account != asked.account->id ? nullptr : item;
}

WriteContext Facebook::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.account->id,
          .actor_name = asked.account->name,
          .digest = asked.request.digest,
          .answered = answer};
}

net::HttpResponse Facebook::Identity(const Asked& asked) {
  return JsonResponse(200, FacebookPage(*asked.account, FacebookFields(asked.request.Param("fields"))));
}

net::HttpResponse Facebook::MyAccounts(const Asked& asked) {
  return JsonResponse(200, {{"data", {FacebookPage(*asked.account, {"name", "access_token", "tasks", "category"})}}});
}

net::HttpResponse Facebook::Publish(const Asked& asked, Answer answer) {
  if (asked.object != asked.account->id) return Forbidden();
  const std::string message = asked.request.Param("message"), link = asked.request.Param("link");
  const bool attached = !asked.request.Param("attached_media").empty() ||
                        (asked.request.json.is_object() && asked.request.json.contains("attached_media"));
  if (message.empty() && link.empty() && !attached) return Invalid("Missing message or attachment");
  if (static_cast<int64_t>(CodePoints(message)) > kPostMax) return Invalid("Param message is too long");
  const absl::Time now = context_.clock.WallNow();
  absl::Time created = absl::InfinitePast();
  const bool published = IsTrue(asked.request.Param("published"), true);
  const std::string scheduled = asked.request.Param("scheduled_publish_time");
  if (!scheduled.empty()) {
    const auto seconds = ReadNumber(scheduled, 0, 0, 1'000'000'000'000);
    std::string error;
    absl::Time at;
    if (seconds)
      at = absl::FromUnixSeconds(*seconds);
    else if (!absl::ParseTime(absl::RFC3339_full, scheduled, &at, &error))
      return Invalid("Invalid scheduled_publish_time");
    if (published || at < now + absl::Minutes(10) || at > now + absl::Hours(24 * 30)) {
      return Invalid("The specified scheduled publish time is invalid.");
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
                                           .media = asked.request.Param("attached_media"),
                                           .by_us = true,
                                           .published = published,
                                           .created = created},
                                          Us(asked, answer));
  if (!item.ok()) return Failed(item.status());
  const auto fields = FacebookFields(asked.request.Param("fields"));
  return JsonResponse(200, fields.empty() ? Json{{"id", (*item)->id}} : FacebookPost(**item, fields, {}));
}

// A photo that is published makes a post; an unpublished one waits for attached_media.
net::HttpResponse Facebook::Photo(const Asked& asked, Answer answer) {
  if (asked.object != asked.account->id) return Forbidden();
  const bool has_file = std::any_of(asked.request.parts.begin(), asked.request.parts.end(),
                                    [](const Part& part) { return part.name == "source" && !part.body.empty(); });
  const std::string url = asked.request.Param("url");
  if (!has_file && url.empty()) {
    return FacebookErrorResponse({.code = 324, .message = "(#324) Requires upload file"});
  }
  for (const Part& part : asked.request.parts) {
    if (part.name == "source" && part.body.size() > (4u << 20)) {
      return FacebookErrorResponse({.code = 1, .subcode = 1366046, .message = "Photo too large"});
    }
  }
  const std::string caption = asked.request.Param("caption", asked.request.Param("message"));
  const bool published = IsTrue(asked.request.Param("published"), true);
  const auto photo = context_.world.Create({.network = Network::kFacebook,
                                            .kind = Item::Kind::kMedia,
                                            .account = asked.account->id,
                                            .author_id = asked.account->id,
                                            .author_name = asked.account->name,
                                            .text = caption,
                                            .link = url,
                                            .media = "image",
                                            .by_us = true,
                                            .published = published},
                                           Us(asked, answer));
  if (!photo.ok()) return Failed(photo.status());
  Json json = {{"id", (*photo)->id}};
  if (published) {
    const auto post = context_.world.Create({.network = Network::kFacebook,
                                             .account = asked.account->id,
                                             .author_id = asked.account->id,
                                             .author_name = asked.account->name,
                                             .text = caption,
                                             .media = (*photo)->id,
                                             .by_us = true},
                                            Us(asked, answer));
    if (!post.ok()) return Failed(post.status());
    json["post_id"] = (*post)->id;
  }
  return JsonResponse(200, json);
}

net::HttpResponse Facebook::Feed(const Asked& asked, Answer answer) {
  if (asked.object != asked.account->id) return Forbidden();
  const auto limit = ReadNumber(asked.request.Param("limit"), 25, 1, kPageMax);
  const auto since = ReadNumber(asked.request.Param("since"), 0, 0, 1'000'000'000'000);
  if (!limit || !since) return Invalid("Invalid limit or since");
  const bool scheduled = asked.edge == "scheduled_posts";
  ListOptions options{.limit = answer == Answer::kEmptyPage ? 0 : static_cast<int>(*limit)};
  const std::string after = asked.request.Param("after");
  if (!after.empty()) {
    const auto position =
        ReadNumber(std::string_view(after).substr(std::min<size_t>(4, after.size())), -1, 0, INT64_MAX);
    if (!position || after.compare(0, 4, "QVFI") != 0) return Invalid("Invalid cursor");
    options.position = *position;
  }
  const absl::Time from = absl::FromUnixSeconds(*since);
  // Scheduled posts are created in the future, so this list is not in the order of their times.
  options.filter = [&](const Item& item) { return item.published != scheduled && item.created >= from; };
  const Page page = context_.world.Read(Network::kFacebook, World::List::kPosts, asked.account->id, options);
  return Paged(asked, page);
}

net::HttpResponse Facebook::Comments(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return Gone(asked.object);
  const auto limit = ReadNumber(asked.request.Param("limit"), 25, 1, kPageMax);
  const auto since = ReadNumber(asked.request.Param("since"), 0, 0, 1'000'000'000'000);
  if (!limit || !since) return Invalid("Invalid limit or since");
  const std::string order = asked.request.Param("order", "chronological"),
                    filter = asked.request.Param("filter", "toplevel");
  if ((order != "chronological" && order != "reverse_chronological") || (filter != "toplevel" && filter != "stream")) {
    return Invalid("Invalid order or filter");
  }
  ListOptions options{.newest_first = order == "reverse_chronological",
                      .limit = answer == Answer::kEmptyPage ? 0 : static_cast<int>(*limit)};
  const std::string after = asked.request.Param("after");
  if (!after.empty()) {
    const auto position =
        ReadNumber(std::string_view(after).substr(std::min<size_t>(4, after.size())), -1, 0, INT64_MAX);
    if (!position || after.compare(0, 4, "QVFI") != 0) return Invalid("Invalid cursor");
    options.position = *position;
  }
  const bool post = target->kind == Item::Kind::kPost;
  if (*since > 0) options.since = absl::FromUnixSeconds(*since);
  options.filter = [&](const Item& item) { return !post || filter == "stream" || item.parent == target->id; };
  const Page page = context_.world.Read(Network::kFacebook, post ? World::List::kComments : World::List::kChildren,
                                        target->id, options);
  return Paged(asked, page);
}

net::HttpResponse Facebook::Paged(const Asked& asked, const Page& page) {
  const auto fields = FacebookFields(asked.request.Param("fields"));
  Json data = Json::array();
  for (const ItemPtr& item : page.items) {
    data.push_back(item->kind == Item::Kind::kPost ? FacebookPost(*item, fields, {})
                                                   : FacebookComment(*item, fields, {}));
  }
  Json json = {{"data", std::move(data)}};
  if (!page.items.empty() || page.next >= 0) {
    // The cursor points behind the last item: who keeps it goes on with what came later (in chronological order).
    json["paging"] = {{"cursors",
                       {{"before", Cat("QVFI", page.first)},
                        {"after", Cat("QVFI", page.items.empty() ? page.next
                                              : page.after < 0   ? kNowhere
                                                                 : page.after)}}}};
    if (page.next >= 0) {
      std::string next = Cat(asked.request.base_url, "/facebook/", asked.version, "/", asked.object, "/", asked.edge,
                             "?after=QVFI", page.next);
      for (const char* name : {"fields", "limit", "order", "filter", "since"}) {
        const std::string value = asked.request.Param(name);
        if (!value.empty()) next += Cat("&", name, "=", net::UrlEncode(value));
      }
      json["paging"]["next"] = next;
    }
  }
  return JsonResponse(200, json);
}

net::HttpResponse Facebook::Comment(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return Gone(asked.object);
  const std::string message = asked.request.Param("message");
  if (message.empty() && asked.request.Param("attachment_url").empty()) return Invalid("Missing message or attachment");
  if (static_cast<int64_t>(CodePoints(message)) > kCommentMax) return Invalid("Param message is too long");
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
  if (!item.ok()) return Failed(item.status());
  const auto fields = FacebookFields(asked.request.Param("fields"));
  return JsonResponse(200, fields.empty() ? Json{{"id", (*item)->id}} : FacebookComment(**item, fields, {}));
}

net::HttpResponse Facebook::Update(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return Gone(asked.object);
  const std::string hidden = asked.request.Param("is_hidden"), message = asked.request.Param("message");
  if (!hidden.empty()) {
    if (hidden != "true" && hidden != "false" && hidden != "1" && hidden != "0")
      return Invalid("is_hidden must be a boolean");
    if (target->kind == Item::Kind::kComment && target->by_us) return Forbidden();
    const auto changed =
        context_.world.SetHidden(Network::kFacebook, target->id, IsTrue(hidden, false), Us(asked, answer));
    return changed.ok() ? JsonResponse(200, {{"success", true}}) : Failed(changed.status());
  }
  if (message.empty()) return Invalid("Missing message or attachment");
  if (!target->by_us) return Forbidden();
  if (static_cast<int64_t>(CodePoints(message)) > (target->kind == Item::Kind::kPost ? kPostMax : kCommentMax)) {
    return Invalid("Param message is too long");
  }
  const auto changed = context_.world.Edit(Network::kFacebook, target->id, message, Us(asked, answer));
  return changed.ok() ? JsonResponse(200, {{"success", true}}) : Failed(changed.status());
}

net::HttpResponse Facebook::Remove(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return Gone(asked.object);
  const auto gone = context_.world.Delete(Network::kFacebook, target->id, Us(asked, answer));
  return gone.ok() ? JsonResponse(200, {{"success", true}}) : Failed(gone.status());
}

net::HttpResponse Facebook::ReadObject(const Asked& asked) {
  const ItemPtr target = Target(asked);
  if (target == nullptr) return Gone(asked.object);
  const auto fields = FacebookFields(asked.request.Param("fields"));
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
