// Sources in PostgreSQL: people through `api`, under row-level security; pollers, which serve all workspaces, through
// `stream`. Leases and due times are measured with the database's clock.
#pragma once

#include "ingestion/domain/sources.h"
#include "platform/db/pool.h"

namespace parvis::ingestion {

class PgSourceStore : public SourceStore {
 public:
  PgSourceStore(db::Pool& api, db::Pool& stream) : api_(api), stream_(stream) {}
  StatusOr<Source> GetSource(const Call& call, const std::string& channel_id) override;
  StatusOr<std::vector<Source>> ListSources(const Call& call, const std::string& after, int limit) override;
  StatusOr<Source> StartBackfill(const Call& call, const std::string& channel_id, absl::Time from) override;
  Status Sync(const std::vector<KnownChannel>& channels, absl::Time from) override;
  Status Detach(const std::string& after, const std::string& last,
                const std::vector<std::string>& channel_ids) override;
  StatusOr<DueList> ListDue(int limit, const std::vector<std::string>& paused_hosts) override;
  StatusOr<std::vector<Claimed>> Claim(const std::vector<Binding>& wanted, absl::Duration lease) override;
  Status Save(const Claimed& claimed, const Progress& progress, absl::Duration lease) override;
  Status Release(const Claimed& claimed, const PollEnd& end) override;
  Status NoteHeard(const std::vector<Heard>& heard) override;
  Status PollNow(const std::vector<Binding>& bindings) override;

 private:
  db::Pool& api_;
  db::Pool& stream_;
};

}  // namespace parvis::ingestion
