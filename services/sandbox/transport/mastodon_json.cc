#include "sandbox/transport/mastodon_json.h"

#include <absl/strings/ascii.h>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/graphemes.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kLinkCharacters = 23;

bool IsLink(std::string_view word) { return word.starts_with("https://") || word.starts_with("http://"); }
// "@name@host" or "@name"; what stands behind the name is cut off by the caller.
bool IsMention(std::string_view word) {
  return word.size() > 1 && word[0] == '@' && absl::ascii_isalnum(static_cast<unsigned char>(word[1]));
}

// The text, word by word, with the white space between them as words of its own.
std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const bool space = absl::ascii_isspace(static_cast<unsigned char>(text[0]));
    size_t end = 1;
    while (end < text.size() && absl::ascii_isspace(static_cast<unsigned char>(text[end])) == space) ++end;
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out.push_back(c);
  }
  return out;
}

}  // namespace

net::HttpResponse MastodonError(int status, std::string_view message) {
  return JsonResponse(status, {{"error", message}}, false);
}
net::HttpResponse MastodonInvalid(std::string_view message) {
  return MastodonError(422, Cat("Validation failed: ", message));
}
net::HttpResponse MastodonGone() { return MastodonError(404, "Record not found"); }

std::string MastodonTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

Json MastodonAccount(std::string_view id, std::string_view name, std::string_view handle, const std::string& base) {
  const std::string url = Cat(base, "/@", handle);
  return {{"id", id},
          {"username", handle},
          {"acct", handle},
          {"display_name", name},
          {"locked", false},
          {"bot", false},
          {"discoverable", true},
          {"group", false},
          {"note", "<p></p>"},
          {"url", url},
          {"uri", url},
          {"avatar", Cat(base, "/a.png")},
          {"header", ""},
          {"followers_count", 0},
          {"following_count", 0},
          {"statuses_count", 0},
          {"emojis", Json::array()},
          {"fields", Json::array()},
          {"created_at", "2024-01-01T00:00:00.000Z"}};
}

Json MastodonMedia(const Item& media, const std::string& base) {
  const std::string type = media.media.substr(0, media.media.find('/'));
  const bool ready = media.status == "ready" || media.extra.at("asked") == "ready";
  const auto text = media.extra.find("description");
  Json json = {{"id", media.id},
               {"type", type},
               {"url", Json()},
               {"preview_url", Cat(base, "/media/", media.id, "/small")},
               {"remote_url", Json()},
               {"text_url", Json()},
               {"meta", Json::object()},
               {"description", text == media.extra.end() ? Json() : Json(text->second)},
               {"blurhash", "UFBWY:8_0Jxv4mx]t8t64.%M-:IUWGWAt6M}"}};
  if (ready) json["url"] = Cat(base, "/media/", media.id, "/original");
  return json;
}

std::string MastodonHtml(std::string_view text) {
  std::string out = "<p>";
  for (const std::string_view word : Words(text)) {
    if (word.find("\n\n") != std::string_view::npos) {
      out += "</p><p>";
    } else if (word.find('\n') != std::string_view::npos) {
      out += "<br />";
    } else if (IsLink(word)) {
      const std::string link = Escaped(word);
      Append(out, "<a href=\"", link, "\" target=\"_blank\" rel=\"nofollow noopener noreferrer\" translate=\"no\">",
             link, "</a>");
    } else if (IsMention(word)) {
      const std::string name = Escaped(word.substr(1));
      Append(out, "<span class=\"h-card\" translate=\"no\"><a href=\"https://sandbox.invalid/@", name,
             "\" class=\"u-url mention\">@<span>", name, "</span></a></span>");
    } else {
      out += Escaped(word);
    }
  }
  return out + "</p>";
}

size_t MastodonLength(std::string_view text) {
  std::string counted;
  size_t links = 0;
  for (const std::string_view word : Words(text)) {
    const size_t host = IsMention(word) ? word.find('@', 1) : std::string_view::npos;
    if (IsLink(word))
      ++links;
    else
      counted += word.substr(0, host);
  }
  return Graphemes(counted) + links * kLinkCharacters;
}

bool NewerId(std::string_view id, std::string_view than) {
  return id.size() != than.size() ? id.size() > than.size() : id > than;
}

std::vector<std::string> ListOf(const Request& request, const char* name) {
  std::vector<std::string> out;
  const std::string key = Cat(name, "[]");
  for (const Json& value : Member(request.json, name)) {
    out.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }
  for (std::string& value : AllOf(request.http.query, key)) out.push_back(std::move(value));
  for (const Part& part : request.parts) {
    if (part.name == key) out.push_back(part.body);
  }
  if (net::HeaderOf(request.http.headers, "content-type").starts_with("application/x-www-form-urlencoded")) {
    for (std::string& value : AllOf(request.http.body, key)) out.push_back(std::move(value));
  }
  return out;
}

bool IsTrue(std::string_view text) { return text == "true" || text == "1" || text == "on"; }

}  // namespace parvis::sandbox
