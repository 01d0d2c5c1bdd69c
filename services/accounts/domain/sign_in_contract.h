// What every implementation of SignInStore and RefreshStore must keep: run on the fake and on PostgreSQL.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "accounts/domain/store_contract.h"

namespace parvis::accounts {

template <class Backend>
class SignInContract : public StoreContract<Backend> {
 protected:
  PendingSignIn APending(const std::string& workspace, const std::string& state) {
    PendingSignIn pending;
    pending.state_hash = state + std::string("\0\xff", 2) + std::string(30 - state.size(), 'h');
    pending.workspace_id = workspace;
    pending.member_id = member_;
    pending.key_id = key_;
    pending.network = "mastodon";
    pending.base_url = "https://social.example";
    pending.redirect_uri = "https://parvis.example/v1/signin/callback";
    pending.remote_id = "111";
    pending.display_name = "Zoé";
    pending.verifier = Secret("the-verifier");
    pending.app = {{"client_id", Secret("id")}, {"client_secret", Secret("the-secret")}};
    pending.create_time = this->now_;
    pending.expire_time = this->now_ + absl::Minutes(10);
    return pending;
  }
  auto Take(const std::string& workspace, const PendingSignIn& one, absl::Time now) {
    return this->s_.sign_ins.TakeSignIn(this->In(workspace), one.state_hash, member_, key_, now);
  }
  // A connected channel that is to be refreshed at now_ + `due`.
  Channel ADueChannel(const std::string& workspace, const std::string& remote_id, absl::Duration due) {
    Channel channel = this->AChannel(workspace, remote_id);
    channel.refresh_time = this->now_ + due;
    channel.credentials_expire_time = this->now_ + due + absl::Hours(1);
    EXPECT_TRUE(this->s_.channels.Connect(this->In(workspace), channel, Tokens("old"), {}).ok());
    return channel;
  }
  static CredentialFields Tokens(const std::string& tag) {
    return {{"access_token", Secret("a-" + tag)}, {"refresh_token", Secret("r-" + tag)}};
  }
  std::vector<RefreshClaim> Claim(const std::string& holder, absl::Duration at, int limit = 10) {
    auto claims = this->s_.refreshes.ClaimDue(this->In(""), holder, this->now_ + at, absl::Minutes(2), limit);
    EXPECT_TRUE(claims.ok()) << claims.status();
    return claims.ok() ? *claims : std::vector<RefreshClaim>();
  }

