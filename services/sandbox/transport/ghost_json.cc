#include "sandbox/transport/ghost_json.h"

#include <algorithm>

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/domain/nature.h"

namespace parvis::sandbox {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '\n')
      out += "<br>";
    else
      out.push_back(c);
  }
  return out;
}

// The name of a tag's text between < and >: "/p" -> "p".
std::string TagName(std::string_view tag) {
  while (tag.starts_with('/')) tag.remove_prefix(1);
  return std::string(tag.substr(0, std::min(tag.find_first_of(" \t\n/>"), tag.size())));
}

std::string KeptLink(std::string_view tag) {
  const size_t href = tag.find("href=\"");
  if (href == std::string_view::npos) return "<a target=\"_blank\" rel=\"ugc noopener noreferrer nofollow\">";
  const std::string_view rest = tag.substr(href + 6);
  return Cat("<a href=\"", rest.substr(0, rest.find('"')),
             "\" target=\"_blank\" rel=\"ugc noopener noreferrer nofollow\">");
}

// Walks over the tags: `keep` gives what stands for a tag.
std::string Walk(std::string_view html, const std::function<std::string(std::string_view tag)>& keep) {
  std::string out;
  for (size_t at = 0; at < html.size();) {
    if (html[at] != '<') {
      out.push_back(html[at++]);
    } else if (html.substr(at).starts_with("<!--")) {
      const size_t end = html.find("-->", at);
      at = end == std::string_view::npos ? html.size() : end + 3;
    } else {
      const size_t end = html.find('>', at);
      if (end == std::string_view::npos) break;
      out += keep(html.substr(at + 1, end - at - 1));
      at = end + 1;
    }
  }
  return out;
}

std::string Slug(const std::string& title) {
  std::string slug;
  for (const char c : title) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
      slug.push_back(c);
    else if (c >= 'A' && c <= 'Z')
      slug.push_back(static_cast<char>(c - 'A' + 'a'));
    else if (!slug.empty() && slug.back() != '-')
      slug.push_back('-');
  }
  return slug.empty() ? "untitled" : slug;
}

std::string Home(const Account& site, std::string_view base_url) { return Cat(base_url, "/ghost/", site.id, "/"); }

}  // namespace

net::HttpResponse GhostError(int status, std::string_view type, std::string_view message, std::string_view context,
                             std::string_view code) {
  const auto nullable = [](std::string_view text) { return text.empty() ? Json() : Json(std::string(text)); };
  return JsonResponse(status,
                      {{"errors",
                        {{{"message", std::string(message)},
                          {"context", nullable(context)},
                          {"type", std::string(type)},
                          {"details", Json()},
                          {"property", Json()},
                          {"help", Json()},
                          {"code", nullable(code)},
                          {"id", UuidOfName(Cat(message, context))},
                          {"ghostErrorCode", Json()}}}}},
                      false);
}

net::HttpResponse GhostNotFound(std::string_view what) {
  std::string resource(what);
  resource[0] = static_cast<char>(resource[0] - 'A' + 'a');
  return GhostError(404, "NotFoundError", Cat("Resource not found error, cannot read ", resource, "."),
                    Cat(what, " not found."));
}
net::HttpResponse GhostInvalid(std::string_view message, std::string_view context) {
  return GhostError(422, "ValidationError", message, context);
}

std::string GhostIso(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%S.000Z", time, absl::UTCTimeZone()); }
std::string GhostStored(absl::Time time) { return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone()); }
Json GhostNullable(const std::string& text) { return text.empty() ? Json() : Json(text); }

std::string GhostPostHtml(std::string_view html) {
  return Walk(html, [](std::string_view tag) { return Cat("<", tag, ">"); });
}

std::string GhostCommentHtml(std::string_view html) {
  return Walk(html, [](std::string_view tag) -> std::string {
    const std::string name = TagName(tag);
    const bool end = tag.starts_with('/');
    if (name == "a") return end ? "</a>" : KeptLink(tag);
    if (name == "br") return "<br />";
    if (name == "p" || name == "blockquote") return Cat(end ? "</" : "<", name, ">");
    return "";
  });
}

std::string GhostPlain(std::string_view html) {
  return Walk(html,
              [](std::string_view tag) -> std::string { return tag == "/p" || tag.starts_with("br") ? "\n" : ""; });
}

