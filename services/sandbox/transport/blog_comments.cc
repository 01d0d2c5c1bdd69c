// Lists of the blog, and its comments.
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/blog.h"
#include "sandbox/transport/blog_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kCommentMaxBytes = 65525;  // facts 0.3

net::HttpResponse NoComment() { return BlogError(404, "rest_comment_invalid_id", "Invalid comment ID."); }
net::HttpResponse Invalid(std::string_view parameter) {
  return BlogError(400, "rest_invalid_param", Cat("Invalid parameter(s): ", parameter));
}

// What a request may ask for, and what is stored (facts 8): approve, approved, 1 -> approved; 0 -> hold.
std::string StoredStatus(const std::string& asked) {
  if (asked == "approve" || asked == "approved" || asked == "1") return "approved";
  if (asked == "hold" || asked == "0") return "hold";
  return asked == "spam" || asked == "trash" ? asked : "";
}

}  // namespace

net::HttpResponse Blog::Paged(const Asked& asked, World::List list, bool fail_beyond_end,
                              const std::function<bool(const Item&)>& filter) {
  const Request& request = asked.request;
  const auto page = ReadNumber(request.Param("page"), 1, 1, 1'000'000);
  const auto per_page = ReadNumber(request.Param("per_page"), 10, 1, 100);
  if (!page) return Invalid("page");
  if (!per_page) return Invalid("per_page");
  const std::string order = request.Param("order", "desc");
  if (order != "asc" && order != "desc") return Invalid("order");
  std::optional<absl::Time> after = absl::InfinitePast(), before = absl::InfiniteFuture();
  // Without a zone these are the site's time, not UTC.
  if (const std::string text = request.Param("after"); !text.empty())
    after = ParseBlogTime(text, asked.site->utc_offset_minutes);
  if (const std::string text = request.Param("before"); !text.empty())
    before = ParseBlogTime(text, asked.site->utc_offset_minutes);
  if (!after) return Invalid("after");
  if (!before) return Invalid("before");
  auto second = [](absl::Time t) { return absl::FromUnixSeconds(absl::ToUnixSeconds(t)); };
  ListOptions options{.newest_first = order == "desc", .limit = static_cast<int>(*page * *per_page), .count_all = true};
  // Times are kept in whole seconds, and `after` leaves out its own second. Posts may carry any date, so only
  // comments are in the order of their times.
  if (list == World::List::kInbox && *after > absl::InfinitePast()) options.since = *after;
  options.filter = [&](const Item& item) {
    return second(item.created) > *after && second(item.created) < *before && filter(item);
  };
  const Page found = context_.world.Read(Network::kBlog, list, asked.site->id, options);
  const int64_t pages = (found.total + *per_page - 1) / *per_page;
  if (fail_beyond_end && *page > 1 && *page > pages) {
    return BlogError(400, "rest_post_invalid_page_number",
                     "The page number requested is larger than the number of pages available.");
  }
  Json json = Json::array();
  for (size_t i = static_cast<size_t>((*page - 1) * *per_page); i < found.items.size(); ++i) {
    json.push_back(Shown(asked, *found.items[i]));
  }
  net::HttpResponse response = JsonResponse(200, json);
  response.headers["X-WP-Total"] = std::to_string(found.total);
  response.headers["X-WP-TotalPages"] = std::to_string(pages);
  return response;
}

net::HttpResponse Blog::ListPosts(const Asked& asked) {
  const std::string status = asked.request.Param("status", "publish"), slug = asked.request.Param("slug");
  const std::string search = asked.request.Param("search");
  if (status != "publish" && !asked.signed_in)
    return BlogError(400, "rest_invalid_param", "Invalid parameter(s): status");
  const absl::Time now = context_.clock.WallNow();
  return Paged(asked, World::List::kPosts, true, [&](const Item& item) {
    const std::string shown = BlogStatus(item, now);
    if (status == "any" ? shown == "trash" : Cat(",", status, ",").find(Cat(",", shown, ",")) == std::string::npos)
      return false;
    return (slug.empty() || item.link == slug) && (search.empty() || item.title.find(search) != std::string::npos ||
                                                   item.text.find(search) != std::string::npos);
  });
}

net::HttpResponse Blog::ListComments(const Asked& asked) {
  const Request& request = asked.request;
  const std::string asked_status = request.Param("status", "approve");
  if (asked_status != "approve" && !asked.signed_in) {
    return BlogError(401, "rest_forbidden_param", "Query parameter not permitted: status");
  }
  const bool all = asked_status == "all", any = asked_status == "any";
  const std::string status = all || any ? "" : StoredStatus(asked_status);
  if (!all && !any && status.empty()) return Invalid("status");
  const std::string post = request.Param("post"), parent = request.Param("parent");
  const std::string type = request.Param("type", "comment"), author = request.Param("author");
  return Paged(asked, World::List::kInbox, false, [&](const Item& item) {
    if (type != "comment") return false;
    if (all && item.status != "approved" && item.status != "hold") return false;
    if (!all && !any && item.status != status) return false;
    if (!author.empty() && author != (item.by_us ? "1" : "0")) return false;
    const std::string item_parent = item.parent == item.post ? "0" : item.parent;
    return (post.empty() || item.post == post) && (parent.empty() || item_parent == parent);
  });
}

