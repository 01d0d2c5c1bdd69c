// The audience: people who comment below posts, answer each other, edit and delete. What it does depends only on the
// plan, its seed and the posts it is given, never on time; ids and times are the World's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "platform/base/error.h"
#include "sandbox/domain/random.h"
#include "sandbox/domain/texts.h"
#include "sandbox/domain/world.h"

namespace parvis::sandbox {

struct AudiencePlan {
  uint64_t seed = 1;
  int64_t count = 1000;  // comments to write; edits and removals come on top
  TextMix mix;
  double reply_share = 0.3;        // of the comments: an answer to another comment
  double hot_share = 0.3;          // of the answers: into one of the few very long threads
  int hot_threads = 3;             // how many those are
  double mention_share = 0.0;      // of the comments: a mention of the account elsewhere, where the network has such
  double edit_ratio = 0.02;        // of the comments: edited later, where the network shows edits
  double removal_ratio = 0.02;     // of the comments: deleted later by their author, where that shows
  int people = 5000;               // how many different persons
  int long_text_max = 6000;        // bytes of the longest texts
  std::vector<std::string> texts;  // if not empty: these, in order and then from the start again
};
Status CheckPlan(const AudiencePlan& plan);

// Performs the plan step by step. Not thread-safe.
class Audience {
 public:
  struct Post {
    AccountPtr account;
    std::string id;
  };
  struct Progress {
    int64_t written = 0, edits = 0, removals = 0, skipped = 0;  // skipped: what it answered was gone
  };
  Audience(const AudiencePlan& plan, World& world);

  // One comment, edit or removal. False when the plan is done; an error (JOURNAL_FULL, ...) ends it too. `posts` must
  // not be empty; it may change between steps.
  StatusOr<bool> Step(const std::vector<Post>& posts);
  const Progress& progress() const { return progress_; }

 private:
  struct Made {  // a comment of ours that can be answered, edited or removed
    AccountPtr account;
    std::string id, post, author_handle, written;
    Person author;
    TextKind kind;
    std::string_view language;
    bool gone = false;
  };
  struct Due {
    int64_t step;
    bool removal;
    int64_t made;  // number of the comment
  };
  Status Write(const std::vector<Post>& posts);
  Status Change(const Due& due);
  AudienceText NextText();
  const Made* ChooseParent(const Post& post);
  Made* MadeAt(int64_t number);
  void PlanChanges(const Made& made);

  const AudiencePlan plan_;
  World& world_;
  Rng rng_;
  Progress progress_;
  int64_t step_ = 0;
  std::deque<Made> made_;  // the last kRemembered comments
  int64_t first_made_ = 0;
  std::map<std::string, std::vector<Made>> hot_;  // by post
  std::multimap<int64_t, Due> due_;               // by step
};

}  // namespace parvis::sandbox
