#include "publishing/media/process_inspector.h"

#include <absl/time/time.h>
#include <unistd.h>

#include <algorithm>

#include "publishing/media/facts.h"

namespace parvis::publishing {
namespace {

constexpr int kWaitingMax = 64;
// From the best to the worst that is still good enough; the first one that fits is taken.
constexpr int kQualities[] = {88, 80, 70, 60};

Status CannotFit(int64_t bytes, int64_t bytes_max) {
  return MakeError(Code::kInvalidArgument, "MEDIA_CANNOT_FIT",
                   "it would still have " + std::to_string(bytes) + " bytes, " + std::to_string(bytes_max) +
                       " are allowed: make the picture smaller");
}

// libvips reads options behind a file's name.
std::string AllFrames(const Sniffed& sniffed) {
  return sniffed.type == "image/gif" || sniffed.type == "image/webp" ? ",n=-1" : "";
}

std::string OutputName(const std::string& type, int quality) {
  const std::string q = "Q=" + std::to_string(quality);
  if (type == "image/png") return "out.png[strip,compression=9]";
  if (type == "image/gif") return "out.gif[strip]";
  if (type == "image/webp") return "out.webp[strip," + q + "]";
  return "out.jpg[strip,optimize_coding,background=255," + q + "]";
}

}  // namespace

ProcessInspector::ProcessInspector(const MediaToolsConfig& config, const Clock& clock, obs::Metrics& metrics)
    : config_(config), clock_(clock), runner_(config, clock, metrics) {
  SweepOld();
}

// No tool works in one folder for so long.
void ProcessInspector::SweepOld() const {
  SweepScratch(config_.scratch_folder, clock_.WallNow() - absl::Hours(1) - 2 * config_.video_max);
}

Status ProcessInspector::Ping() const {
  for (const char* tool : {"vips", "vipsheader", "vipsthumbnail", "ffprobe", "ffmpeg"}) {
    if (access((config_.tools_folder + "/" + tool).c_str(), X_OK) == 0) continue;
    return MakeError(Code::kFailedPrecondition, "MEDIA_TOOLS_MISSING",
                     std::string(tool) + " is not in " + config_.tools_folder);
  }
  return absl::OkStatus();
}

Status ProcessInspector::TakeTurn(const Call& call, Places& places) {
  std::unique_lock lock(mutex_);
  const Instant until = std::min(call.deadline, clock_.Now() + config_.wait_max);
  const auto busy = [] {
    return MakeError(Code::kResourceExhausted, "MEDIA_TOOLS_BUSY", "too many media are looked at now: try again");
  };
  if (places.busy >= places.max && places.waiting >= kWaitingMax) return busy();
  ++places.waiting;
  while (places.busy >= places.max && clock_.Now() < until) {
    freed_.wait_for(lock, absl::ToChronoNanoseconds(std::min(until - clock_.Now(), absl::Milliseconds(200))));
  }
  --places.waiting;
  if (call.Expired(clock_))
    return MakeError(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED", "too late before the content was looked at");
  if (places.busy >= places.max) return busy();
  ++places.busy;
  return absl::OkStatus();
}

void ProcessInspector::EndTurn(Places& places) {
  const std::lock_guard lock(mutex_);
  --places.busy;
  freed_.notify_all();
}

StatusOr<Sniffed> ProcessInspector::SniffContent(const Call& call, const MediaBytes& content) const {
  if (content.size > config_.content_max_bytes) {
    return MakeError(Code::kResourceExhausted, "MEDIA_OVER_LIMIT",
                     "it has more than the " + std::to_string(config_.content_max_bytes) + " bytes that are looked at");
  }
  if (content.size <= 0) return Sniff("");
  PARVIS_ASSIGN_OR_RETURN(const std::string head, content.read(call, 0, std::min<int64_t>(kSniffBytes, content.size)));
  return Sniff(head);
}

StatusOr<MediaFacts> ProcessInspector::Inspect(const Call& call, const MediaBytes& content) {
  PARVIS_ASSIGN_OR_RETURN(const Sniffed sniffed, SniffContent(call, content));
  if (sniffed.kind == MediaKind::kDocument) {
    MediaFacts facts;
    facts.type = sniffed.type;
    return facts;
  }
  Turn turn(*this, looking_);
  PARVIS_RETURN_IF_ERROR(turn.Take(call));
  Scratch scratch;
  PARVIS_RETURN_IF_ERROR(scratch.Make(config_.scratch_folder));
  PARVIS_RETURN_IF_ERROR(scratch.Fill(call, content));
  return sniffed.kind == MediaKind::kPicture ? InspectPicture(call, sniffed, scratch)
                                             : InspectVideo(call, sniffed, scratch, "in");
}

// The header alone: nothing is decoded before its size is known to be allowed.
StatusOr<MediaFacts> ProcessInspector::ReadHeader(const Call& call, const Sniffed& sniffed, const Scratch& scratch) {
  PARVIS_ASSIGN_OR_RETURN(const std::string header, runner_.Run(call, "vipsheader", {"-a", "in"}, scratch.folder()));
  PARVIS_ASSIGN_OR_RETURN(MediaFacts facts, PictureFacts(sniffed, header));
  PARVIS_RETURN_IF_ERROR(CheckPixels(sniffed, facts, config_.pixels_max));
  return facts;
}

StatusOr<MediaFacts> ProcessInspector::InspectPicture(const Call& call, const Sniffed& sniffed,
                                                      const Scratch& scratch) {
  PARVIS_ASSIGN_OR_RETURN(MediaFacts facts, ReadHeader(call, sniffed, scratch));
  // Every pixel is decoded once: a picture that ends in the middle is refused here and not by a network, days later.
  PARVIS_RETURN_IF_ERROR(
      runner_
          .Run(call, "vips", {"avg", "in[access=sequential,fail_on=error" + AllFrames(sniffed) + "]"}, scratch.folder())
          .status());
  if (sniffed.type != "image/gif" || facts.frames < 2) return facts;
  // How long it moves. A GIF whose times ffmpeg cannot read is still a picture, of which no video is made.
  const StatusOr<MediaFacts> moving = InspectVideo(call, AsVideo(sniffed), scratch, "in");
  if (!moving.ok() && !IsMediaVerdict(moving.status())) return moving.status();
  if (moving.ok()) facts.duration = moving->duration;
  return facts;
}

StatusOr<MediaFacts> ProcessInspector::InspectVideo(const Call& call, const Sniffed& sniffed, const Scratch& scratch,
                                                    const std::string& name) {
  if (sniffed.boxes) {
    PARVIS_RETURN_IF_ERROR(scratch.CheckBoxes(name));
  }
  // The demuxer is given, so that no playlist or concatenation can name other files, and only plain files are opened
  // anyway.
  PARVIS_ASSIGN_OR_RETURN(const std::string json,
                          runner_.Run(call, "ffprobe",
                                      {"-v", "error", "-threads", "1", "-protocol_whitelist", "file", "-f",
                                       sniffed.reader, "-of", "json", "-show_entries",
                                       "format=duration:stream=codec_type,codec_name,width,height,avg_frame_rate,"
                                       "duration:stream_disposition=attached_pic:"
                                       "stream_side_data=rotation",
                                       "-i", name},
                                      scratch.folder()));
  PARVIS_ASSIGN_OR_RETURN(MediaFacts facts, VideoFacts(sniffed, json));
  PARVIS_RETURN_IF_ERROR(CheckPixels(sniffed, facts, config_.pixels_max));
  return facts;
}

StatusOr<std::string> ProcessInspector::Convert(const Call& call, const MediaBytes& content,
                                                const PictureTarget& target) {
  PARVIS_ASSIGN_OR_RETURN(const Sniffed sniffed, SniffContent(call, content));
  if (sniffed.kind != MediaKind::kPicture) {
    return MakeError(Code::kInvalidArgument, "MEDIA_NOT_A_PICTURE",
                     "only pictures are converted; this is " + sniffed.type);
  }
  const std::string type = target.type.empty() ? sniffed.type : target.type;
  if (type != "image/jpeg" && type != "image/png" && type != sniffed.type) {
    return InvalidField("target.type", "MEDIA_TYPE_UNKNOWN",
                        "a picture becomes image/jpeg or image/png, or stays what it is");
  }
  Turn turn(*this, looking_);
  PARVIS_RETURN_IF_ERROR(turn.Take(call));
  Scratch scratch;
  PARVIS_RETURN_IF_ERROR(scratch.Make(config_.scratch_folder));
  PARVIS_RETURN_IF_ERROR(scratch.Fill(call, content));
  PARVIS_RETURN_IF_ERROR(ReadHeader(call, sniffed, scratch).status());
  const std::string side = std::to_string(target.side_max > 0 ? target.side_max : 1'000'000);
  const bool has_quality = type == "image/jpeg" || type == "image/webp";
  const std::string frames = type == "image/gif" || type == "image/webp" ? AllFrames(sniffed) : "";
  int64_t least = 0;
  for (const int quality : kQualities) {
    const std::string output = OutputName(type, quality);
    PARVIS_RETURN_IF_ERROR(runner_
                               .Run(call, "vipsthumbnail",
                                    {"in[fail_on=error" + frames + "]", "--size", side + "x" + side + ">",
                                     "--export-profile", "srgb", "--output", scratch.folder() + "/" + output},
                                    scratch.folder())
                               .status());
    PARVIS_ASSIGN_OR_RETURN(std::string bytes,
                            scratch.Take(output.substr(0, output.find('[')), config_.file_max_bytes));
    least = static_cast<int64_t>(bytes.size());
    if (target.bytes_max <= 0 || least <= target.bytes_max) return bytes;
    if (!has_quality) break;
  }
  return CannotFit(least, target.bytes_max);
}

}  // namespace parvis::publishing
