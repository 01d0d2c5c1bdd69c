// BlobStore in memory, which can be told to be full or away. Passes the port's contract suite
// (platform/blob/blob_contract.h).
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "platform/blob/blob_store.h"

namespace parvis::testing {

class FakeBlobStore : public blob::BlobStore {
 public:
  Status Put(const Call&, const std::string& key, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    if (!blob::IsKey(key)) return MakeError(Code::kInvalidArgument, "BLOB_KEY", "no key");
    if (static_cast<int64_t>(bytes.size()) > blob::kObjectMaxBytes)
      return MakeError(Code::kInvalidArgument, "BLOB_TOO_LARGE", "too large");
    if (away_) return Away();
    if (full_) return Full();
    objects_[key] = std::string(bytes);
    return absl::OkStatus();
  }
  StatusOr<std::string> Read(const Call&, const std::string& key, int64_t offset, int64_t length) override {
    const std::lock_guard lock(mutex_);
    if (!blob::IsKey(key)) return MakeError(Code::kInvalidArgument, "BLOB_KEY", "no key");
    if (away_) return Away();
    const auto at = objects_.find(key);
    if (at == objects_.end()) return MakeError(Code::kNotFound, "BLOB_MISSING", "there is no object " + key);
    if (offset < 0 || length <= 0 || offset >= static_cast<int64_t>(at->second.size())) return std::string();
    return at->second.substr(static_cast<size_t>(offset), static_cast<size_t>(std::min(length, blob::kObjectMaxBytes)));
  }
  Status Delete(const Call&, const std::string& key) override {
    const std::lock_guard lock(mutex_);
    if (!blob::IsKey(key)) return MakeError(Code::kInvalidArgument, "BLOB_KEY", "no key");
    if (away_) return Away();
    objects_.erase(key);
    return absl::OkStatus();
  }
  Status Ping(const Call&) override {
    const std::lock_guard lock(mutex_);
    if (away_) return Away();
    return full_ ? Full() : absl::OkStatus();
  }

  void SetAway(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
  }
  void SetFull(bool full) {
    const std::lock_guard lock(mutex_);
    full_ = full;
  }
  std::vector<std::string> Keys() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> keys;
    for (const auto& object : objects_) keys.push_back(object.first);
    return keys;
  }

 private:
  static Status NotNow(const char* reason) {
    return ToStatus({.code = Code::kUnavailable, .reason = reason, .message = "not now", .retry_after = absl::Seconds(10)});
  }
  static Status Away() { return NotNow("BLOB_STORE_AWAY"); }
  static Status Full() { return NotNow("BLOB_STORE_FULL"); }
  mutable std::mutex mutex_;
  std::map<std::string, std::string> objects_;
  bool away_ = false, full_ = false;
};

}  // namespace parvis::testing
