// Use case: whoever has the address of a medium fetches it, piece by piece.
#pragma once

#include "publishing/domain/media.h"
#include "publishing/domain/media_address.h"

namespace parvis::publishing {

inline constexpr int64_t kPieceBytesMax = 1 << 20;

// What it stands on; everything outlives it.
struct FetchContext {
  MediaStore& media;
  blob::BlobStore& objects;
  const MediaAddresses& addresses;
  const MediaObserver& observer;
};

struct MediaFetch {
  std::string name;        // "workspaces/<workspace>/media/<id>"
  int64_t expires = 0;     // as it stands in the address, like the signature
  std::string signature;
  int64_t offset = 0, length = 0;   // at most kPieceBytesMax, however much is asked for; 0: only what is known of it
};

struct MediaPiece {
  std::string type, sha256, content;
  int64_t size_bytes = 0;   // of the whole medium
};

// NOT_FOUND, always the same, unless the address is one of ours, has not expired, and names what is ready: who tries addresses
// learns nothing. Before the signature is known to be right nothing is looked up. Else the store's errors and BlobStore's.
StatusOr<MediaPiece> FetchMedia(const Call& call, const FetchContext& context, const MediaFetch& asked);

}  // namespace parvis::publishing
