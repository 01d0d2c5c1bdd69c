// Port: what a picture, video or document really is, and another picture or video made of it. Implemented by media/ over processes of
// their own with limits on memory, time and pixels: a hostile file ends such a process, never the service.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <absl/time/time.h>

#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::publishing {

// Content as it is read, in pieces: `read` gives at most `length` bytes from `offset`, fewer only at the end.
struct MediaBytes {
  int64_t size = 0;
  std::function<StatusOr<std::string>(const Call& call, int64_t offset, int64_t length)> read;
};

// What was found out from the content itself, never from its name or from what the uploader said.
struct MediaFacts {
  std::string type;                 // "image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "application/pdf", ...
  int width = 0, height = 0;        // pixels, as it is shown (orientation applied); 0 for documents
  int frames = 0;                   // of an animated picture: more than 1
  absl::Duration duration;          // of a video or a GIF that moves; zero where it is not known
  std::string video_codec, audio_codec;   // "h264", "aac"; "" = none
  double frame_rate = 0;            // of a video, per second
  bool operator==(const MediaFacts&) const = default;
};

// What a picture is to become. Orientation is applied, metadata (place, camera) is dropped, colours become sRGB.
struct PictureTarget {
  std::string type;           // "image/jpeg" or "image/png"; "" = stays
  int side_max = 0;           // longest side in pixels; 0 = stays
  int64_t bytes_max = 0;      // JPEG quality goes down to 60 for it; 0 = no limit
  bool operator==(const PictureTarget&) const = default;
};

// What a video, or a GIF that moves, is to become: an MP4 of H.264 and AAC, its index first, turned as it was. The first track of pictures and the
// first of sound are kept, all else and the metadata (place, camera) are dropped.
struct VideoTarget {
  bool copy_video = false, copy_audio = false;   // taken over as it is, not encoded again
  int width = 0, height = 0;                     // as it is shown, even; 0 = stays
  int video_kbps = 0, audio_kbps = 0;            // at most, of what is encoded again
  int64_t bytes_max = 0;                         // of the whole file; more is refused
  bool operator==(const VideoTarget&) const = default;
};

// What goes with a conversion that takes its time. Both are called from the thread that waits for it.
struct VideoWork {
  std::function<bool()> go_on;   // asked every second or so; false ends it (ABORTED MEDIA_STOPPED)
  // Takes what was made, which can be read until it returns; what it fails with, the conversion fails with.
  std::function<Status(const MediaBytes& made, const MediaFacts& facts)> take;
};

// Whether such an error says what is wrong with the content for good; anything else may pass by itself.
bool IsMediaVerdict(const Status& status);

class MediaInspector {
 public:
  virtual ~MediaInspector() = default;
  // INVALID_ARGUMENT MEDIA_UNREADABLE, MEDIA_TYPE_UNKNOWN, MEDIA_TOO_MANY_PIXELS; RESOURCE_EXHAUSTED MEDIA_OVER_LIMIT (memory or
  // time), MEDIA_TOOLS_BUSY; FAILED_PRECONDITION MEDIA_TOOLS_MISSING; DEADLINE_EXCEEDED. Thread-safe; blocks.
  virtual StatusOr<MediaFacts> Inspect(const Call& call, const MediaBytes& content) = 0;
  // The same errors, and INVALID_ARGUMENT MEDIA_NOT_A_PICTURE, MEDIA_CANNOT_FIT (not within bytes_max).
  virtual StatusOr<std::string> Convert(const Call& call, const MediaBytes& content, const PictureTarget& target) = 0;
  // The same errors but for the first, and MEDIA_NOT_A_VIDEO. Takes minutes. At most so many at once as the settings say, apart
  // from all the others.
  virtual Status ConvertVideo(const Call& call, const MediaBytes& content, const VideoTarget& target, const VideoWork& work) = 0;
};

}  // namespace parvis::publishing
