// The resumable upload (facts 4.2): metadata, then pieces; the answer to the last one is the video.
#include <algorithm>

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/transport/youtube.h"
#include "sandbox/transport/youtube_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kQuantum = 256 << 10;  // pieces but the last are multiples of it
constexpr int64_t kMost = int64_t{256} << 30;
constexpr size_t kUploads = 500;

struct Range {
  int64_t first = 0, size = -1;  // size: of the whole; -1: "*"
  int64_t length = -1;           // -1: asks what has arrived
};

// "bytes 0-99/300", "bytes */300"; nullopt for anything else.
std::optional<Range> ReadRange(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  Range range;
  if (const std::string_view total = text.substr(slash + 1); total != "*") {
    const auto size = ReadNumber(total, -1, 0, kMost);
    if (!size || *size < 0) return std::nullopt;
    range.size = *size;
  }
  const std::string_view span = text.substr(0, slash);
  if (span == "*") return range;
  const size_t dash = span.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = ReadNumber(span.substr(0, dash), -1, 0, kMost),
             last = ReadNumber(span.substr(dash + 1), -1, 0, kMost);
  if (!first || !last || *first < 0 || *last < *first) return std::nullopt;
  range.first = *first;
  range.length = *last - *first + 1;
  return range;
}

net::HttpResponse More(int64_t arrived) {
  net::HttpResponse response;
  response.status = 308;
  if (arrived > 0) response.headers["Range"] = Cat("bytes=0-", arrived - 1);
  return response;
}

net::HttpResponse WrongRange() {
  return YoutubeError(400, "global", "badRequest", "Failed to parse Content-Range header.", "Content-Range");
}

std::string Spelled(uint64_t hash) {
  std::string out(16, '0');
  for (size_t i = out.size(); i-- > 0; hash >>= 4) out[i] = "0123456789abcdef"[hash & 15];
  return out;
}

}  // namespace

net::HttpResponse Youtube::StartUpload(const Asked& asked, Answer) {
  const net::HttpRequest& http = asked.request.http;
  const auto kind = asked.query.find("uploadType");
  if (kind == asked.query.end() || kind->second != "resumable") {
    return YoutubeError(400, "global", "badRequest", "Sandbox: only uploadType=resumable is simulated.", "uploadType");
  }
  const std::string type = net::HeaderOf(http.headers, "X-Upload-Content-Type");
  const std::string size = net::HeaderOf(http.headers, "X-Upload-Content-Length");
  if (!type.empty() && !type.starts_with("video/") && type != "application/octet-stream") {
    return YoutubeError(
        400, "global", "badContent",
        Cat("Media type '", type, "' is not supported. Valid media types: [video/*, application/octet-stream]"));
  }
  const auto bytes = ReadNumber(size, -1, 1, kMost);
  if (!bytes) {
    return YoutubeError(400, "global", "badRequest", "Invalid X-Upload-Content-Length.", "X-Upload-Content-Length");
  }
  if (auto wrong = CheckYoutubeVideo(asked.request.json, asked.parts, context_.clock.WallNow()))
    return *std::move(wrong);
  const std::string id = Cat("AEnB2U", RandomHex(48));
  std::lock_guard lock(mutex_);
  if (uploads_.size() >= kUploads) {  // a finished one is forgotten, else any
    const auto done = std::ranges::find_if(uploads_, [](const auto& one) { return !one.second.made.empty(); });
    uploads_.erase(done == uploads_.end() ? uploads_.begin() : done);
  }
  uploads_[id] = {.account = asked.account, .video = asked.request.json, .parts = asked.parts, .size = *bytes};
  net::HttpResponse response;
  response.headers["Location"] = Cat(asked.request.base_url, http.path, "?uploadType=resumable&upload_id=", id);
  response.headers["X-GUploader-UploadID"] = id;
  return response;
}

Reply Youtube::Session(const Request& request, const Query& query) {
  const std::string& id = query.at("upload_id");
  std::string account;
  {
    std::lock_guard lock(mutex_);
    const auto it = uploads_.find(id);
    if (it == uploads_.end()) return {YoutubeError(404, "global", "notFound", "Not Found")};
    account = it->second.account->id;
  }
  if (request.http.method == "DELETE") {
    std::lock_guard lock(mutex_);
    uploads_.erase(id);
    net::HttpResponse cancelled;
    cancelled.status = 499;
    return {cancelled};
  }
  if (request.http.method != "PUT") return {YoutubeError(404, "global", "notFound", "Not Found")};
  return UnderFaults(context_, Network::kYoutube, account, "post",
                     {.limited = [&] { return TooMuch(false); },
                      .forbidden =
                          [] {
                            return YoutubeError(403, "global", "insufficientPermissions",
                                                "Request had insufficient authentication scopes.");
                          }},
                     [&](Answer answer) { return Piece(request, id, answer); });
}