std::string GhostStatus(const Item& item) {
  if (item.deleted) return item.kind == Item::Kind::kPost ? item.status : "deleted";
  if (item.kind == Item::Kind::kPost) return item.status;
  return item.hidden ? "hidden" : "published";
}

std::string GhostOwnMember(const Account& site) {
  for (const auto& [name, value] : NatureOf(Network::kGhost).credentials(site)) {
    if (name == "member_id") return value;
  }
  return "";
}

Json GhostPost(const Item& item, const Account& site, std::string_view base_url, bool html) {
  const std::string published_at = Extra(item, "published_at");
  Json tags = Json::array();
  for (const std::string& tag : SplitPath(Extra(item, "tags"))) {
    tags.push_back(
        {{"id", UuidOfName(tag).substr(0, 8)}, {"name", tag}, {"slug", Slug(tag)}, {"visibility", "public"}});
  }
  Json post = {{"id", item.id},
               {"uuid", UuidOfName(item.id)},
               {"title", item.title},
               {"slug", item.link.empty() ? Slug(item.title) : item.link},
               {"comment_id", item.id},
               {"feature_image", GhostNullable(item.media)},
               {"feature_image_alt", GhostNullable(Extra(item, "feature_image_alt"))},
               {"featured", false},
               {"status", GhostStatus(item)},
               {"visibility", Extra(item, "visibility").empty() ? "public" : Extra(item, "visibility")},
               {"created_at", GhostIso(item.created)},
               {"updated_at", GhostIso(item.changed)},
               {"published_at", GhostNullable(published_at)},
               {"custom_excerpt", Json()},
               {"codeinjection_head", Json()},
               {"codeinjection_foot", GhostNullable(Extra(item, "codeinjection_foot"))},
               {"email_only", Extra(item, "email_only") == "true"},
               {"email_segment", Extra(item, "email_segment").empty() ? "all" : Extra(item, "email_segment")},
               {"url", Cat(Home(site, base_url), item.status == "published" ? "" : "p/",
                           item.link.empty() ? Slug(item.title) : item.link, "/")},
               {"tags", std::move(tags)},
               {"count", {{"clicks", 0}, {"positive_feedback", 0}, {"negative_feedback", 0}}},
               {"email", Json()},
               {"newsletter", Json()}};
  if (const std::string newsletter = Extra(item, "newsletter"); !newsletter.empty()) {
    post["newsletter"] = {{"id", UuidOfName(newsletter).substr(0, 8)}, {"slug", newsletter}, {"status", "active"}};
    post["email"] = {{"id", Cat("e", item.id.substr(1))},
                     {"status", "submitted"},
                     {"email_count", 3},
                     {"delivered_count", 3},
                     {"opened_count", 1},
                     {"failed_count", 0}};
  }
  if (html) {
    post["html"] = item.text;
  } else {
    post["lexical"] = Json{{"root", {{"type", "root"}, {"children", Json::array()}}}}.dump();
    post["mobiledoc"] = Json();
  }
  return post;
}

Json GhostComment(const Item& item, const ItemPtr& post, const Account& site, std::string_view base_url) {
  const bool nested = item.parent != item.post;
  Json comment = {
      {"id", item.id},
      {"parent_id", nested ? Json(item.parent) : Json()},
      {"in_reply_to_id", GhostNullable(Extra(item, "in_reply_to"))},
      {"in_reply_to_snippet", Json()},
      {"status", GhostStatus(item)},
      {"html", item.deleted ? Json() : Json(item.by_us ? item.text : Cat("<p>", Escaped(item.text), "</p>"))},
      {"created_at", GhostIso(item.created)},
      {"edited_at", item.edited ? Json(GhostIso(item.changed)) : Json()},
      {"pinned", false},
      {"count", {{"replies", 0}, {"direct_replies", 0}, {"likes", 0}, {"dislikes", 0}, {"reports", 0}}}};
  if (post != nullptr) {
    const Json whole = GhostPost(*post, site, base_url, true);
    comment["post"] = {{"id", post->id},
                       {"uuid", whole["uuid"]},
                       {"title", post->title},
                       {"url", whole["url"]},
                       {"feature_image", whole["feature_image"]}};
  }
  return comment;
}

}  // namespace parvis::sandbox
