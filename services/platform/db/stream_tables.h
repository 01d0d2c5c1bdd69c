// The tables every service's schema has for streams, `stream_offsets` and `outbox`, and what reads and writes them.
// Their SQL is db/stream_tables.sql: every service's V001__*.sql begins with that text, unchanged (a test compares).
#pragma once

#include "platform/base/stream.h"
#include "platform/db/pool.h"

namespace parvis::db {

// Consumer offsets beside the effects. Uses the stream role's pool.
class OffsetTable : public OffsetStore {
 public:
  OffsetTable(Pool& pool, std::string schema);
  StatusOr<StreamPosition> Claim(const std::string& group, const std::string& topic, int32_t partition) override;
  // Inside the effects' transaction: moves every partition forward to its position's `next` if all the epochs are still
  // ours (one statement). ABORTED FENCED otherwise: return it from the body, so that all effects roll back. A batch that
  // was committed before, alone or as a part of this one (the answer to its COMMIT was lost), is FENCED too: the consumer
  // rejoins and goes on where the database stands.
  static Status Advance(Tx& tx, const StreamPositions& positions);

 private:
  Pool& pool_;
  const std::string schema_;
};

// Whether this transaction alone publishes what its schema has for Kafka, from here to its end: two relays of one schema
// never publish at once, whichever tables they read. SQL, of type boolean.
#define PARVIS_TRY_OUTBOX_LOCK "pg_try_advisory_xact_lock(hashtextextended('parvis_outbox:' || current_schema, 0))"

// The transactional outbox. Every connection of the pool has `search_path` = the service's schema (set by its role).
class OutboxTable : public OutboxStore {
 public:
  explicit OutboxTable(Pool& pool);
  // In the caller's transaction, for several records at once (one statement).
  static Status Append(Tx& tx, const std::vector<StreamRecord>& records);
  StatusOr<int> Drain(int limit, const std::function<Status(const std::vector<OutboxRow>&)>& publish) override;
  StatusOr<absl::Duration> OldestAge() override;

 private:
  Pool& pool_;
};

}  // namespace parvis::db
