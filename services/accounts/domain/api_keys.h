// Use cases: API keys, and who a bearer token belongs to.
//
// A key reads "pv_<32 hex: id><_><64 hex: secret>". The secret has 256 bits from the operating system, so a fast hash
// is enough: there is nothing to guess that a slow hash (argon2id, meant for what people can remember) would protect,
// and authentication stays cheap on every call.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/domain/members.h"
#include "accounts/domain/types.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/ids.h"
#include "platform/base/secret.h"

namespace parvis::accounts {

// 32 bytes that tell nothing about the secret.
using KeyHash = std::function<std::string(const Secret& secret)>;

// Port: where keys are kept. In `call.workspace_id`. Thread-safe; blocks.
class ApiKeyStore {
 public:
  virtual ~ApiKeyStore() = default;
  // NOT_FOUND when the member does not exist. A request that came before: `replayed`, nothing is written.
  virtual StatusOr<Created> InsertApiKey(const Call& call, const ApiKey& made, const std::string& hash,
                                         const Request& request) = 0;
  virtual StatusOr<ApiKey> GetApiKey(const Call& call, const std::string& id) = 0;
  virtual StatusOr<std::vector<ApiKey>> ListApiKeys(const Call& call, const Page& page) = 0;
  // Keeps the time of the first revocation. NOT_FOUND.
  virtual StatusOr<ApiKey> RevokeApiKey(const Call& call, const std::string& id, absl::Time now) = 0;
};

// Port: looks a key up in all workspaces. Thread-safe; blocks.
class KeyDirectory {
 public:
  struct Entry {
    ApiKey key;
    std::string hash;
    std::string organization_id;
    std::set<Role> member_roles;  // as they are now; empty when the member has gone
  };
  virtual ~KeyDirectory() = default;
  virtual StatusOr<std::optional<Entry>> FindKey(const std::string& key_id) = 0;
};

// A new key; `secret` is the whole bearer token and exists only here.
struct NewApiKey {
  ApiKey key;
  Secret secret;
};

class ApiKeys {
 public:
  ApiKeys(ApiKeyStore& store, MemberStore& members, KeyHash hash, Ids& ids, const Clock& clock)
      : store_(store), members_(members), hash_(std::move(hash)), ids_(ids), clock_(clock) {}

  // Roles must be implied by the member's (PERMISSION ROLE_NOT_HELD as a violation); empty means the member's. A
  // repeated request: ALREADY_EXISTS KEY_ALREADY_CREATED with metadata "name".
  StatusOr<NewApiKey> CreateApiKey(const Call& call, ApiKey wanted, Request request);
  StatusOr<ApiKey> GetApiKey(const Call& call, const std::string& id);
  StatusOr<std::vector<ApiKey>> ListApiKeys(const Call& call, const Page& page);
  StatusOr<ApiKey> RevokeApiKey(const Call& call, const std::string& id);

 private:
  ApiKeyStore& store_;
  MemberStore& members_;
  const KeyHash hash_;
  Ids& ids_;
  const Clock& clock_;
};

// Who does a bearer token belong to?
class Authentication {
 public:
  // `operator_key`: the key of whoever operates the installation; empty means that nobody is operator.
  Authentication(KeyDirectory& keys, KeyHash hash, Secret operator_key, const Clock& clock)
      : keys_(keys), hash_(std::move(hash)), operator_key_(std::move(operator_key)), clock_(clock) {}
  // UNAUTHENTICATED TOKEN_UNKNOWN, TOKEN_REVOKED (also when no role is left), TOKEN_EXPIRED.
  StatusOr<Principal> Authenticate(std::string_view token);

 private:
  KeyDirectory& keys_;
  const KeyHash hash_;
  const Secret operator_key_;
  const Clock& clock_;
};

// The two halves of a bearer token; nullopt when it is none of ours.
struct KeyParts {
  std::string key_id;
  Secret secret;
};
std::optional<KeyParts> ParseKey(std::string_view token);

}  // namespace parvis::accounts
