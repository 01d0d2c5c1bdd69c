// ProcessInspector::ConvertVideo: ffmpeg's command line, and what is made of it.
#include <absl/time/time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "publishing/media/process_inspector.h"
#include "publishing/media/video_command.h"

namespace parvis::publishing {
namespace {

constexpr char kMade[] = "out.mp4";
// Of the rate, at the second try: short videos and restless ones come out larger than their rate says.
constexpr int kSecondPercent = 80;

// A quarter more than is allowed: what is too large by little is told as such, what runs away ends.
int64_t FileMax(const VideoTarget& target) { return target.bytes_max + target.bytes_max / 4 + (1 << 20); }

Status TooLarge(int64_t bytes, int64_t bytes_max) {
  return MakeError(Code::kInvalidArgument, "MEDIA_CANNOT_FIT",
                   "it would still have " + std::to_string(bytes) + " bytes, " + std::to_string(bytes_max) +
                       " are allowed: make the video shorter");
}

// What cannot be read is left out by the tool, without an error: only the length tells.
Status CheckLength(absl::Duration source, absl::Duration made) {
  const absl::Duration tolerance = std::max(absl::Milliseconds(500), source / 50);
  if (source <= absl::ZeroDuration() || absl::AbsDuration(source - made) <= tolerance) return absl::OkStatus();
  char text[120];
  std::snprintf(text, sizeof text, "says that it lasts %g seconds, and %g could be read: it is damaged or cut off",
                absl::ToDoubleSeconds(source), absl::ToDoubleSeconds(made));
  return MakeError(Code::kInvalidArgument, "MEDIA_UNREADABLE", text);
}

}  // namespace

Status ProcessInspector::MakeVideo(const Call& call, const Sniffed& sniffed, const VideoTarget& target, int percent,
                                   const VideoWork& work, const Scratch& scratch) {
  std::error_code error;
  std::filesystem::remove(scratch.folder() + "/" + kMade, error);
  const ToolLimits limits = {.time = config_.video_max,
                             .cpu = config_.video_cpu_max,
                             .memory_bytes = config_.video_memory_max_bytes,
                             .file_bytes = FileMax(target),
                             .in_background = true,
                             .go_on = work.go_on};
  return runner_
      .Run(call, "ffmpeg", VideoCommand(sniffed.reader, "in", kMade, target, percent, config_.video_threads),
           scratch.folder(), limits)
      .status();
}

Status ProcessInspector::ConvertVideo(const Call& call, const MediaBytes& content, const VideoTarget& target,
                                      const VideoWork& work) {
  PARVIS_ASSIGN_OR_RETURN(Sniffed sniffed, SniffContent(call, content));
  sniffed = AsVideo(std::move(sniffed));
  if (sniffed.kind != MediaKind::kVideo) {
    return MakeError(Code::kInvalidArgument, "MEDIA_NOT_A_VIDEO", "only a video or a GIF becomes one; this is " + sniffed.type);
  }
  if (target.width % 2 != 0 || target.height % 2 != 0 || target.bytes_max <= 0) {
    return InvalidField("target", "VIDEO_TARGET", "needs even sides and a size");
  }
  Turn turn(*this, converting_);
  PARVIS_RETURN_IF_ERROR(turn.Take(call));
  SweepOld();
  Scratch scratch;
  PARVIS_RETURN_IF_ERROR(scratch.Make(config_.scratch_folder));
  PARVIS_RETURN_IF_ERROR(scratch.Fill(call, content));
  PARVIS_ASSIGN_OR_RETURN(const MediaFacts source, InspectVideo(call, sniffed, scratch, "in"));
  PARVIS_RETURN_IF_ERROR(MakeVideo(call, sniffed, target, 100, work, scratch));
  PARVIS_ASSIGN_OR_RETURN(MediaBytes made, scratch.Open(kMade, FileMax(target)));
  if (made.size > target.bytes_max && !target.copy_video) {
    PARVIS_RETURN_IF_ERROR(MakeVideo(call, sniffed, target, kSecondPercent, work, scratch));
    PARVIS_ASSIGN_OR_RETURN(made, scratch.Open(kMade, FileMax(target)));
  }
  if (made.size > target.bytes_max) return TooLarge(made.size, target.bytes_max);
  const Sniffed mp4 = {MediaKind::kVideo, "video/mp4", "mov", true};
  PARVIS_ASSIGN_OR_RETURN(const MediaFacts facts, InspectVideo(call, mp4, scratch, kMade));
  PARVIS_RETURN_IF_ERROR(CheckLength(source.duration, facts.duration));
  return work.take(made, facts);
}

}  // namespace parvis::publishing