  const std::string member_ = this->ids_.New(), key_ = this->ids_.New();
};

TYPED_TEST_SUITE_P(SignInContract);

TYPED_TEST_P(SignInContract, ASignInIsTakenOnceByWhomItBelongsTo) {
  const std::string workspace = this->NewWorkspace(), other = this->NewWorkspace();
  PendingSignIn made = this->APending(workspace, "one");
  made.channel_id = this->ids_.New();
  ASSERT_TRUE(this->s_.sign_ins.InsertSignIn(this->In(workspace), made, 5).ok());
  const auto none = [&](const auto& taken) { return taken.ok() && !taken->has_value(); };
  auto& store = this->s_.sign_ins;
  const Call in = this->In(workspace);
  EXPECT_TRUE(none(store.TakeSignIn(in, made.state_hash, this->ids_.New(), this->key_, this->now_)));
  EXPECT_TRUE(none(store.TakeSignIn(in, made.state_hash, this->member_, this->ids_.New(), this->now_)));
  EXPECT_TRUE(none(store.TakeSignIn(in, "another", this->member_, this->key_, this->now_)));
  EXPECT_TRUE(none(this->Take(other, made, this->now_)));
  EXPECT_TRUE(none(this->Take(workspace, made, made.expire_time)));
  auto taken = this->Take(workspace, made, this->now_);
  ASSERT_TRUE(taken.ok()) << taken.status();
  ASSERT_TRUE(taken->has_value());
  EXPECT_EQ((*taken)->network, "mastodon");
  EXPECT_EQ((*taken)->base_url, made.base_url);
  EXPECT_EQ((*taken)->redirect_uri, made.redirect_uri);
  EXPECT_EQ((*taken)->channel_id, made.channel_id);
  EXPECT_EQ((*taken)->remote_id, "111");
  EXPECT_EQ((*taken)->display_name, "Zoé");
  EXPECT_EQ((*taken)->verifier.Reveal(), "the-verifier");
  EXPECT_EQ((*taken)->app.size(), 2u);
  EXPECT_EQ((*taken)->app.at("client_secret").Reveal(), "the-secret");
  EXPECT_EQ((*taken)->expire_time, made.expire_time);
  EXPECT_TRUE(none(this->Take(workspace, made, this->now_)));
}

TYPED_TEST_P(SignInContract, OfTwoAtOnceOneTakesIt) {
  const std::string workspace = this->NewWorkspace();
  for (int round = 0; round < 5; ++round) {
    const PendingSignIn made = this->APending(workspace, "s" + std::to_string(round));
    ASSERT_TRUE(this->s_.sign_ins.InsertSignIn(this->In(workspace), made, 5).ok());
    std::atomic<int> got = 0;
    const auto take = [&] {
      auto taken = this->Take(workspace, made, this->now_);
      if (taken.ok() && taken->has_value()) ++got;
    };
    std::thread another(take);
    take();
    another.join();
    EXPECT_EQ(got, 1);
  }
}

TYPED_TEST_P(SignInContract, FewWaitAndTheOldAreForgotten) {
  const std::string workspace = this->NewWorkspace();
  const Call in = this->In(workspace);
  for (const char* state : {"a", "b"}) {
    ASSERT_TRUE(this->s_.sign_ins.InsertSignIn(in, this->APending(workspace, state), 2).ok());
  }
  EXPECT_EQ(ReasonOf(this->s_.sign_ins.InsertSignIn(in, this->APending(workspace, "c"), 2)), "TOO_MANY_SIGN_INS");
  PendingSignIn later = this->APending(workspace, "d");
  later.create_time = this->now_ + absl::Minutes(10);
  later.expire_time = later.create_time + absl::Minutes(10);
  EXPECT_TRUE(this->s_.sign_ins.InsertSignIn(in, later, 2).ok());
}

TYPED_TEST_P(SignInContract, WhatIsDueIsClaimedByOneAtATime) {
  const std::string one = this->NewWorkspace(), two = this->NewWorkspace();
  const Channel late = this->ADueChannel(one, "1", absl::Minutes(2)),
                early = this->ADueChannel(two, "2", absl::Minutes(1));
  this->ADueChannel(one, "3", absl::Hours(1));
  Channel plain = this->AChannel(one, "4");
  ASSERT_TRUE(this->s_.channels.Connect(this->In(one), plain, this->Tokens("x"), {}).ok());
  EXPECT_TRUE(this->Claim("A", absl::ZeroDuration()).empty());
  auto claims = this->Claim("A", absl::Minutes(3), 1);
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].channel.id, early.id) << "the earliest first, whatever the workspace";
  EXPECT_EQ(claims[0].channel.workspace_id, two);
  EXPECT_EQ(claims[0].credentials.at("refresh_token").Reveal(), "r-old");
  EXPECT_EQ(claims[0].channel.credentials_expire_time, early.credentials_expire_time);
  EXPECT_FALSE(claims[0].use_time.has_value());
  auto others = this->Claim("B", absl::Minutes(3));
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(others[0].channel.id, late.id);
  EXPECT_TRUE(this->Claim("C", absl::Minutes(4)).empty()) << "both are held";
  EXPECT_EQ(this->Claim("C", absl::Minutes(5)).size(), 2u) << "until their leases have run out";
  EXPECT_EQ(ReasonOf(this->s_.refreshes.RecordUse(this->In(two), claims[0], this->now_)), "CLAIM_LOST");
  ASSERT_TRUE(this->s_.channels.Disconnect(this->In(one), late.id, this->now_).ok());
  EXPECT_EQ(this->Claim("D", absl::Minutes(8)).size(), 1u) << "a disconnected channel has nothing to refresh";
}

