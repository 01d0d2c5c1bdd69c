// A private folder for one look at one medium, with the content in it as "in"; removed with all that is in it, however
// that ends.
#pragma once

#include <string>

#include "platform/base/call.h"
#include "platform/base/error.h"
#include "publishing/domain/media_inspector.h"

namespace parvis::publishing {

class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch&) = delete;

  // RESOURCE_EXHAUSTED MEDIA_TOOLS_BUSY when there is no room, INTERNAL MEDIA_SCRATCH when the folder cannot be made;
  // errors of reading the content are given on.
  Status Make(const std::string& above);
  Status Fill(const Call& call, const MediaBytes& content);
  // INVALID_ARGUMENT MEDIA_UNREADABLE unless the file is ISO boxes one after the other up to its end: what was cut off
  // ends within one.
  Status CheckBoxes(const std::string& name) const;
  // What a tool wrote. MEDIA_UNREADABLE when there is nothing; RESOURCE_EXHAUSTED MEDIA_OVER_LIMIT beyond `max_bytes`.
  StatusOr<std::string> Take(const std::string& name, int64_t max_bytes) const;
  // The same without having it in memory: it is read as long as the folder is there.
  StatusOr<MediaBytes> Open(const std::string& name, int64_t max_bytes) const;
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

// Removes what processes that were killed left in `above` before that time.
void SweepScratch(const std::string& above, absl::Time before);

}  // namespace parvis::publishing
