// Refreshing ahead of expiry: once by many, never in the dark, and what is unclear is said.
#include "accounts/domain/refresh.h"

#include <gtest/gtest.h>

#include <set>

#include "accounts/domain/fakes.h"
#include "accounts/domain/refresher.h"
#include "accounts/domain/sign_in_contract.h"
#include "platform/testing/wait.h"

namespace parvis::accounts {
namespace {

struct FakeBackend {
  FakeStore store;
  Stores stores() { return {store, store, store, store, store, store, store, store}; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, SignInContract, FakeBackend);

using End = SignInGate::End;

class RefreshTest : public ::testing::Test {
 protected:
  RefreshTest() {
    Call call = BackgroundCall("test");
    EXPECT_TRUE(store_.InsertOrganization(call, {organization_, "Acme", clock_.WallNow()}, {}).ok());
    Workspace workspace{workspace_, organization_, "Brand", "UTC", 1, clock_.WallNow(), clock_.WallNow()};
    EXPECT_TRUE(store_.InsertWorkspace(call, workspace, {}).ok());
  }
  Call In() { return BackgroundCall("test", workspace_); }
  std::string ADueChannel(const std::string& network = "facebook", const std::string& remote_id = "1") {
    Channel channel;
    channel.id = ids_.New();
    channel.workspace_id = workspace_;
    channel.network = network;
    channel.remote_id = remote_id;
    channel.refresh_time = clock_.WallNow();
    CredentialFields old = {{"access_token", Secret("a-old")}, {"refresh_token", Secret("r-old")}};
    EXPECT_TRUE(store_.Connect(In(), channel, old, {}).ok());
    return channel.id;
  }
  SignInGate::Refreshed Brings(const std::string& tag) {
    return {End::kRefreshed,
            absl::OkStatus(),
            {{{"access_token", Secret("a-" + tag)}, {"refresh_token", Secret("r-" + tag)}},
             clock_.WallNow() + absl::Hours(2),
             true}};
  }
  static SignInGate::Refreshed Ends(End end, const char* reason = "TRANSIENT") {
    return {end, MakeError(Code::kUnavailable, reason, "what the network said"), {}};
  }
  Refreshes Replica(const std::string& holder, bool crash_before_storing = false) {
    return Refreshes(
        store_, gate_, options_, holder, clock_,
        [crash_before_storing](absl::Duration d) { return !crash_before_storing || d == absl::ZeroDuration(); },
        [this](const Channel&, RefreshResult result, const Status& why) {
          told_.push_back(NameOf(result));
          said_ += why.ToString();
        });
  }
  Channel Get(const std::string& id) { return *store_.GetChannel(In(), id); }
  std::string Token(const std::string& id) {
    return store_.OpenCredentials(In(), id)->credentials.at("refresh_token").Reveal();
  }

