// What every implementation of the stores of accounts must keep: run on the fake and on PostgreSQL.
#pragma once

#include <memory>

#include <gtest/gtest.h>

#include "accounts/domain/api_keys.h"
#include "accounts/domain/channels.h"
#include "accounts/domain/directory.h"
#include "accounts/domain/members.h"
#include "accounts/domain/refresh.h"
#include "accounts/domain/sign_in.h"
#include "accounts/domain/tenants.h"
#include "platform/base/ids.h"

namespace parvis::accounts {

struct Stores {
  TenantStore& tenants;
  MemberStore& members;
  ApiKeyStore& keys;
  KeyDirectory& key_directory;
  ChannelStore& channels;
  DirectoryStore& directory;
  SignInStore& sign_ins;
  RefreshStore& refreshes;
};

// `Backend` has `Stores stores()` and starts empty.
template <class Backend>
class StoreContract : public ::testing::Test {
 protected:
  Call In(const std::string& workspace) {
    Call call = BackgroundCall("test", workspace);
    return call;
  }
  // A new organisation with a workspace; returns the workspace's id.
  std::string NewWorkspace() {
    Organization organization{ids_.New(), "Acme", now_};
    EXPECT_TRUE(s_.tenants.InsertOrganization(In(""), organization, {}).ok());
    Workspace workspace{ids_.New(), organization.id, "Brand", "Europe/Paris", 1, now_, now_};
    EXPECT_TRUE(s_.tenants.InsertWorkspace(In(""), workspace, {}).ok());
    return workspace.id;
  }
  Member NewMember(const std::string& workspace, std::set<Role> roles, const std::string& email) {
    Member member{ids_.New(), workspace, "Zoé", email, std::move(roles), 1, now_, now_};
    EXPECT_TRUE(s_.members.InsertMember(In(workspace), member, {}).ok());
    return member;
  }
  Channel AChannel(const std::string& workspace, const std::string& remote_id) {
    Channel channel;
    channel.id = ids_.New();
    channel.workspace_id = workspace;
    channel.network = "facebook";
    channel.remote_id = remote_id;
    channel.base_url = "https://graph.example";
    channel.display_name = "Page " + remote_id;
    channel.handle = "page";
    channel.create_time = channel.update_time = now_;
    return channel;
  }
  static CredentialFields Token(const std::string& token) { return {{"access_token", Secret(token)}}; }
  Request ARequest(const std::string& method, const std::string& content = "content") {
    return {ids_.New(), method, content};
  }

  RealClock clock_;
  Ids ids_{clock_};
  absl::Time now_ = absl::FromUnixSeconds(1'790'000'000);
  Backend backend_;
  Stores s_ = backend_.stores();
};

TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, CreationsAreOncePerRequest) {
  Request request = this->ARequest("CreateOrganization");
  Organization first{this->ids_.New(), "Acme", this->now_}, again{this->ids_.New(), "Acme", this->now_};
  auto made = this->s_.tenants.InsertOrganization(this->In(""), first, request);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_FALSE(made->replayed);
  auto replayed = this->s_.tenants.InsertOrganization(this->In(""), again, request);
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_TRUE(replayed->replayed);
  EXPECT_EQ(replayed->id, first.id);
  EXPECT_EQ(this->s_.tenants.GetOrganization(this->In(""), again.id).status().code(), Code::kNotFound);
  Request other = request;
  other.fingerprint = "another content";
  EXPECT_EQ(ReasonOf(this->s_.tenants.InsertOrganization(this->In(""), again, other).status()), "REQUEST_ID_REUSED");
}

TYPED_TEST_P(StoreContract, WorkspacesAreSeenFromInsideOnly) {
  std::string mine = this->NewWorkspace(), other = this->NewWorkspace();
  auto seen = this->s_.tenants.GetWorkspace(this->In(mine), mine);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(seen->display_name, "Brand");
  EXPECT_EQ(seen->create_time, this->now_);
  EXPECT_EQ(this->s_.tenants.GetWorkspace(this->In(other), mine).status().code(), Code::kNotFound);
  EXPECT_EQ(this->s_.tenants.GetWorkspace(this->In(""), mine).status().code(), Code::kNotFound);
  Workspace orphan{this->ids_.New(), this->ids_.New(), "B", "UTC", 1, this->now_, this->now_};
  EXPECT_EQ(this->s_.tenants.InsertWorkspace(this->In(""), orphan, {}).status().code(), Code::kNotFound);
}

TYPED_TEST_P(StoreContract, WorkspaceListIsPagedById) {
  std::string first = this->NewWorkspace();
  Workspace like = *this->s_.tenants.GetWorkspace(this->In(first), first);
  std::vector<std::string> all = {first};
  for (int i = 0; i < 4; ++i) {
    Workspace more = like;
    more.id = this->ids_.New();
    ASSERT_TRUE(this->s_.tenants.InsertWorkspace(this->In(""), more, {}).ok());
    all.push_back(more.id);
  }
  std::vector<std::string> listed;
  Page page{"", 2};
  while (true) {
    auto part = this->s_.tenants.ListWorkspaces(this->In(""), like.organization_id, page);
    ASSERT_TRUE(part.ok()) << part.status();
    if (part->empty()) break;
    for (const Workspace& w : *part) listed.push_back(w.id);
    page.after = listed.back();
  }
  EXPECT_EQ(listed, all);
}

TYPED_TEST_P(StoreContract, UpdatesNeedTheVersionTheySaw) {
  std::string workspace = this->NewWorkspace();
  Workspace seen = *this->s_.tenants.GetWorkspace(this->In(workspace), workspace);
  seen.display_name = "Renamed";
  auto updated = this->s_.tenants.UpdateWorkspace(this->In(workspace), seen, seen.version);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->version, seen.version + 1);
  EXPECT_EQ(ReasonOf(this->s_.tenants.UpdateWorkspace(this->In(workspace), seen, seen.version).status()),
            "ETAG_MISMATCH");
  std::string other = this->NewWorkspace();
  EXPECT_EQ(this->s_.tenants.UpdateWorkspace(this->In(other), seen, 2).status().code(), Code::kNotFound);
}

