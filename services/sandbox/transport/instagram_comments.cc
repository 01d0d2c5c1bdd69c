// Comments and answers (facts 2.3): two levels, newest first, and no field or parameter of Facebook's names.
#include "sandbox/domain/cat.h"
#include "sandbox/transport/instagram.h"
#include "sandbox/transport/instagram_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kCommentMax = 2200;  // characters (facts 0.3, from memory)
constexpr int kRepliesAlong = 25;
const std::set<std::string> kCommentFields = {"text",
                                              "timestamp",
                                              "username",
                                              "from",
                                              "user",
                                              "media",
                                              "hidden",
                                              "like_count",
                                              "parent_id",
                                              "replies",
                                              "legacy_instagram_comment_id"};

}  // namespace

Json Instagram::Rendered(const Asked& asked, const Item& comment, const std::string& fields) {
  const auto names = GraphFields(fields);
  Json json = InstagramComment(comment, names);
  if (!names.contains("replies")) return json;
  const std::string detail = GraphFieldDetail(fields, "replies");
  const auto page = context_.world.Read(Network::kInstagram, World::List::kChildren, comment.id,
                                        {.limit = GraphDetailLimit(detail, kRepliesAlong)});
  const auto inner = GraphFields(GraphDetailFields(detail));
  if (!page.items.empty()) {  // without any it is left out
    json["replies"] =
        PageOf(asked, page, comment.id, "replies", [&](const Item& reply) { return InstagramComment(reply, inner); });
  }
  return json;
}

net::HttpResponse Instagram::Comments(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr || target->kind != Item::Kind::kPost) return GraphGone(asked.object);
  auto options = Listing(asked, answer);
  if (!options) return GraphInvalid("Invalid limit or after");
  const std::string fields = asked.Param("fields");
  if (auto unknown = UnknownField(GraphFields(fields), kCommentFields, "IGComment")) return *std::move(unknown);
  options->filter = [&](const Item& item) { return item.parent == target->id; };
  return Paged(asked, context_.world.Read(Network::kInstagram, World::List::kComments, target->id, *options),
               [&](const Item& item) { return Rendered(asked, item, fields); });
}

net::HttpResponse Instagram::Replies(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr || target->kind != Item::Kind::kComment || target->post.empty()) return GraphGone(asked.object);
  auto options = Listing(asked, answer);
  if (!options) return GraphInvalid("Invalid limit or after");
  const auto fields = GraphFields(asked.Param("fields"));
  if (auto unknown = UnknownField(fields, kCommentFields, "IGComment")) return *std::move(unknown);
  return Paged(asked, context_.world.Read(Network::kInstagram, World::List::kChildren, target->id, *options),
               [&](const Item& item) { return InstagramComment(item, fields); });
}

net::HttpResponse Instagram::Write(const Asked& asked, Answer answer, const std::string& parent) {
  const std::string message = asked.Param("message");
  if (message.empty()) return GraphInvalid("The parameter message is required");
  if (static_cast<int64_t>(CodePoints(message)) > kCommentMax) return GraphInvalid("Param message is too long");
  NewItem comment = Ours(asked, Item::Kind::kComment);
  comment.parent = parent;
  comment.text = message;
  const auto made = context_.world.Create(comment, Us(asked, answer));
  return made.ok() ? JsonResponse(200, {{"id", (*made)->id}}) : GraphFailed(made.status());
}

// /{media}/comments and /{comment}/replies: of our own posts only.
net::HttpResponse Instagram::Comment(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  const Item::Kind kind = asked.edge == "comments" ? Item::Kind::kPost : Item::Kind::kComment;
  if (target == nullptr || target->kind != kind || target->post.empty()) return GraphGone(asked.object);
  const ItemPtr post = Find(asked, target->post);
  if (post == nullptr) return GraphGone(asked.object);
  if (post->extra.contains("closed")) return GraphInvalid("Comments are turned off for this media");
  return Write(asked, answer, target->id);
}

// An answer below what others published, where they mention us.
net::HttpResponse Instagram::Mention(const Asked& asked, Answer answer) {
  const std::string media = asked.Param("media_id"), comment = asked.Param("comment_id");
  const ItemPtr post = Find(asked, media);
  if (media.empty()) return GraphInvalid("The parameter media_id is required");
  if (post == nullptr || post->kind != Item::Kind::kMention) return GraphGone(media);
  if (comment.empty()) return Write(asked, answer, post->id);
  const ItemPtr below = Find(asked, comment);
  if (below == nullptr || below->by_us || below->kind != Item::Kind::kComment) return GraphGone(comment);
  return Write(asked, answer, below->id);
}

net::HttpResponse Instagram::Hide(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr || target->kind != Item::Kind::kComment || target->post.empty()) return GraphGone(asked.object);
  const std::string hide = asked.Param("hide");
  if (hide != "true" && hide != "false" && hide != "1" && hide != "0")
    return GraphInvalid("Param hide must be a boolean");
  if (target->by_us) return GraphInvalid("Comments of the account itself are always shown");
  const auto changed =
      context_.world.SetHidden(Network::kInstagram, target->id, GraphTrue(hide, false), Us(asked, answer));
  return changed.ok() ? JsonResponse(200, {{"success", true}}) : GraphFailed(changed.status());
}

net::HttpResponse Instagram::EnableComments(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  if (target == nullptr || target->kind != Item::Kind::kPost) return GraphGone(asked.object);
  const std::string enabled = asked.Param("comment_enabled");
  if (enabled != "true" && enabled != "false" && enabled != "1" && enabled != "0")
    return GraphInvalid("Param comment_enabled must be a boolean");
  const bool open = GraphTrue(enabled, true);
  const auto changed = context_.world.Mark(Network::kInstagram, target->id, open ? "unlock" : "lock", Us(asked, answer),
                                           [&](Item& item) {
                                             if (open) item.extra.erase("closed");
                                             if (!open) item.extra["closed"] = "1";
                                           });
  return changed.ok() ? JsonResponse(200, {{"success", true}}) : GraphFailed(changed.status());
}

net::HttpResponse Instagram::Remove(const Asked& asked, Answer answer) {
  const ItemPtr target = Target(asked);
  const bool ours = target != nullptr && (target->kind == Item::Kind::kPost ||
                                          (target->kind == Item::Kind::kComment && !target->post.empty()));
  if (!ours) return GraphGone(asked.object);
  const auto gone = context_.world.Delete(Network::kInstagram, target->id, Us(asked, answer));
  return gone.ok() ? JsonResponse(200, {{"success", true}}) : GraphFailed(gone.status());
}

}  // namespace parvis::sandbox
