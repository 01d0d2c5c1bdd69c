#include "publishing/media/facts.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace parvis::publishing {
namespace {

using nlohmann::json;

constexpr int kSideMax = 10'000'000;  // what libvips can name at most
constexpr int kFramesMax = 1'000'000;
constexpr double kSecondsMax = 100 * 24 * 3600.0;

Status Unreadable(const std::string& why) { return MakeError(Code::kInvalidArgument, "MEDIA_UNREADABLE", why); }

std::optional<int> Number(std::string_view text, int max) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > max) return std::nullopt;
  return value;
}

// The wanted fields of the header, each at most once.
StatusOr<std::map<std::string_view, std::string_view>> Fields(std::string_view header) {
  std::map<std::string_view, std::string_view> fields;
  for (size_t begin = 0; begin < header.size();) {
    const size_t end = std::min(header.find('\n', begin), header.size());
    const std::string_view line = header.substr(begin, end - begin);
    begin = end + 1;
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    if (name != "width" && name != "height" && name != "vips-loader" && name != "n-pages" && name != "orientation")
      continue;
    if (!fields.emplace(name, line.substr(colon + 2)).second)
      return Unreadable("the picture's header says something twice");
  }
  return fields;
}

std::string Text(const json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

int Side(const json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_number_integer()) return 0;
  const auto value = at->get<int64_t>();
  return value > 0 && value <= kSideMax ? static_cast<int>(value) : 0;
}

// "30000/1001"; 0 when it is none.
double Ratio(const std::string& text) {
  char* end = nullptr;
  const double above = std::strtod(text.c_str(), &end);
  const double below = *end == '/' ? std::strtod(end + 1, nullptr) : 0;
  const double rate = below > 0 ? above / below : 0;
  return std::isfinite(rate) && rate > 0 && rate < 100'000 ? rate : 0;
}

absl::Duration Seconds(const std::string& text) {
  const double seconds = std::strtod(text.c_str(), nullptr);
  return std::isfinite(seconds) && seconds > 0 && seconds < kSecondsMax
             ? absl::Milliseconds(std::llround(seconds * 1000))
             : absl::ZeroDuration();
}

// A quarter turn either way, as phones note it.
bool LiesOnItsSide(const json& stream) {
  const auto list = stream.find("side_data_list");
  if (list == stream.end() || !list->is_array()) return false;
  for (const json& data : *list) {
    if (!data.is_object()) continue;
    const auto rotation = data.find("rotation");
    if (rotation == data.end() || !rotation->is_number_integer()) continue;
    return std::abs(rotation->get<int64_t>() % 180) == 90;
  }
  return false;
}

bool IsCover(const json& stream) {
  const auto disposition = stream.find("disposition");
  if (disposition == stream.end() || !disposition->is_object()) return false;
  const auto cover = disposition->find("attached_pic");
  return cover != disposition->end() && cover->is_number_integer() && cover->get<int64_t>() == 1;
}

}  // namespace

StatusOr<MediaFacts> PictureFacts(const Sniffed& sniffed, std::string_view header) {
  PARVIS_ASSIGN_OR_RETURN(const auto fields, Fields(header));
  const auto field = [&fields = fields](std::string_view name) {
    const auto at = fields.find(name);
    return at == fields.end() ? std::string_view() : at->second;
  };
  // "gifload" is told as such, or as "gifload_source" where libvips reads by way of a source.
  const std::string_view loader = field("vips-loader");
  if (loader.substr(0, loader.find('_')) != sniffed.reader)
    return Unreadable("the picture is not what its first bytes say");
  const auto width = Number(field("width"), kSideMax), height = Number(field("height"), kSideMax);
  if (!width || !height || *width == 0 || *height == 0) return Unreadable("the picture has no size");
  MediaFacts facts;
  facts.type = sniffed.type;
  facts.width = *width;
  facts.height = *height;
  facts.frames = 1;
  if (!field("n-pages").empty()) {
    const auto frames = Number(field("n-pages"), kFramesMax);
    if (!frames || *frames == 0) return Unreadable("the picture has no frames, or too many");
    facts.frames = *frames;
  }
  // EXIF 2.32 §4.6.4 A: 5 to 8 are the four that lie on their side.
  if (const auto orientation = Number(field("orientation"), 8); orientation && *orientation >= 5)
    std::swap(facts.width, facts.height);
  return facts;
}

StatusOr<MediaFacts> VideoFacts(const Sniffed& sniffed, const std::string& text) {
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto streams = document.is_object() ? document.find("streams") : document.end();
  if (!document.is_object() || streams == document.end() || !streams->is_array())
    return Unreadable("the video has no streams");
  MediaFacts facts;
  facts.type = sniffed.type;
  for (const json& stream : *streams) {
    if (!stream.is_object()) continue;
    const std::string kind = Text(stream, "codec_type");
    if (kind == "audio" && facts.audio_codec.empty()) facts.audio_codec = Text(stream, "codec_name");
    if (kind != "video" || facts.width > 0 || IsCover(stream)) continue;
    facts.width = Side(stream, "width");
    facts.height = Side(stream, "height");
    if (LiesOnItsSide(stream)) std::swap(facts.width, facts.height);
    facts.video_codec = Text(stream, "codec_name");
    facts.frame_rate = Ratio(Text(stream, "avg_frame_rate"));
    facts.duration = Seconds(Text(stream, "duration"));
  }
  if (facts.width <= 0 || facts.height <= 0) return Unreadable("there is no video in it that can be read");
  const auto format = document.find("format");
  if (format != document.end() && format->is_object()) {
    if (const absl::Duration whole = Seconds(Text(*format, "duration")); whole > absl::ZeroDuration())
      facts.duration = whole;
  }
  return facts;
}

Status CheckPixels(const Sniffed& sniffed, const MediaFacts& facts, int64_t pixels_max) {
  const int64_t frame = int64_t{facts.width} * facts.height;
  const int64_t frames = sniffed.kind == MediaKind::kPicture ? std::max(facts.frames, 1) : 1;
  if (frame <= pixels_max && frame <= pixels_max / frames) return absl::OkStatus();
  std::string what = std::to_string(facts.width) + " × " + std::to_string(facts.height) + " pixels";
  if (frames > 1) what += " in " + std::to_string(frames) + " frames";
  return MakeError(Code::kInvalidArgument, "MEDIA_TOO_MANY_PIXELS",
                   what + " are more than the " + std::to_string(pixels_max) + " that are allowed");
}

}  // namespace parvis::publishing
