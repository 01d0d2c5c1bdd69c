// The bytes of a picture, for the networks that want an upload.
#pragma once

#include <string>

#include "networks/connector.h"

namespace parvis::networks {

// `media.bytes`, or what its URL gives (guarded by the HTTP client, at most `max_bytes`). FAILED_PRECONDITION
// MEDIA_UNAVAILABLE, MEDIA_TOO_LARGE; UNAVAILABLE MEDIA_UNAVAILABLE when trying again makes sense.
StatusOr<std::string> MediaBytes(net::HttpClient& http, const Call& call, const Media& media, int64_t max_bytes);
// What its bytes are in all, without reading them: `size_bytes`, `bytes` or the content's own. FAILED_PRECONDITION MEDIA_SIZE_UNKNOWN.
StatusOr<int64_t> MediaSize(const Media& media);
// At most `length` bytes from `offset`, for uploads in pieces: from the content, the bytes, or by a Range request to its URL.
StatusOr<std::string> MediaPiece(net::HttpClient& http, const Call& call, const Media& media, int64_t offset, int64_t length);
// The outcome of a write that ended there: refused, or not sent.
Outcome MediaFailed(const Status& status);
// "image/png" -> "picture-1.png".
std::string MediaFileName(const Media& media, size_t index);

}  // namespace parvis::networks