TYPED_TEST_P(StoreContract, MembersHaveUniqueAddressesAndAnOwnerRemains) {
  std::string workspace = this->NewWorkspace();
  Call call = this->In(workspace);
  Member owner = this->NewMember(workspace, {Role::kOwner}, "Owner@Acme.example");
  Member same{this->ids_.New(), workspace, "X", "owner@acme.EXAMPLE", {Role::kAnalyst}, 1, this->now_, this->now_};
  EXPECT_EQ(ReasonOf(this->s_.members.InsertMember(call, same, {}).status()), "EMAIL_TAKEN");
  Member moderator = this->NewMember(workspace, {Role::kModerator, Role::kApprover}, "mod@acme.example");
  auto read = this->s_.members.GetMember(call, moderator.id);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->roles, (std::set<Role>{Role::kModerator, Role::kApprover}));
  EXPECT_EQ(read->display_name, "Zoé");

  Member demoted = owner;
  demoted.roles = {Role::kAnalyst};
  EXPECT_EQ(ReasonOf(this->s_.members.UpdateMember(call, demoted, 1).status()), "LAST_OWNER");
  EXPECT_EQ(ReasonOf(this->s_.members.DeleteMember(call, owner.id, 0, this->now_)), "LAST_OWNER");
  Member promoted = moderator;
  promoted.roles = {Role::kOwner};
  ASSERT_TRUE(this->s_.members.UpdateMember(call, promoted, 1).ok());
  EXPECT_EQ(ReasonOf(this->s_.members.UpdateMember(call, promoted, 1).status()), "ETAG_MISMATCH");
  promoted.email = "owner@acme.example";
  EXPECT_EQ(ReasonOf(this->s_.members.UpdateMember(call, promoted, 2).status()), "EMAIL_TAKEN");
  EXPECT_TRUE(this->s_.members.DeleteMember(call, owner.id, 0, this->now_).ok());
  EXPECT_EQ(this->s_.members.GetMember(call, owner.id).status().code(), Code::kNotFound);
  EXPECT_EQ(this->s_.members.DeleteMember(call, owner.id, 0, this->now_).code(), Code::kNotFound);
  EXPECT_EQ(this->s_.members.ListMembers(call, {"", 10})->size(), 1u);
  std::string other = this->NewWorkspace();
  EXPECT_EQ(this->s_.members.GetMember(this->In(other), moderator.id).status().code(), Code::kNotFound);
  EXPECT_TRUE(this->s_.members.ListMembers(this->In(other), {"", 10})->empty());
}

