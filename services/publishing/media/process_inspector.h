// MediaInspector on Debian's command-line tools, each run as a process of its own (tool_runner.h): libvips for
// pictures, ffprobe and ffmpeg for videos; a PDF is known by its first bytes alone. See
// docs/adr/0009-pictures-and-videos-in-processes-of-their-own.md.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/obs/metrics.h"
#include "publishing/domain/media_inspector.h"
#include "publishing/media/media_tools_config.h"
#include "publishing/media/scratch.h"
#include "publishing/media/sniff.h"
#include "publishing/media/tool_runner.h"

namespace parvis::publishing {

class ProcessInspector : public MediaInspector {
 public:
  ProcessInspector(const MediaToolsConfig& config, const Clock& clock, obs::Metrics& metrics);
  StatusOr<MediaFacts> Inspect(const Call& call, const MediaBytes& content) override;
  // An animated picture keeps its frames where the target's type has any, else becomes its first one. What is
  // transparent becomes white where the type has no transparency.
  StatusOr<std::string> Convert(const Call& call, const MediaBytes& content, const PictureTarget& target) override;
  // Blocks for as long as it takes, at most media_video_max for each try; a video that comes out too large is made once
  // more, with less. MEDIA_UNREADABLE also when what was made is shorter or longer than its source: part of it could
  // not be read.
  Status ConvertVideo(const Call& call, const MediaBytes& content, const VideoTarget& target,
                      const VideoWork& work) override;
  // Whether the tools are there; for readiness. FAILED_PRECONDITION MEDIA_TOOLS_MISSING.
  Status Ping() const;

 private:
  // Places for what is done at once: some for looking and for pictures, some for videos that are made.
  struct Places {
    const int max;
    int busy = 0, waiting = 0;
  };
  // One of them, as long as it lives.
  class Turn {
   public:
    Turn(ProcessInspector& inspector, Places& places) : inspector_(inspector), places_(places) {}
    ~Turn() {
      if (taken_) inspector_.EndTurn(places_);
    }
    Turn(const Turn&) = delete;
    Status Take(const Call& call) {
      const Status status = inspector_.TakeTurn(call, places_);
      taken_ = status.ok();
      return status;
    }

   private:
    ProcessInspector& inspector_;
    Places& places_;
    bool taken_ = false;
  };
  void SweepOld() const;
  StatusOr<Sniffed> SniffContent(const Call& call, const MediaBytes& content) const;
  StatusOr<MediaFacts> ReadHeader(const Call& call, const Sniffed& sniffed, const Scratch& scratch);
  StatusOr<MediaFacts> InspectPicture(const Call& call, const Sniffed& sniffed, const Scratch& scratch);
  // Of the file `name`.
  StatusOr<MediaFacts> InspectVideo(const Call& call, const Sniffed& sniffed, const Scratch& scratch,
                                    const std::string& name);
  Status MakeVideo(const Call& call, const Sniffed& sniffed, const VideoTarget& target, int percent,
                   const VideoWork& work, const Scratch& scratch);
  Status TakeTurn(const Call& call, Places& places);
  void EndTurn(Places& places);

  const MediaToolsConfig config_;
  const Clock& clock_;
  ToolRunner runner_;
  std::mutex mutex_;
  std::condition_variable freed_;
  Places looking_{config_.processes_max}, converting_{config_.videos_max};
};

}  // namespace parvis::publishing
