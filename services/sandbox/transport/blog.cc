// Routing, signing in, discovery, posts and media; comments are in blog_comments.cc.
#include "sandbox/transport/blog.h"

#include <algorithm>

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>

#include "platform/base/secret.h"
#include "sandbox/domain/cat.h"
#include "sandbox/transport/blog_json.h"

namespace parvis::sandbox {
namespace {

// Spaces in an application password do not count.
std::string WithoutSpaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

// A field that may be a text or {"raw": text}.
std::optional<std::string> TextField(const Request& request, const std::string& name) {
  if (request.json.is_object() && request.json.contains(name) && request.json.at(name).is_object()) {
    const Json& value = request.json.at(name);
    if (value.contains("raw") && value.at("raw").is_string()) return value.at("raw").get<std::string>();
    return std::nullopt;
  }
  auto it = request.params.find(name);
  if (it == request.params.end()) return std::nullopt;
  return it->second;
}

net::HttpResponse NoRoute() {
  return BlogError(404, "rest_no_route", "No route was found matching the URL and request method.");
}
net::HttpResponse NotSignedIn(std::string_view code) {
  return BlogError(401, code, "Sorry, you are not allowed to do that.");
}
net::HttpResponse Invalid(std::string_view parameter) {
  return BlogError(400, "rest_invalid_param", Cat("Invalid parameter(s): ", parameter));
}
net::HttpResponse Failed(const Status& status) {
  if (status.code() == Code::kNotFound) return BlogError(404, "rest_post_invalid_id", "Invalid post ID.");
  return BlogError(500, "internal_server_error", "There has been a critical error on this website.");
}

}  // namespace

Reply Blog::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/blog");
  if (!read.ok()) return {BlogError(400, "rest_invalid_json", ToError(read.status()).message)};
  Request& request = *read;
  std::string slug;
  if (!request.path.empty() && request.path[0] != "wp-json") {
    slug = request.path[0];
    request.path.erase(request.path.begin());
  }
  // Signing in: HTTP Basic with an application password.
  AccountPtr user;
  if (const std::string header = net::HeaderOf(http.headers, "authorization"); header.starts_with("Basic ")) {
    std::string decoded;
    const std::string encoded = header.substr(6);
    const bool valid = absl::Base64Unescape(encoded, &decoded) && decoded.find(':') != std::string::npos;
    if (valid) user = context_.world.FindByUser(Network::kBlog, decoded.substr(0, decoded.find(':')));
    if (user == nullptr) return {BlogError(401, "invalid_username", "Unknown username.")};
    const bool right =
        ConstantTimeEquals(WithoutSpaces(user->token), WithoutSpaces(decoded.substr(decoded.find(':') + 1)));
    if (!right || user->token_state != TokenState::kValid) {
      return {BlogError(401, "incorrect_password", "The provided password is an invalid application password.")};
    }
  }
  AccountPtr site = slug.empty() ? user : context_.world.FindAccount(Network::kBlog, slug);
  if (site == nullptr && slug.empty()) {
    for (const AccountPtr& account : context_.world.Accounts()) {
      if (site == nullptr && account->network == Network::kBlog) site = account;
    }
  }
  if (site == nullptr) return {BlogError(404, "rest_no_route", "No such site.")};
  const bool signed_in = user != nullptr && user->id == site->id;
  const auto& path = request.path;
  if (path.size() < 4) return Discover(request, site);
  if (path[1] != "wp" || path[2] != "v2" || path.size() > 5) return {NoRoute()};
  return Route({request, site, signed_in, path[3], path.size() > 4 ? path[4] : ""});
}

