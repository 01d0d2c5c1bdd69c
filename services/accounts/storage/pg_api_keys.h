// API keys in PostgreSQL: only hashes of their secrets.
#pragma once

#include "accounts/domain/api_keys.h"
#include "platform/db/pool.h"

namespace parvis::accounts {

class PgApiKeyStore : public ApiKeyStore {
 public:
  explicit PgApiKeyStore(db::Pool& api) : api_(api) {}
  StatusOr<Created> InsertApiKey(const Call& call, const ApiKey& made, const std::string& hash,
                                 const Request& request) override;
  StatusOr<ApiKey> GetApiKey(const Call& call, const std::string& id) override;
  StatusOr<std::vector<ApiKey>> ListApiKeys(const Call& call, const Page& page) override;
  StatusOr<ApiKey> RevokeApiKey(const Call& call, const std::string& id, absl::Time now) override;

 private:
  db::Pool& api_;
};

// Whoever authenticates does not know the workspace yet: this goes through the stream role's pool.
class PgKeyDirectory : public KeyDirectory {
 public:
  explicit PgKeyDirectory(db::Pool& stream) : stream_(stream) {}
  StatusOr<std::optional<Entry>> FindKey(const std::string& key_id) override;

 private:
  db::Pool& stream_;
};

}  // namespace parvis::accounts
