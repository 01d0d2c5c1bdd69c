// Signing in: to whom a state belongs, how often it is good, and whose account it brings.
#include "accounts/domain/sign_in.h"

#include <gtest/gtest.h>

#include "accounts/domain/fakes.h"

namespace parvis::accounts {
namespace {

SignInGate::Account AnAccount(const std::string& remote_id, const std::string& name, const std::string& token,
                              std::optional<absl::Time> expires = std::nullopt) {
  return {{remote_id, name, "handle-" + remote_id, ""},
          {{{"access_token", Secret(token)}, {"refresh_token", Secret("r-" + token)}}, expires, expires.has_value()}};
}

class SignInTest : public ::testing::Test {
 protected:
  SignInTest() {
    Call call = BackgroundCall("test");
    EXPECT_TRUE(store_.InsertOrganization(call, {organization_, "Acme", clock_.WallNow()}, {}).ok());
    Workspace workspace{workspace_, organization_, "Brand", "UTC", 1, clock_.WallNow(), clock_.WallNow()};
    EXPECT_TRUE(store_.InsertWorkspace(call, workspace, {}).ok());
    gate_.codes["acme"] = {AnAccount("111", "Acme", "t1", clock_.WallNow() + absl::Hours(2))};
    gate_.codes["other"] = {AnAccount("222", "Other", "t2")};
    gate_.codes["both"] = {AnAccount("222", "Other", "t2"), AnAccount("111", "Acme", "t3")};
  }
  Call CallOf(const std::string& member, const std::string& key) {
    Call call = BackgroundCall("test", workspace_);
    call.principal = {workspace_, organization_, member, key, "", {Role::kManager}};
    return call;
  }
  std::string Begin(const SignInRequest& wanted) {
    auto begun = sign_ins_.BeginSignIn(me_, wanted);
    EXPECT_TRUE(begun.ok()) << begun.status();
    return gate_.last_state;
  }
  StatusOr<Channel> Complete(const std::string& state, const std::string& code) {
    return sign_ins_.CompleteSignIn(me_, Secret(state), Secret(code));
  }
  static SignInRequest Facebook() { return {"facebook", "", "", "", ""}; }