TYPED_TEST_P(SignInContract, ManyAtOnceClaimEachChannelOnce) {
  const std::string workspace = this->NewWorkspace();
  for (int i = 0; i < 20; ++i) this->ADueChannel(workspace, std::to_string(i), absl::ZeroDuration());
  std::atomic<int> claimed = 0;
  std::vector<std::thread> replicas;
  for (int r = 0; r < 4; ++r) {
    replicas.emplace_back([&, r] {
      for (int i = 0; i < 6; ++i) {
        claimed += static_cast<int>(this->Claim("R" + std::to_string(r), absl::Seconds(1), 3).size());
      }
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(claimed, 20);
}

TYPED_TEST_P(SignInContract, WhatARefreshBringsIsStoredIfTheClaimStillStands) {
  const std::string workspace = this->NewWorkspace();
  const Call in = this->In(workspace);
  const Channel channel = this->ADueChannel(workspace, "1", absl::ZeroDuration());
  auto& store = this->s_.refreshes;
  RefreshClaim claim = this->Claim("A", absl::Seconds(1)).at(0);
  ASSERT_TRUE(store.RecordUse(in, claim, this->now_ + absl::Seconds(2)).ok());
  RefreshClaim second = this->Claim("B", absl::Minutes(5)).at(0);
  EXPECT_EQ(second.use_time, this->now_ + absl::Seconds(2)) << "somebody stopped in between, and it is seen";
  EXPECT_EQ(ReasonOf(store.StoreRefreshed(in, claim, claim.channel, this->Tokens("late"))), "CLAIM_LOST");
  Channel fresh = second.channel;
  fresh.update_time = this->now_ + absl::Minutes(5);
  fresh.refresh_time = this->now_ + absl::Hours(1);
  fresh.credentials_expire_time = this->now_ + absl::Hours(2);
  ASSERT_TRUE(store.StoreRefreshed(in, second, fresh, this->Tokens("new")).ok());
  EXPECT_EQ(ReasonOf(store.StoreRefreshed(in, second, fresh, this->Tokens("newer"))), "CLAIM_LOST");
  const auto opened = this->s_.directory.OpenCredentials(in, channel.id);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->credentials.at("refresh_token").Reveal(), "r-new");
  EXPECT_EQ(opened->channel.credentials_version, 2);
  EXPECT_EQ(opened->channel.refresh_time, fresh.refresh_time);
  EXPECT_EQ(opened->channel.credentials_expire_time, fresh.credentials_expire_time);
  RefreshClaim third = this->Claim("A", absl::Hours(1)).at(0);
  EXPECT_FALSE(third.use_time.has_value());
  EXPECT_EQ(third.failures, 0);
}

TYPED_TEST_P(SignInContract, APostponedRefreshComesAgainAndKeepsWhatItKnew) {
  const std::string workspace = this->NewWorkspace();
  const Call in = this->In(workspace);
  this->ADueChannel(workspace, "1", absl::ZeroDuration());
  auto& store = this->s_.refreshes;
  RefreshClaim claim = this->Claim("A", absl::ZeroDuration()).at(0);
  ASSERT_TRUE(store.RecordUse(in, claim, this->now_).ok());
  ASSERT_TRUE(store.Postpone(in, claim, this->now_ + absl::Minutes(1)).ok());
  EXPECT_TRUE(this->Claim("A", absl::Seconds(59)).empty());
  claim = this->Claim("A", absl::Minutes(1)).at(0);
  EXPECT_EQ(claim.failures, 1);
  EXPECT_FALSE(claim.use_time.has_value()) << "that use is known to have had no effect";
  ASSERT_TRUE(store.RecordUse(in, claim, this->now_ + absl::Minutes(1)).ok());
  claim = this->Claim("B", absl::Minutes(4)).at(0);
  ASSERT_TRUE(claim.use_time.has_value());
  ASSERT_TRUE(store.Postpone(in, claim, this->now_ + absl::Minutes(5)).ok());
  EXPECT_EQ(this->Claim("B", absl::Minutes(5)).at(0).use_time, claim.use_time) << "nothing is known of the earlier one";
}

TYPED_TEST_P(SignInContract, AChannelThatNeedsAPersonIsLeftAloneUntilSomebodyCame) {
  const std::string workspace = this->NewWorkspace();
  const Call in = this->In(workspace);
  const Channel channel = this->ADueChannel(workspace, "1", absl::ZeroDuration());
  auto& store = this->s_.refreshes;
  RefreshClaim claim = this->Claim("A", absl::ZeroDuration()).at(0);
  ASSERT_TRUE(store.NeedSignIn(in, claim, "SIGN_IN_AGAIN", "sign in again: revoked", this->now_).ok());
  Channel broken = *this->s_.channels.GetChannel(in, channel.id);
  EXPECT_EQ(broken.state, ChannelState::kBroken);
  EXPECT_EQ(broken.state_reason, "SIGN_IN_AGAIN");
  EXPECT_FALSE(broken.refresh_time.has_value());
  EXPECT_TRUE(this->Claim("A", absl::Hours(9)).empty());
  broken.refresh_time = this->now_ + absl::Hours(10);
  ASSERT_TRUE(this->s_.channels.ReplaceCredentials(in, broken, this->Tokens("new")).ok());
  EXPECT_EQ(this->Claim("A", absl::Hours(10)).size(), 1u);
}

TYPED_TEST_P(SignInContract, AnExpiredTokenBringsTheRefreshForward) {
  const std::string workspace = this->NewWorkspace();
  const Call in = this->In(workspace);
  const Channel channel = this->ADueChannel(workspace, "1", absl::Hours(5));
  const auto report = [&](const char* reason, absl::Duration at) {
    return this->s_.directory.SetHealth(in, channel.id, 1, ChannelState::kBroken, reason, "", this->now_ + at);
  };
  ASSERT_TRUE(report("TOKEN_EXPIRED", absl::Minutes(3)).ok());
  EXPECT_TRUE(this->Claim("A", absl::Minutes(9)).empty()) << "no sooner than ten minutes after the last change";
  RefreshClaim claim = this->Claim("A", absl::Minutes(10)).at(0);
  Channel fresh = claim.channel;
  ASSERT_TRUE(this->s_.refreshes.StoreRefreshed(in, claim, fresh, this->Tokens("new")).ok());
  EXPECT_EQ(this->s_.channels.GetChannel(in, channel.id)->state, ChannelState::kConnected);
}

REGISTER_TYPED_TEST_SUITE_P(SignInContract, ASignInIsTakenOnceByWhomItBelongsTo, OfTwoAtOnceOneTakesIt,
                            FewWaitAndTheOldAreForgotten, WhatIsDueIsClaimedByOneAtATime,
                            ManyAtOnceClaimEachChannelOnce, WhatARefreshBringsIsStoredIfTheClaimStillStands,
                            APostponedRefreshComesAgainAndKeepsWhatItKnew,
                            AChannelThatNeedsAPersonIsLeftAloneUntilSomebodyCame,
                            AnExpiredTokenBringsTheRefreshForward);

}  // namespace parvis::accounts
