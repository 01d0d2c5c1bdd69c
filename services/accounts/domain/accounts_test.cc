// The use cases of accounts, on fakes.
#include <gtest/gtest.h>

#include "accounts/domain/fakes.h"
#include "accounts/domain/rules.h"
#include "accounts/domain/store_contract.h"

namespace parvis::accounts {
namespace {

struct FakeBackend {
  FakeStore store;
  Stores stores() { return {store, store, store, store, store, store, store, store}; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, StoreContract, FakeBackend);

std::vector<std::string> Fields(const Status& status) {
  std::vector<std::string> fields;
  for (const Violation& violation : ToError(status).violations) fields.push_back(violation.field);
  return fields;
}

class AccountsTest : public ::testing::Test {
 protected:
  AccountsTest() {
    operator_.principal.roles = {Role::kOperator};
    Organization organization = *tenants_.CreateOrganization(operator_, {"", "Acme", {}}, {});
    organization_ = organization.id;
    Workspace wanted;
    wanted.organization_id = organization_;
    wanted.display_name = "Brand";
    Workspace workspace = *tenants_.CreateWorkspace(operator_, wanted, {});
    call_.workspace_id = workspace.id;
    call_.principal = {.workspace_id = workspace.id,
                       .organization_id = organization_,
                       .member_id = "",
                       .key_id = "",
                       .service = "",
                       .roles = {Role::kOwner}};
    call_.deadline = clock_.Now() + absl::Seconds(5);
    networks_.tokens["good"] = {"111", "Acme Page", "acme", "https://facebook.example/acme"};
    networks_.tokens["other"] = {"222", "Other Page", "other", ""};
  }
  Member AMember(std::set<Role> roles = {Role::kManager}, const std::string& email = "zoe@acme.example") {
    Member wanted;
    wanted.display_name = "Zoé";
    wanted.email = email;
    wanted.roles = std::move(roles);
    auto made = members_.CreateMember(call_, wanted, {});
    EXPECT_TRUE(made.ok()) << made.status();
    return *made;
  }
  ApiKey AKeyFor(const Member& member, std::set<Role> roles = {}) {
    ApiKey wanted;
    wanted.member_id = member.id;
    wanted.display_name = "tool";
    wanted.roles = std::move(roles);
    return wanted;
  }
  ConnectRequest AConnect(const std::string& token) { return {"facebook", "", "", {{"access_token", Secret(token)}}}; }