  FakeClock clock_;
  Ids ids_{clock_, 7};
  FakeStore store_;
  FakeNetworks networks_;
  FakeSignIns gate_;
  KeyHash hash_ = [](const Secret& secret) { return "hash of " + secret.Reveal().substr(0, 60); };
  SignIns sign_ins_{store_, store_, networks_, gate_, hash_, "https://parvis.example/v1/signin/callback", ids_, clock_};
  Directory directory_{store_, clock_};
  const std::string organization_ = ids_.New(), workspace_ = ids_.New();
  const Call me_ = CallOf("member", "key");
};

TEST_F(SignInTest, ConnectsAChannelAndPlansItsRefresh) {
  auto begun = sign_ins_.BeginSignIn(me_, Facebook());
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_EQ(begun->authorization_url, "https://facebook.example/authorize?state=" + gate_.last_state);
  EXPECT_EQ(gate_.last_state.size(), 64u) << "256 bits";
  EXPECT_EQ(begun->expire_time, clock_.WallNow() + absl::Minutes(10));
  auto channel = Complete(gate_.last_state, "acme");
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_EQ(channel->remote_id, "111");
  EXPECT_EQ(channel->display_name, "Acme");
  EXPECT_EQ(channel->base_url, "https://graph.example/v23.0");
  EXPECT_EQ(channel->credentials_expire_time, clock_.WallNow() + absl::Hours(2));
  EXPECT_GE(*channel->refresh_time, clock_.WallNow() + absl::Minutes(84));
  EXPECT_LE(*channel->refresh_time, clock_.WallNow() + absl::Minutes(96));
  const auto opened = directory_.GetChannelCredentials(me_, channel->id);
  EXPECT_EQ(opened->credentials.at("access_token").Reveal(), "t1");
  EXPECT_EQ(opened->credentials.count("refresh_token"), 0u) << "it never leaves accounts";
}

TEST_F(SignInTest, AStateIsGoodOnceForTenMinutesAndForWhomItWasMade) {
  const std::string state = Begin(Facebook());
  for (const Call& another : {CallOf("another", "key"), CallOf("member", "another"), CallOf("", "")}) {
    EXPECT_EQ(ReasonOf(sign_ins_.CompleteSignIn(another, Secret(state), Secret("acme")).status()), "SIGN_IN_UNKNOWN");
  }
  Call elsewhere = CallOf("member", "key");
  elsewhere.workspace_id = ids_.New();
  EXPECT_EQ(ReasonOf(sign_ins_.CompleteSignIn(elsewhere, Secret(state), Secret("acme")).status()), "SIGN_IN_UNKNOWN");
  EXPECT_EQ(ReasonOf(Complete("another state", "acme").status()), "SIGN_IN_UNKNOWN");
  EXPECT_TRUE(Complete(state, "acme").ok()) << "nobody else has used it up";
  EXPECT_EQ(ReasonOf(Complete(state, "acme").status()), "SIGN_IN_UNKNOWN") << "once";
  const std::string late = Begin(Facebook());
  clock_.Advance(absl::Minutes(10));
  EXPECT_EQ(ReasonOf(Complete(late, "other").status()), "SIGN_IN_UNKNOWN");
  EXPECT_EQ(sign_ins_.BeginSignIn(CallOf("", ""), Facebook()).status().code(), Code::kPermissionDenied);
  EXPECT_FALSE(Complete("", "").ok());
}

TEST_F(SignInTest, ACodeThatTheNetworkRefusesUsesTheStateUp) {
  const std::string state = Begin(Facebook());
  const Status refused = Complete(state, "stolen").status();
  EXPECT_EQ(ReasonOf(refused), "SIGN_IN_REFUSED");
  EXPECT_EQ(refused.code(), Code::kFailedPrecondition);
  EXPECT_EQ(ToError(refused).metadata["network_reason"], "TOKEN_EXPIRED");
  EXPECT_EQ(refused.ToString().find("stolen"), std::string::npos);
  EXPECT_EQ(refused.ToString().find(state), std::string::npos);
  EXPECT_EQ(ReasonOf(Complete(state, "acme").status()), "SIGN_IN_UNKNOWN");
  EXPECT_EQ(store_.stored_channels(), 0);
}

TEST_F(SignInTest, ReconnectingTakesTheSameAccountOnlyAndLosesNothing) {
  Channel before = *Complete(Begin(Facebook()), "acme");
  ASSERT_TRUE(directory_.ReportHealth(me_, {before.id, 1, true, "TOKEN_EXPIRED", "expired"}).ok());
  const SignInRequest again{"", "", "", before.id, ""};
  const Status wrong = Complete(Begin(again), "other").status();
  EXPECT_EQ(wrong.code(), Code::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(wrong), "WRONG_ACCOUNT");
  EXPECT_NE(wrong.message().find("Acme (111)"), std::string::npos) << wrong;
  EXPECT_NE(wrong.message().find("Other (222)"), std::string::npos) << wrong;
  EXPECT_EQ(store_.GetChannel(me_, before.id)->state, ChannelState::kBroken) << "as it was";
  EXPECT_EQ(directory_.GetChannelCredentials(me_, before.id)->credentials.at("access_token").Reveal(), "t1");

  auto after = Complete(Begin(again), "both");
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->id, before.id);
  EXPECT_EQ(after->remote_id, "111");
  EXPECT_EQ(after->display_name, before.display_name);
  EXPECT_EQ(after->create_time, before.create_time);
  EXPECT_EQ(after->state, ChannelState::kConnected);
  EXPECT_EQ(after->credentials_version, before.credentials_version + 1);
  EXPECT_FALSE(after->refresh_time.has_value()) << "the new token does not expire";
  EXPECT_EQ(directory_.GetChannelCredentials(me_, before.id)->credentials.at("access_token").Reveal(), "t3");
  EXPECT_EQ(store_.stored_channels(), 1);

