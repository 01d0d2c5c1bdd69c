#include "networks/wire/media.h"

#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

Status TooLarge(int64_t bytes, int64_t max) {
  return MakeError(Code::kFailedPrecondition, "MEDIA_TOO_LARGE",
                   "the media has " + std::to_string(bytes) + " bytes, the network takes " + std::to_string(max));
}

Status NotFetched(const net::ClientResult& result) {
  const bool hopeless = result.status.code() == Code::kInvalidArgument || result.status.code() == Code::kPermissionDenied;
  return MakeError(hopeless ? Code::kFailedPrecondition : Code::kUnavailable, "MEDIA_UNAVAILABLE",
                   "the media cannot be fetched: " + std::string(result.status.message()));
}

Status NotServed(const net::ClientResult& result) {
  const bool later = result.http_status >= 500 || result.http_status == 429;
  return MakeError(later ? Code::kUnavailable : Code::kFailedPrecondition, "MEDIA_UNAVAILABLE",
                   "the media's address answered HTTP " + std::to_string(result.http_status));
}

}  // namespace

StatusOr<std::string> MediaBytes(net::HttpClient& http, const Call& call, const Media& media, int64_t max_bytes) {
  std::string bytes = media.bytes;
  if (media.content != nullptr) {
    if (media.content->size() <= max_bytes) {
      PARVIS_ASSIGN_OR_RETURN(bytes, media.content->Read(call, 0, media.content->size()));
    } else {
      return TooLarge(media.content->size(), max_bytes);
    }
  }
  if (bytes.empty()) {
    net::ClientRequest request;
    request.url = media.url;
    net::ClientResult result = http.Send(call, std::move(request));
    if (!result.status.ok()) return NotFetched(result);
    if (result.http_status != 200 || result.body.empty()) return NotServed(result);
    bytes = std::move(result.body);
  }
  if (static_cast<int64_t>(bytes.size()) > max_bytes) {
    return TooLarge(static_cast<int64_t>(bytes.size()), max_bytes);
  }
  return bytes;
}

StatusOr<int64_t> MediaSize(const Media& media) {
  if (media.content != nullptr) return media.content->size();
  if (!media.bytes.empty()) return static_cast<int64_t>(media.bytes.size());
  if (media.size_bytes > 0) return media.size_bytes;
  return MakeError(Code::kFailedPrecondition, "MEDIA_SIZE_UNKNOWN", "an upload in pieces needs the size of the media");
}

StatusOr<std::string> MediaPiece(net::HttpClient& http, const Call& call, const Media& media, int64_t offset, int64_t length) {
  if (media.content != nullptr) return media.content->Read(call, offset, length);
  if (!media.bytes.empty()) {
    const int64_t size = static_cast<int64_t>(media.bytes.size());
    return offset >= size ? std::string() : media.bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
  }
  net::ClientRequest request;
  request.url = media.url;
  request.headers["Range"] = "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + length - 1);
  net::ClientResult result = http.Send(call, std::move(request));
  if (!result.status.ok()) return NotFetched(result);
  if (result.http_status == 206 && static_cast<int64_t>(result.body.size()) <= length) return std::move(result.body);
  // A server that does not know ranges sends all of it.
  if (result.http_status == 200 && offset < static_cast<int64_t>(result.body.size())) {
    return result.body.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
  }
  return NotServed(result);
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