TYPED_TEST_P(StoreContract, KeysAreFoundWithTheirMembersRolesAndDieWithTheMember) {
  std::string workspace = this->NewWorkspace();
  Call call = this->In(workspace);
  Member owner = this->NewMember(workspace, {Role::kOwner}, "o@x.example");
  Member analyst = this->NewMember(workspace, {Role::kAnalyst}, "a@x.example");
  ApiKey key{this->ids_.New(), workspace, analyst.id, "tool", {Role::kAnalyst}, this->now_, this->now_ + absl::Hours(1),
             std::nullopt};
  const std::string hash("\0\xFF hash of 32 bytes ............", 32);
  Request request = this->ARequest("CreateApiKey");
  ASSERT_TRUE(this->s_.keys.InsertApiKey(call, key, hash, request).ok());
  ApiKey second = key;
  second.id = this->ids_.New();
  auto replay = this->s_.keys.InsertApiKey(call, second, hash, request);
  ASSERT_TRUE(replay.ok());
  EXPECT_TRUE(replay->replayed);
  EXPECT_EQ(replay->id, key.id);
  ApiKey nobodys = key;
  nobodys.id = this->ids_.New();
  nobodys.member_id = this->ids_.New();
  EXPECT_EQ(this->s_.keys.InsertApiKey(call, nobodys, hash, {}).status().code(), Code::kNotFound);

  auto found = this->s_.key_directory.FindKey(key.id);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->hash, hash);
  EXPECT_EQ((*found)->key.expire_time, key.expire_time);
  EXPECT_EQ((*found)->member_roles, std::set<Role>{Role::kAnalyst});
  EXPECT_FALSE((*found)->organization_id.empty());
  EXPECT_FALSE(this->s_.key_directory.FindKey(this->ids_.New())->has_value());

  absl::Time later = this->now_ + absl::Minutes(1);
  ASSERT_TRUE(this->s_.members.DeleteMember(call, analyst.id, 0, later).ok());
  found = this->s_.key_directory.FindKey(key.id);
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->key.revoke_time, later);
  EXPECT_TRUE((*found)->member_roles.empty());
  auto again = this->s_.keys.RevokeApiKey(call, key.id, later + absl::Minutes(1));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->revoke_time, later) << "the first revocation counts";
  std::string other = this->NewWorkspace();
  EXPECT_EQ(this->s_.keys.RevokeApiKey(this->In(other), key.id, later).status().code(), Code::kNotFound);
  EXPECT_EQ(this->s_.keys.ListApiKeys(call, {"", 10})->size(), 1u);
}

TYPED_TEST_P(StoreContract, ChannelsConnectOnceAndReviveAfterDisconnecting) {
  std::string workspace = this->NewWorkspace();
  Call call = this->In(workspace);
  Channel channel = this->AChannel(workspace, "111");
  Request request = this->ARequest("ConnectChannel");
  EXPECT_FALSE(this->s_.channels.FindConnected(call, request)->has_value());
  ASSERT_TRUE(this->s_.channels.Connect(call, channel, this->Token("t1"), request).ok());
  EXPECT_EQ(*this->s_.channels.FindConnected(call, request), channel.id);
  auto replay = this->s_.channels.Connect(call, this->AChannel(workspace, "111"), this->Token("t1"), request);
  ASSERT_TRUE(replay.ok()) << replay.status();
  EXPECT_TRUE(replay->replayed);
  Status twice = this->s_.channels.Connect(call, this->AChannel(workspace, "111"), this->Token("t2"), {}).status();
  EXPECT_EQ(ReasonOf(twice), "CHANNEL_ALREADY_CONNECTED");
  EXPECT_EQ(ToError(twice).metadata["name"], "workspaces/" + workspace + "/channels/" + channel.id);

  auto opened = this->s_.directory.OpenCredentials(call, channel.id);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->credentials.at("access_token").Reveal(), "t1");
  auto gone = this->s_.channels.Disconnect(call, channel.id, this->now_);
  ASSERT_TRUE(gone.ok()) << gone.status();
  EXPECT_EQ(gone->state, ChannelState::kDisconnected);
  EXPECT_TRUE(this->s_.channels.Disconnect(call, channel.id, this->now_).ok());
  EXPECT_EQ(ReasonOf(this->s_.directory.OpenCredentials(call, channel.id).status()), "CHANNEL_DISCONNECTED");
  EXPECT_EQ(ReasonOf(this->s_.channels.ReplaceCredentials(call, channel, this->Token("x")).status()),
            "CHANNEL_DISCONNECTED");

  auto revived = this->s_.channels.Connect(call, this->AChannel(workspace, "111"), this->Token("t3"),
                                           this->ARequest("ConnectChannel"));
  ASSERT_TRUE(revived.ok()) << revived.status();
  EXPECT_EQ(revived->id, channel.id);
  auto now = this->s_.channels.GetChannel(call, channel.id);
  EXPECT_EQ(now->state, ChannelState::kConnected);
  EXPECT_EQ(now->credentials_version, 2);
  EXPECT_EQ(this->s_.directory.OpenCredentials(call, channel.id)->credentials.at("access_token").Reveal(), "t3");
}