// What is not in order changes nothing: the answer's Range is the only truth about what arrived. Every third piece is
// kept but for its last 256 KiB, as a connection that breaks would leave it.
net::HttpResponse Youtube::Piece(const Request& request, const std::string& id, Answer answer) {
  const net::HttpRequest& http = request.http;
  std::lock_guard lock(mutex_);
  const auto it = uploads_.find(id);
  if (it == uploads_.end()) return YoutubeError(404, "global", "notFound", "Not Found");
  Upload& upload = it->second;
  const std::string header = net::HeaderOf(http.headers, "Content-Range");
  const int64_t sent = static_cast<int64_t>(http.body.size());
  const auto range = header.empty() ? std::optional<Range>(Range{0, sent, sent}) : ReadRange(header);
  if (!range || (range->length >= 0 && range->length != sent) || (range->length < 0 && sent > 0)) return WrongRange();
  if (range->size >= 0) {
    if (upload.size >= 0 && upload.size != range->size) return WrongRange();
    upload.size = range->size;
  }
  if (!upload.made.empty() || range->length < 0) {
    return upload.size >= 0 && upload.arrived == upload.size ? Finish(request, upload, answer) : More(upload.arrived);
  }
  const int64_t end = range->first + range->length;
  const bool last = end == upload.size;
  if (upload.size >= 0 && end > upload.size) return WrongRange();
  if (!last && range->length % kQuantum != 0) {
    return YoutubeError(400, "global", "badRequest", "Pieces must be multiples of 262144 bytes.", "Content-Range");
  }
  if (range->first > upload.arrived || end <= upload.arrived) return More(upload.arrived);
  int64_t kept = end;
  if (!last && ++upload.pieces % 3 == 0 && end - kQuantum > upload.arrived) kept -= kQuantum;
  const std::string_view fresh = std::string_view(http.body).substr(static_cast<size_t>(upload.arrived - range->first),
                                                                    static_cast<size_t>(kept - upload.arrived));
  if (upload.arrived == 0) {
    upload.hash = 1469598103934665603ull;
    upload.broken = fresh.starts_with("broken");
  }
  for (const char c : fresh) upload.hash = (upload.hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  upload.arrived = kept;
  return last ? Finish(request, upload, answer) : More(upload.arrived);
}

// Makes the video, once; asked again, the session shows it.
net::HttpResponse Youtube::Finish(const Request& request, Upload& upload, Answer answer) {
  if (!upload.made.empty()) {
    const ItemPtr video = FindVideo(upload.made);
    if (video == nullptr) return YoutubeMissing("videoNotFound", "video");
    return JsonResponse(200, ShownVideo(*video, upload.parts, request.base_url), false);
  }
  const Json snippet = Has(upload.parts, "snippet") ? Member(upload.video, "snippet") : Json();
  const Json status = Has(upload.parts, "status") ? Member(upload.video, "status") : Json();
  const auto text = [](const Json& from, const char* name, const char* otherwise) {
    const Json value = Member(from, name);
    return value.is_string() ? value.get<std::string>() : std::string(otherwise);
  };
  const Account& account = *upload.account;
  const std::string privacy = text(status, "privacyStatus", "public");
  std::map<std::string, std::string> extra = {{"privacy", privacy},
                                              {"category", text(snippet, "categoryId", "22")},
                                              {"upload", upload.broken ? "broken" : "uploaded"}};
  for (const auto& [name, from] :
       {std::pair("publishAt", &status), {"license", &status}, {"defaultLanguage", &snippet}}) {
    if (const std::string value = text(*from, name, ""); !value.empty()) extra[name] = value;
  }
  for (const char* name : {"embeddable", "selfDeclaredMadeForKids", "containsSyntheticMedia"}) {
    if (const Json value = Member(status, name); value.is_boolean()) extra[name] = value.get<bool>() ? "true" : "false";
  }
  if (const Json tags = Member(snippet, "tags"); tags.is_array()) extra["tags"] = tags.dump();
  const auto made = context_.world.Create({.network = Network::kYoutube,
                                           .account = account.id,
                                           .author_id = account.id,
                                           .author_name = account.name,
                                           .author_handle = account.handle,
                                           .text = text(snippet, "description", ""),
                                           .title = text(snippet, "title", "unknown"),
                                           .extra = extra,
                                           .by_us = true,
                                           .published = privacy != "private"},
                                          Us(account, Spelled(upload.hash), answer));
  if (!made.ok()) return YoutubeError(503, "global", "backendError", "Backend Error");
  upload.made = (*made)->id;
  return JsonResponse(200, ShownVideo(**made, upload.parts, request.base_url), false);
}

}  // namespace parvis::sandbox
