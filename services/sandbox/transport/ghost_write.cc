// What is written on a Ghost site.
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/transport/ghost.h"
#include "sandbox/transport/ghost_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kTitleMax = 255, kAltMax = 191;

net::HttpResponse Failed(const Status& status) {
  if (status.code() == Code::kNotFound) return GhostNotFound("Post");
  return GhostError(500, "InternalServerError", "An unexpected error occurred, please try again.",
                    ToError(status).message);
}

// The one in {"posts": [{...}]}; null when there is not exactly one.
Json Only(const Request& request, const char* collection) {
  const Json list = Member(request.json, collection);
  return list.is_array() && list.size() == 1 && list[0].is_object() ? list[0] : Json();
}

std::string TextOf(const Json& json, const char* name) {
  const Json value = Member(json, name);
  return value.is_string() ? value.get<std::string>() : "";
}

// The further members of a post that are kept; all others are taken off without a word, as the schema's validator does.
std::map<std::string, std::string> Kept(const Json& post) {
  std::map<std::string, std::string> extra;
  for (const char* name : {"codeinjection_foot", "visibility", "feature_image_alt"}) {
    if (const std::string value = TextOf(post, name); !value.empty()) extra[name] = value;
  }
  if (Member(post, "email_only") == Json(true)) extra["email_only"] = "true";
  const Json tags = Member(post, "tags");
  std::string names;
  for (size_t i = 0; tags.is_array() && i < tags.size(); ++i) {
    const std::string name = tags[i].is_string() ? tags[i].get<std::string>() : TextOf(tags[i], "name");
    if (!name.empty()) names += Cat("/", name);
  }
  if (!names.empty()) extra["tags"] = names;
  return extra;
}

// nullopt when the post may be as it is.
std::optional<net::HttpResponse> Refused(const Json& post) {
  const auto failed = [](const char* key) {
    return GhostInvalid("Validation error, cannot save post.", Cat("Validation failed for ", key, "."));
  };
  for (const char* key :
       {"title", "html", "status", "feature_image", "feature_image_alt", "codeinjection_foot", "visibility"}) {
    const Json value = Member(post, key);
    if (!value.is_null() && !value.is_string()) return failed(key);
  }
  const std::string status = TextOf(post, "status");
  if (!status.empty() && status != "published" && status != "draft" && status != "scheduled" && status != "sent")
    return failed("status");
  if (CodePoints(TextOf(post, "title")) > kTitleMax) {
    return GhostInvalid("Validation error, cannot save post.",
                        "Value in [posts.title] exceeds maximum length of 255 characters. posts.title");
  }
  if (CodePoints(TextOf(post, "feature_image_alt")) > kAltMax) {
    return GhostInvalid("Validation error, cannot save post.",
                        "Value in [posts_meta.feature_image_alt] exceeds maximum length of 191 characters. "
                        "posts_meta.feature_image_alt");
  }
  return std::nullopt;
}

}  // namespace

net::HttpResponse Ghost::CreatePost(const Asked& asked, Answer answer) {
  const Json post = Only(asked.request, "posts");
  if (post.is_null()) return GhostInvalid("Validation error, cannot save post.", "Validation failed for posts.");
  if (TextOf(post, "title").empty())
    return GhostInvalid("Validation error, cannot save post.", "Validation failed for 0.");
  if (auto refusal = Refused(post)) return *std::move(refusal);
  const std::string source = asked.request.Param("source");
  if (!source.empty() && source != "html")
    return GhostInvalid("Validation error, cannot save post.", "Validation (AllowedValues) failed for source");
  const std::string status = TextOf(post, "status") == "published" ? "published" : "draft";
  std::map<std::string, std::string> extra = Kept(post);
  if (status == "published") extra["published_at"] = GhostIso(context_.clock.WallNow());
  // Without ?source=html the HTML of a post is passed over: an empty post.
  const std::string html = source == "html" ? TextOf(post, "html") : "";
  const auto made = context_.world.Create({.network = Network::kGhost,
                                           .account = asked.site->id,
                                           .author_id = asked.site->id,
                                           .author_name = asked.site->name,
                                           .author_handle = asked.site->handle,
                                           .text = GhostPostHtml(html),
                                           .written = html,
                                           .title = TextOf(post, "title"),
                                           .link = TextOf(post, "slug"),
                                           .status = status,
                                           .media = TextOf(post, "feature_image"),
                                           .extra = std::move(extra),
                                           .by_us = true,
                                           .published = status == "published"},
                                          Us(asked, answer));
  if (!made.ok()) return Failed(made.status());
  net::HttpResponse response = JsonResponse(201, {{"posts", {Shown(asked, **made)}}}, false);
  response.headers["Location"] =
      Cat(asked.request.base_url, "/ghost/", asked.site->id, "/ghost/api/admin/posts/", (*made)->id, "/");
  return response;
}

