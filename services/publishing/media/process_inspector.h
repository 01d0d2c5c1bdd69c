// MediaInspector on Debian's command-line tools, each run as a process of its own (tool_runner.h): libvips for
// pictures, ffprobe for videos; a PDF is known by its first bytes alone. See
// docs/adr/0009-pictures-and-videos-in-processes-of-their-own.md.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

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
  // Whether the tools are there; for readiness. FAILED_PRECONDITION MEDIA_TOOLS_MISSING.
  Status Ping() const;

 private:
  class Turn;
  StatusOr<Sniffed> SniffContent(const Call& call, const MediaBytes& content) const;
  StatusOr<MediaFacts> ReadHeader(const Call& call, const Sniffed& sniffed, const Scratch& scratch);
  StatusOr<MediaFacts> InspectPicture(const Call& call, const Sniffed& sniffed, const Scratch& scratch);
  StatusOr<MediaFacts> InspectVideo(const Call& call, const Sniffed& sniffed, const Scratch& scratch);
  Status TakeTurn(const Call& call);
  void EndTurn();

  const MediaToolsConfig config_;
  const Clock& clock_;
  ToolRunner runner_;
  std::mutex mutex_;
  std::condition_variable freed_;
  int busy_ = 0, waiting_ = 0;
};

}  // namespace parvis::publishing
