// The resumable upload (facts 4.2; developers.google.com/youtube/v3/guides/using_resumable_upload_protocol): the last
// piece is the effect, everything before it leaves nothing that anybody sees.
#include "networks/wire/check.h"
#include "networks/wire/media.h"
#include "networks/wire/request.h"
#include "networks/wire/wait.h"
#include "networks/youtube/youtube.h"

namespace parvis::networks {
namespace {

constexpr int64_t kPiece = int64_t{4} << 20;  // a multiple of 256 KiB, as pieces before the last must be
constexpr int64_t kThumbnailBytesMax = int64_t{50} << 20;
constexpr int kTriesMax = 4;  // in a row without a byte getting through
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);

bool IsTrue(const std::string& value) { return value == "true"; }

Json MetadataOf(const Draft& draft) {
  const auto option = [&](const char* name, const char* otherwise) {
    const auto it = draft.options.find(name);
    return it == draft.options.end() ? std::string(otherwise) : it->second;
  };
  Json snippet = {
      {"title", draft.title}, {"description", TextWithLink(draft)}, {"categoryId", option("category", "22")}};
  if (!draft.tags.empty()) snippet["tags"] = draft.tags;
  if (!draft.language.empty()) snippet["defaultLanguage"] = draft.language;
  const std::string publish_at = option("publish_at", "");
  Json status = {{"privacyStatus", publish_at.empty() ? option("visibility", "public") : "private"}};
  if (!publish_at.empty()) status["publishAt"] = publish_at;
  for (const auto& [name, theirs] : {std::pair("made_for_kids", "selfDeclaredMadeForKids"),
                                     {"synthetic_media", "containsSyntheticMedia"},
                                     {"embeddable", "embeddable"}}) {
    if (const std::string value = option(name, ""); !value.empty()) status[theirs] = IsTrue(value);
  }
  if (const std::string license = option("license", ""); !license.empty()) status["license"] = license;
  return {{"snippet", std::move(snippet)}, {"status", std::move(status)}};
}

// "https://host:port" of a URL.
std::string OriginOf(const std::string& url) {
  const size_t host = url.find("://");
  return host == std::string::npos ? "" : url.substr(0, url.find_first_of("/?#", host + 3));
}

// The upload did not come to its end, and no video was made.
Outcome NotFinished(Answer answer, const Account& account) {
  if (answer.http.http_status == 308) answer.refusal = {ErrorClass::kTransient, "the upload did not get on"};
  return FailedWrite(answer, account, false);
}

}  // namespace

std::optional<int64_t> ArrivedBytes(const net::Headers& headers, int64_t size) {
  const auto range = headers.find("Range");
  if (range == headers.end()) return 0;
  std::string_view value = range->second;
  constexpr std::string_view kStart = "bytes=0-";
  if (value.substr(0, kStart.size()) != kStart) return std::nullopt;
  value.remove_prefix(kStart.size());
  if (value.empty() || value.size() > 18) return std::nullopt;
  int64_t last = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return std::nullopt;
    last = last * 10 + (c - '0');
  }
  if (last >= size) return std::nullopt;
  return last + 1;
}

struct YouTubeConnector::Session {
  std::string url;
  bool same_origin = false;  // then it gets the token; the address alone opens the session elsewhere
  int64_t size = 0;
  std::string type;
  std::string made_private;  // why the video is not as visible as was asked for
};

Answer YouTubeConnector::StartUpload(const Call& call, const Account& account, const Draft& draft, int64_t size) {
  net::ClientRequest request;
  request.method = "POST";
  Query query = {{"uploadType", "resumable"}, {"part", "snippet,status"}};
  if (const auto notify = draft.options.find("notify_subscribers"); notify != draft.options.end()) {
    query.emplace_back("notifySubscribers", notify->second);
  }
  request.url = BaseOf(account) + "/upload/youtube/v3/videos?" + net::FormEncode(query);
  request.headers["X-Upload-Content-Type"] = draft.media[0].type;
  request.headers["X-Upload-Content-Length"] = std::to_string(size);
  SetJson(MetadataOf(draft), &request);
  return SendRequest(call, account, std::move(request));
}

Answer YouTubeConnector::SendPiece(const Call& call, const Account& account, const Session& session,
                                   const std::string& range, std::string piece) {
  net::ClientRequest request;
  request.method = "PUT";
  request.url = session.url;
  request.headers["Content-Range"] = range;
  request.headers["Content-Type"] = session.type;
  request.body = std::move(piece);
  return SendRequest(call, account, std::move(request), session.same_origin);
}

