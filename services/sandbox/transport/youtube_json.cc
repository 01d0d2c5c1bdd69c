#include "sandbox/transport/youtube_json.h"

#include <absl/strings/escaping.h>
#include <absl/time/time.h>

#include <atomic>
#include <set>

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kTitle = 100, kDescription = 5000, kTags = 500;

net::HttpResponse Wrong(std::string_view reason, std::string_view message, std::string_view location) {
  return YoutubeError(400, "youtube.video", reason, message, location);
}

std::string TextOf(const Json& object, const char* name) {
  const Json value = Member(object, name);
  return value.is_string() ? value.get<std::string>() : "";
}

// As they are counted: with commas between them and quotation marks around those with blanks (facts 0.3).
size_t TagsLength(const Json& tags) {
  size_t length = 0;
  for (const Json& tag : tags) {
    if (!tag.is_string()) return kTags + 1;
    const std::string text = tag.get<std::string>();
    length += (length == 0 ? 0 : 1) + CodePoints(text) + (text.find(' ') == std::string::npos ? 0 : 2);
  }
  return length;
}

std::optional<net::HttpResponse> UnknownMember(const Json& object, const char* where,
                                               const std::set<std::string>& known) {
  if (object.is_null()) return std::nullopt;
  if (!object.is_object()) return YoutubeUnknownName(where, false);
  for (const auto& [name, value] : object.items()) {
    if (!known.contains(name)) return YoutubeUnknownName(Cat(where, ".", name), false);
  }
  return std::nullopt;
}

}  // namespace

net::HttpResponse YoutubeError(int status, std::string_view domain, std::string_view reason, std::string_view message,
                               std::string_view location) {
  Json one = {{"message", message}, {"domain", domain}, {"reason", reason}};
  if (!location.empty()) {
    one["location"] = location;
    one["locationType"] = location == "Authorization" ? "header" : status == 400 ? "parameter" : "other";
  }
  Json error = {{"code", status}, {"message", message}, {"errors", {std::move(one)}}};
  // Only some errors carry the newer status besides.
  if (status == 401) error["status"] = "UNAUTHENTICATED";
  return JsonResponse(status, {{"error", std::move(error)}}, false);
}

net::HttpResponse YoutubeMissing(std::string_view reason, std::string_view what) {
  return YoutubeError(404, reason == "videoNotFound" ? "youtube.video" : "youtube.comment", reason,
                      Cat("The ", what, " that you are trying to use cannot be found. It may have been deleted."));
}

net::HttpResponse YoutubeForbidden(std::string_view message) {
  return YoutubeError(403, "youtube.common", "forbidden", message);
}

net::HttpResponse YoutubeUnknownName(std::string_view name, bool in_query) {
  const std::string message = Cat("Invalid JSON payload received. Unknown name \"", name, "\": Cannot ",
                                  in_query ? "bind query parameter. Field '" : "find field", in_query ? name : "",
                                  in_query ? "' could not be found in request message." : ".");
  return JsonResponse(400,
                      {{"error",
                        {{"code", 400},
                         {"message", message},
                         {"errors", {{{"message", message}, {"reason", "invalid"}}}},
                         {"status", "INVALID_ARGUMENT"}}}},
                      false);
}

std::string YoutubeTime(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

std::string YoutubeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\n':
        out += "<br>";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::vector<std::string> YoutubeList(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool Has(const std::vector<std::string>& parts, std::string_view part) {
  return std::ranges::find(parts, part) != parts.end();
}

std::string YoutubeToken(int64_t position) {
  static std::atomic<uint64_t> given{0};
  return absl::WebSafeBase64Escape(Cat("QAA", position, ".", ++given));
}

std::optional<int64_t> YoutubePosition(const std::string& token) {
  if (token.empty()) return -1;
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text) || !text.starts_with("QAA")) return std::nullopt;
  const std::string number = text.substr(3, text.find('.') - 3);
  if (number == "-1") return -1;  // the beginning, after an empty page
  return number.empty() ? std::nullopt : ReadNumber(number, 0, 0, INT64_MAX);
}