Reply Blog::Discover(const Request& request, const AccountPtr& site) {
  const std::vector<std::string>& rest = request.path;
  const std::string root = Cat(request.base_url, "/blog/", site->id, "/wp-json/");
  net::HttpResponse response;
  if (rest.empty()) {
    response.headers["Content-Type"] = "text/html; charset=UTF-8";
    response.body = Cat("<!doctype html><title>", site->name, "</title>");
  } else if (rest[0] == "wp-json") {
    response = JsonResponse(200, {{"name", site->name},
                                  {"url", Cat(request.base_url, "/blog/", site->id)},
                                  {"home", Cat(request.base_url, "/blog/", site->id)},
                                  {"gmt_offset", site->utc_offset_minutes / 60.0},
                                  {"timezone_string", ""},
                                  {"namespaces", {"oembed/1.0", "wp/v2"}},
                                  {"authentication", Json::object()}});
  } else {
    return {NoRoute()};
  }
  response.headers["Link"] = Cat("<", root, ">; rel=\"https://api.w.org/\"");
  return {response};
}

Reply Blog::Route(const Asked& asked) {
  const std::string& method = asked.request.http.method;
  const bool get = method == "GET", change = method == "POST" || method == "PUT" || method == "PATCH";
  const bool remove = method == "DELETE", one = !asked.id.empty();
  auto guarded = [&](std::string_view operation, const std::function<net::HttpResponse(Answer)>& perform) {
    return UnderFaults(
        context_, Network::kBlog, asked.site->id, operation,
        {.limited = [] { return BlogError(400, "comment_flood", "You are posting comments too quickly. Slow down."); },
         .forbidden = [] { return BlogError(403, "rest_cannot_create", "Sorry, you are not allowed to do that."); }},
        perform);
  };
  if (!get && !asked.signed_in) {
    return {NotSignedIn(asked.collection == "comments" && !one ? "rest_comment_login_required"
                        : one                                  ? "rest_cannot_edit"
                                                               : "rest_cannot_create")};
  }
  if (asked.collection == "users" && asked.id == "me" && get)
    return guarded("identity", [&](Answer) { return Me(asked); });
  if (asked.collection == "posts") {
    if (get && !one) return guarded("list", [&](Answer) { return ListPosts(asked); });
    if (get) return guarded("read", [&](Answer) { return ReadPost(asked); });
    if (change && !one) return guarded("post", [&](Answer a) { return CreatePost(asked, a); });
    if (change) return guarded("edit", [&](Answer a) { return UpdatePost(asked, a); });
    if (remove && one) return guarded("delete", [&](Answer a) { return Remove(asked, a); });
  }
  if (asked.collection == "media") {
    if (get && one) return guarded("read", [&](Answer) { return ReadMedia(asked); });
    if (change && !one) return guarded("media", [&](Answer a) { return Upload(asked, a); });
    if (change) return guarded("edit", [&](Answer a) { return Upload(asked, a); });
    if (remove && one) return guarded("delete", [&](Answer a) { return Remove(asked, a); });
  }
  if (asked.collection == "comments") {
    if (get && !one) return guarded("list", [&](Answer) { return ListComments(asked); });
    if (get) return guarded("read", [&](Answer) { return ReadComment(asked); });
    if (change && !one) return guarded("reply", [&](Answer a) { return CreateComment(asked, a); });
    if (change) {
      const std::string status = asked.request.Param("status");
      const bool show = status == "approve" || status == "approved" || status == "1";
      return guarded(status.empty()      ? "edit"
                     : status == "trash" ? "delete"
                     : show              ? "unhide"
                                         : "hide",
                     [&](Answer a) { return UpdateComment(asked, a); });
    }
    if (remove && one) return guarded("delete", [&](Answer a) { return Remove(asked, a); });
  }
  return {NoRoute()};
}

WriteContext Blog::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.site->handle,
          .actor_name = asked.site->name,
          .digest = asked.request.digest,
          .answered = answer};
}

ItemPtr Blog::Target(const Asked& asked, Item::Kind kind) const {
  ItemPtr item = context_.world.Find(Network::kBlog, asked.id);
  return item == nullptr || item->deleted || item->account != asked.site->id || item->kind != kind ? nullptr : item;
}