// Sends what is missing until the network answers with the video. After a lost connection or a server's error it asks
// the session how much arrived: its answer alone is the truth, also about whether the last piece did.
Outcome YouTubeConnector::SendVideo(const Call& call, const Account& account, const Media& media, Session& session) {
  int64_t arrived = 0;
  int tries = 0;
  bool asking = false;     // the next request asks for the offset
  bool completed = false;  // the last piece left, and what became of it is not known
  while (true) {
    std::string piece, range = "bytes */" + std::to_string(session.size);
    if (!asking) {
      const int64_t length = std::min(kPiece, session.size - arrived);
      auto read = MediaPiece(http_, call, media, arrived, length);
      if (!read.ok()) return MediaFailed(read.status());
      if (static_cast<int64_t>(read->size()) != length) {
        return MediaFailed(MakeError(Code::kFailedPrecondition, "MEDIA_UNAVAILABLE", "the media ends before its size"));
      }
      piece = *std::move(read);
      range = "bytes " + std::to_string(arrived) + "-" + std::to_string(arrived + length - 1) + "/" +
              std::to_string(session.size);
      completed = arrived + length == session.size;
    }
    const Answer answer = SendPiece(call, account, session, range, std::move(piece));
    if (answer.ok()) {
      Outcome out = SettledWrite(answer, account, Text(answer.json, "id"));
      if (out.kind != OutcomeKind::kAccepted || out.remote_id.empty()) return UnclearWrite(answer);
      out.permalink = "https://www.youtube.com/watch?v=" + net::UrlEncode(out.remote_id);
      session.made_private = Text(Member(answer.json, "status"), "privacyStatus");
      return out;
    }
    if (!asking && answer.http.sent == net::Sent::kNo) completed = false;
    const bool more = answer.answered() && answer.http.http_status == 308;
    const bool unclear = !answer.answered() || answer.refusal.error == ErrorClass::kTransient;
    if (more) {
      const auto now = ArrivedBytes(answer.http.headers, session.size);
      if (!now) return completed ? UnclearWrite(answer) : NotFinished(answer, account);
      const bool all = *now == session.size;
      completed = all;  // whatever the last request was: only what arrived counts
      asking = all;     // everything is there and the video is not: ask again
      if (*now > arrived && !all) {
        arrived = *now;
        tries = 0;
        continue;
      }
      if (!all) arrived = *now;
    } else if (unclear) {
      asking = true;
    } else if (!completed || !asking) {
      return FailedWrite(answer, account, false);  // refused: no video was made
    } else {
      return UnclearWrite(answer);  // the session is gone or closed to us after the last piece left
    }
    const absl::Duration pause = kFirstPause * (1 << tries);
    if (++tries > kTriesMax || !WaitWithin(call, clock_, pause, absl::ZeroDuration())) {
      return completed ? UnclearWrite(answer) : NotFinished(answer, account);
    }
  }
}

// What the video lacks, for people; "" when it has its thumbnail.
std::string YouTubeConnector::SetThumbnail(const Call& call, const Account& account, const std::string& video,
                                           const Media& thumbnail) {
  auto bytes = MediaBytes(http_, call, thumbnail, kThumbnailBytesMax);
  if (!bytes.ok()) return "the thumbnail could not be read: " + std::string(bytes.status().message());
  net::ClientRequest request;
  request.method = "POST";
  request.url =
      BaseOf(account) + "/upload/youtube/v3/thumbnails/set?" + net::FormEncode({{"videoId", video}, {"uploadType", "media"}});
  request.headers["Content-Type"] = thumbnail.type;
  request.body = *std::move(bytes);
  const Answer answer = SendRequest(call, account, std::move(request));
  if (answer.ok()) return "";
  const std::string why = answer.answered() ? SafeMessage(answer.refusal.message, account.credentials)
                                            : std::string(answer.http.status.message());
  return "the thumbnail was refused: " + why;
}

Outcome YouTubeConnector::Upload(const Call& call, const Account& account, const Write& write) {
  const Draft& draft = write.draft;
  if (draft.media.size() != 1) return RefusedBeforeSending(ErrorClass::kInvalid, "a post on YouTube is one video");
  const auto size = MediaSize(draft.media[0]);
  if (!size.ok()) return MediaFailed(size.status());
  if (*size <= 0) return RefusedBeforeSending(ErrorClass::kInvalid, "the video is empty");
  const Answer started = StartUpload(call, account, draft, *size);
  if (!started.ok()) return FailedWrite(started, account, false);
  const auto location = started.http.headers.find("Location");
  if (location == started.http.headers.end()) return FailedWrite(started, account, false);
  Session session;
  session.url = location->second;
  session.same_origin = OriginOf(session.url) == OriginOf(account.base_url);
  session.size = *size;
  session.type = draft.media[0].type;
  Outcome out = SendVideo(call, account, draft.media[0], session);
  if (out.kind != OutcomeKind::kAccepted) return out;
  const auto visibility = draft.options.find("visibility");
  const bool meant_private =
      draft.options.contains("publish_at") || (visibility != draft.options.end() && visibility->second == "private");
  if (session.made_private == "private" && !meant_private) {
    out.lacking = "YouTube made the video private, as it does for API projects that it has not verified";
  }
  if (draft.thumbnail) {
    const std::string lacking = SetThumbnail(call, account, out.remote_id, *draft.thumbnail);
    if (!lacking.empty()) out.lacking += (out.lacking.empty() ? "" : "; ") + lacking;
  }
  return out;
}

}  // namespace parvis::networks