  FakeClock clock_;
  Ids ids_{clock_, 7};
  FakeStore store_;
  FakeNetworks networks_;
  KeyHash hash_ = [](const Secret& secret) { return "hash of " + secret.Reveal(); };
  Tenants tenants_{store_, ids_, clock_};
  Members members_{store_, ids_, clock_};
  ApiKeys keys_{store_, store_, hash_, ids_, clock_};
  Authentication authentication_{store_, hash_, Secret("operator-key"), clock_};
  FakeSignIns gate_;
  Channels channels_{store_, networks_, gate_, ids_, clock_};
  Directory directory_{store_, clock_};
  Call operator_ = BackgroundCall("test");
  Call call_ = BackgroundCall("test");
  std::string organization_;
};

TEST_F(AccountsTest, ListsEverythingThatIsWrongWithAMember) {
  Member wanted;
  wanted.display_name = "  ";
  wanted.email = "not an address";
  EXPECT_EQ(Fields(members_.CreateMember(call_, wanted, {}).status()),
            (std::vector<std::string>{"member.display_name", "member.email", "member.roles"}));
  wanted.display_name = std::string(201, 'a');
  wanted.email = "a@b";
  wanted.roles = {Role::kOperator};
  EXPECT_EQ(Fields(members_.CreateMember(call_, wanted, {}).status()),
            (std::vector<std::string>{"member.display_name", "member.roles"}));
  wanted.display_name = std::string(199, 'a') + "é";  // 200 characters, 201 bytes
  wanted.roles = {Role::kOwner};
  EXPECT_TRUE(members_.CreateMember(call_, wanted, {}).ok());
}

TEST_F(AccountsTest, TimeZonesAreNamesAndNeverPaths) {
  for (const char* bad :
       {"", "Mars/Olympus", "/etc/passwd", "../etc/passwd", "file:/etc/passwd", "localtime", "Europe"}) {
    std::vector<Violation> violations;
    CheckTimeZone("time_zone", bad, violations);
    EXPECT_EQ(violations.size(), 1u) << bad;
  }
  for (const char* good : {"UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+5"}) {
    std::vector<Violation> violations;
    CheckTimeZone("time_zone", good, violations);
    EXPECT_TRUE(violations.empty()) << good;
  }
}

TEST_F(AccountsTest, AnOwnerMakesWorkspacesInTheOwnOrganizationOnly) {
  Workspace wanted;
  wanted.display_name = "Second";
  wanted.organization_id = organization_;
  auto made = tenants_.CreateWorkspace(call_, wanted, {});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->time_zone, "UTC");
  wanted.organization_id = ids_.New();
  EXPECT_EQ(ReasonOf(tenants_.CreateWorkspace(call_, wanted, {}).status()), "ANOTHER_ORGANIZATION");
  EXPECT_EQ(ReasonOf(tenants_.ListWorkspaces(call_, wanted.organization_id, {}).status()), "ANOTHER_ORGANIZATION");
  EXPECT_EQ(tenants_.ListWorkspaces(call_, organization_, {})->size(), 2u);
}

TEST_F(AccountsTest, AKeyIsShownOnceAndAuthenticates) {
  Member member = AMember({Role::kManager});
  Request request{ids_.New(), "CreateApiKey", "f"};
  auto made = keys_.CreateApiKey(call_, AKeyFor(member), request);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->key.roles, std::set<Role>{Role::kManager});
  auto principal = authentication_.Authenticate(made->secret.Reveal());
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->workspace_id, call_.workspace_id);
  EXPECT_EQ(principal->organization_id, organization_);
  EXPECT_EQ(principal->member_id, member.id);
  EXPECT_EQ(principal->key_id, made->key.id);
  EXPECT_TRUE(principal->Has(Role::kAnalyst));
  EXPECT_FALSE(principal->Has(Role::kOwner));

  Status again = keys_.CreateApiKey(call_, AKeyFor(member), request).status();
  EXPECT_EQ(ReasonOf(again), "KEY_ALREADY_CREATED");
  EXPECT_EQ(ToError(again).metadata["name"], "workspaces/" + call_.workspace_id + "/apiKeys/" + made->key.id);
}

TEST_F(AccountsTest, KeysOfWrongFormOrSecretAreUnknown) {
  Member member = AMember();
  std::string token = keys_.CreateApiKey(call_, AKeyFor(member), {})->secret.Reveal();
  std::string wrong = token;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  for (const std::string& bad :
       {std::string(), std::string("pv_"), std::string("x"), wrong, token + "0", token.substr(1),
        std::string(100, '\0'), "pv_" + std::string(32, '0') + "_" + std::string(64, '0'), std::string(1 << 16, 'a'),
        std::string("operator-ke")}) {
    EXPECT_EQ(ReasonOf(authentication_.Authenticate(bad).status()), "TOKEN_UNKNOWN");
  }
  EXPECT_TRUE(authentication_.Authenticate(token).ok());
  auto principal = authentication_.Authenticate("operator-key");
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ(principal->roles, std::set<Role>{Role::kOperator});
  EXPECT_EQ(principal->workspace_id, "");
  Authentication without(store_, hash_, Secret(), clock_);
  EXPECT_FALSE(without.Authenticate("").ok()) << "no operator key must not mean that an empty token is one";
}

