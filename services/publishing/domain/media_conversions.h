// Port: the conversions of videos that are waiting or under way, as those who make them see them, in all workspaces. A
// conversion is claimed for a while, held for longer as long as it goes on, and anyone's again when whoever had it has
// died. Contract suite: media_store_contract.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/base/error.h"
#include "publishing/domain/media_item.h"

namespace parvis::publishing {

// A conversion that was claimed. It ends with the medium: deleting that is how it is called off.
struct Conversion {
  MediaItem item;  // kConverting
  VideoTarget target;
  int64_t fence = 0;                // another claim has a greater one
  int tries = 0;                    // claims that were not given back, this one included
  std::vector<std::string> chunks;  // digests of what an earlier claim has stored, in order
};

// Unless said otherwise: ABORTED MEDIA_CHANGED when somebody else has claimed it meanwhile, or the medium is gone.
class MediaConversions {
 public:
  virtual ~MediaConversions() = default;
  // The one that has waited longest, until `until`; nullopt when none waits.
  virtual StatusOr<std::optional<Conversion>> ClaimConversion(absl::Time now, absl::Time until) = 0;
  virtual Status HoldConversion(const Conversion& conversion, absl::Time until) = 0;
  // Nothing was wrong with it: anyone may claim it from `from` on, and the try does not count.
  virtual Status GiveBackConversion(const Conversion& conversion, absl::Time from) = 0;
  // Forgets `chunks`, whose content is deleted.
  virtual Status DropConvertedChunks(const Conversion& conversion) = 0;
  // The next chunk: told before its content is put, so that nothing is ever there of which nobody knows.
  virtual Status AddConvertedChunk(const Conversion& conversion, int number, const std::string& digest,
                                   int64_t bytes) = 0;
  // Stores size, state (kReady, kRefused), facts, SHA-256, refusal and times. The conversion is over.
  virtual Status EndConversion(const Conversion& conversion, const MediaItem& item) = 0;
};

}  // namespace parvis::publishing
