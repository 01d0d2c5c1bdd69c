// Every method of every service of this release: has a role, and is offered unless it is for services only.
#include <gtest/gtest.h>

#include "gateway/transport/method_table.h"
#include "platform/rpc/access.h"

namespace parvis::gateway {
namespace {

TEST(ServiceProtosTest, EveryFileIsLinkedInAndEveryMethodHasARole) {
  const auto* const pool = google::protobuf::DescriptorPool::generated_pool();
  int methods = 0, offered = 0;
  const MethodTable table(ServiceProtoFiles());
  for (const std::string& name : ServiceProtoFiles()) {
    const auto* const file = pool->FindFileByName(name);
    ASSERT_NE(file, nullptr) << name;
    for (int s = 0; s < file->service_count(); ++s) {
      const auto& service = *file->service(s);
      for (const std::string& method : rpc::MethodsWithoutRole(service.full_name())) {
        ADD_FAILURE() << method << " declares no role: add option (parvis.platform.v1.access) = {roles: ROLE_...}";
      }
      for (int m = 0; m < service.method_count(); ++m) {
        const auto& method = *service.method(m);
        // What anyone may call has an address of its own: GET /media/...
        const bool internal = rpc::DeclaredRoles(method) == std::set<Role>{Role::kService} || rpc::DeclaresAnyone(method);
        const bool found = table.Find("/" + service.full_name() + "/" + method.name()) != nullptr;
        EXPECT_EQ(found, !internal) << method.full_name();
        EXPECT_FALSE(method.client_streaming()) << method.full_name() << ": the web API has no client streaming";
        ++methods;
        offered += found ? 1 : 0;
      }
    }
  }
  EXPECT_GT(methods, 0);
  EXPECT_EQ(offered, static_cast<int>(table.methods().size()));
}

TEST(ServiceProtosTest, NobodyOutsideAuthenticates) {
  EXPECT_EQ(MethodTable(ServiceProtoFiles()).Find("/parvis.platform.v1.AuthenticationService/Authenticate"), nullptr);
}

}  // namespace
}  // namespace parvis::gateway
