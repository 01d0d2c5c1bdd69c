// Whose load is whose: which tenant a key was found to belong to. Only to share out what is there, never to decide what
// a caller may do: that is asked anew for every call (authenticator.h).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "platform/base/call.h"

namespace parvis::rpc {

// Trailing metadata by which a service tells whose key it was, to who asks for it (the gateway, of a key that it does
// not know yet) with this metadata in the request, whatever its value.
inline constexpr char kAskTenantMetadata[] = "parvis-ask-tenant";
inline constexpr char kTenantMetadata[] = "parvis-tenant";

// "workspaces/<id>"; "organizations/<id>" of a key for a whole organisation; "operators".
std::string TenantOf(const Principal& principal);

// Tenants and keys are kept as hashes (seeded anew in every process, so that nobody can aim at another's).
using TenantId = uint64_t;
inline constexpr TenantId kUnknownTenant = 0;  // keys not seen yet, good or bad: they share what one tenant has
TenantId TenantIdOf(std::string_view tenant);
uint64_t KeyHashOf(std::string_view key);

// Thread-safe; remembers between keys_max / 2 and keys_max keys, those used last.
class Tenants {
 public:
  explicit Tenants(int keys_max) : half_(keys_max / 2 > 0 ? static_cast<size_t>(keys_max / 2) : 1) {}
  TenantId Of(uint64_t key);
  void Learn(uint64_t key, TenantId tenant);

 private:
  void Put(uint64_t key, TenantId tenant);  // mutex_ held
  const size_t half_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, TenantId> young_, old_;  // when the young are many, they become the old
};

}  // namespace parvis::rpc
