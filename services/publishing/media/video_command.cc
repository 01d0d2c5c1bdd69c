#include "publishing/media/video_command.h"

#include <algorithm>
#include <utility>

namespace parvis::publishing {
namespace {

// Good enough for screens: what x264 calls nearly transparent. Where that takes more than the rate, the rate decides.
constexpr char kQuality[] = "21";

void Add(std::vector<std::string>* to, std::initializer_list<const char*> words) {
  to->insert(to->end(), words.begin(), words.end());
}

void EncodePicture(const VideoTarget& target, int percent, std::vector<std::string>* to) {
  // Turned first (ffmpeg does so by itself), then made smaller; even sides and 8 bits are what H.264 is played with
  // everywhere.
  std::string filter = target.width > 0 ? "scale=" + std::to_string(target.width) + ":" + std::to_string(target.height)
                                        : "scale=trunc(iw/2)*2:trunc(ih/2)*2";
  Add(to, {"-c:v", "libx264", "-preset", "fast", "-profile:v", "high", "-crf", kQuality, "-fpsmax", "60", "-pix_fmt",
           "yuv420p"});
  to->insert(to->end(), {"-vf", std::move(filter)});
  if (target.video_kbps <= 0) return;
  // The buffer is a second: so much more than the rate says may come out in all.
  const std::string rate = std::to_string(std::max(1, target.video_kbps * percent / 100)) + "k";
  to->insert(to->end(), {"-maxrate", rate, "-bufsize", rate});
}

}  // namespace

std::vector<std::string> VideoCommand(const std::string& demuxer, const std::string& from, const std::string& to,
                                      const VideoTarget& target, int percent, int threads) {
  const std::string count = std::to_string(threads);
  std::vector<std::string> out = {
      "-nostdin", "-hide_banner",        "-v",   "error", "-filter_threads", count, "-threads",
      count,      "-protocol_whitelist", "file", "-f",    demuxer,           "-i",  from};
  // V: pictures that are no cover. No subtitles, data or attachments; nothing that tells of place, camera or author.
  Add(&out, {"-map", "0:V:0", "-map", "0:a:0?", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1",
             "-max_error_rate", "0.1"});
  if (target.copy_video)
    Add(&out, {"-c:v", "copy"});
  else
    EncodePicture(target, percent, &out);
  if (target.copy_audio) {
    Add(&out, {"-c:a", "copy"});
  } else {
    out.insert(out.end(), {"-c:a", "aac", "-ac", "2", "-ar", "48000", "-b:a",
                           std::to_string(target.audio_kbps > 0 ? target.audio_kbps : 128) + "k"});
  }
  out.insert(out.end(),
             {"-threads", count, "-max_muxing_queue_size", "1024", "-movflags", "+faststart", "-f", "mp4", to});
  return out;
}

}  // namespace parvis::publishing
