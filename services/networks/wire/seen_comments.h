// What polling a blog keeps of its comments: where reading goes on, and the latest ones as they were seen last. For sites
// that tell no time of hiding, approving and deleting: those are found by looking again.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "networks/wire/json.h"

namespace parvis::networks {

uint32_t LookOf(std::string_view text);  // to notice an edit, nothing more

struct SeenComment {
  std::string id;
  std::string root;  // of its thread; its own id where it begins one
  std::string post;
  bool hidden = false;
  uint32_t look = 0;  // of its text
};

struct SeenComments {
  static constexpr size_t kMax = 100;
  // So far back reading begins again: a comment may be committed after one that is dated later.
  static constexpr absl::Duration kOverlap = absl::Seconds(5);

  // `cursor`: what Encode gave, as JSON; anything else begins at `since`.
  SeenComments(const Json& cursor, absl::Time since);
  Json Encode() const;

  SeenComment* Find(const std::string& id);
  void Watch(SeenComment one);  // the oldest beyond kMax are forgotten
  // What was read goes up to second `newest`, without the overlap. Where that is no progress, many comments are of the same
  // seconds: then `next` is the page to go on with; 0 = there is none.
  void MoveOn(int64_t newest, int64_t next);

  int64_t after = 0;                // Unix seconds, exclusive
  int64_t page = 1;                 // of the comments after that
  std::deque<SeenComment> watched;  // oldest first
};

}  // namespace parvis::networks
