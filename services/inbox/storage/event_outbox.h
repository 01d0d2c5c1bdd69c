// What the relay tells Kafka: the events that stand in the feed, by the ranges of it that have not been told yet
// (`feed_outbox`), and the records of the outbox (commands; events that an older version has written). Uses the stream
// role.
#pragma once

#include <functional>

#include "inbox/domain/conversation.h"
#include "platform/base/stream.h"
#include "platform/db/stream_tables.h"

namespace parvis::inbox::storage {

class PgEventOutbox : public OutboxStore {
 public:
  // Makes a record of a stored event: of `event` only id, sequence, time, and the conversation's id and workspace are
  // set.
  using Record = std::function<StreamRecord(const Event& event, std::string payload)>;
  PgEventOutbox(db::Pool& stream, Record record) : stream_(stream), outbox_(stream), record_(std::move(record)) {}

  // Records of the outbox come first. A workspace's events go in the order of their numbers.
  StatusOr<int> Drain(int limit, const std::function<Status(const std::vector<OutboxRow>&)>& publish) override;
  StatusOr<absl::Duration> OldestAge() override;

 private:
  using Publish = std::function<Status(const std::vector<OutboxRow>&)>;
  // `records` says whether the outbox holds any; if so, nothing is told here unless `after_records`.
  StatusOr<int> DrainFeed(int limit, bool after_records, const Publish& publish, bool& records);

  db::Pool& stream_;
  db::OutboxTable outbox_;
  const Record record_;
};

}  // namespace parvis::inbox::storage
