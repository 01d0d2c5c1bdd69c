#include <cstdlib>

#include "publishing/media/facts.h"
#include "publishing/media/sniff.h"

// First byte: what the rest is. Whatever comes out is possible: sides that are positive and bounded.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parvis::publishing;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)BoxBytes(input);
  const auto sniffed = Sniff(input);
  if (sniffed.ok() && sniffed->type.empty()) abort();
  const auto facts = data[0] % 2 == 0 ? PictureFacts({MediaKind::kPicture, "image/gif", "gifload"}, input)
                                      : VideoFacts({MediaKind::kVideo, "video/mp4", "mov"}, std::string(input));
  if (facts.ok() &&
      (facts->width <= 0 || facts->height <= 0 || facts->frames < 0 || facts->duration < absl::ZeroDuration()))
    abort();
  if (facts.ok()) (void)CheckPixels({}, *facts, 1'000'000);
  return 0;
}
