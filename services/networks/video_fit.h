// What a video could become so that a network takes it: an MP4 of H.264 and AAC, smaller where it has to be, never
// shorter. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "networks/capabilities.h"
#include "networks/connector.h"

namespace parvis::networks {

// Below this the picture falls to pieces: bits for each pixel of each frame (1280 × 720 at 30 a second: 830 kbit/s),
// and kbit/s at least. What would need less is offered with fewer pixels, down to a shorter side of kVideoSideMin, or
// not at all.
inline constexpr double kVideoBitsPerPixelMin = 0.03;
inline constexpr int kVideoKbpsMin = 100;
inline constexpr int kVideoSideMin = 360;
// Larger ones are not made, whatever the network takes.
inline constexpr int64_t kVideoMadeBytesMax = 1'000'000'000;

// What a video would have to become.
struct VideoFitTarget {
  bool copy_video = false, copy_audio = false;  // taken over as it is, not encoded again
  int width = 0, height = 0;                    // as it is shown, even; 0 = stays
  int video_kbps = 0, audio_kbps = 0;           // at most, of what is encoded again
  int64_t bytes_max = 0;                        // of the whole file
  bool operator==(const VideoFitTarget&) const = default;
};

// nullopt: nothing helps, or too little is known of the video (its size, length and codec are needed). `changes`: what
// would be different, for people. The caller has found that something other than its length is wrong.
std::optional<VideoFitTarget> FitVideo(const Capabilities& capabilities, const Media& media,
                                       std::vector<std::string>* changes);

// The same of a GIF that moves, for a network that has videos and does not take it as a GIF: nullopt also for one that does not
// move, or is too short or too long for a video there.
std::optional<VideoFitTarget> FitGif(const Capabilities& capabilities, const Media& gif,
                                     std::vector<std::string>* changes);

// "H.264", "HEVC", "AAC": codecs as people say them, by the names that ffprobe gives.
std::string NameOfCodec(const std::string& codec);

}  // namespace parvis::networks
