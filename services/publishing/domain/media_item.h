// A medium that publishing keeps: what is known of it. Plain data; its content is in chunks in a blob::BlobStore.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "publishing/domain/media_inspector.h"
#include "publishing/domain/post.h"

namespace parvis::publishing {

// Numbers are those of parvis.publishing.v1.MediaState and of the column media.state.
enum class MediaState { kNone = 0, kUploading = 1, kUploaded = 2, kReady = 3, kRefused = 4, kConverting = 5 };
const char* MediaStateName(MediaState state);   // "uploading"

struct MediaItem {
  std::string workspace_id, id, display_name, alt_text, author;
  MediaState state = MediaState::kUploading;
  int64_t size_bytes = 0, received_bytes = 0;   // kConverting: the most that it will have, and how much is stored of it
  int chunk_bytes = 0;                  // a multiple of 64
  std::string hash_state;               // Sha256::Save() of what has been received; "" before, and at the end
  std::string sha256;                   // once all has been received
  MediaFacts facts;                     // kReady
  std::string refusal_reason, refusal;  // kRefused
  std::string source_id;                // of what it was converted from
  absl::Time create_time, update_time, expire_time;
  bool operator==(const MediaItem&) const = default;
};

// "workspaces/<workspace>/media/<id>".
std::string MediaName(const std::string& workspace_id, const std::string& id);
struct MediaRef {
  std::string workspace_id, id;
};
std::optional<MediaRef> ParseMediaName(std::string_view name);   // nullopt unless it is one, with canonical UUIDs
// Ids of all media that the variants name, each once, ascending.
std::vector<std::string> MediaIdsOf(const std::vector<Variant>& variants);

// Where chunk `number` (from 0) is: the digest in it makes that what was looked at is what is sent, whoever writes late.
std::string ChunkKey(const std::string& workspace_id, const std::string& id, size_t number, const std::string& digest);

bool IsVideo(const MediaFacts& facts);

}  // namespace parvis::publishing
