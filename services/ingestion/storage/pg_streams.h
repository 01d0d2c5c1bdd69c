// Streams in PostgreSQL, for readers that serve all workspaces (the stream role). Leases and times are measured with
// the database's clock.
#pragma once

#include "ingestion/domain/stream_store.h"
#include "platform/db/pool.h"

namespace parvis::ingestion {

class PgStreamStore : public StreamStore {
 public:
  explicit PgStreamStore(db::Pool& stream) : stream_(stream) {}
  StatusOr<StreamPlan> Attend(const std::string& keeper, int places, const std::vector<std::string>& networks,
                              absl::Duration lease) override;
  Status Leave(const std::string& keeper) override;
  StatusOr<std::vector<ClaimedStream>> Claim(const std::vector<std::string>& networks, int limit,
                                             absl::Duration lease) override;
  StatusOr<RenewedStreams> Renew(const std::vector<ClaimedStream>& claimed, absl::Duration lease) override;
  Status Save(const ClaimedStream& claimed, const StreamProgress& progress) override;
  Status Release(const ClaimedStream& claimed, const StreamProgress& progress, const StreamEnd& end) override;

 private:
  db::Pool& stream_;
};

}  // namespace parvis::ingestion