  FakeClock clock_;
  Ids ids_{clock_, 7};
  FakeStore store_;
  FakeSignIns gate_;
  RefreshOptions options_;
  const std::string organization_ = ids_.New(), workspace_ = ids_.New();
  std::vector<std::string> told_;
  std::string said_;
  using Told = std::vector<std::string>;
};

TEST_F(RefreshTest, StoresWhatItBringsAndPlansTheNext) {
  const std::string id = ADueChannel();
  gate_.refreshes = {Brings("new")};
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(told_, Told{"refreshed"});
  EXPECT_EQ(Token(id), "r-new");
  EXPECT_EQ(Get(id).credentials_version, 2);
  EXPECT_GE(*Get(id).refresh_time, clock_.WallNow() + absl::Minutes(84));
  EXPECT_LE(*Get(id).refresh_time, clock_.WallNow() + absl::Minutes(96));
  EXPECT_EQ(*Replica("A").Round(), 0);
}

TEST_F(RefreshTest, TwoReplicasAtOnceUseTheTokenOnce) {
  const std::string id = ADueChannel();
  gate_.refreshes = {Brings("new"), Brings("never")};
  Refreshes other = Replica("B");
  gate_.while_refreshing = [&] { EXPECT_EQ(*other.Round(), 0); };
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(gate_.shown, Told{"r-old"});
  EXPECT_EQ(Token(id), "r-new");
}

TEST_F(RefreshTest, AProcessThatStopsBetweenUseAndStoringIsSeenAndFlagged) {
  const std::string id = ADueChannel();
  gate_.refreshes = {Brings("lost")};
  store_.storing_fails = 1;
  Replica("A", true).Round().status().IgnoreError();
  EXPECT_EQ(told_, Told{"not_stored"});
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(*Replica("B").Round(), 0) << "the lease stands";
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(*Replica("B").Round(), 1);
  EXPECT_EQ(gate_.shown, Told{"r-old"}) << "a token that may have been used up is not shown again";
  EXPECT_EQ(told_.back(), "sign_in_again");
  EXPECT_EQ(Get(id).state, ChannelState::kBroken);
  EXPECT_EQ(Get(id).state_reason, "REFRESH_UNCLEAR");
  EXPECT_EQ(*Replica("B").Round(), 0);
}

TEST_F(RefreshTest, WithinTheGraceTheTokenIsShownAgain) {
  const std::string id = ADueChannel("wordpress");
  gate_.refreshes = {Brings("lost"), Brings("again")};
  store_.storing_fails = 1;
  Replica("A", true).Round().status().IgnoreError();
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(*Replica("B").Round(), 1);
  EXPECT_EQ(Token(id), "r-again");
  EXPECT_EQ(Get(id).state, ChannelState::kConnected);

  const std::string late = ADueChannel("wordpress", "2");
  gate_.refreshes = {Brings("lost"), Brings("never")};
  store_.storing_fails = 1;
  Replica("A", true).Round().status().IgnoreError();
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(*Replica("B").Round(), 1);
  EXPECT_EQ(Get(late).state_reason, "REFRESH_UNCLEAR") << "the grace is over";
}

TEST_F(RefreshTest, AnUnclearAnswerIsRepeatedOnceWhereThatIsAllowed) {
  const std::string strict = ADueChannel();
  gate_.refreshes = {Ends(End::kUnclear), Brings("never")};
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(gate_.shown.size(), 1u);
  EXPECT_EQ(Get(strict).state_reason, "REFRESH_UNCLEAR");
  EXPECT_NE(Get(strict).state_message.find("sign in again"), std::string::npos);

  const std::string lenient = ADueChannel("wordpress");
  gate_.shown.clear();
  gate_.refreshes = {Ends(End::kUnclear), Brings("second")};
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(gate_.shown, (Told{"r-old", "r-old"}));
  EXPECT_EQ(Token(lenient), "r-second");

  const std::string dark = ADueChannel("wordpress", "2");
  gate_.shown.clear();
  gate_.refreshes = {Ends(End::kUnclear), Ends(End::kUnclear), Brings("never")};
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(gate_.shown.size(), 2u) << "once";
  EXPECT_EQ(Get(dark).state_reason, "REFRESH_UNCLEAR");
}

TEST_F(RefreshTest, ARefusalNeedsAPersonAndNoRouteNeedsPatience) {
  const std::string refused = ADueChannel("facebook", "1");
  gate_.refreshes = {Ends(End::kRefused)};
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(Get(refused).state_reason, "SIGN_IN_AGAIN");

  const std::string id = ADueChannel("facebook", "2");
  const absl::Duration pauses[] = {absl::Minutes(1), absl::Minutes(2), absl::Minutes(4)};
  for (const absl::Duration pause : pauses) {
    EXPECT_EQ(*Replica("A").Round(), 1);
    EXPECT_EQ(told_.back(), "postponed");
    EXPECT_EQ(Get(id).refresh_time, clock_.WallNow() + pause);
    EXPECT_EQ(Get(id).state, ChannelState::kConnected);
    clock_.Advance(pause);
  }
  Error limited{
      .code = Code::kResourceExhausted, .reason = "RATE_LIMITED", .message = "", .retry_after = absl::Hours(3)};
  gate_.refreshes = {SignInGate::Refreshed{End::kNotDone, ToStatus(limited), {}}};
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(Get(id).refresh_time, clock_.WallNow() + absl::Hours(3)) << "as the network asked for";
  clock_.Advance(absl::Hours(3));
  gate_.refreshes = {Brings("new")};
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(Token(id), "r-new") << "nothing of it has used the token up";
}

TEST_F(RefreshTest, ADatabaseThatIsAwayForAMomentLosesNoTokens) {
  const std::string id = ADueChannel();
  gate_.refreshes = {Brings("new")};
  store_.storing_fails = 4;
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(told_, Told{"refreshed"});
  EXPECT_EQ(Token(id), "r-new");
}

TEST_F(RefreshTest, APersonsReconnectionBeatsARefreshUnderWay) {
  const std::string id = ADueChannel();
  gate_.refreshes = {Brings("refreshed")};
  gate_.while_refreshing = [&] {
    EXPECT_TRUE(store_.ReplaceCredentials(In(), Get(id), {{"refresh_token", Secret("r-person")}}).ok());
  };
  EXPECT_EQ(*Replica("A").Round(), 1);
  EXPECT_EQ(told_, Told{"lost"});
  EXPECT_EQ(Token(id), "r-person");
}

TEST_F(RefreshTest, ARoundIsBounded) {
  for (int i = 0; i < 5; ++i) ADueChannel("facebook", std::to_string(i));
  options_.batch = 3;
  EXPECT_EQ(*Replica("A").Round(), 3);
  EXPECT_EQ(*Replica("B").Round(), 2);
}

TEST_F(RefreshTest, NothingThatIsToldHoldsAToken) {
  ADueChannel("facebook", "1");
  gate_.refreshes = {Ends(End::kUnclear)};
  ASSERT_TRUE(Replica("A").Round().ok());
  for (const char* secret : {"r-old", "a-old"}) EXPECT_EQ(said_.find(secret), std::string::npos);
}

TEST(RefreshPlanTest, ChannelsConnectedTogetherAreNotRefreshedTogether) {
  FakeClock clock;
  Ids ids(clock, 3);
  std::set<absl::Time> times;
  for (int i = 0; i < 100; ++i) {
    Channel channel;
    channel.id = ids.New();
    PlanRefresh({{}, clock.WallNow() + absl::Hours(2), true}, clock.WallNow(), &channel);
    times.insert(absl::FromUnixSeconds(absl::ToUnixSeconds(*channel.refresh_time)));
  }
  EXPECT_GT(times.size(), 80u);
  Channel channel;
  PlanRefresh({{}, clock.WallNow() - absl::Hours(1), true}, clock.WallNow(), &channel);
  EXPECT_EQ(channel.refresh_time, clock.WallNow()) << "expired already: at once";
}

TEST_F(RefreshTest, TheThreadRefreshesAndStops) {
  const std::string id = ADueChannel();
  gate_.refreshes = {Brings("new")};
  Refresher refresher(store_, gate_, options_, clock_, [](const Channel&, RefreshResult, const Status&) {});
  refresher.Start();
  EXPECT_TRUE(testing::WaitFor([&] { return Token(id) == "r-new"; }));
  refresher.Stop();
}

}  // namespace
}  // namespace parvis::accounts
