// The errors of BlobStore, worded once for all its kinds. Internal to platform/blob.
#pragma once

#include <string>
#include <string_view>

#include "platform/blob/blob_store.h"

namespace parvis::blob {

// INVALID_ARGUMENT BLOB_KEY, BLOB_TOO_LARGE.
inline Status CheckKey(std::string_view key) {
  if (IsKey(key)) return absl::OkStatus();
  return MakeError(Code::kInvalidArgument, "BLOB_KEY", "a key is segments of a-z, 0-9 and '-' with '/' between them");
}
inline Status CheckObject(std::string_view key, std::string_view bytes) {
  if (static_cast<int64_t>(bytes.size()) > kObjectMaxBytes) {
    return MakeError(Code::kInvalidArgument, "BLOB_TOO_LARGE",
                     "an object has at most " + std::to_string(kObjectMaxBytes) + " bytes");
  }
  return CheckKey(key);
}
inline Status Missing(const std::string& key) {
  return MakeError(Code::kNotFound, "BLOB_MISSING", "there is no object " + key);
}
// The store is of no use now: whoever calls has done nothing wrong, and tries again.
inline constexpr absl::Duration kComeBack = absl::Seconds(10);
inline Status Away(const std::string& why) {
  return ToStatus({.code = Code::kUnavailable, .reason = "BLOB_STORE_AWAY", .message = why, .retry_after = kComeBack});
}
inline Status Refused(const std::string& why) {
  return ToStatus({.code = Code::kUnavailable, .reason = "BLOB_STORE_REFUSED", .message = why, .retry_after = kComeBack});
}
inline Status Full(const std::string& why) {
  return ToStatus({.code = Code::kUnavailable, .reason = "BLOB_STORE_FULL", .message = why, .retry_after = kComeBack});
}
inline Status TooLate() {
  return MakeError(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED", "too late before the call began");
}

}  // namespace parvis::blob
