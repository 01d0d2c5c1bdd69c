// The whole of a sign-in and of a refresh, from the use case to a network's socket: what is sent, and that nothing of
// it is ever logged, counted or told.
#include "accounts/network/sign_in_gate.h"

#include <gtest/gtest.h>

#include "accounts/domain/fakes.h"
#include "networks/testing/scripted_network.h"
#include "platform/obs/log.h"

namespace parvis::accounts {
namespace {

const char kRedirect[] = "https://parvis.example/v1/signin/callback";

// X at the scripted network's address.
class OneNetwork : public NetworkGate {
 public:
  explicit OneNetwork(std::string base_url) : base_url_(std::move(base_url)) {}
  std::optional<Network> Find(const std::string&) const override { return Network{{"access_token"}, base_url_}; }
  std::vector<std::string> Names() const override { return {"x"}; }
  StatusOr<Identity> WhoAmI(const Call&, const std::string&, const std::string&, const CredentialFields&) override {
    return Identity();
  }

 private:
  const std::string base_url_;
};

class SignInGateTest : public ::testing::Test {
 protected:
  SignInGateTest() {
    obs::SetLogSink([this](std::string_view line) { log_ += line; });
    Call call = BackgroundCall("test");
    EXPECT_TRUE(store_.InsertOrganization(call, {organization_, "Acme", clock_.WallNow()}, {}).ok());
    Workspace workspace{workspace_, organization_, "Brand", "UTC", 1, clock_.WallNow(), clock_.WallNow()};
    EXPECT_TRUE(store_.InsertWorkspace(call, workspace, {}).ok());
    me_ = network_.call();
    me_.workspace_id = workspace_;
    me_.principal = {workspace_, organization_, "member", "key", "", {Role::kManager}};
  }
  ~SignInGateTest() override { obs::SetLogSink(nullptr); }
  std::map<std::string, std::string> Begin() {
    auto begun = sign_ins_.BeginSignIn(me_, {"x", "", "", "", ""});
    EXPECT_TRUE(begun.ok()) << begun.status();
    return begun.ok() ? net::ParseQuery(begun->authorization_url.substr(begun->authorization_url.find('?') + 1))
                      : std::map<std::string, std::string>();
  }
  void Round() {
    Refreshes rounds(
        store_, gate_, {}, "holder", clock_, [](absl::Duration) { return true; }, RefreshReporter(metrics_));
    EXPECT_EQ(*rounds.Round(), 1);
  }
  void ExpectNowhere(const std::string& secret) {
    EXPECT_EQ(log_.find(secret), std::string::npos) << secret;
    EXPECT_EQ(told_.find(secret), std::string::npos) << secret;
    EXPECT_EQ(metrics_.Expose().find(secret), std::string::npos) << secret;
    const auto channels = store_.ListChannels(me_, {"", 100});
    for (const Channel& channel : *channels) EXPECT_EQ(channel.state_message.find(secret), std::string::npos) << secret;
  }

