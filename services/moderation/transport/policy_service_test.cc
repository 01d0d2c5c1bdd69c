// Policies as a caller sees them: over gRPC, on the store in memory.
#include <gtest/gtest.h>

#include "moderation/transport/test_moderation.h"

namespace parvis::moderation {
namespace {

using testing::Parent;
using testing::PolicySaying;
using testing::RequestId;
using testing::Told;
using Stub = v1::ModerationService::Stub;

class PolicyServiceTest : public testing::ModerationTest {};

TEST_F(PolicyServiceTest, TheLifeOfAPolicy) {
  const auto created = Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("House rules", PolicySaying("un"), RequestId(1)));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->name().find(Parent() + "/policies/"), 0u);
  EXPECT_EQ(created->display_name(), "House rules");
  EXPECT_EQ(created->source(), PolicySaying("un"));
  EXPECT_EQ(created->version(), 1);
  EXPECT_EQ(created->active_version(), 0);
  EXPECT_EQ(created->create_time().seconds(), absl::ToUnixSeconds(clock_.WallNow()));
  // The same request id creates nothing again; another one does.
  EXPECT_EQ(Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("x", PolicySaying("un"), RequestId(1)))->name(),
            created->name());

  v1::UpdatePolicyRequest update;
  update.mutable_policy()->set_name(created->name());
  update.mutable_policy()->set_source(PolicySaying("deux"));
  update.mutable_policy()->set_etag(created->etag());
  const auto updated = Do<v1::Policy>(&Stub::UpdatePolicy, update);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->version(), 2);
  EXPECT_EQ(updated->display_name(), "House rules");  // was not set: stays
  EXPECT_NE(updated->etag(), created->etag());
  update.mutable_policy()->clear_etag();
  update.mutable_policy()->set_display_name("Renamed");
  update.mutable_policy()->set_source("not looked at");
  update.mutable_update_mask()->add_paths("display_name");
  EXPECT_EQ(Do<v1::Policy>(&Stub::UpdatePolicy, update)->display_name(), "Renamed");

  v1::GetPolicyRequest get;
  get.set_name(created->name());
  EXPECT_EQ(Do<v1::Policy>(&Stub::GetPolicy, get, "lea")->source(), PolicySaying("deux"));
  v1::ActivatePolicyRequest activate;
  activate.set_name(created->name());
  EXPECT_EQ(Do<v1::Policy>(&Stub::ActivatePolicy, activate)->active_version(), 2);
  activate.set_version(1);
  EXPECT_EQ(Do<v1::Policy>(&Stub::ActivatePolicy, activate)->active_version(), 1);
  v1::DeactivatePolicyRequest deactivate;
  deactivate.set_name(created->name());
  EXPECT_EQ(Do<v1::Policy>(&Stub::DeactivatePolicy, deactivate)->active_version(), 0);

  v1::ListPolicyVersionsRequest versions;
  versions.set_parent(created->name());
  versions.set_page_size(1);
  const auto newest = Do<v1::ListPolicyVersionsResponse>(&Stub::ListPolicyVersions, versions, "lea");
  ASSERT_EQ(newest->policy_versions_size(), 1);
  EXPECT_EQ(newest->policy_versions(0).name(), created->name() + "/versions/2");
  EXPECT_EQ(newest->policy_versions(0).member_id(), "mia");
  versions.set_page_token(newest->next_page_token());
  const auto oldest = Do<v1::ListPolicyVersionsResponse>(&Stub::ListPolicyVersions, versions, "lea");
  ASSERT_EQ(oldest->policy_versions_size(), 1);
  EXPECT_EQ(oldest->policy_versions(0).source(), PolicySaying("un"));
  EXPECT_EQ(oldest->next_page_token(), "");
}

