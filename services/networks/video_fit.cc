#include "networks/video_fit.h"

#include <algorithm>
#include <cmath>

#include <absl/strings/ascii.h>

#include "networks/media_fit.h"

namespace parvis::networks {
namespace {

constexpr double kBitsPerPixel = 0.12;                 // more is not seen
constexpr double kFrameRate = 30, kFrameRateMax = 60;  // where it is not known; what is made has no more
constexpr int kNominalKbpsMin = 300, kNominalKbpsMax = 20'000;
constexpr int kAudioKbps = 128, kAudioKbpsLow = 64, kAudioKbpsCopied = 320;  // the last: what a copied one has at most
constexpr double kContainer =
    0.95;  // what is left of the bytes after the container's own, and for the encoder's last second
constexpr int64_t kIndexBytes = 1 << 20;

bool Has(const std::vector<std::string>& list, const std::string& wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}
bool HasOrOpen(const std::vector<std::string>& list, const std::string& wanted) {
  return list.empty() || Has(list, wanted);
}

int Even(double side) { return std::max(2, static_cast<int>(side) / 2 * 2); }

struct Sides {
  int width = 0, height = 0;
  double pixels() const { return static_cast<double>(width) * height; }
  bool operator==(const Sides&) const = default;
};

// The largest even sides of this shape with at most so many pixels.
Sides Within(const Sides& from, double pixels_max) {
  const double factor = std::min(1.0, std::sqrt(pixels_max / from.pixels()));
  return {Even(from.width * factor + 1e-6), Even(from.height * factor + 1e-6)};
}

Sides Allowed(const Capabilities& c, const Media& media) {
  Sides sides{media.width, media.height};
  double pixels = sides.pixels();
  if (c.video_pixels_max > 0) pixels = std::min(pixels, static_cast<double>(c.video_pixels_max));
  if (c.video_width_max > 0 && media.width > c.video_width_max) {
    const double factor = static_cast<double>(c.video_width_max) / media.width;
    pixels = std::min(pixels, sides.pixels() * factor * factor);
  }
  return Within(sides, pixels);
}

// An MP4 can have it as it stands in the file: the packets of these containers tell their times.
bool CanBeCopied(const std::string& type) {
  return type == "video/mp4" || type == "video/quicktime" || type == "video/x-matroska";
}

// Kbit/s for picture and sound, and the sides they are enough for. False: not even with the smallest.
bool SetRates(const Media& media, double rate, double seconds, int64_t bytes_max, Sides* sides,
              VideoFitTarget* target) {
  const bool sound = !media.audio_codec.empty();
  const double total = static_cast<double>(bytes_max) * 8 / 1000 / seconds * kContainer;
  const auto nominal = [rate](const Sides& s) {
    return std::clamp(s.pixels() * rate * kBitsPerPixel / 1000, double{kNominalKbpsMin}, double{kNominalKbpsMax});
  };
  target->copy_audio = target->copy_audio && total >= nominal(*sides) + kAudioKbpsCopied;
  if (sound && !target->copy_audio) target->audio_kbps = total >= 1000 ? kAudioKbps : kAudioKbpsLow;
  const double left = total - (target->copy_audio ? kAudioKbpsCopied : target->audio_kbps);
  if (left < kVideoKbpsMin) return false;
  if (left < sides->pixels() * rate * kVideoBitsPerPixelMin / 1000) {
    *sides = Within(*sides, left * 1000 / rate / kVideoBitsPerPixelMin);
    if (std::min(sides->width, sides->height) < std::min({kVideoSideMin, media.width, media.height})) return false;
  }
  target->video_kbps = static_cast<int>(std::min(left, nominal(*sides)));
  return true;
}

void SayEncoded(const char* what, const std::string& from, const char* to, std::vector<std::string>* changes) {
  const std::string name = NameOfCodec(from);
  changes->push_back(std::string(what) + " is encoded again" + (name == to ? "" : ": " + name + " becomes " + to));
}

void SayWhatChanges(const Media& media, const VideoFitTarget& target, bool lower, std::vector<std::string>* changes) {
  if (target.width > 0) {
    changes->push_back(std::to_string(media.width) + " × " + std::to_string(media.height) + " becomes " +
                       std::to_string(target.width) + " × " + std::to_string(target.height));
  }
  if (media.type != "video/mp4") {
    const bool same = target.copy_video && (target.copy_audio || media.audio_codec.empty());
    changes->push_back(NameOfType(media.type) + " becomes MP4" + (same ? ": picture and sound stay as they are" : ""));
  }
  if (!target.copy_video) {
    SayEncoded("the picture", media.video_codec, "H.264", changes);
    if (media.frame_rate > kFrameRateMax) changes->push_back("at most 60 pictures a second are kept");
  }
  if (!target.copy_audio && !media.audio_codec.empty()) SayEncoded("the sound", media.audio_codec, "AAC", changes);
  if (lower) {
    changes->push_back("at most " + NameOfBytes(target.bytes_max) + ": quality falls to about " +
                       std::to_string(target.video_kbps + target.audio_kbps) + " kbit/s");
  }
  changes->push_back("subtitles, further sound tracks and chapters are left out");
  changes->push_back("what the file tells of place, camera and time is left out");
}

}  // namespace

std::string NameOfCodec(const std::string& codec) {
  static constexpr const char* kNames[][2] = {{"h264", "H.264"},        {"hevc", "HEVC"},     {"mpeg4", "MPEG-4"},
                                              {"mpeg2video", "MPEG-2"}, {"prores", "ProRes"}, {"opus", "Opus"},
                                              {"vorbis", "Vorbis"}};
  for (const auto& [name, said] : kNames) {
    if (codec == name) return said;
  }
  return absl::AsciiStrToUpper(codec);
}

std::optional<VideoFitTarget> FitVideo(const Capabilities& c, const Media& media, std::vector<std::string>* changes) {
  const double seconds = absl::ToDoubleSeconds(media.duration);
  if (media.width <= 0 || media.height <= 0 || seconds <= 0 || media.video_codec.empty()) return std::nullopt;
  if (!Has(c.media_types, "video/mp4") || !HasOrOpen(c.video_codecs, "h264")) return std::nullopt;
  if (!media.audio_codec.empty() && !HasOrOpen(c.audio_codecs, "aac")) return std::nullopt;

  const int64_t own_max = c.BytesMaxOf("video/mp4");
  VideoFitTarget target;
  target.bytes_max = own_max > 0 ? std::min(own_max, kVideoMadeBytesMax) : kVideoMadeBytesMax;
  const bool over = media.size_bytes > target.bytes_max - kIndexBytes;  // another index may be larger
  const Sides shown{media.width, media.height};
  Sides sides = Allowed(c, media);
  // Odd sides are no harm to what is copied: it is only H.264 of our own that has even ones.
  const bool shrinks = sides.width < shown.width - 1 || sides.height < shown.height - 1;
  const bool copyable = CanBeCopied(media.type) && !over;
  target.copy_video = copyable && !shrinks && media.video_codec == "h264";
  target.copy_audio = copyable && media.audio_codec == "aac";
  bool lower = false;
  if (target.copy_video) {
    if (!media.audio_codec.empty() && !target.copy_audio) target.audio_kbps = kAudioKbps;
    const double made = static_cast<double>(media.size_bytes) + target.audio_kbps * seconds * 1000 / 8;
    target.bytes_max = std::min(target.bytes_max, static_cast<int64_t>(made) + kIndexBytes);
    sides = shown;
  } else {
    const double rate = media.frame_rate > 0 ? std::min(media.frame_rate, kFrameRateMax) : kFrameRate;
    const double own_kbps = static_cast<double>(media.size_bytes) * 8 / 1000 / seconds;
    if (!SetRates(media, rate, seconds, target.bytes_max, &sides, &target)) return std::nullopt;
    lower = over || target.video_kbps < std::min(own_kbps, sides.pixels() * rate * kBitsPerPixel / 1000) - 1;
    const double made =
        (target.video_kbps + (target.copy_audio ? kAudioKbpsCopied : target.audio_kbps)) * seconds * 1000 / 8;
    target.bytes_max = std::min(target.bytes_max, static_cast<int64_t>(made / kContainer) + kIndexBytes);
  }
  if (sides != shown) target.width = sides.width, target.height = sides.height;
  SayWhatChanges(media, target, lower, changes);
  return target;
}

std::optional<VideoFitTarget> FitGif(const Capabilities& c, const Media& gif, std::vector<std::string>* changes) {
  const bool videos = c.Can(Feature::kVideo) || c.Can(Feature::kReel);
  if (!videos || gif.type != "image/gif" || gif.frames < 2 || gif.duration <= absl::ZeroDuration()) return std::nullopt;
  const bool too_long = c.video_duration_max > absl::ZeroDuration() && gif.duration > c.video_duration_max;
  if (too_long || gif.duration < c.video_duration_min) return std::nullopt;
  Media moving = gif;
  moving.video_codec = "gif";
  moving.audio_codec.clear();
  moving.frame_rate = gif.frames / absl::ToDoubleSeconds(gif.duration);
  std::vector<std::string> of_video;  // says it of a video: the sides are all that is news
  const auto target = FitVideo(c, moving, &of_video);
  if (!target) return std::nullopt;
  if (target->width > 0) changes->push_back(of_video.front());
  changes->push_back("GIF becomes MP4: a video without sound, which does not begin again by itself everywhere");
  changes->push_back("transparency is lost");
  changes->push_back("what the file tells of place, camera and time is left out");
  return target;
}

}  // namespace parvis::networks
