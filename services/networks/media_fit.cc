#include "networks/media_fit.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>

namespace parvis::networks {
namespace {

bool StartsWith(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }
bool IsPicture(const std::string& type) { return StartsWith(type, "image/"); }
bool IsVideo(const std::string& type) { return StartsWith(type, "video/"); }

std::string Seconds(absl::Duration duration) {
  char text[40];
  std::snprintf(text, sizeof text, "%g seconds", absl::ToDoubleSeconds(duration));
  return text;
}

std::string Sides(int width, int height) { return std::to_string(width) + " × " + std::to_string(height); }

int64_t SizeOf(const Media& media) {
  return std::max<int64_t>(media.size_bytes, static_cast<int64_t>(media.bytes.size()));
}

bool Takes(const Capabilities& capabilities, const std::string& type) {
  return std::find(capabilities.media_types.begin(), capabilities.media_types.end(), type) !=
         capabilities.media_types.end();
}

// The longest side that keeps a picture of this shape within the limits; 0 = it is within them.
int SideFor(const Capabilities& c, int width, int height) {
  const int longest = std::max(width, height);
  double side = longest;
  if (c.picture_side_max > 0) side = std::min<double>(side, c.picture_side_max);
  if (c.picture_pixels_max > 0 && int64_t{width} * height > c.picture_pixels_max) {
    const double shrink = std::sqrt(static_cast<double>(c.picture_pixels_max) / (static_cast<double>(width) * height));
    side = std::min(side, std::floor(longest * shrink));
    // The other side is rounded when the picture is made smaller, and may be rounded up.
    const double other = std::max<double>(1, std::round(std::min(width, height) * side / longest));
    side = std::min(side, std::floor(static_cast<double>(c.picture_pixels_max) / other));
  }
  return side >= longest ? 0 : std::max(1, static_cast<int>(side));
}

// The sides at that longest one, as libvips rounds them.
std::pair<int, int> Shrunk(int width, int height, int side) {
  const double factor = static_cast<double>(side) / std::max(width, height);
  return {std::max(1, static_cast<int>(std::lround(width * factor))),
          std::max(1, static_cast<int>(std::lround(height * factor)))};
}

void CheckType(const Capabilities& c, const Media& media, const std::string& field, std::vector<Violation>* out) {
  if (Takes(c, media.type)) return;
  out->push_back(
      {field + "type",
       "\"" + media.type + "\" is not taken" +
           (c.media_types.empty() ? "" : "; allowed are " + absl::StrJoin(c.media_types, ", ")),
       "MEDIA_TYPE"});
}

void CheckSides(const Capabilities& c, const Media& media, const std::string& field, std::vector<Violation>* out) {
  if (media.width <= 0 || media.height <= 0) return;
  const bool picture = IsPicture(media.type);
  const int64_t pixels = int64_t{media.width} * media.height;
  const int64_t pixels_max = picture ? c.picture_pixels_max : IsVideo(media.type) ? c.video_pixels_max : 0;
  if (picture && c.picture_side_max > 0 && std::max(media.width, media.height) > c.picture_side_max) {
    out->push_back({field + "width",
                    "is " + Sides(media.width, media.height) + ", a side has at most " +
                        std::to_string(c.picture_side_max) + " pixels",
                    "MEDIA_DIMENSIONS"});
  }
  if (IsVideo(media.type) && c.video_width_max > 0 && media.width > c.video_width_max) {
    out->push_back({field + "width",
                    "is " + Sides(media.width, media.height) + ", at most " + std::to_string(c.video_width_max) +
                        " pixels in width are allowed",
                    "MEDIA_DIMENSIONS"});
  }
  if (pixels_max > 0 && pixels > pixels_max) {
    out->push_back({field + "width",
                    "is " + Sides(media.width, media.height) + ", " + std::to_string(pixels) + " pixels; at most " +
                        std::to_string(pixels_max) + " are allowed",
                    "MEDIA_DIMENSIONS"});
  }
}

void CheckCodec(const std::vector<std::string>& taken, const std::string& codec, const std::string& field,
                std::vector<Violation>* out) {
  if (codec.empty() || taken.empty() || std::find(taken.begin(), taken.end(), codec) != taken.end()) return;
  std::vector<std::string> names;
  for (const std::string& name : taken) names.push_back(NameOfCodec(name));
  out->push_back({field, "is " + NameOfCodec(codec) + "; allowed are " + absl::StrJoin(names, ", "), "MEDIA_CODEC"});
}

void CheckDuration(const Capabilities& c, const Media& media, const std::string& field, std::vector<Violation>* out) {
  if (!IsVideo(media.type) || media.duration <= absl::ZeroDuration()) return;
  if (c.video_duration_max > absl::ZeroDuration() && media.duration > c.video_duration_max) {
    out->push_back({field + "duration",
                    "has " + Seconds(media.duration) + ", at most " + Seconds(c.video_duration_max) + " are allowed",
                    "MEDIA_DURATION"});
  }
  if (media.duration < c.video_duration_min) {
    out->push_back({field + "duration",
                    "has " + Seconds(media.duration) + ", at least " + Seconds(c.video_duration_min) + " are needed",
                    "MEDIA_DURATION"});
  }
}

bool HasWrongLength(const std::vector<Violation>& violations) {
  return std::any_of(violations.begin(), violations.end(),
                     [](const Violation& violation) { return violation.reason == "MEDIA_DURATION"; });
}

// The type that a picture becomes: its own where that is taken, else JPEG before PNG. nullopt: the network takes no
// picture of ours.
std::optional<std::string> TypeFor(const Capabilities& c, const Media& media, bool too_large) {
  const bool lossless = media.type == "image/png" || media.type == "image/gif";
  // Its bytes go down only where the type has a quality; libvips' PNG stays as large as it is.
  if (Takes(c, media.type) && !(too_large && lossless)) return media.type;
  for (const char* type : {"image/jpeg", "image/png"}) {
    if (Takes(c, type) && !(too_large && std::string(type) == "image/png")) return type;
  }
  return std::nullopt;
}

void SayWhatChanges(const Media& media, const FitTarget& target, bool too_large, MediaFit* fit) {
  if (target.side_max > 0) {
    const auto [width, height] = Shrunk(media.width, media.height, target.side_max);
    fit->changes.push_back(Sides(media.width, media.height) + " becomes " + Sides(width, height));
  }
  if (!target.type.empty()) {
    std::string lost;
    if (media.type == "image/gif")
      lost = ": it moves no more, only the first frame is kept";
    else if (media.type == "image/webp")
      lost = target.type == "image/jpeg" ? ": transparency and movement are lost" : ": movement is lost";
    else if (target.type == "image/jpeg")
      lost = ": transparency is lost";
    fit->changes.push_back(NameOfType(media.type) + " becomes " + NameOfType(target.type) + lost);
  }
  if (too_large) fit->changes.push_back("at most " + NameOfBytes(target.bytes_max) + ": quality goes down");
  fit->changes.push_back("what the file tells of place, camera and time is left out");
}

}  // namespace

std::string NameOfType(const std::string& type) {
  if (type == "image/webp") return "WebP";
  if (type == "video/quicktime") return "QuickTime";
  if (type == "video/webm") return "WebM";
  if (type == "video/x-matroska") return "Matroska";
  if (type == "video/x-msvideo") return "AVI";
  return absl::AsciiStrToUpper(type.substr(type.find('/') + 1));
}

std::string NameOfBytes(int64_t bytes) {
  const bool mega = bytes >= 1'000'000;
  const double value = std::floor(static_cast<double>(bytes) / (mega ? 100'000 : 100)) / 10;
  char text[40];
  std::snprintf(text, sizeof text, value == std::floor(value) ? "%.0f %s" : "%.1f %s", value, mega ? "MB" : "kB");
  return text;
}

void CheckMediaLimits(const Capabilities& capabilities, const Media& media, const std::string& field,
                      std::vector<Violation>* out) {
  CheckType(capabilities, media, field, out);
  const int64_t size = SizeOf(media), size_max = capabilities.BytesMaxOf(media.type);
  if (size_max > 0 && size > size_max) {
    out->push_back({field + "size_bytes",
                    "has " + std::to_string(size) + " bytes, at most " + std::to_string(size_max) + " are allowed",
                    "MEDIA_TOO_LARGE"});
  }
  CheckSides(capabilities, media, field, out);
  CheckDuration(capabilities, media, field, out);
  if (!IsVideo(media.type)) return;
  CheckCodec(capabilities.video_codecs, media.video_codec, field + "video_codec", out);
  CheckCodec(capabilities.audio_codecs, media.audio_codec, field + "audio_codec", out);
}

MediaFit FitMedia(const Capabilities& capabilities, const Media& media) {
  MediaFit fit;
  const Feature feature = IsVideo(media.type)     ? Feature::kVideo
                          : IsPicture(media.type) ? Feature::kImage
                                                  : Feature::kDocument;
  const bool reel_alone = feature == Feature::kVideo && capabilities.Can(Feature::kReel);
  if (!capabilities.Can(feature) && !reel_alone) {
    fit.violations.push_back({"type", capabilities.WhyNot(feature), "NOT_POSSIBLE"});
    fit.video = FitGif(capabilities, media, &fit.changes);
    return fit;
  }
  CheckMediaLimits(capabilities, media, "", &fit.violations);
  fit.fits = fit.violations.empty();
  if (feature == Feature::kVideo && !fit.fits && !HasWrongLength(fit.violations)) {
    fit.video = FitVideo(capabilities, media, &fit.changes);
  }
  if (fit.fits || feature != Feature::kImage) return fit;

  const bool sized = media.width > 0 && media.height > 0;
  FitTarget target;
  if (sized) target.side_max = SideFor(capabilities, media.width, media.height);
  const int64_t own_max = capabilities.BytesMaxOf(media.type);
  const bool over = own_max > 0 && SizeOf(media) > own_max;
  const auto type = TypeFor(capabilities, media, over);
  // Better than the first frame of it. Where a smaller GIF is taken, it stays one.
  if (!type || *type != media.type) fit.video = FitGif(capabilities, media, &fit.changes);
  if (fit.video || !type) return fit;
  target.type = *type == media.type ? "" : *type;
  target.bytes_max = capabilities.BytesMaxOf(*type);
  const bool too_large = target.bytes_max > 0 && SizeOf(media) > target.bytes_max;
  SayWhatChanges(media, target, too_large, &fit);
  fit.target = target;
  return fit;
}

}  // namespace parvis::networks
