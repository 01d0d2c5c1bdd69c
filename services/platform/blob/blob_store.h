// Port: keeps large content in pieces, outside the database. FolderStore on a local disk, S3Store on anything that speaks S3.
//
// An object is written once, as a whole, and read in ranges; content that is larger than one object is several of them, under
// keys that their owner makes. Thread-safe; every call blocks until its deadline at most.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::blob {

inline constexpr int64_t kObjectMaxBytes = 8 << 20;
inline constexpr int kKeyMaxBytes = 200;

// Whether `key` is segments of [a-z0-9-] with '/' between them ("media/<workspace>/<id>/00000001"), at most kKeyMaxBytes.
bool IsKey(std::string_view key);

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // Writes the object as a whole or not at all, durably; what was there is replaced. INVALID_ARGUMENT BLOB_KEY,
  // BLOB_TOO_LARGE. UNAVAILABLE, with a time to come back, is the store's own trouble, which may pass: BLOB_STORE_AWAY (not
  // reached, or it fails), BLOB_STORE_FULL, BLOB_STORE_REFUSED (rights, credentials, bucket: it takes a person).
  virtual Status Put(const Call& call, const std::string& key, std::string_view bytes) = 0;
  // At most `length` bytes from `offset`: fewer only at the object's end, none beyond it. NOT_FOUND BLOB_MISSING, and
  // UNAVAILABLE as Put.
  virtual StatusOr<std::string> Read(const Call& call, const std::string& key, int64_t offset, int64_t length) = 0;
  // It is well when there was none.
  virtual Status Delete(const Call& call, const std::string& key) = 0;
  // Whether it can be written to and read from now.
  virtual Status Ping(const Call& call) = 0;
};

}  // namespace parvis::blob
