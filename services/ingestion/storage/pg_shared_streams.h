// Shared streams in PostgreSQL, for readers that serve all workspaces (the stream role). Leases and times are measured with
// the database's clock.
#pragma once

#include "ingestion/domain/shared_stream_store.h"
#include "platform/db/pool.h"

namespace parvis::ingestion {

class PgSharedStreamStore : public SharedStreamStore {
 public:
  explicit PgSharedStreamStore(db::Pool& stream) : stream_(stream) {}
  StatusOr<std::vector<ClaimedShared>> Claim(const std::vector<std::string>& networks, absl::Duration lease) override;
  StatusOr<std::set<std::string>> Renew(const std::vector<ClaimedShared>& claimed, absl::Duration lease) override;
  StatusOr<SharedTurnout> Turnout(const ClaimedShared& claimed, int room) override;
  Status Save(const ClaimedShared& claimed, const SharedProgress& progress) override;
  Status Release(const ClaimedShared& claimed, const SharedProgress& progress, const StreamEnd& end) override;

 private:
  db::Pool& stream_;
};

}  // namespace parvis::ingestion