TEST_F(AccountsTest, KeysExpireAreRevokedAndLoseTheRolesOfTheirMember) {
  AMember({Role::kOwner}, "owner@acme.example");
  Member member = AMember({Role::kManager, Role::kApprover});
  EXPECT_EQ(ReasonOf(keys_.CreateApiKey(call_, AKeyFor(member, {Role::kOwner}), {}).status()), "ROLE_NOT_HELD");
  ApiKey expiring = AKeyFor(member, {Role::kModerator, Role::kApprover});
  expiring.expire_time = clock_.WallNow();
  EXPECT_EQ(Fields(keys_.CreateApiKey(call_, expiring, {}).status()), std::vector<std::string>{"api_key.expire_time"});
  expiring.expire_time = clock_.WallNow() + absl::Hours(1);
  NewApiKey made = *keys_.CreateApiKey(call_, expiring, {});

  ASSERT_TRUE(
      members_
          .UpdateMember(call_, member.id,
                        {.display_name = {}, .email = {}, .roles = std::set<Role>{Role::kAnalyst, Role::kApprover}})
          .ok());
  EXPECT_EQ(authentication_.Authenticate(made.secret.Reveal())->roles, std::set<Role>{Role::kApprover});
  ASSERT_TRUE(
      members_
          .UpdateMember(call_, member.id, {.display_name = {}, .email = {}, .roles = std::set<Role>{Role::kAnalyst}})
          .ok());
  EXPECT_EQ(ReasonOf(authentication_.Authenticate(made.secret.Reveal()).status()), "TOKEN_REVOKED");

  NewApiKey analyst = *keys_.CreateApiKey(call_, AKeyFor(member, {Role::kAnalyst}), {});
  ASSERT_TRUE(keys_.RevokeApiKey(call_, analyst.key.id).ok());
  EXPECT_EQ(ReasonOf(authentication_.Authenticate(analyst.secret.Reveal()).status()), "TOKEN_REVOKED");
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(ReasonOf(authentication_.Authenticate(made.secret.Reveal()).status()), "TOKEN_EXPIRED");
}

TEST_F(AccountsTest, ConnectsAfterAskingTheNetwork) {
  Request request{ids_.New(), "ConnectChannel", "f"};
  auto channel = channels_.ConnectChannel(call_, AConnect("good"), request);
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_EQ(channel->remote_id, "111");
  EXPECT_EQ(channel->display_name, "Acme Page");
  EXPECT_EQ(channel->base_url, "https://graph.example/v23.0");
  EXPECT_EQ(channel->state, ChannelState::kConnected);
  EXPECT_EQ(networks_.asked, 1);
  networks_.tokens.clear();  // the same request again needs no network any more
  auto again = channels_.ConnectChannel(call_, AConnect("good"), request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->id, channel->id);
  EXPECT_EQ(networks_.asked, 1);
}

TEST_F(AccountsTest, ARefusedTokenLeavesNothingBehind) {
  Status refused = channels_.ConnectChannel(call_, AConnect("expired"), {}).status();
  EXPECT_EQ(refused.code(), Code::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), "CREDENTIALS_REFUSED");
  EXPECT_EQ(ToError(refused).metadata["network_reason"], "TOKEN_EXPIRED");
  EXPECT_EQ(ToError(refused).message.find("expired\""), std::string::npos);
  networks_.failure = MakeError(Code::kUnavailable, "CONNECT_FAILED", "no route");
  EXPECT_EQ(ReasonOf(channels_.ConnectChannel(call_, AConnect("good"), {}).status()), "CONNECT_FAILED");
  networks_.failure.reset();
  networks_.tokens["nobody"] = {};
  EXPECT_EQ(ReasonOf(channels_.ConnectChannel(call_, AConnect("nobody"), {}).status()), "NETWORK_ANSWER");
  EXPECT_EQ(store_.stored_channels(), 0);
}