  ASSERT_TRUE(store_.Disconnect(me_, before.id, clock_.WallNow()).ok());
  auto revived = Complete(Begin(again), "acme");
  ASSERT_TRUE(revived.ok()) << revived.status();
  EXPECT_EQ(revived->id, before.id);
  EXPECT_EQ(revived->state, ChannelState::kConnected);
}

TEST_F(SignInTest, OneOfSeveralAccountsIsNamedAtTheBeginning) {
  const Status choice = Complete(Begin(Facebook()), "both").status();
  EXPECT_EQ(ReasonOf(choice), "ACCOUNT_CHOICE");
  EXPECT_EQ(ToError(choice).metadata["accounts"], "Other (222), Acme (111)");
  EXPECT_EQ(store_.stored_channels(), 0);
  SignInRequest named = Facebook();
  named.remote_id = "222";
  EXPECT_EQ(ReasonOf(Complete(Begin(named), "acme").status()), "WRONG_ACCOUNT");
  auto channel = Complete(Begin(named), "both");
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_EQ(channel->remote_id, "222");
  EXPECT_EQ(ReasonOf(Complete(Begin(named), "both").status()), "CHANNEL_ALREADY_CONNECTED");
}

TEST_F(SignInTest, WhatCannotBeBegunIsSaid) {
  EXPECT_EQ(ReasonOf(sign_ins_.BeginSignIn(me_, {"myspace", "", "", "", ""}).status()), "NETWORK_UNKNOWN");
  EXPECT_EQ(ReasonOf(sign_ins_.BeginSignIn(me_, {"wordpress", "https://b.example", "", "", ""}).status()),
            "NOT_POSSIBLE");
  EXPECT_EQ(ToError(sign_ins_.BeginSignIn(me_, {"facebook", "https://evil.example", "\n", "", ""}).status())
                .violations.size(),
            2u);
  EXPECT_EQ(sign_ins_.BeginSignIn(me_, {"", "", "", ids_.New(), ""}).status().code(), Code::kNotFound);
  Channel channel = *Complete(Begin(Facebook()), "acme");
  EXPECT_EQ(ToError(sign_ins_.BeginSignIn(me_, {"facebook", "", "", channel.id, "222"}).status()).violations.size(),
            2u);
  SignIns nowhere(store_, store_, networks_, gate_, hash_, "", ids_, clock_);
  EXPECT_EQ(ReasonOf(nowhere.BeginSignIn(me_, Facebook()).status()), "SIGN_IN_NOT_CONFIGURED");
  for (int i = 0; i < 20; ++i) Begin(Facebook());
  EXPECT_EQ(ReasonOf(sign_ins_.BeginSignIn(me_, Facebook()).status()), "TOO_MANY_SIGN_INS");
  clock_.Advance(absl::Minutes(11));
  EXPECT_TRUE(sign_ins_.BeginSignIn(me_, Facebook()).ok());
}

TEST_F(SignInTest, APasswordOpensASession) {
  Channels channels(store_, networks_, gate_, ids_, clock_);
  gate_.sessions["abcd"] = {{{"access_token", Secret("jwt")},
                             {"application_password", Secret("jwt")},
                             {"refresh_token", Secret("r")},
                             {"identifier", Secret("acme")},
                             {"app_password", Secret("abcd")}},
                            clock_.WallNow() + absl::Hours(2),
                            true};
  networks_.tokens["jwt"] = {"did:1", "Acme", "acme", ""};
  ConnectRequest wanted{
      "wordpress", "https://pds.example", "", {{"identifier", Secret("acme")}, {"app_password", Secret("no")}}};
  EXPECT_EQ(ReasonOf(channels.ConnectChannel(me_, wanted, {}).status()), "CREDENTIALS_REFUSED");
  wanted.credentials["app_password"] = Secret("abcd");
  auto channel = channels.ConnectChannel(me_, wanted, {});
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_TRUE(channel->refresh_time.has_value());
  const auto opened = directory_.GetChannelCredentials(me_, channel->id);
  EXPECT_EQ(opened->credentials.at("access_token").Reveal(), "jwt");
  for (const char* kept : {"refresh_token", "identifier", "app_password"}) {
    EXPECT_EQ(opened->credentials.count(kept), 0u) << kept;
  }
  EXPECT_EQ(store_.OpenCredentials(me_, channel->id)->credentials.count("app_password"), 1u);
  wanted.credentials.erase("identifier");
  EXPECT_EQ(ToError(channels.ConnectChannel(me_, wanted, {}).status()).violations.at(0).field,
            "credentials[identifier]");
}

}  // namespace
}  // namespace parvis::accounts
