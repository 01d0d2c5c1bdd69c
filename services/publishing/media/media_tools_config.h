// Which tools look at media, and what they may use.
#pragma once

#include <string>
#include <string_view>

#include "platform/app/config.h"

namespace parvis::publishing {

struct MediaToolsConfig {
  std::string scratch_folder = "/tmp";
  std::string tools_folder = "/usr/bin";  // vips, vipsheader, vipsthumbnail, ffprobe, ffmpeg
  int processes_max = 2;
  absl::Duration wait_max = absl::Seconds(5);
  absl::Duration tool_max = absl::Seconds(20);
  absl::Duration cpu_max = absl::Seconds(15);
  int64_t memory_max_bytes = int64_t{1} << 30;
  int64_t file_max_bytes = int64_t{512} << 20;
  int64_t content_max_bytes = int64_t{2} << 30;
  int64_t pixels_max = 80'000'000;
  // Of conversions of videos, beside the others.
  int videos_max = 1;
  int video_threads = 2;
  absl::Duration video_max = absl::Minutes(60);
  absl::Duration video_cpu_max = absl::Hours(2);
  int64_t video_memory_max_bytes = int64_t{3} << 30;

  void Declare(app::Options& o, const std::string& prefix = "media_") {
    o.String(prefix + "scratch_folder", &scratch_folder,
             "Where content lies while a tool looks at it; should be a disk of its own or a tmpfs.");
    o.String(prefix + "tools_folder", &tools_folder, "Where vips, vipsheader, vipsthumbnail, ffprobe and ffmpeg are.");
    o.Int(prefix + "processes_max", &processes_max,
          "Media looked at or converted at once, each by one process at a time.", {.min = 1, .max = 64});
    o.Duration(prefix + "wait_max", &wait_max,
               "How long one waits for its turn before it is refused (MEDIA_TOOLS_BUSY).", absl::ZeroDuration(),
               absl::Minutes(1));
    o.Duration(prefix + "tool_max", &tool_max, "How long one run of a tool may take.", absl::Milliseconds(100),
               absl::Minutes(10));
    o.Duration(prefix + "cpu_max", &cpu_max, "Processor time of one run of a tool, in whole seconds.", absl::Seconds(1),
               absl::Minutes(10));
    o.Int(prefix + "memory_max_bytes", &memory_max_bytes, "Address space of a tool (RLIMIT_AS), libraries included.",
          {.min = 256 << 20, .max = int64_t{1} << 40});
    o.Int(prefix + "file_max_bytes", &file_max_bytes, "Largest file that a tool may write.",
          {.min = 1 << 20, .max = int64_t{1} << 40});
    o.Int(prefix + "content_max_bytes", &content_max_bytes, "Larger content is not looked at.",
          {.min = 1 << 20, .max = int64_t{1} << 42});
    o.Int(prefix + "pixels_max", &pixels_max,
          "Pixels of a picture (all frames of an animated one) or of a frame of a video.",
          {.min = 1000, .max = 2'000'000'000});
    o.Int(prefix + "videos_max", &videos_max,
          "Videos converted at once, each by one process; 0: this replica converts none.", {.min = 0, .max = 64});
    o.Int(prefix + "video_threads", &video_threads, "Threads of one conversion of a video.", {.min = 1, .max = 64});
    o.Duration(prefix + "video_max", &video_max, "How long one conversion of a video may take.",
               absl::Milliseconds(100), absl::Hours(12));
    o.Duration(prefix + "video_cpu_max", &video_cpu_max,
               "Processor time of one conversion of a video, of all its threads.", absl::Seconds(1), absl::Hours(48));
    o.Int(prefix + "video_memory_max_bytes", &video_memory_max_bytes, "Address space of a conversion of a video.",
          {.min = 256 << 20, .max = int64_t{1} << 40});
  }
};

}  // namespace parvis::publishing
