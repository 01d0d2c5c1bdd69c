// Use cases: media as they are uploaded, looked at, checked for channels, converted and deleted. Each takes the caller's Call
// first. An upload is safe to repeat at every step, on whichever replica: what has arrived is in the store, chunk by chunk.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/ids.h"
#include "platform/blob/blob_store.h"
#include "publishing/domain/channels.h"
#include "publishing/domain/media_inspector.h"
#include "publishing/domain/media_store.h"

namespace parvis::publishing {

struct MediaLimits {
  // A chunk as base64 in JSON must pass the gateway, which takes 1 MiB.
  int chunk_bytes = 512 << 10;
  int64_t picture_bytes_max = 64 << 20;              // of all that is no video
  int64_t video_bytes_max = int64_t{1} << 30;
  MediaQuota quota;
  absl::Duration upload_keep = absl::Hours(24);      // after the last chunk, and for what was refused
  absl::Duration unused_keep = absl::Hours(24 * 90);
  int name_max = 200, alt_text_max = 2000, channels_max = 50;
};

// What happened, for metrics. Any thread; members may be empty.
struct MediaObserver {
  std::function<void(int64_t bytes)> received;                 // a chunk was stored
  std::function<void(const std::string& outcome)> inspected;   // "ready", or the reason
  std::function<void(const std::string& outcome)> converted;   // "ready", or the reason
  std::function<void(int media, int objects)> swept;
  std::function<void(const std::string& outcome, int64_t bytes)> fetched;   // "ok", or the reason; by its public address
};

// What a network makes of a medium.
struct MediaFit {
  bool fits = false;
  std::vector<Violation> violations;
  std::optional<PictureTarget> target;   // what of a picture would fit; nullopt when nothing helps, or it fits
  std::optional<VideoTarget> video;      // the same of a video
  std::vector<std::string> changes;      // what would be different then, for people
};

// Port: the networks' rules about media. Pure.
class MediaRules {
 public:
  virtual ~MediaRules() = default;
  // `item` is ready.
  virtual MediaFit Fit(const std::string& network, const MediaItem& item) const = 0;
};

// What the use cases stand on; everything outlives it.
struct MediaContext {
  MediaStore& media;
  blob::BlobStore& objects;
  MediaInspector& inspector;
  ChannelDirectory& channels;
  const MediaRules& rules;
  Ids& ids;
  const Clock& clock;
  MediaLimits limits;
  MediaObserver observer;
};

// ---- uploading (upload_media.cc) -----------------------------------------------------------------------------------
struct NewMedia {
  std::string display_name, alt_text;
  int64_t size_bytes = 0;
};
// INVALID_ARGUMENT with every violation; RESOURCE_EXHAUSTED as MediaStore::InsertMedia. The same `request_id` gives the same.
StatusOr<MediaItem> CreateMedia(const Call& call, const MediaContext& context, const NewMedia& asked, const std::string& request_id);
// INVALID_ARGUMENT with every violation. Deliveries that exist keep the text that they have.
StatusOr<MediaItem> UpdateMedia(const Call& call, const MediaContext& context, const std::string& id, const MediaLabels& labels);
// INVALID_ARGUMENT CHUNK_SIZE; FAILED_PRECONDITION OFFSET_WRONG (metadata "received_bytes"), CHUNK_DIFFERS,
// MEDIA_CONVERTING; those of BlobStore::Put.
StatusOr<MediaItem> UploadChunk(const Call& call, const MediaContext& context, const std::string& id, int64_t offset,
                                std::string_view content);
// FAILED_PRECONDITION MEDIA_INCOMPLETE; INVALID_ARGUMENT SHA256 for what is none; what of MediaInspector may pass by itself
// (MEDIA_TOOLS_BUSY, ...) and the blob store's: then it stays uploaded.
StatusOr<MediaItem> FinishMedia(const Call& call, const MediaContext& context, const std::string& id, const std::string& sha256);

// ---- using (check_media.cc, convert_media.cc) ----------------------------------------------------------------------
// All that was uploaded, as it can be read; the store and the objects outlive it.
StatusOr<MediaBytes> OpenMedia(const Call& call, MediaStore& media, blob::BlobStore& objects, const MediaItem& item);
struct ChannelFit {
  std::string channel_id, network;
  MediaFit fit;
};
// FAILED_PRECONDITION MEDIA_NOT_READY, NOT_FOUND also for a channel.
StatusOr<std::vector<ChannelFit>> CheckMedia(const Call& call, const MediaContext& context, const std::string& id,
                                             const std::vector<std::string>& channel_ids);
// FAILED_PRECONDITION MEDIA_NOT_READY, NO_CONVERSION; those of MediaInspector::Convert. The same `request_id` gives the same.
// A picture is made at once; a video is kConverting at first, and MediaConverter (media_converter.h) makes it. RESOURCE_EXHAUSTED as
// MediaStore::InsertConversion.
StatusOr<MediaItem> ConvertMedia(const Call& call, const MediaContext& context, const std::string& id, const std::string& channel_id,
                                 const std::string& request_id);

// ---- in posts (media_in_posts.cc) ----------------------------------------------------------------------------------
// Puts into `content` what is known of the media that it names: type, size, facts, alt text. Appends what is wrong (NOT_FOUND,
// MEDIA_NOT_READY, MEDIA_REFUSED, OTHER_WORKSPACE) about fields below `prefix`. Errors only when they cannot be looked up.
// `media` null: this installation keeps none.
Status ResolveMedia(const Call& call, MediaStore* media, const std::string& prefix, Content& content, std::vector<Violation>& violations);

// Port: content for deliveries. Thread-safe.
class MediaSource {
 public:
  virtual ~MediaSource() = default;
  // NOT_FOUND; UNAVAILABLE when trying again makes sense.
  virtual StatusOr<MediaBytes> Open(const Call& call, const std::string& workspace_id, const std::string& media_id) = 0;
};
class KeptMedia : public MediaSource {
 public:
  KeptMedia(MediaStore& media, blob::BlobStore& objects) : media_(media), objects_(objects) {}
  StatusOr<MediaBytes> Open(const Call& call, const std::string& workspace_id, const std::string& media_id) override;

 private:
  MediaStore& media_;
  blob::BlobStore& objects_;
};

}  // namespace parvis::publishing
