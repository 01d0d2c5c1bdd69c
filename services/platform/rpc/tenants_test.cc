#include "platform/rpc/tenants.h"

#include <gtest/gtest.h>

namespace parvis::rpc {
namespace {

TEST(TenantsTest, AWorkspaceIsOneTenantWhateverTheKey) {
  Principal a, b;
  a.workspace_id = b.workspace_id = "w";
  a.organization_id = b.organization_id = "o";
  a.key_id = "1";
  b.key_id = "2";
  EXPECT_EQ(TenantOf(a), TenantOf(b));
  EXPECT_EQ(TenantOf(a), "workspaces/w");
  a.workspace_id.clear();
  EXPECT_EQ(TenantOf(a), "organizations/o");
  EXPECT_EQ(TenantOf(Principal()), "operators");
}

TEST(TenantsTest, RemembersTheKeysUsedLast) {
  Tenants tenants(100);
  EXPECT_EQ(tenants.Of(1), kUnknownTenant);
  tenants.Learn(1, 77);
  EXPECT_EQ(tenants.Of(1), 77u);
  for (uint64_t key = 2; key < 10'000; ++key) {
    tenants.Learn(key, key);
    ASSERT_EQ(tenants.Of(1), 77u) << key;  // in use
  }
  EXPECT_EQ(tenants.Of(2), kUnknownTenant);  // forgotten
  EXPECT_EQ(tenants.Of(9'999), 9'999u);
}

}  // namespace
}  // namespace parvis::rpc
