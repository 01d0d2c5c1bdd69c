#include "platform/rpc/access.h"

#include <gtest/gtest.h>

#include "platform/rpc/testdata/echo.h"

namespace parvis::rpc {
namespace {

using rpctest::v1::EchoRequest;
using testing::kOther;
using testing::kWorkspace;
using testing::ThingName;

TEST(AccessTest, FindsTheDeclaredRoles) {
  AccessTable table;
  const MethodAccess* echo = table.Find("parvis.rpctest.v1.EchoService/Echo");
  ASSERT_NE(echo, nullptr);
  EXPECT_EQ(echo->roles, std::set<Role>{Role::kModerator});
  EXPECT_EQ(echo->service, "parvis.rpctest.v1.EchoService");
  EXPECT_EQ(echo->method, "Echo");
  EXPECT_FALSE(echo->accounts);
  EXPECT_EQ(table.Find("parvis.rpctest.v1.EchoService/Echo"), echo);
  EXPECT_EQ(table.Find("parvis.rpctest.v1.BareService/Bare"), nullptr);
  EXPECT_EQ(table.Find("parvis.rpctest.v1.EchoService/Nope"), nullptr);
  EXPECT_EQ(table.Find("rubbish"), nullptr);
  EXPECT_FALSE(echo->anyone);
  const MethodAccess* open = table.Find("parvis.rpctest.v1.EchoService/Open");
  ASSERT_NE(open, nullptr);
  EXPECT_TRUE(open->anyone);
  EXPECT_TRUE(open->roles.empty());
}

TEST(AccessTest, NamesMethodsWithoutRole) {
  EXPECT_TRUE(MethodsWithoutRole("parvis.rpctest.v1.EchoService").empty());
  EXPECT_EQ(MethodsWithoutRole("parvis.rpctest.v1.BareService"),
            std::vector<std::string>{"parvis.rpctest.v1.BareService.Bare"});
  EXPECT_EQ(MethodsWithoutRole("no.such.Service"), std::vector<std::string>{"no.such.Service"});
}

TEST(AccessTest, FindsEveryWorkspaceNamed) {
  EchoRequest request;
  EXPECT_TRUE(WorkspacesNamed(request).empty());
  request.set_parent("workspaces/a");
  request.set_name("workspaces/b/things/1");
  request.add_names("workspaces/c/things/1");
  request.add_names("organizations/x");
  request.mutable_thing()->set_name("workspaces/d/things/2");
  request.mutable_thing()->set_other("workspaces/e/things/2");
  request.mutable_thing()->mutable_inside()->set_name("workspaces/f/");
  request.set_text("workspaces/text/is/what/somebody/wrote");
  EXPECT_EQ(WorkspacesNamed(request), (std::set<std::string>{"a", "b", "c", "d", "e", "f"}));
}

TEST(AccessTest, WhatIsTooDeepIsNobodys) {
  EchoRequest request;
  rpctest::v1::Thing* thing = request.mutable_thing();
  for (int i = 0; i < kNameDepthMax + 2; ++i) thing = thing->mutable_inside();
  EXPECT_EQ(WorkspacesNamed(request), std::set<std::string>{"?"});
}

class CheckAccessTest : public ::testing::Test {
 protected:
  Status Check(const std::string& path = "parvis.rpctest.v1.EchoService/Echo") {
    return CheckAccess(*table_.Find(path), request_, call_);
  }
  AccessTable table_;
  EchoRequest request_;
  Call call_;
};

TEST_F(CheckAccessTest, TheWorkspaceIsThePrincipals) {
  call_.principal.workspace_id = kWorkspace;
  call_.principal.roles = {Role::kOwner};
  ASSERT_TRUE(Check().ok());
  EXPECT_EQ(call_.workspace_id, kWorkspace);
  request_.set_parent(std::string("workspaces/") + kWorkspace);
  EXPECT_TRUE(Check().ok());
  request_.mutable_thing()->set_other(ThingName(kOther));
  EXPECT_EQ(ReasonOf(Check()), "WORKSPACE_MISMATCH");
}

TEST_F(CheckAccessTest, ServicesMayNameAny) {
  call_.principal.service = "inbox";
  call_.principal.roles = {Role::kService};
  request_.set_name(ThingName(kOther));
  ASSERT_TRUE(Check("parvis.rpctest.v1.EchoService/Internal").ok());
  EXPECT_EQ(call_.workspace_id, kOther);
  request_.add_names(ThingName(kWorkspace));
  call_.workspace_id.clear();
  ASSERT_TRUE(Check("parvis.rpctest.v1.EchoService/Internal").ok());
  EXPECT_EQ(call_.workspace_id, "");
  EXPECT_EQ(ReasonOf(Check()), "ROLE_MISSING");
}

TEST_F(CheckAccessTest, KeysWithoutWorkspaceMayNameOneOnlyTowardsAccounts) {
  call_.principal.organization_id = "org";
  call_.principal.roles = {Role::kOwner};
  EXPECT_TRUE(Check().ok());
  request_.set_name(ThingName(kOther));
  EXPECT_EQ(ReasonOf(Check()), "WORKSPACE_MISMATCH");
  MethodAccess of_accounts = *table_.Find("parvis.rpctest.v1.EchoService/Echo");
  of_accounts.accounts = true;
  ASSERT_TRUE(CheckAccess(of_accounts, request_, call_).ok());
  EXPECT_EQ(call_.workspace_id, kOther);
}

TEST_F(CheckAccessTest, WhatAnyoneMayCallIsAboutTheWorkspaceThatIsNamed) {
  const std::string open = "parvis.rpctest.v1.EchoService/Open";
  ASSERT_TRUE(Check(open).ok());
  EXPECT_EQ(call_.workspace_id, "");
  request_.set_name(ThingName(kOther));
  ASSERT_TRUE(Check(open).ok());
  EXPECT_EQ(call_.workspace_id, kOther);
  EXPECT_EQ(ReasonOf(Check()), "ROLE_MISSING") << "all else asks for a role";
}

TEST_F(CheckAccessTest, TheRoleIsCheckedBeforeTheWorkspace) {
  call_.principal.workspace_id = kWorkspace;
  call_.principal.roles = {Role::kAnalyst};
  request_.set_name(ThingName(kOther));
  const Error error = ToError(Check());
  EXPECT_EQ(error.reason, "ROLE_MISSING");
  EXPECT_EQ(error.message, "Echo needs the role moderator");
}

}  // namespace
}  // namespace parvis::rpc
