#include "networks/wire/media.h"

#include "networks/wire/answer.h"

namespace parvis::networks {

StatusOr<std::string> MediaBytes(net::HttpClient& http, const Call& call, const Media& media, int64_t max_bytes) {
  std::string bytes = media.bytes;
  if (bytes.empty()) {
    net::ClientRequest request;
    request.url = media.url;
    net::ClientResult result = http.Send(call, std::move(request));
    if (!result.status.ok()) {
      const bool hopeless = result.status.code() == Code::kInvalidArgument || result.status.code() == Code::kPermissionDenied;
      return MakeError(hopeless ? Code::kFailedPrecondition : Code::kUnavailable, "MEDIA_UNAVAILABLE",
                       "the media cannot be fetched: " + std::string(result.status.message()));
    }
    if (result.http_status != 200 || result.body.empty()) {
      const bool later = result.http_status >= 500 || result.http_status == 429;
      return MakeError(later ? Code::kUnavailable : Code::kFailedPrecondition, "MEDIA_UNAVAILABLE",
                       "the media's address answered HTTP " + std::to_string(result.http_status));
    }
    bytes = std::move(result.body);
  }
  if (static_cast<int64_t>(bytes.size()) > max_bytes) {
    return MakeError(Code::kFailedPrecondition, "MEDIA_TOO_LARGE",
                     "the media has " + std::to_string(bytes.size()) + " bytes, the network takes " + std::to_string(max_bytes));
  }
  return bytes;
}

Outcome MediaFailed(const Status& status) {
  Outcome out;
  const bool later = status.code() == Code::kUnavailable;
  out.kind = later ? OutcomeKind::kNotSent : OutcomeKind::kRefused;
  out.error = later ? ErrorClass::kTransient : ErrorClass::kInvalid;
  out.reason = ReasonName(out.error);
  out.message = std::string(status.message());
  return out;
}

std::string MediaFileName(const Media& media, size_t index) {
  std::string extension = "bin";
  if (const size_t slash = media.type.find('/'); slash != std::string::npos) extension = media.type.substr(slash + 1);
  if (extension == "jpeg") extension = "jpg";
  std::string safe;
  for (const char c : extension) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) safe.push_back(c);
  }
  return "picture-" + std::to_string(index + 1) + "." + safe;
}

}  // namespace parvis::networks
