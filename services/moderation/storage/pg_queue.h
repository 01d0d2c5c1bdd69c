// The effects of the queue in PostgreSQL, over the stream role: a batch is one transaction with a handful of
// statements.
#pragma once

#include "moderation/domain/queue.h"
#include "platform/db/pool.h"

namespace parvis::moderation {

class PgQueueStore : public QueueStore {
 public:
  PgQueueStore(db::Pool& stream, EncodeCommand encode) : pool_(stream), encode_(std::move(encode)) {}
  Status Apply(const StreamPositions& positions, const std::vector<CommentKey>& keys, const Planner& plan) override;

 private:
  db::Pool& pool_;
  const EncodeCommand encode_;
};

}  // namespace parvis::moderation
