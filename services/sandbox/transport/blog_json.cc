#include "sandbox/transport/blog_json.h"

#include <cstdlib>

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

Json Rendered(std::string_view text, bool html, bool edit) {
  Json out = {{"rendered", html ? BlogHtml(text) : std::string(text)}};
  if (edit) out["raw"] = text;
  return out;
}

std::string LinkOf(const Account& site, std::string_view base_url, std::string_view rest) {
  return Cat(base_url, "/blog/", site.id, "/", rest);
}

int64_t Number(const std::string& id) { return id.empty() ? 0 : std::atoll(id.c_str()); }

}  // namespace

net::HttpResponse BlogError(int status, std::string_view code, std::string_view message) {
  return JsonResponse(status, {{"code", code}, {"message", message}, {"data", {{"status", status}}}});
}

std::string BlogTime(absl::Time time, int offset_minutes) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S", time, absl::FixedTimeZone(offset_minutes * 60));
}

std::optional<absl::Time> ParseBlogTime(const std::string& text, int offset_minutes) {
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return time;
  if (absl::ParseTime("%Y-%m-%dT%H:%M:%E*S", text, absl::FixedTimeZone(offset_minutes * 60), &time, &error))
    return time;
  return std::nullopt;
}

std::string BlogHtml(std::string_view text) {
  if (text.substr(0, 1) == "<") return std::string(text);  // HTML already
  std::string out = "<p>";
  for (char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&#038;";
        break;
      case '\'':
        out += "&#8217;";
        break;
      case '\n':
        out += "<br />\n";
        break;
      default:
        out.push_back(c);
    }
  }
  return out + "</p>\n";
}

std::string BlogStatus(const Item& item, absl::Time now) {
  return item.status == "future" && item.created <= now ? "publish" : item.status;
}

Json BlogPost(const Item& item, const Account& site, std::string_view base_url, absl::Time now, bool edit) {
  return {{"id", Number(item.id)},
          {"date", BlogTime(item.created, site.utc_offset_minutes)},
          {"date_gmt", BlogTime(item.created, 0)},
          {"modified", BlogTime(item.changed, site.utc_offset_minutes)},
          {"modified_gmt", BlogTime(item.changed, 0)},
          {"slug", item.link},
          {"status", BlogStatus(item, now)},
          {"type", "post"},
          {"link", LinkOf(site, base_url, item.link)},
          {"title", Rendered(item.title, false, edit)},
          {"content", Rendered(item.text, true, edit)},
          {"author", 1},
          {"featured_media", Number(item.media)},
          {"comment_status", "open"}};
}

Json BlogComment(const Item& item, const Account& site, std::string_view base_url, bool edit) {
  Json json = {{"id", Number(item.id)},
               {"post", Number(item.post)},
               {"parent", item.parent == item.post ? 0 : Number(item.parent)},
               {"author", item.by_us ? 1 : 0},
               {"author_name", item.author_name},
               {"author_url", ""},
               {"date", BlogTime(item.created, site.utc_offset_minutes)},
               {"date_gmt", BlogTime(item.created, 0)},
               {"content", Rendered(item.text, true, edit)},
               {"link", LinkOf(site, base_url, Cat("?p=", item.post, "#comment-", item.id))},
               {"status", item.status},
               {"type", "comment"},
               {"meta", Json::array()}};
  if (edit) {
    json["author_email"] = Cat(item.author_handle, "@mail.example");
    json["author_ip"] = "192.0.2.1";
  }
  return json;
}

Json BlogMedia(const Item& item, const Account& site, std::string_view base_url) {
  return {{"id", Number(item.id)},
          {"date", BlogTime(item.created, site.utc_offset_minutes)},
          {"date_gmt", BlogTime(item.created, 0)},
          {"status", "inherit"},
          {"type", "attachment"},
          {"media_type", "image"},
          {"mime_type", item.media},
          {"alt_text", item.text},
          {"title", {{"rendered", item.title}}},
          {"source_url", LinkOf(site, base_url, Cat("wp-content/uploads/", item.title))}};
}

}  // namespace parvis::sandbox
