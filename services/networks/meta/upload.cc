#include "networks/meta/upload.h"

#include "networks/wire/media.h"

namespace parvis::networks::meta {
namespace {

constexpr int kTries = 3;

// "https://host:1"; "" for what is no address.
std::string OriginOf(const std::string& url) {
  const size_t start = url.find("://");
  if (start == std::string::npos) return "";
  const size_t end = url.find_first_of("/?#", start + 3);
  return url.substr(0, end);
}

Answer Send(net::HttpClient& http, const Call& call, const Account& account, net::ClientRequest request) {
  request.method = "POST";
  request.headers["Authorization"] = "OAuth " + std::string(account.credentials.Get("access_token").Reveal());
  Answer answer;
  answer.http = http.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = Classify(answer.http, answer.json);
  return answer;
}

}  // namespace

bool IsOfMeta(const std::string& url, const std::string& base_url) {
  const std::string origin = OriginOf(url);
  if (origin.empty() || origin.find('@') != std::string::npos) return false;
  if (origin == OriginOf(base_url)) return true;
  return origin.rfind("https://", 0) == 0 && (origin.ends_with(".facebook.com") || origin.ends_with(".instagram.com"));
}

std::optional<int64_t> BytesReceived(const Json& status) {
  const Json& phase = Member(status, "uploading_phase");
  for (const char* key : {"bytes_transferred", "bytes_transfered"}) {
    const Json& bytes = Member(phase, key);
    if (bytes.is_number_integer() && bytes.get<int64_t>() >= 0) return bytes.get<int64_t>();
  }
  return std::nullopt;
}

std::optional<Outcome> Upload(net::HttpClient& http, const Call& call, const Account& account, const std::string& url,
                              const Media& media, const std::function<std::optional<int64_t>()>& received) {
  if (!IsOfMeta(url, account.base_url)) {
    Outcome out = RefusedBeforeSending(ErrorClass::kTransient, "the network named an upload address that is not its own");
    out.kind = OutcomeKind::kNotSent;
    return out;
  }
  const bool here = media.content != nullptr || !media.bytes.empty();
  int64_t size = 0, offset = 0;
  if (here) {
    const auto known = MediaSize(media);
    if (!known.ok()) return MediaFailed(known.status());
    size = *known;
  }
  const bool fetched = !here || (size > kUploadBytesMax && !media.url.empty());
  if (!fetched && size > kUploadBytesMax) {
    return RefusedBeforeSending(ErrorClass::kInvalid, "the video is too large to be sent; it needs a public address");
  }
  Answer answer;
  for (int tries = 0; tries < kTries; ++tries) {
    net::ClientRequest request;
    request.url = url;
    if (fetched) {
      request.headers["file_url"] = media.url;
    } else {
      auto rest = MediaPiece(http, call, media, offset, size - offset);
      if (!rest.ok()) return MediaFailed(rest.status());
      request.headers["offset"] = std::to_string(offset);
      request.headers["file_size"] = std::to_string(size);
      request.headers["Content-Type"] = "application/octet-stream";
      request.body = *std::move(rest);
    }
    answer = Send(http, call, account, std::move(request));
    if (answer.ok()) {
      const Json& success = Member(answer.json, "success");
      if (success.is_boolean() && !success.get<bool>()) return Unusable(answer);
      return std::nullopt;
    }
    if (!MayGoOn(answer)) break;
    if (!fetched) {
      const auto there = received();
      if (!there) break;
      if (*there >= size) return std::nullopt;   // only the answer was lost
      offset = *there;
    }
  }
  return FailedWrite(answer, account, false);
}

}  // namespace parvis::networks::meta
