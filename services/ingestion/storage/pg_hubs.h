// Subscriptions at hubs in PostgreSQL, for keepers and callbacks that serve all workspaces (the stream role). Times are
// measured with the database's clock.
#pragma once

#include "ingestion/domain/hub_store.h"
#include "platform/db/pool.h"

namespace parvis::ingestion {

class PgHubStore : public HubStore {
 public:
  explicit PgHubStore(db::Pool& stream) : stream_(stream) {}
  StatusOr<std::vector<ClaimedSubscription>> Claim(const std::vector<std::string>& networks, int limit,
                                                   absl::Duration lease) override;
  Status Ask(const ClaimedSubscription& claimed, const HubChoice& hub, absl::Duration answer_in) override;
  Status Release(const ClaimedSubscription& claimed, const SubscriptionEnd& end) override;
  Status Confirm(const Binding& binding, const HubConfirmation& confirmation) override;
  Status Deny(const Binding& binding, const std::string& topic, const std::string& message,
              absl::Duration retry_in) override;

 private:
  // Runs one statement that must change a row; `otherwise` when it does not.
  Status Change(const Status& otherwise, const char* sql, std::vector<db::Param> params);
  db::Pool& stream_;
};

}  // namespace parvis::ingestion