TEST_F(PolicyServiceTest, APolicyThatIsWrongIsToldLineByLineAndNotStored) {
  const auto told = [&](const v1::CreatePolicyRequest& r) {
    return Told(Do<v1::Policy>(&Stub::CreatePolicy, r).status());
  };
  const std::string good = PolicySaying("un");
  EXPECT_EQ(told(NewPolicy("", good)), "INVALID_ARGUMENT EMPTY policy.display_name");
  EXPECT_EQ(told(NewPolicy(std::string(201, 'x'), good)), "INVALID_ARGUMENT TOO_LONG policy.display_name");
  EXPECT_EQ(told(NewPolicy(std::string("a\0b", 3), good)), "INVALID_ARGUMENT WRONG_VALUE policy.display_name");
  EXPECT_EQ(told(NewPolicy("P", "")), "INVALID_ARGUMENT WRONG_TYPE policy.source");
  EXPECT_EQ(told(NewPolicy("P", std::string((256 << 10) + 1, ' '))), "INVALID_ARGUMENT SOURCE_TOO_LARGE policy.source");
  EXPECT_EQ(told(NewPolicy("P", good, "1")), "INVALID_ARGUMENT REQUEST_ID request_id");
  v1::CreatePolicyRequest nowhere = NewPolicy("P", good);
  nowhere.set_parent("workspaces/here");
  EXPECT_EQ(told(nowhere), "PERMISSION_DENIED WORKSPACE_MISMATCH");  // a workspace that is not the caller's
  nowhere.set_parent(Parent() + "/policies");
  EXPECT_EQ(told(nowhere), "INVALID_ARGUMENT INVALID_NAME parent");

  // Every error with its line and column, those of the name and of the source at once.
  const auto both =
      Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("", "version: 1\nrules:\n- name: a\n  if:\n    txet: {}\n"));
  const Error error = ToError(both.status());
  ASSERT_EQ(error.violations.size(), 3u);
  EXPECT_EQ(error.violations[0].field, "policy.display_name");
  EXPECT_EQ(error.violations[1].field, "policy.source");
  EXPECT_EQ(error.violations[1].reason, "MISSING_KEY");
  EXPECT_EQ(error.violations[1].description.find("line 3, column 3: \"action\" is missing"), 0u);
  EXPECT_EQ(error.violations[2].reason, "UNKNOWN_KEY");
  EXPECT_EQ(error.violations[2].description.find("line 5, column 5: \"txet\" is not known"), 0u);
  const Error one = ToError(Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("P", "version: 1\nrules: [")).status());
  EXPECT_EQ(one.reason, "YAML_SYNTAX");
  EXPECT_EQ(one.metadata.at("line"), "2");
  EXPECT_TRUE(data_.policies.empty());
  // Just as long as allowed.
  EXPECT_TRUE(Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy(std::string(200, 'x'), good)).ok());
}

