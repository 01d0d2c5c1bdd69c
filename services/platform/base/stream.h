// What a consumer's effects and a producer's outbox have in common with the store that keeps them: the words that let a
// use case, its storage (SQL) and its bus (Kafka) meet without knowing one another.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/error.h"

namespace parvis {

// Where a consumer group stands in one partition. The offset lives in the database, in the same transaction as the
// effects; `epoch` fences: whoever claimed the partition later has a higher one, and an older owner's commit changes
// no row and must roll back (reason FENCED).
struct StreamPosition {
  std::string group;      // consumer group, "inbox.fold"
  std::string topic;
  int32_t partition = 0;
  int64_t epoch = 0;      // as claimed
  int64_t next = 0;       // offset of the first record not yet applied
  int64_t from = -1;      // what `next` was before this batch; -1: not known, any lower one will do
};

// Where one batch ends in every partition that it has records of: stored with the batch's effects, all or none.
class StreamPositions {
 public:
  StreamPositions(StreamPosition only) : all_{std::move(only)} {}  // implicit: one partition is a batch like any other
  explicit StreamPositions(std::vector<StreamPosition> all) : all_(std::move(all)) {}
  std::vector<StreamPosition>::const_iterator begin() const { return all_.begin(); }
  std::vector<StreamPosition>::const_iterator end() const { return all_.end(); }
  size_t size() const { return all_.size(); }

 private:
  std::vector<StreamPosition> all_;  // at most one of a partition
};

// Port: claims partitions on assignment. Implemented by db::OffsetTable; called from the consumer's thread.
class OffsetStore {
 public:
  virtual ~OffsetStore() = default;
  // Raises the partition's epoch and returns where to go on (next = 0 for a partition never seen).
  virtual StatusOr<StreamPosition> Claim(const std::string& group, const std::string& topic, int32_t partition) = 0;
};

// One record for Kafka. Headers are CloudEvents in binary mode ("ce_id", "ce_type", "ce_source", "ce_time",
// "ce_specversion", "ce_workspace", "content-type") plus "traceparent"; bus::Envelope makes and reads them.
struct StreamRecord {
  std::string topic;
  std::string key;
  std::string payload;                           // serialized protobuf; empty is a tombstone
  std::map<std::string, std::string> headers;
};

struct OutboxRow {
  int64_t id = 0;
  StreamRecord record;
};

// Port: the transactional outbox as its relay sees it. Implemented by db::OutboxTable, and by the inbox, whose events are
// told from its feed.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;
  // Calls `publish` with the oldest rows (at most `limit`, in id order) while holding the relay lock, deletes them if it
  // returns OK, and returns how many went. 0: nothing there, or another relay holds the lock. Rows of one key are always
  // published in the order their transactions committed (a key is written under its aggregate's row lock).
  virtual StatusOr<int> Drain(int limit, const std::function<Status(const std::vector<OutboxRow>&)>& publish) = 0;
  // Age of the oldest row, zero when empty; for the gauge parvis_outbox_oldest_seconds.
  virtual StatusOr<absl::Duration> OldestAge() = 0;
};

}  // namespace parvis