net::HttpResponse Blog::ReadComment(const Asked& asked) {
  const ItemPtr comment = Target(asked, Item::Kind::kComment);
  if (comment == nullptr) return NoComment();
  if (!asked.signed_in && comment->status != "approved")
    return BlogError(401, "rest_cannot_read", "Sorry, you are not allowed to read this comment.");
  return JsonResponse(200, Shown(asked, *comment));
}

net::HttpResponse Blog::CreateComment(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  std::string content = request.Param("content");
  if (content.empty() && request.json.is_object() && request.json.contains("content") &&
      request.json.at("content").is_object()) {
    content = request.json.at("content").value("raw", "");
  }
  if (content.empty()) return BlogError(400, "rest_comment_content_invalid", "Invalid comment content.");
  if (content.size() > kCommentMaxBytes) {
    return BlogError(400, "comment_content_column_length", "Your comment is too long.");
  }
  const ItemPtr post = context_.world.Find(Network::kBlog, request.Param("post"));
  if (post == nullptr || post->deleted || post->kind != Item::Kind::kPost || post->account != asked.site->id) {
    return BlogError(403, "rest_comment_invalid_post_id",
                     "Sorry, you are not allowed to create this comment without a post.");
  }
  if (BlogStatus(*post, context_.clock.WallNow()) == "draft") {
    return BlogError(403, "rest_comment_draft_post", "Sorry, you are not allowed to create a comment on this post.");
  }
  std::string parent = request.Param("parent", "0");
  if (parent != "0") {
    const ItemPtr above = context_.world.Find(Network::kBlog, parent);
    if (above == nullptr || above->deleted || above->post != post->id) return Invalid("parent");
  } else {
    parent = post->id;
  }
  // Same text, same author, same parent: 409 for ever, as long as the first is there.
  if (context_.world.FindDuplicate(Network::kBlog, asked.site->id, parent, content, absl::InfinitePast())) {
    return BlogError(409, "comment_duplicate",
                     "Duplicate comment detected; it looks as though you&#8217;ve already said that!");
  }
  const auto item = context_.world.Create({.network = Network::kBlog,
                                           .kind = Item::Kind::kComment,
                                           .account = asked.site->id,
                                           .parent = parent,
                                           .author_id = asked.site->handle,
                                           .author_name = asked.site->name,
                                           .author_handle = asked.site->handle,
                                           .text = content,
                                           .status = "approved",
                                           .by_us = true},
                                          Us(asked, answer));
  if (!item.ok()) return BlogError(500, "rest_comment_failed_create", "Creating comment failed.");
  net::HttpResponse response = JsonResponse(201, Shown(asked, **item));
  response.headers["Location"] =
      Cat(asked.request.base_url, "/blog/", asked.site->id, "/wp-json/wp/v2/comments/", (*item)->id);
  return response;
}

net::HttpResponse Blog::UpdateComment(const Asked& asked, Answer answer) {
  const ItemPtr comment = Target(asked, Item::Kind::kComment);
  if (comment == nullptr) return NoComment();
  const std::string wanted = asked.request.Param("status"), content = asked.request.Param("content");
  StatusOr<ItemPtr> changed = comment;
  if (!wanted.empty()) {
    const std::string status = StoredStatus(wanted);
    if (status.empty()) return Invalid("status");
    // Setting the status it already has fails in WordPress (wp_set_comment_status finds nothing to change).
    if (status == comment->status) {
      return BlogError(500, "rest_comment_failed_edit", "Updating comment status failed.");
    }
    changed = context_.world.SetStatus(Network::kBlog, comment->id, status, Us(asked, answer));
  }
  if (changed.ok() && !content.empty()) {
    changed = context_.world.Edit(Network::kBlog, comment->id, content, Us(asked, answer));
  }
  return changed.ok() ? JsonResponse(200, Shown(asked, **changed)) : NoComment();
}

// Without force: to the trash; with it: gone.
net::HttpResponse Blog::Remove(const Asked& asked, Answer answer) {
  ItemPtr target = context_.world.Find(Network::kBlog, asked.id);
  const Item::Kind kind = asked.collection == "posts"   ? Item::Kind::kPost
                          : asked.collection == "media" ? Item::Kind::kMedia
                                                        : Item::Kind::kComment;
  target = Target(asked, kind);
  if (target == nullptr)
    return kind == Item::Kind::kComment ? NoComment() : BlogError(404, "rest_post_invalid_id", "Invalid post ID.");
  const std::string force = asked.request.Param("force");
  if (force == "true" || force == "1") {
    const Json previous = Shown(asked, *target);
    const auto gone = context_.world.Delete(Network::kBlog, target->id, Us(asked, answer));
    if (!gone.ok()) return NoComment();
    return JsonResponse(200, {{"deleted", true}, {"previous", previous}});
  }
  if (kind == Item::Kind::kMedia)
    return BlogError(501, "rest_trash_not_supported",
                     "The post does not support trashing. Set 'force=true' to delete.");
  if (target->status == "trash") {
    return BlogError(410, kind == Item::Kind::kComment ? "rest_already_trashed" : "rest_already_trashed",
                     "It has already been trashed.");
  }
  const auto trashed = context_.world.SetStatus(Network::kBlog, target->id, "trash", Us(asked, answer));
  return trashed.ok() ? JsonResponse(200, Shown(asked, **trashed)) : NoComment();
}

}  // namespace parvis::sandbox