TEST_F(PolicyServiceTest, ChangesOfPoliciesThatAreRefused) {
  const auto policy = *Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("P", PolicySaying("un")));
  v1::UpdatePolicyRequest good;
  good.mutable_policy()->set_name(policy.name());
  good.mutable_policy()->set_source(PolicySaying("deux"));
  const auto told = [&](const v1::UpdatePolicyRequest& r) {
    return Told(Do<v1::Policy>(&Stub::UpdatePolicy, r).status());
  };
  v1::UpdatePolicyRequest r = good;
  r.mutable_policy()->set_name("policies/1");
  EXPECT_EQ(told(r), "INVALID_ARGUMENT INVALID_NAME policy.name");
  r.mutable_policy()->set_name(Parent() + "/policies/" + RequestId(9));
  EXPECT_EQ(told(r), "NOT_FOUND NOT_FOUND");
  r = good;
  r.mutable_policy()->set_etag("\"1\"");
  EXPECT_EQ(told(r), "INVALID_ARGUMENT ETAG_INVALID policy.etag");
  r.mutable_policy()->set_etag("r7");
  EXPECT_EQ(told(r), "ABORTED ETAG_MISMATCH");
  r = good;
  r.mutable_update_mask()->add_paths("version");
  EXPECT_EQ(told(r), "INVALID_ARGUMENT UNKNOWN_FIELD update_mask");
  r = good;
  r.mutable_policy()->set_source("version: 2\nrules: []");
  EXPECT_EQ(told(r), "INVALID_ARGUMENT OUT_OF_RANGE policy.source,policy.source");
  v1::GetPolicyRequest get;
  get.set_name(policy.name());
  EXPECT_EQ(Do<v1::Policy>(&Stub::GetPolicy, get)->etag(), policy.etag());  // nothing was changed by all that
  get.set_name(Parent() + "/policies/" + RequestId(9));
  EXPECT_EQ(Told(Do<v1::Policy>(&Stub::GetPolicy, get).status()), "NOT_FOUND NOT_FOUND");
  get.set_name(policy.name() + "/versions/1");
  EXPECT_EQ(Told(Do<v1::Policy>(&Stub::GetPolicy, get).status()), "INVALID_ARGUMENT INVALID_NAME name");

  v1::ActivatePolicyRequest activate;
  const auto activating = [&](const std::string& name, int64_t version) {
    activate.set_name(name);
    activate.set_version(version);
    return Told(Do<v1::Policy>(&Stub::ActivatePolicy, activate).status());
  };
  EXPECT_EQ(activating(policy.name(), -1), "INVALID_ARGUMENT OUT_OF_RANGE version");
  EXPECT_EQ(activating(policy.name(), 2), "NOT_FOUND NOT_FOUND");
  EXPECT_EQ(activating(Parent() + "/policies/" + RequestId(9), 0), "NOT_FOUND NOT_FOUND");
  EXPECT_EQ(activating("x", 0), "INVALID_ARGUMENT INVALID_NAME name");
  v1::DeactivatePolicyRequest deactivate;
  deactivate.set_name(Parent() + "/policies/" + RequestId(9));
  EXPECT_EQ(Told(Do<v1::Policy>(&Stub::DeactivatePolicy, deactivate).status()), "NOT_FOUND NOT_FOUND");
  deactivate.set_name("x");
  EXPECT_EQ(Told(Do<v1::Policy>(&Stub::DeactivatePolicy, deactivate).status()), "INVALID_ARGUMENT INVALID_NAME name");
  EXPECT_TRUE(data_.active.empty());
  v1::ListPolicyVersionsRequest versions;
  const auto listing = [&](const std::string& parent) {
    versions.set_parent(parent);
    return Told(Do<v1::ListPolicyVersionsResponse>(&Stub::ListPolicyVersions, versions).status());
  };
  EXPECT_EQ(listing(Parent() + "/policies/" + RequestId(9)), "NOT_FOUND NOT_FOUND");
  EXPECT_EQ(listing(Parent()), "INVALID_ARGUMENT INVALID_NAME parent");
}

TEST_F(PolicyServiceTest, PoliciesAndVersionsAreBounded) {
  std::string last;
  for (int i = 0; i < testing::kQuota.policies; ++i) {
    const auto policy = Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("P", PolicySaying("un")));
    ASSERT_TRUE(policy.ok()) << policy.status();
    last = policy->name();
  }
  const Status full = Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("P", PolicySaying("un"))).status();
  EXPECT_EQ(Told(full), "RESOURCE_EXHAUSTED POLICIES_TOO_MANY");
  EXPECT_EQ(ToError(full).metadata["limit"], absl::StrCat(testing::kQuota.policies));
  v1::UpdatePolicyRequest update;
  update.mutable_policy()->set_name(last);
  for (int v = 2; v <= testing::kQuota.versions; ++v) {
    update.mutable_policy()->set_source(PolicySaying("mot" + std::to_string(v)));
    ASSERT_EQ(Do<v1::Policy>(&Stub::UpdatePolicy, update)->version(), v);
  }
  update.mutable_policy()->set_source(PolicySaying("encore"));
  EXPECT_EQ(Told(Do<v1::Policy>(&Stub::UpdatePolicy, update).status()), "RESOURCE_EXHAUSTED POLICY_VERSIONS_TOO_MANY");
}

