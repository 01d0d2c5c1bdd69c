// Comments, and what is known of a post's conversation (facts 5.3).
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/linkedin_urns.h"
#include "sandbox/transport/linkedin.h"
#include "sandbox/transport/linkedin_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kCommentMax = 1250;                         // characters (facts 0.3)
constexpr absl::Duration kDuplicateWindow = absl::Hours(1);  // a number of ours
constexpr int64_t kPageMax = 100;
constexpr int kCommentsMax = 1'000'000;

net::HttpResponse Forbidden(std::string_view why) {
  return LinkedinRefusal({.status = 403, .message = std::string(why), .code = "ACCESS_DENIED", .service_code = 100});
}

std::optional<net::HttpResponse> CheckText(const Json& text, std::string_view field) {
  if (!text.is_string() || text.get_ref<const std::string&>().empty()) {
    return LinkedinInvalid(field, "field is required but not found and has no default value");
  }
  if (CodePoints(text.get_ref<const std::string&>()) > kCommentMax) {
    return LinkedinRefusal({.message = Cat("text exceeds the maximum length of ", kCommentMax),
                            .code = "FIELD_LENGTH_TOO_LONG",
                            .field = Cat("/", field)});
  }
  return std::nullopt;
}

Json Likes(const Item& item) {
  const int64_t likes = ReadNumber(Extra(item, "likes"), 0, 0, INT64_MAX).value_or(0);
  return {{"totalLikes", likes},
          {"aggregatedTotalLikes", likes},
          {"likedByCurrentUser", false},
          {"selectedLikes", Json::array()}};
}

}  // namespace

ItemPtr Linkedin::CommentAt(const Asked& asked, bool deleted_too) const {
  const ItemPtr target = Find(asked.At(1), true);
  if (target == nullptr || target->account != asked.account->id) return nullptr;
  // {urn} is the post or a comment that it answers; {id} is the number, or the whole URN.
  const std::string id = asked.At(3), post = target->kind == Item::Kind::kPost ? target->id : target->post;
  const ItemPtr comment = Find(id.starts_with(kLinkedinComment) ? id : LinkedinCommentUrn(post, id), deleted_too);
  return comment == nullptr || comment->kind != Item::Kind::kComment || comment->post != post ? nullptr : comment;
}

int64_t Linkedin::CommentsBelow(const Item& item, bool all_levels) const {
  const bool post = item.kind == Item::Kind::kPost;
  ListOptions options{.limit = 0, .count_all = true};
  if (!all_levels) options.filter = [&](const Item& comment) { return comment.parent == item.id; };
  return context_.world
      .Read(Network::kLinkedin, post ? World::List::kComments : World::List::kChildren, item.id, options)
      .total;
}

Json Linkedin::CommentJson(const Item& item) const {
  const int64_t created = absl::ToUnixMillis(item.created), below = CommentsBelow(item, false);
  Json json = {
      {"id", LinkedinCommentNumber(item.id)},
      {"commentUrn", item.id},
      {"actor", item.author_id},
      {"object", LinkedinActivityOf(item.post)},
      {"message", {{"text", item.text}, {"attributes", Json::array()}}},
      {"created", {{"actor", item.author_id}, {"time", created}}},
      {"lastModified", {{"actor", item.author_id}, {"time", absl::ToUnixMillis(item.changed)}}},
      {"likesSummary", Likes(item)},
      {"commentsSummary",
       {{"totalFirstLevelComments", below}, {"aggregatedTotalComments", below}, {"selectedComments", Json::array()}}}};
  if (item.parent != item.post) json["parentComment"] = item.parent;
  return json;
}

