// Use case: apply what happened on the networks to the conversations.
//
// The same inputs give the same state in whatever order and however often they come:
//   - a message's text, edits included, is the content of highest rank (revision first); being removed is for ever;
//     hidden is the state of highest revision; facts (author, time, parent) are those of the lowest revision;
//   - what comes before the message's creation waits on a row that is not present yet;
//   - numbers of a conversation are sums and extremes over its messages.
// Only opening again what a member has resolved depends on when a message arrives, as it must.
#pragma once

#include <vector>

#include "inbox/domain/activity.h"
#include "inbox/domain/workset.h"
#include "platform/base/error.h"
#include "platform/base/stream.h"

namespace parvis::inbox {

// Port: loads what a batch is about, lets `fold` change it, writes it, its events and the offset in one transaction.
class FoldStore {
 public:
  virtual ~FoldStore() = default;
  // ABORTED FENCED when the partition has a newer owner; UNAVAILABLE, ABORTED as the database says. `fold` may be called
  // again on a fresh workset. Rows are locked conversation by conversation in key order, then the workspaces' feeds.
  virtual Status Apply(const StreamPositions& positions, const FoldKeys& keys,
                       const std::function<void(Workset&)>& fold) = 0;
};

// Pure: changes `work`, which holds what KeysOf(inputs) names.
void Fold(const std::vector<FoldInput>& inputs, Workset& work);

// Fold through the store. An empty batch only moves the offset.
Status FoldBatch(FoldStore& store, const StreamPositions& positions, const std::vector<FoldInput>& inputs);

}  // namespace parvis::inbox