TYPED_TEST_P(StoreContract, BindingsCrossWorkspacesAndLeaveOutTheDisconnected) {
  std::string one = this->NewWorkspace(), two = this->NewWorkspace();
  Channel a = this->AChannel(one, "111"), b = this->AChannel(two, "111"), c = this->AChannel(two, "222"),
          d = this->AChannel(one, "333");
  for (const Channel* channel : {&a, &b, &c, &d}) {
    ASSERT_TRUE(this->s_.channels.Connect(this->In(channel->workspace_id), *channel, this->Token("t"), {}).ok());
  }
  ASSERT_TRUE(this->s_.channels.Disconnect(this->In(one), d.id, this->now_).ok());
  auto found = this->s_.directory.FindBindings(this->In(""), "facebook", {"111", "222", "333", "444"});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 3u);
  EXPECT_EQ((*found)[0].channel_id, a.id);
  EXPECT_EQ((*found)[1].channel_id, b.id);
  EXPECT_EQ((*found)[1].workspace_id, two);
  EXPECT_EQ((*found)[2].remote_id, "222");
  EXPECT_TRUE(this->s_.directory.FindBindings(this->In(""), "x", {"111"})->empty());
  auto first = this->s_.directory.ListBindings(this->In(""), {"", 2});
  ASSERT_EQ(first->size(), 2u);
  auto rest = this->s_.directory.ListBindings(this->In(""), {first->back().channel_id, 2});
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ(rest->front().channel_id, c.id);
  EXPECT_EQ(this->s_.channels.GetChannel(this->In(one), b.id).status().code(), Code::kNotFound);
  EXPECT_EQ(this->s_.directory.OpenCredentials(this->In(one), b.id).status().code(), Code::kNotFound);
  EXPECT_EQ(this->s_.channels.ListChannels(this->In(one), {"", 10})->size(), 2u);
}

TYPED_TEST_P(StoreContract, HealthReportsAboutReplacedCredentialsAreIgnored) {
  std::string workspace = this->NewWorkspace();
  Call call = this->In(workspace);
  Channel channel = this->AChannel(workspace, "111");
  ASSERT_TRUE(this->s_.channels.Connect(call, channel, this->Token("t1"), {}).ok());
  auto broken =
      this->s_.directory.SetHealth(call, channel.id, 1, ChannelState::kBroken, "TOKEN_EXPIRED", "expired", this->now_);
  ASSERT_TRUE(broken.ok()) << broken.status();
  EXPECT_EQ(*broken, ChannelState::kBroken);
  EXPECT_EQ(this->s_.channels.GetChannel(call, channel.id)->state_reason, "TOKEN_EXPIRED");
  auto fresh = this->s_.channels.ReplaceCredentials(call, channel, this->Token("t2"));
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  EXPECT_EQ(fresh->state, ChannelState::kConnected);
  EXPECT_EQ(fresh->credentials_version, 2);
  EXPECT_EQ(fresh->state_reason, "");
  auto late = this->s_.directory.SetHealth(call, channel.id, 1, ChannelState::kBroken, "TOKEN_EXPIRED", "", this->now_);
  EXPECT_EQ(*late, ChannelState::kConnected);
  std::string other = this->NewWorkspace();
  EXPECT_EQ(this->s_.directory.SetHealth(this->In(other), channel.id, 2, ChannelState::kBroken, "X", "", this->now_)
                .status()
                .code(),
            Code::kNotFound);
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract, CreationsAreOncePerRequest, WorkspacesAreSeenFromInsideOnly,
                            WorkspaceListIsPagedById, UpdatesNeedTheVersionTheySaw,
                            MembersHaveUniqueAddressesAndAnOwnerRemains,
                            KeysAreFoundWithTheirMembersRolesAndDieWithTheMember,
                            ChannelsConnectOnceAndReviveAfterDisconnecting,
                            BindingsCrossWorkspacesAndLeaveOutTheDisconnected,
                            HealthReportsAboutReplacedCredentialsAreIgnored);

}  // namespace parvis::accounts