// Who writes has to know the post as it is now. A newsletter goes out when a draft is published and names one.
net::HttpResponse Ghost::EditPost(const Asked& asked, Answer answer) {
  const Json post = Only(asked.request, "posts");
  if (post.is_null()) return GhostInvalid("Validation error, cannot edit post.", "Validation failed for posts.");
  const std::string updated_at = TextOf(post, "updated_at");
  if (updated_at.empty()) return GhostInvalid("Validation error, cannot edit post.", "Validation failed for 0.");
  if (auto refusal = Refused(post)) return *std::move(refusal);
  const ItemPtr now = Find(asked, asked.path[1], Item::Kind::kPost);
  if (now == nullptr) return GhostNotFound("Post");
  if (updated_at != GhostIso(now->changed)) {
    return GhostError(409, "UpdateCollisionError", "Saving failed! Someone else is editing this post.", "",
                      "UPDATE_COLLISION");
  }
  const std::string newsletter = asked.request.Param("newsletter"), wanted = TextOf(post, "status");
  const bool published = wanted == "published" && now->status == "draft";
  if (published && !newsletter.empty() && newsletter != "default-newsletter") {  // and the draft stays one
    return GhostError(500, "EmailError", "Error sending email!", "The post does not have a newsletter relation");
  }
  const auto changed = context_.world.EditPost(
      Network::kGhost, now->id,
      [&](Item& item) {
        if (const std::string title = TextOf(post, "title"); !title.empty()) item.title = title;
        if (asked.request.Param("source") == "html" && Member(post, "html").is_string())
          item.text = GhostPostHtml(TextOf(post, "html"));
        for (const auto& [name, value] : Kept(post)) item.extra[name] = value;
        if (!wanted.empty()) item.status = wanted;
        item.published = item.status == "published";
        if (!published) return;
        item.extra["published_at"] = GhostIso(context_.clock.WallNow());
        if (newsletter.empty()) return;
        item.extra["newsletter"] = newsletter;
        item.extra["email_segment"] = asked.request.Param("email_segment", "all");
        if (Extra(item, "email_only") == "true") item.status = "sent";
      },
      Us(asked, answer));
  return changed.ok() ? JsonResponse(200, {{"posts", {Shown(asked, **changed)}}}, false) : Failed(changed.status());
}

net::HttpResponse Ghost::DeletePost(const Asked& asked, Answer answer) {
  if (Find(asked, asked.path[1], Item::Kind::kPost) == nullptr) return GhostNotFound("Post");
  const auto gone = context_.world.Delete(Network::kGhost, asked.path[1], Us(asked, answer));
  return gone.ok() ? net::HttpResponse{204, {}, ""} : Failed(gone.status());
}

net::HttpResponse Ghost::Upload(const Asked& asked, Answer answer) {
  const auto& parts = asked.request.parts;
  const auto file = std::find_if(parts.begin(), parts.end(),
                                 [](const Part& part) { return part.name == "file" && !part.filename.empty(); });
  if (file == parts.end()) return GhostInvalid("Please select an image.");
  static const std::vector<std::string> types = {"image/jpeg",    "image/png",    "image/gif",
                                                 "image/svg+xml", "image/x-icon", "image/vnd.microsoft.icon",
                                                 "image/webp"};
  if (std::find(types.begin(), types.end(), file->content_type) == types.end()) {
    return GhostError(415, "UnsupportedMediaTypeError", "Please select a valid image.");
  }
  const auto made = context_.world.Create({.network = Network::kGhost,
                                           .kind = Item::Kind::kMedia,
                                           .account = asked.site->id,
                                           .author_id = asked.site->id,
                                           .title = file->filename,
                                           .media = file->content_type,
                                           .by_us = true},
                                          Us(asked, answer));
  if (!made.ok()) return Failed(made.status());
  const auto ref = std::find_if(parts.begin(), parts.end(), [](const Part& part) { return part.name == "ref"; });
  const std::string url =
      Cat(asked.request.base_url, "/ghost/", asked.site->id, "/content/images/", (*made)->id, "-", file->filename);
  return JsonResponse(201, {{"images", {{{"url", url}, {"ref", ref == parts.end() ? Json() : Json(ref->body)}}}}},
                      false);
}