TEST_F(PolicyServiceTest, TriesAPolicy) {
  v1::TestPolicyRequest good;
  good.set_parent(Parent());
  good.set_source(PolicySaying("connard"));
  good.add_texts()->set_text("Quel c.o.n.n.a.r.d !");
  good.add_texts()->set_text("Merci beaucoup pour la lampe");
  const auto tested = Do<v1::TestPolicyResponse>(&Stub::TestPolicy, good, "lea");
  ASSERT_TRUE(tested.ok()) << tested.status();
  ASSERT_EQ(tested->decisions_size(), 2);
  EXPECT_EQ(tested->decisions(0).action(), v1::ACTION_HIDE);
  ASSERT_EQ(tested->decisions(0).reasons_size(), 1);
  EXPECT_EQ(tested->decisions(0).reasons(0).rule(), "r");
  EXPECT_EQ(tested->decisions(0).reasons(0).condition(), "literal");
  EXPECT_EQ(tested->decisions(0).reasons(0).spans(0).text(), "c.o.n.n.a.r.d");
  EXPECT_EQ(tested->decisions(1).action(), v1::ACTION_ALLOW);
  EXPECT_EQ(tested->decisions(1).language(), "fr");
  EXPECT_EQ(tested->decisions(1).intent(), v1::INTENT_THANKS);
  EXPECT_TRUE(data_.policies.empty());
  const auto saved = Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("P", PolicySaying("lampe")));
  v1::TestPolicyRequest by_name = good;
  by_name.set_policy(saved->name());
  EXPECT_EQ(Do<v1::TestPolicyResponse>(&Stub::TestPolicy, by_name)->decisions(1).action(), v1::ACTION_HIDE);

  const auto told = [&](const v1::TestPolicyRequest& r) {
    return Told(Do<v1::TestPolicyResponse>(&Stub::TestPolicy, r).status());
  };
  v1::TestPolicyRequest r = good;
  r.clear_tried();
  EXPECT_EQ(told(r), "INVALID_ARGUMENT MISSING source");
  r.set_policy("x");
  EXPECT_EQ(told(r), "INVALID_ARGUMENT INVALID_NAME policy");
  r.set_policy(Parent() + "/policies/" + RequestId(9));
  EXPECT_EQ(told(r), "NOT_FOUND NOT_FOUND");
  r = good;
  r.set_source("version: 1\nrules:\n- 5\n");
  const Error error = ToError(Do<v1::TestPolicyResponse>(&Stub::TestPolicy, r).status());
  EXPECT_EQ(error.violations.at(0).field, "source");
  EXPECT_EQ(error.violations.at(0).description.find("line 3, column 3: "), 0u);
  r = good;
  r.clear_texts();
  EXPECT_EQ(told(r), "INVALID_ARGUMENT EMPTY texts");
  for (int i = 0; i < 100; ++i) r.add_texts()->set_text("x");
  EXPECT_EQ(told(r), "OK");
  r.add_texts()->set_text("one more");
  EXPECT_EQ(told(r), "INVALID_ARGUMENT TOO_MANY texts");
  r = good;
  r.mutable_texts(1)->set_text(std::string(64 << 10, 'x'));
  EXPECT_EQ(told(r), "OK");
  r.mutable_texts(1)->mutable_text()->push_back('x');
  EXPECT_EQ(told(r), "INVALID_ARGUMENT TOO_LONG texts[1].text");
  r = good;
  r.set_parent("x");
  EXPECT_EQ(told(r), "INVALID_ARGUMENT INVALID_NAME parent");
}

}  // namespace
}  // namespace parvis::moderation
