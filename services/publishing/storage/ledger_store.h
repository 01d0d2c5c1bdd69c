// DeliveryLedger on PostgreSQL, with the stream role: many workspaces in one transaction. Thread-safe.
#pragma once

#include <string>

#include "platform/db/pool.h"
#include "publishing/domain/ledger.h"
#include "publishing/storage/rows.h"

namespace parvis::publishing {

class LedgerStore : public DeliveryLedger {
 public:
  // `stream` is the pool of role publishing_stream. `committed` is called after each commit that wrote an event.
  LedgerStore(db::Pool& stream, EncodeDelivery encode, std::function<void()> committed);
  StatusOr<int> Accept(const StreamPositions& positions, const std::vector<Delivery>& deliveries, absl::Time now,
                               const std::string& actor) override;
  StatusOr<std::vector<Delivery>> Claim(const ClaimRequest& request) override;
  StatusOr<std::vector<std::optional<Delivery>>> Apply(const std::vector<Change>& changes, absl::Time now) override;
  StatusOr<std::vector<Delivery>> FindUnsettled(const std::vector<int>& shards, absl::Time now, bool every_claim,
                                                int limit) override;
  StatusOr<std::vector<Delivery>> FindExpired(const std::vector<int>& shards, absl::Time now, int limit) override;
  StatusOr<std::set<std::string>> TakenRemoteIds(const std::string& workspace_id, const std::string& channel_id,
                                                 const std::vector<std::string>& remote_ids) override;
  Status Pause(const PausedChannel& channel) override;
  Status Resume(const std::string& workspace_id, const std::string& channel_id) override;
  StatusOr<std::vector<PausedChannel>> ListPaused(const std::vector<int>& shards, const std::optional<PausedChannel>& after,
                                                  int limit) override;

 private:
  StatusOr<std::vector<Delivery>> Find(const char* sql, const std::vector<db::Param>& params);
  db::Pool& stream_;
  const EncodeDelivery encode_;
  const std::function<void()> committed_;
};

}  // namespace parvis::publishing