// Below a post the top level, below a comment its answers; the newest first.
net::HttpResponse Linkedin::Comments(const Asked& asked, Answer answer) {
  const ItemPtr target = Find(asked.At(1));
  const auto paging = ReadPaging(asked.request, kPageMax);
  if (target == nullptr) return LinkedinGone(asked.At(1));
  if (target->account != asked.account->id) return Forbidden("Not enough permissions to read these comments");
  if (!paging)
    return LinkedinRefusal({.message = "Invalid query parameters passed to request", .code = "ILLEGAL_ARGUMENT"});
  ListOptions options{.limit = static_cast<int>(std::min<int64_t>(paging->start + paging->count, kCommentsMax)),
                      .count_all = true};
  options.filter = [&](const Item& comment) { return comment.parent == target->id; };
  const bool post = target->kind == Item::Kind::kPost;
  const Page page = context_.world.Read(Network::kLinkedin, post ? World::List::kComments : World::List::kChildren,
                                        target->id, options);
  Json elements = Json::array();
  for (size_t i = static_cast<size_t>(paging->start); i < page.items.size(); ++i) {
    elements.push_back(CommentJson(*page.items[i]));
  }
  return LinkedinPage(asked.request, *paging, static_cast<size_t>(page.total), std::move(elements),
                      answer == Answer::kEmptyPage);
}

net::HttpResponse Linkedin::ReadComment(const Asked& asked) {
  const ItemPtr comment = CommentAt(asked);
  return comment == nullptr ? LinkedinGone(asked.At(3)) : JsonResponse(200, CommentJson(*comment), false);
}

net::HttpResponse Linkedin::WriteComment(const Asked& asked, Answer answer) {
  const Json& body = asked.request.json;
  if (auto refusal = LinkedinCheck(body, {"actor", "object", "message"},
                                   {"actor", "object", "message", "parentComment", "content"})) {
    return *std::move(refusal);
  }
  ItemPtr target = Find(asked.At(1));
  if (target == nullptr) return LinkedinGone(asked.At(1));
  if (target->account != asked.account->id) return Forbidden("Not enough permissions to comment here");
  if (body["actor"] != asked.account->id) return Forbidden("actor is not one that the member may act for");
  const Json text = LinkedinAt(body, {"message", "text"}), attributes = LinkedinAt(body, {"message", "attributes"});
  if (auto refusal = CheckText(text, "message/text")) return *std::move(refusal);
  if (!attributes.is_null() && !attributes.is_array()) return LinkedinInvalid("message/attributes", "is not an array");
  const std::string post_id = target->kind == Item::Kind::kPost ? target->id : target->post;
  const ItemPtr post = Find(post_id),
                object = body["object"].is_string() ? Find(body["object"].get<std::string>()) : nullptr;
  if (post == nullptr) return LinkedinGone(post_id);
  if (object == nullptr || object->id != post->id) {
    return LinkedinRefusal(
        {.message = "object is not the entity in the path", .code = "ILLEGAL_ARGUMENT", .field = "/object"});
  }
  const bool nested = target->kind == Item::Kind::kComment;
  if (body.contains("parentComment") || nested) {
    const Json parent = LinkedinAt(body, {"parentComment"});
    const ItemPtr answered = parent.is_string() ? Find(parent.get<std::string>()) : nullptr;
    if (answered == nullptr || answered->post != post->id || (nested && answered->id != target->id)) {
      return LinkedinRefusal({.message = "parentComment is missing or not a comment on this entity",
                              .code = "ILLEGAL_ARGUMENT",
                              .field = "/parentComment"});
    }
    target = answered;
  }
  if (Extra(*post, "comments") == "CLOSED") return Forbidden("Comments are closed on this entity");
  const std::string words = text;
  if (context_.world.FindDuplicate(Network::kLinkedin, asked.account->id, target->id, words,
                                   context_.clock.WallNow() - kDuplicateWindow)) {
    return LinkedinRefusal({.status = 422, .message = "Comment is a duplicate", .code = "UNPROCESSABLE_ENTITY"});
  }
  const auto item = context_.world.Create({.network = Network::kLinkedin,
                                           .kind = Item::Kind::kComment,
                                           .account = asked.account->id,
                                           .parent = target->id,
                                           .author_id = asked.account->id,
                                           .author_name = asked.account->name,
                                           .text = words,
                                           .by_us = true},
                                          Us(asked, answer));
  if (!item.ok()) return LinkedinFailed(item.status());
  Json json = CommentJson(**item);
  json["$URN"] = json["commentUrn"];  // what is made is named like this, what is read like that
  json.erase("commentUrn");
  net::HttpResponse response = JsonResponse(201, json, false);
  response.headers["x-restli-id"] = LinkedinCommentNumber((*item)->id);
  return response;
}

