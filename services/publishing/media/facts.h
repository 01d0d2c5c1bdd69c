// What the tools' output means. Pure; the output comes from tools that read hostile content, so it is not trusted
// either.
#pragma once

#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "publishing/domain/media_inspector.h"
#include "publishing/media/sniff.h"

namespace parvis::publishing {

// Of `vipsheader -a`: lines "name: value". MEDIA_UNREADABLE when it is not what such a picture gives: no size, another
// reader than `sniffed.reader`, or a field twice (a text inside the picture that pretends to be one).
StatusOr<MediaFacts> PictureFacts(const Sniffed& sniffed, std::string_view header);
// Of `ffprobe -of json`. MEDIA_UNREADABLE without a stream of video with a size.
StatusOr<MediaFacts> VideoFacts(const Sniffed& sniffed, const std::string& json);
// MEDIA_TOO_MANY_PIXELS when all frames of a picture, or one of a video, have more.
Status CheckPixels(const Sniffed& sniffed, const MediaFacts& facts, int64_t pixels_max);

}  // namespace parvis::publishing
