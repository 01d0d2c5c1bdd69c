// What content is, by its first bytes. Decides before any tool runs: what is not in the list never reaches one.
//
// Signatures: WHATWG MIME Sniffing §6 (https://mimesniff.spec.whatwg.org/), ISO/IEC 14496-12 §4.3 (ftyp), RFC 8794 and
// the Matroska specification RFC 9559 (EBML, DocType).
#pragma once

#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace parvis::publishing {

// How many of the first bytes Sniff wants to see (fewer when the content is shorter).
inline constexpr int kSniffBytes = 4096;

enum class MediaKind { kPicture, kVideo, kDocument };

struct Sniffed {
  MediaKind kind = MediaKind::kPicture;
  std::string type;    // "image/jpeg", "video/quicktime", "application/pdf"
  std::string reader;  // libvips' loader ("jpegload") or ffmpeg's demuxer ("mov"): the only one that may read it
  bool boxes = false;  // made of ISO boxes
  bool operator==(const Sniffed&) const = default;
};

// INVALID_ARGUMENT MEDIA_TYPE_UNKNOWN, which says what it is where it is something well known (HEIC, SVG, ZIP, ...).
StatusOr<Sniffed> Sniff(std::string_view head);

// The same for whoever wants the movement in it: a GIF as ffmpeg reads it, anything else as it was.
Sniffed AsVideo(Sniffed sniffed);

// One header of an ISO box: how many bytes the box has in all, by its first 16 bytes; 0 = to the end of the file. -1:
// no box.
int64_t BoxBytes(std::string_view head);

}  // namespace parvis::publishing
