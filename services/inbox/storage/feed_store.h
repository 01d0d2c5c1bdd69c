// The feed of events and the service's own upkeep on PostgreSQL.
#pragma once

#include "inbox/domain/store.h"
#include "inbox/storage/write.h"
#include "platform/db/pool.h"

namespace parvis::inbox::storage {

// Reads events with the api role, under row-level security; the heads of all watched workspaces at once with the stream
// role (numbers only).
class PgFeedStore : public FeedStore {
 public:
  PgFeedStore(db::Pool& api, db::Pool& stream) : api_(api), stream_(stream) {}
  StatusOr<std::vector<FeedHead>> Heads(const std::vector<std::string>& workspace_ids) override;
  StatusOr<std::vector<FeedEntry>> Read(const Call& call, int64_t after, int limit) override;

 private:
  db::Pool& api_;
  db::Pool& stream_;
};

class PgUpkeepStore : public UpkeepStore {
 public:
  PgUpkeepStore(db::Pool& stream, Encoders encoders) : stream_(stream), encoders_(std::move(encoders)) {}
  StatusOr<int> ReleaseExpiredClaims(int limit) override;
  StatusOr<int> TrimFeeds(absl::Duration keep, int limit) override;
  StatusOr<int> ForgetAbsentMessages(absl::Duration keep, int limit) override;

 private:
  db::Pool& stream_;
  const Encoders encoders_;
};

}  // namespace parvis::inbox::storage