net::HttpResponse Ghost::CreateComment(const Asked& asked, Answer answer) {
  const Json comment = Only(asked.request, "comments");
  if (comment.is_null())
    return GhostError(400, "BadRequestError", "Request not understood error, cannot save comment.",
                      "No root key ('comments') provided.");
  for (const char* name : {"member_id", "html"}) {
    if (TextOf(comment, name).empty())
      return GhostInvalid("Validation error, cannot save comment.",
                          Cat("Validation (FieldIsRequired) failed for ", name));
  }
  const std::string post_id = TextOf(comment, "post_id"), parent_id = TextOf(comment, "parent_id"),
                    member = TextOf(comment, "member_id");
  if (post_id.empty() && parent_id.empty()) {
    return GhostInvalid("Validation error, cannot save comment.",
                        "Either post_id (for top-level comments) or parent_id (for replies) must be provided");
  }
  const auto members = MemberIds(asked);
  if (std::find(members.begin(), members.end(), member) == members.end()) return GhostNotFound("Member");
  const ItemPtr above = Find(asked, parent_id.empty() ? post_id : parent_id,
                             parent_id.empty() ? Item::Kind::kPost : Item::Kind::kComment);
  if (above == nullptr) return GhostNotFound(parent_id.empty() ? "Post" : "Comment");
  if (above->kind == Item::Kind::kComment && above->parent != above->post) {
    return GhostError(400, "BadRequestError", "Request not understood error, cannot save comment.",
                      "Can not reply to a reply");
  }
  const std::string html = GhostCommentHtml(TextOf(comment, "html"));
  if (html.empty())
    return GhostInvalid("Validation error, cannot save comment.", "The body of a comment cannot be empty");
  std::map<std::string, std::string> extra;
  // What is answered has to be beside it, or the reference is dropped without a word.
  const ItemPtr answered = Find(asked, TextOf(comment, "in_reply_to_id"), Item::Kind::kComment);
  if (answered != nullptr && !parent_id.empty() && answered->parent == parent_id) extra["in_reply_to"] = answered->id;
  const bool ours = member == GhostOwnMember(*asked.site);
  const auto made = context_.world.Create({.network = Network::kGhost,
                                           .kind = Item::Kind::kComment,
                                           .account = asked.site->id,
                                           .parent = above->id,
                                           .author_id = member,
                                           .author_name = ours ? asked.site->name : "",
                                           .text = html,
                                           .written = TextOf(comment, "html"),
                                           .extra = std::move(extra),
                                           .by_us = true},
                                          Us(asked, answer));
  return made.ok() ? JsonResponse(201, {{"comments", {Shown(asked, **made)}}}, false) : Failed(made.status());
}

net::HttpResponse Ghost::EditComment(const Asked& asked, Answer answer) {
  const Json comment = Only(asked.request, "comments");
  if (comment.is_null())
    return GhostError(400, "BadRequestError", "Request not understood error, cannot edit comment.",
                      "No root key ('comments') provided.");
  const ItemPtr now = Find(asked, asked.path[1], Item::Kind::kComment);
  if (now == nullptr) return GhostNotFound("Comment");
  const std::string status = TextOf(comment, "status");
  StatusOr<ItemPtr> changed = now;
  if (status == "deleted") {
    changed = context_.world.Delete(Network::kGhost, now->id, Us(asked, answer));
  } else if (status == "hidden" || status == "published") {
    changed = context_.world.SetHidden(Network::kGhost, now->id, status == "hidden", Us(asked, answer));
  } else if (!status.empty()) {
    return GhostInvalid("Validation error, cannot edit comment.",
                        "Value in [comments.status] is not one of the allowed values.");
  }
  if (!changed.ok()) return Failed(changed.status());
  Json shown = Shown(asked, **changed);
  if (status == "deleted") shown["html"] = Json();
  return JsonResponse(200, {{"comments", {std::move(shown)}}}, false);
}

net::HttpResponse Ghost::Commenting(const Asked& asked, Answer answer) {
  const auto ids = MemberIds(asked);
  const std::string& id = asked.path[1];
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) return GhostNotFound("Member");
  const Status marked = context_.world.MarkPerson(Network::kGhost, asked.site->id, id,
                                                  asked.path[3] == "disable" ? "ban" : "unban", Us(asked, answer));
  return marked.ok() ? JsonResponse(200, {{"members", {ShownMember(asked, id)}}}, false) : Failed(marked);
}

}  // namespace parvis::sandbox