  networks::ScriptedNetwork network_;
  RealClock clock_;
  Ids ids_{clock_};
  obs::Metrics metrics_;
  FakeStore store_;
  OneNetwork networks_{network_.url()};
  NetworkSignIns gate_{networks::MakeSignIns(network_.client(), network_.clock(), network_.connectors()),
                       {{"x", {"the-client", Secret("the-client-secret")}}},
                       {{"x", network_.url()}}};
  KeyHash hash_ = [](const Secret& secret) { return "hash of " + secret.Reveal(); };
  SignIns sign_ins_{store_, store_, networks_, gate_, hash_, kRedirect, ids_, clock_};
  const std::string organization_ = ids_.New(), workspace_ = ids_.New();
  Call me_;
  std::string log_, told_;
};

TEST_F(SignInGateTest, FromTheBeginningToTheSecondRefresh) {
  auto asked = Begin();
  EXPECT_EQ(asked["redirect_uri"], kRedirect);
  network_.Next(200, R"({"access_token":"access-one","refresh_token":"refresh-one","expires_in":1})");
  network_.Next(200, R"({"data":{"id":"111","name":"Acme","username":"acme"}})");
  auto channel = sign_ins_.CompleteSignIn(me_, Secret(asked["state"]), Secret("the-code"));
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_EQ(channel->remote_id, "111");
  auto sent = network_.Taken();
  ASSERT_EQ(sent.size(), 2u);
  auto form = net::ParseQuery(sent[0].body);
  const std::string verifier = form["code_verifier"];
  EXPECT_EQ(asked["code_challenge"], networks::CodeChallenge(Secret(verifier))) << "the one that was announced";
  EXPECT_EQ(form["redirect_uri"], kRedirect);
  EXPECT_EQ(sent[1].headers.at("Authorization"), "Bearer access-one");

  Channel due = *channel;
  due.refresh_time = clock_.WallNow();
  ASSERT_TRUE(store_.ReplaceCredentials(me_, due, store_.OpenCredentials(me_, due.id)->credentials).ok());
  network_.Next(200, R"({"access_token":"access-two","refresh_token":"refresh-two","expires_in":7200})");
  Round();
  EXPECT_EQ(net::ParseQuery(network_.Taken().at(0).body).at("refresh_token"), "refresh-one");
  EXPECT_EQ(store_.OpenCredentials(me_, due.id)->credentials.at("refresh_token").Reveal(), "refresh-two");
  EXPECT_EQ(store_.GetChannel(me_, due.id)->state, ChannelState::kConnected);

  ASSERT_TRUE(store_.ReplaceCredentials(me_, due, store_.OpenCredentials(me_, due.id)->credentials).ok());
  network_.Next(400, R"({"error":"invalid_request","error_description":"refresh-two: the token was invalid."})");
  Round();
  EXPECT_EQ(store_.GetChannel(me_, due.id)->state_reason, kSignInAgain);
  EXPECT_NE(log_.find("sign_in_again"), std::string::npos) << log_;
  EXPECT_NE(metrics_.Expose().find("parvis_accounts_refreshes_total"), std::string::npos);
  for (const std::string& secret :
       {std::string("access-one"), std::string("access-two"), std::string("refresh-one"), std::string("refresh-two"),
        std::string("the-code"), verifier, asked["state"], std::string("the-client-secret")}) {
    ExpectNowhere(secret);
  }
}

TEST_F(SignInGateTest, ATimeoutAfterSendingBreaksAChannelWhoseTokenIsGoodOnce) {
  network_.Next(200, R"({"access_token":"access-one","refresh_token":"refresh-one","expires_in":7200})");
  network_.Next(200, R"({"data":{"id":"111","name":"Acme","username":"acme"}})");
  auto channel = sign_ins_.CompleteSignIn(me_, Secret(Begin()["state"]), Secret("the-code"));
  ASSERT_TRUE(channel.ok()) << channel.status();
  channel->refresh_time = clock_.WallNow();
  ASSERT_TRUE(store_.ReplaceCredentials(me_, *channel, store_.OpenCredentials(me_, channel->id)->credentials).ok());
  network_.Taken();
  network_.NextReset();
  Round();
  EXPECT_EQ(network_.Taken().size(), 1u);
  EXPECT_EQ(store_.GetChannel(me_, channel->id)->state_reason, kRefreshUnclear);
  ExpectNowhere("refresh-one");
}

TEST_F(SignInGateTest, RefusedSignInsTellNothing) {
  auto asked = Begin();
  network_.Next(400, R"({"error":"invalid_request","error_description":"the-code the-client-secret"})");
  const Status refused = sign_ins_.CompleteSignIn(me_, Secret(asked["state"]), Secret("the-code")).status();
  EXPECT_EQ(ReasonOf(refused), "SIGN_IN_REFUSED");
  told_ = refused.ToString();
  ExpectNowhere(net::ParseQuery(network_.Taken().at(0).body).at("code_verifier"));
  for (const char* secret : {"the-code", "the-client-secret"}) ExpectNowhere(secret);
  ExpectNowhere(asked["state"]);
}

TEST_F(SignInGateTest, WhatTheConfigurationNamesMustExist) {
  EXPECT_TRUE(gate_.Check().ok());
  NetworkSignIns wrong(networks::MakeSignIns(network_.client(), network_.clock(), network_.connectors()),
                       {{"wordpress", {"id", Secret()}}}, {{"wordpress", "https://b.example"}});
  EXPECT_EQ(ReasonOf(wrong.Check()), "NETWORK_UNKNOWN");
  EXPECT_EQ(ReasonOf(ReadApps({}, {{"x", "/file"}}).status()), "SIGN_IN_APPS");
  EXPECT_EQ(ReasonOf(ReadApps({{"x", "id"}}, {{"x", "/nonexistent"}}).status()), "SECRET_FILE_UNREADABLE");
  EXPECT_EQ(ReadApps({{"x", "id"}}, {})->at("x").client_id, "id");
  NetworkSignIns without(networks::MakeSignIns(network_.client(), network_.clock(), network_.connectors()), {}, {});
  NetworkSignIns nowhere(networks::MakeSignIns(network_.client(), network_.clock(), network_.connectors()),
                         {{"x", {"id", Secret("s")}}}, {});
  EXPECT_EQ(ReasonOf(nowhere.Check()), "NETWORK_UNKNOWN");
  EXPECT_EQ(nowhere.Refresh(me_, "x", network_.url(), {{"refresh_token", Secret("r")}}).end, SignInGate::End::kNotDone);
  EXPECT_TRUE(network_.Taken().empty()) << "an app's secret goes to no address that a tenant chose";
  SignIns none(store_, store_, networks_, without, hash_, kRedirect, ids_, clock_);
  EXPECT_EQ(ReasonOf(none.BeginSignIn(me_, {"x", "", "", "", ""}).status()), "SIGN_IN_NOT_CONFIGURED");
}

}  // namespace
}  // namespace parvis::accounts
