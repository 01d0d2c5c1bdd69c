// Whether a network takes one picture, video or document, by its capabilities; and, of a picture or video that it does
// not take, what it could become so that it does. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "networks/capabilities.h"
#include "networks/connector.h"
#include "networks/video_fit.h"

namespace parvis::networks {

// What a picture would have to become.
struct FitTarget {
  std::string type;       // "image/jpeg", "image/png"; "" = stays
  int side_max = 0;       // longest side in pixels; 0 = stays
  int64_t bytes_max = 0;  // 0 = no limit
  bool operator==(const FitTarget&) const = default;
};

struct MediaFit {
  bool fits = false;
  std::vector<Violation> violations;  // all of them, not only the first; fields of the medium: "type", "size_bytes",
                                      // "width", "duration", "video_codec", "audio_codec"
  std::optional<FitTarget> target;      // of a picture, when a conversion would make it fit
  std::optional<VideoFitTarget> video;  // of a video, or of a GIF that moves and is not taken as one; what is too long or
                                        // too short is never offered another
  std::vector<std::string> changes;     // what that would change, for people: "3000 × 2000 becomes 2048 × 1365"
};

// `media`: type, and size, width, height, duration, codecs, frames and frame rate as far as they are known (0 = not known, and
// not judged).
MediaFit FitMedia(const Capabilities& capabilities, const Media& media);

// The same rules for a draft's medium; `field` is what stands before its fields ("media[0]."). MEDIA_TYPE,
// MEDIA_TOO_LARGE, MEDIA_DIMENSIONS, MEDIA_DURATION, MEDIA_CODEC.
void CheckMediaLimits(const Capabilities& capabilities, const Media& media, const std::string& field,
                      std::vector<Violation>* out);

// "JPEG", "MP4", "QuickTime"; "5 MB", "976 kB", never more than it is: for people.
std::string NameOfType(const std::string& type);
std::string NameOfBytes(int64_t bytes);

}  // namespace parvis::networks