net::HttpResponse Linkedin::EditComment(const Asked& asked, Answer answer) {
  const ItemPtr comment = CommentAt(asked);
  if (comment == nullptr) return LinkedinGone(asked.At(3));
  if (!comment->by_us || asked.request.Param("actor") != asked.account->id)
    return Forbidden("Only its author may edit it");
  const Json text = LinkedinAt(asked.request.json, {"patch", "message", "$set", "text"});
  if (auto refusal = CheckText(text, "patch/message/$set/text")) return *std::move(refusal);
  const auto changed = context_.world.Edit(Network::kLinkedin, comment->id, text, Us(asked, answer));
  return changed.ok() ? LinkedinEmpty(204) : LinkedinFailed(changed.status());
}

net::HttpResponse Linkedin::RemoveComment(const Asked& asked, Answer answer) {
  const ItemPtr comment = CommentAt(asked);
  if (comment == nullptr) return LinkedinGone(asked.At(3));
  if (asked.request.Param("actor") != asked.account->id)
    return Forbidden("actor is not one that the member may act for");
  const auto gone = context_.world.Delete(Network::kLinkedin, comment->id, Us(asked, answer));
  return gone.ok() ? LinkedinEmpty(204) : LinkedinFailed(gone.status());
}

net::HttpResponse Linkedin::SocialSummary(const Asked& asked) {
  const ItemPtr item = Find(asked.At(1));
  if (item == nullptr || item->account != asked.account->id) return LinkedinGone(asked.At(1));
  const std::string urn = item->kind == Item::Kind::kPost ? LinkedinActivityOf(item->id) : item->id;
  return JsonResponse(200,
                      {{"$URN", urn},
                       {"target", urn},
                       {"likesSummary", Likes(*item)},
                       {"commentsSummary",
                        {{"totalFirstLevelComments", CommentsBelow(*item, false)},
                         {"aggregatedTotalComments", CommentsBelow(*item, true)}}}},
                      false);
}

net::HttpResponse Linkedin::Metadata(const Asked& asked) {
  const ItemPtr item = Find(asked.At(1));
  if (item == nullptr || item->account != asked.account->id) return LinkedinGone(asked.At(1));
  const int64_t likes = ReadNumber(Extra(*item, "likes"), 0, 0, INT64_MAX).value_or(0);
  Json reactions = Json::object();
  if (likes > 0) reactions["LIKE"] = {{"reactionType", "LIKE"}, {"count", likes}};
  const std::string state = Extra(*item, "comments");
  return JsonResponse(
      200,
      {{"entity", asked.At(1)},
       {"commentsState", state.empty() ? "OPEN" : state},
       {"commentSummary", {{"count", CommentsBelow(*item, true)}, {"topLevelCount", CommentsBelow(*item, false)}}},
       {"reactionSummaries", std::move(reactions)}},
      false);
}

net::HttpResponse Linkedin::SetCommentsState(const Asked& asked, bool closed, Answer answer) {
  const ItemPtr item = Find(asked.At(1));
  if (item == nullptr || item->kind != Item::Kind::kPost) return LinkedinGone(asked.At(1));
  if (item->account != asked.account->id || asked.request.Param("actor") != asked.account->id) {
    return Forbidden("actor is not one that the member may act for");
  }
  const auto changed =
      context_.world.Mark(Network::kLinkedin, item->id, closed ? "lock" : "unlock", Us(asked, answer),
                          [closed](Item& post) { post.extra["comments"] = closed ? "CLOSED" : "OPEN"; });
  return changed.ok() ? LinkedinEmpty(204) : LinkedinFailed(changed.status());
}

}  // namespace parvis::sandbox
