#include "platform/rpc/tenants.h"

#include <utility>

#include <absl/hash/hash.h>

namespace parvis::rpc {

std::string TenantOf(const Principal& principal) {
  if (!principal.workspace_id.empty()) return "workspaces/" + principal.workspace_id;
  if (!principal.organization_id.empty()) return "organizations/" + principal.organization_id;
  return principal.service.empty() ? "operators" : "services/" + principal.service;
}

uint64_t KeyHashOf(std::string_view key) { return absl::HashOf(key); }

TenantId TenantIdOf(std::string_view tenant) {
  const TenantId id = absl::HashOf(tenant);
  return id == kUnknownTenant ? 1 : id;
}

TenantId Tenants::Of(uint64_t key) {
  std::lock_guard lock(mutex_);
  if (const auto it = young_.find(key); it != young_.end()) return it->second;
  const auto it = old_.find(key);
  if (it == old_.end()) return kUnknownTenant;
  const TenantId tenant = it->second;
  Put(key, tenant);
  return tenant;
}

void Tenants::Learn(uint64_t key, TenantId tenant) {
  std::lock_guard lock(mutex_);
  Put(key, tenant);
}

void Tenants::Put(uint64_t key, TenantId tenant) {
  if (young_.size() >= half_ && young_.find(key) == young_.end()) {
    old_ = std::exchange(young_, {});
  }
  young_[key] = tenant;
}

}  // namespace parvis::rpc