TEST_F(AccountsTest, ConnectListsEverythingThatIsWrong) {
  EXPECT_EQ(ReasonOf(channels_.ConnectChannel(call_, {"myspace", "", "", {}}, {}).status()), "NETWORK_UNKNOWN");
  ConnectRequest blog{
      "wordpress", "ftp://blog.example", "", {{"username", Secret("")}, {"secret-as-name", Secret("x")}}};
  Status status = channels_.ConnectChannel(call_, blog, {}).status();
  EXPECT_EQ(Fields(status), (std::vector<std::string>{"credentials[username]", "credentials[application_password]",
                                                      "credentials", "site_url"}));
  EXPECT_EQ(ToError(status).message.find("secret-as-name"), std::string::npos);
  ConnectRequest page = AConnect("good");
  page.site_url = "https://evil.example";
  EXPECT_EQ(Fields(channels_.ConnectChannel(call_, page, {}).status()), std::vector<std::string>{"site_url"});
  EXPECT_EQ(networks_.asked, 0);
}

TEST_F(AccountsTest, SiteAddressesAreChecked) {
  for (const char* bad :
       {"", "blog.example", "https://", "https:///x", "https://user@blog.example", "https://b.example/?a",
        "https://b.example/#a", "https://b .example", "javascript:alert(1)"}) {
    std::vector<Violation> violations;
    CheckSiteUrl("site_url", bad, violations);
    EXPECT_EQ(violations.size(), 1u) << bad;
  }
  networks_.tokens["password"] = {"https://blog.example/fr", "Blog", "", ""};
  ConnectRequest blog{"wordpress",
                      "https://blog.example/fr//",
                      "My blog",
                      {{"username", Secret("u")}, {"application_password", Secret("password")}}};
  auto channel = channels_.ConnectChannel(call_, blog, {});
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_EQ(networks_.last_base_url, "https://blog.example/fr");
  EXPECT_EQ(channel->display_name, "My blog");
}

TEST_F(AccountsTest, ReconnectingAnotherAccountIsRefused) {
  Channel channel = *channels_.ConnectChannel(call_, AConnect("good"), {});
  auto other = channels_.UpdateChannelCredentials(call_, channel.id, AConnect("other").credentials);
  EXPECT_EQ(ReasonOf(other.status()), "ANOTHER_ACCOUNT");
  networks_.tokens["newer"] = networks_.tokens["good"];
  ASSERT_TRUE(directory_.ReportHealth(call_, {channel.id, 1, true, "TOKEN_EXPIRED", "expired"}).ok());
  auto fresh = channels_.UpdateChannelCredentials(call_, channel.id, AConnect("newer").credentials);
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  EXPECT_EQ(fresh->state, ChannelState::kConnected);
  EXPECT_EQ(directory_.GetChannelCredentials(call_, channel.id)->credentials.at("access_token").Reveal(), "newer");
}

TEST_F(AccountsTest, TheDirectoryChecksWhatItIsAsked) {
  EXPECT_EQ(Fields(directory_.FindChannels(call_, "", {}).status()),
            (std::vector<std::string>{"network", "remote_ids"}));
  EXPECT_FALSE(directory_.FindChannels(call_, "x", std::vector<std::string>(501, "1")).ok());
  EXPECT_FALSE(directory_.FindChannels(call_, "x", {std::string("a\0b", 3)}).ok());
  EXPECT_FALSE(directory_.ReportHealth(call_, {ids_.New(), 1, true, "lower case", ""}).ok());
  Channel channel = *channels_.ConnectChannel(call_, AConnect("good"), {});
  std::string text;
  for (int i = 0; i < 400; ++i) text += "é";
  ASSERT_TRUE(directory_.ReportHealth(call_, {channel.id, 1, true, "TOKEN_EXPIRED", text}).ok());
  EXPECT_EQ(channels_.GetChannel(call_, channel.id)->state_message.size(), 500u);
}

TEST_F(AccountsTest, ResealGoesOnUntilNothingIsLeftOrTheDeadlineComes) {
  store_.unsealed = 250;
  EXPECT_EQ(*directory_.ResealCredentials(call_), 250);
  store_.unsealed = 250;
  clock_.Advance(absl::Seconds(6));
  EXPECT_EQ(ReasonOf(directory_.ResealCredentials(call_).status()), "RESEAL_UNFINISHED");
}

}  // namespace
}  // namespace parvis::accounts