Json Blog::Shown(const Asked& asked, const Item& item) const {
  const bool edit = asked.signed_in && asked.request.Param("context") == "edit";
  switch (item.kind) {
    case Item::Kind::kPost:
      return BlogPost(item, *asked.site, asked.request.base_url, context_.clock.WallNow(), edit);
    case Item::Kind::kMedia:
      return BlogMedia(item, *asked.site, asked.request.base_url);
    default:
      return BlogComment(item, *asked.site, asked.request.base_url, edit);
  }
}

net::HttpResponse Blog::Me(const Asked& asked) {
  if (!asked.signed_in) return BlogError(401, "rest_not_logged_in", "You are not currently logged in.");
  return JsonResponse(
      200, {{"id", 1},
            {"name", asked.site->name},
            {"slug", asked.site->handle},
            {"url", Cat(asked.request.base_url, "/blog/", asked.site->id)},
            {"link", Cat(asked.request.base_url, "/blog/", asked.site->id, "/author/", asked.site->handle)},
            {"capabilities", {{"publish_posts", true}, {"moderate_comments", true}, {"upload_files", true}}}});
}

std::string Blog::SlugFor(const Asked& asked, const std::string& wanted) const {
  std::string slug;
  for (char c : wanted) {
    const unsigned char u = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(u))
      slug.push_back(absl::ascii_tolower(u));
    else if (!slug.empty() && slug.back() != '-' && u < 0x80)
      slug.push_back('-');
    if (slug.size() >= 200) break;
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  if (slug.empty()) slug = "post";
  auto taken = [&](const std::string& s) {
    return !context_.world
                .Read(Network::kBlog, World::List::kPosts, asked.site->id,
                      {.limit = 1, .filter = [&](const Item& item) { return item.link == s; }})
                .items.empty();
  };
  if (!taken(slug)) return slug;
  for (int n = 2;; ++n) {
    if (const std::string next = Cat(slug, "-", n); !taken(next)) return next;
  }
}

net::HttpResponse Blog::CreatePost(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const std::string title = TextField(request, "title").value_or(""),
                    content = TextField(request, "content").value_or("");
  if (title.empty() && content.empty() && TextField(request, "excerpt").value_or("").empty()) {
    return BlogError(400, "empty_content", "Content, title, and excerpt are empty.");
  }
  std::string status = request.Param("status", "draft");
  if (status != "publish" && status != "future" && status != "draft" && status != "pending" && status != "private") {
    return Invalid("status");
  }
  const absl::Time now = context_.clock.WallNow();
  absl::Time created = absl::InfinitePast();
  for (const auto& [name, offset] : {std::pair{"date", asked.site->utc_offset_minutes}, std::pair{"date_gmt", 0}}) {
    const std::string text = request.Param(name);
    if (text.empty()) continue;
    const auto time = ParseBlogTime(text, offset);
    if (!time) return Invalid(name);
    created = *time;
  }
  // A past date silently becomes publish, a future one silently becomes future (facts 8).
  if (status == "publish" && created > now) status = "future";
  if (status == "future" && created <= now) status = "publish";
  if (!request.Param("featured_media").empty() && request.Param("featured_media") != "0") {
    const ItemPtr media = context_.world.Find(Network::kBlog, request.Param("featured_media"));
    if (media == nullptr || media->kind != Item::Kind::kMedia)
      return BlogError(400, "rest_invalid_featured_media", "Invalid featured media ID.");
  }
  const auto item = context_.world.Create({.network = Network::kBlog,
                                           .account = asked.site->id,
                                           .author_id = asked.site->handle,
                                           .author_name = asked.site->name,
                                           .author_handle = asked.site->handle,
                                           .text = content,
                                           .title = title,
                                           .link = SlugFor(asked, request.Param("slug", title)),
                                           .status = status,
                                           .media = request.Param("featured_media"),
                                           .by_us = true,
                                           .created = created},
                                          Us(asked, answer));
  if (!item.ok()) return Failed(item.status());
  net::HttpResponse response = JsonResponse(201, Shown(asked, **item));
  response.headers["Location"] =
      Cat(asked.request.base_url, "/blog/", asked.site->id, "/wp-json/wp/v2/posts/", (*item)->id);
  return response;
}

