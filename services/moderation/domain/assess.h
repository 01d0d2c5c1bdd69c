// Assess: what moderation thinks of one activity. A pure function of (activity, compiled policy): the same in, the same
// out, in every process and at any time.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "moderation/domain/assessment.h"
#include "moderation/domain/compiled_policy.h"
#include "moderation/domain/normalize.h"

namespace parvis::moderation {

// Has buffers and the matcher's scratch space, so that assessing allocates next to nothing: one for each thread.
class Assessor {
 public:
  explicit Assessor(const Normalizer& normalizer);
  ~Assessor();
  Assessor(const Assessor&) = delete;

  // What is not a text of somebody else (our own replies, removals, reactions, hides) is allowed without being looked
  // at. Private messages and mentions cannot be hidden on any network: where a rule says hide or delete, they are held;
  // the reason keeps what the rule said.
  Verdict Assess(const Subject& subject, const CompiledPolicy& policy);

  // The normalised text of the last Assess; for explanations.
  const NormalText& normal() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::moderation
