// The refreshing of credentials, on the table `channels`.
#pragma once

#include "accounts/domain/refresh.h"
#include "accounts/storage/sealer.h"
#include "platform/db/pool.h"

namespace parvis::accounts {

// Claims cross workspaces, through `stream`; everything else is done in the channel's own, through `api`.
class PgRefreshStore : public RefreshStore {
 public:
  PgRefreshStore(db::Pool& api, db::Pool& stream, const Sealer& sealer) : api_(api), stream_(stream), sealer_(sealer) {}
  StatusOr<std::vector<RefreshClaim>> ClaimDue(const Call& call, const std::string& holder, absl::Time now,
                                               absl::Duration lease, int limit) override;
  Status RecordUse(const Call& call, const RefreshClaim& claim, absl::Time now) override;
  Status StoreRefreshed(const Call& call, const RefreshClaim& claim, const Channel& fresh,
                        const CredentialFields& credentials) override;
  Status Postpone(const Call& call, const RefreshClaim& claim, absl::Time next) override;
  Status NeedSignIn(const Call& call, const RefreshClaim& claim, const std::string& reason, const std::string& message,
                    absl::Time now) override;

 private:
  // Runs an UPDATE whose first four parameters are workspace, channel, holder and credentials_version.
  Status Change(const Call& call, const RefreshClaim& claim, const char* sql, std::vector<db::Param> more);

  db::Pool& api_;
  db::Pool& stream_;
  const Sealer& sealer_;
};

}  // namespace parvis::accounts