net::HttpResponse Blog::ReadPost(const Asked& asked) {
  const ItemPtr post = Target(asked, Item::Kind::kPost);
  if (post == nullptr) return BlogError(404, "rest_post_invalid_id", "Invalid post ID.");
  if (!asked.signed_in && BlogStatus(*post, context_.clock.WallNow()) != "publish")
    return NotSignedIn("rest_forbidden");
  return JsonResponse(200, Shown(asked, *post));
}

net::HttpResponse Blog::UpdatePost(const Asked& asked, Answer answer) {
  const ItemPtr post = Target(asked, Item::Kind::kPost);
  if (post == nullptr) return BlogError(404, "rest_post_invalid_id", "Invalid post ID.");
  const auto title = TextField(asked.request, "title"), content = TextField(asked.request, "content");
  const std::string status = asked.request.Param("status");
  const auto changed = context_.world.EditPost(
      Network::kBlog, post->id,
      [&](Item& item) {
        if (title) item.title = *title;
        if (content) item.text = *content;
        if (!status.empty()) item.status = status;
      },
      Us(asked, answer));
  return changed.ok() ? JsonResponse(200, Shown(asked, **changed)) : Failed(changed.status());
}

// A new medium (raw body or multipart), or the alternative text of one that is there.
net::HttpResponse Blog::Upload(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  if (!asked.id.empty()) {
    const ItemPtr media = Target(asked, Item::Kind::kMedia);
    if (media == nullptr) return BlogError(404, "rest_post_invalid_id", "Invalid post ID.");
    const auto changed = context_.world.Edit(Network::kBlog, media->id, request.Param("alt_text"), Us(asked, answer));
    return changed.ok() ? JsonResponse(200, Shown(asked, **changed)) : Failed(changed.status());
  }
  std::string name, type;
  if (!request.parts.empty()) {
    const auto file =
        std::find_if(request.parts.begin(), request.parts.end(), [](const Part& p) { return !p.filename.empty(); });
    if (file == request.parts.end()) return BlogError(400, "rest_upload_no_data", "No data supplied.");
    name = file->filename;
    type = file->content_type;
  } else {
    if (request.http.body.empty()) return BlogError(400, "rest_upload_no_data", "No data supplied.");
    auto disposition = request.http.headers.find("content-disposition");
    if (disposition == request.http.headers.end())
      return BlogError(400, "rest_upload_no_content_disposition", "No Content-Disposition supplied.");
    const size_t at = disposition->second.find("filename=");
    if (at == std::string::npos)
      return BlogError(400, "rest_upload_invalid_disposition", "Invalid Content-Disposition supplied.");
    name = disposition->second.substr(at + 9);
    std::erase(name, '"');
    type = net::HeaderOf(request.http.headers, "content-type");
  }
  if (type.rfind("image/", 0) != 0)
    return BlogError(400, "rest_upload_unknown_error", "Sorry, you are not allowed to upload this file type.");
  const auto item = context_.world.Create({.network = Network::kBlog,
                                           .kind = Item::Kind::kMedia,
                                           .account = asked.site->id,
                                           .author_id = asked.site->handle,
                                           .text = request.Param("alt_text"),
                                           .title = name,
                                           .status = "inherit",
                                           .media = type,
                                           .by_us = true},
                                          Us(asked, answer));
  if (!item.ok()) return Failed(item.status());
  net::HttpResponse response = JsonResponse(201, Shown(asked, **item));
  response.headers["Location"] =
      Cat(asked.request.base_url, "/blog/", asked.site->id, "/wp-json/wp/v2/media/", (*item)->id);
  return response;
}

net::HttpResponse Blog::ReadMedia(const Asked& asked) {
  const ItemPtr media = Target(asked, Item::Kind::kMedia);
  return media == nullptr ? BlogError(404, "rest_post_invalid_id", "Invalid post ID.")
                          : JsonResponse(200, Shown(asked, *media));
}

}  // namespace parvis::sandbox
