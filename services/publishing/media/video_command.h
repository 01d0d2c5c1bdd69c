// ffmpeg's arguments for one conversion of a video. Pure.
#pragma once

#include <string>
#include <vector>

#include "publishing/domain/media_inspector.h"

namespace parvis::publishing {

// `demuxer` reads the file `from`, and nothing else is opened; `percent`: of the target's rate for the picture.
std::vector<std::string> VideoCommand(const std::string& demuxer, const std::string& from, const std::string& to,
                                      const VideoTarget& target, int percent, int threads);

}  // namespace parvis::publishing
