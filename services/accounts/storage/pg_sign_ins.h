// Sign-ins that wait, in PostgreSQL, their secrets sealed.
#pragma once

#include "accounts/domain/sign_in.h"
#include "accounts/storage/sealer.h"
#include "platform/db/pool.h"

namespace parvis::accounts {

class PgSignInStore : public SignInStore {
 public:
  PgSignInStore(db::Pool& api, const Sealer& sealer) : api_(api), sealer_(sealer) {}
  Status InsertSignIn(const Call& call, const PendingSignIn& made, int waiting_max) override;
  StatusOr<std::optional<PendingSignIn>> TakeSignIn(const Call& call, const std::string& state_hash,
                                                    const std::string& member_id, const std::string& key_id,
                                                    absl::Time now) override;

 private:
  db::Pool& api_;
  const Sealer& sealer_;
};

}  // namespace parvis::accounts