Json YoutubePage(const char* kind, Json items, int64_t total, int64_t limit, int64_t position) {
  Json page = {{"kind", kind},
               {"etag", Cat("etag-", total, "-", items.size())},
               {"pageInfo", {{"totalResults", total}, {"resultsPerPage", limit}}},
               {"items", std::move(items)}};
  if (position >= 0) page["nextPageToken"] = YoutubeToken(position);
  return page;
}

std::string YoutubeUploads(std::string_view channel) {
  return Cat("UU", channel.substr(std::min<size_t>(2, channel.size())));
}

std::optional<net::HttpResponse> CheckYoutubeVideo(const Json& video, const std::vector<std::string>& parts,
                                                   absl::Time now) {
  static const auto* const snippet_members = new std::set<std::string>{
      "title", "description", "tags", "categoryId", "defaultLanguage", "defaultAudioLanguage"};
  static const auto* const status_members = new std::set<std::string>{
      "privacyStatus",         "publishAt", "license", "embeddable", "publicStatsViewable", "selfDeclaredMadeForKids",
      "containsSyntheticMedia"};
  static const auto* const categories =
      new std::set<std::string>{"1", "2", "10", "15", "17", "19", "20", "22", "23", "24", "25", "26", "27", "28", "29"};
  if (!video.is_object()) return Wrong("invalidVideoMetadata", "The request metadata is invalid.", "body");
  if (auto wrong = UnknownMember(video, "video", {"id", "kind", "etag", "snippet", "status", "recordingDetails"}))
    return wrong;
  const Json snippet = Member(video, "snippet"), status = Member(video, "status");
  if (auto wrong = UnknownMember(snippet, "video.snippet", *snippet_members)) return wrong;
  if (auto wrong = UnknownMember(status, "video.status", *status_members)) return wrong;
  if (Has(parts, "snippet")) {
    const std::string title = TextOf(snippet, "title"), description = TextOf(snippet, "description");
    if (title.empty() || CodePoints(title) > kTitle || title.find_first_of("<>") != std::string::npos) {
      return Wrong("invalidTitle", "The request metadata specifies an invalid or empty video title.",
                   "body.snippet.title");
    }
    if (description.size() > kDescription || description.find_first_of("<>") != std::string::npos) {
      return Wrong("invalidDescription", "The request metadata specifies an invalid video description.",
                   "body.snippet.description");
    }
    const Json tags = Member(snippet, "tags");
    if (!tags.is_null() && (!tags.is_array() || TagsLength(tags) > kTags)) {
      return Wrong("invalidTags", "The request metadata specifies invalid video keywords.", "body.snippet.tags");
    }
    const std::string category = TextOf(snippet, "categoryId");
    if (!category.empty() && !categories->contains(category)) {
      return Wrong("invalidCategoryId", "The snippet.categoryId property specifies an invalid category ID.",
                   "body.snippet.categoryId");
    }
  }
  if (!Has(parts, "status")) return std::nullopt;
  const std::string privacy = TextOf(status, "privacyStatus"), at = TextOf(status, "publishAt");
  if (!privacy.empty() && privacy != "public" && privacy != "unlisted" && privacy != "private") {
    return Wrong("invalidVideoMetadata", "The request metadata is invalid.", "body.status.privacyStatus");
  }
  if (at.empty()) return std::nullopt;
  absl::Time time;
  std::string problem;
  if (privacy != "private" || !absl::ParseTime(absl::RFC3339_full, at, &time, &problem) || time <= now) {
    return Wrong("invalidPublishAt", "The request metadata specifies an invalid scheduled publishing time.",
                 "body.status.publishAt");
  }
  return std::nullopt;
}

}  // namespace parvis::sandbox
