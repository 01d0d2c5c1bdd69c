// What every implementation of HubStore must keep: run on the fake and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include "ingestion/domain/hub_store.h"
#include "platform/base/ids.h"

namespace parvis::ingestion {

// `Backend` has `SourceStore& sources()`, `HubStore& hubs()` and `void Pass(absl::Duration)`.
template <class Backend>
class HubContract : public ::testing::Test {
 protected:
  const HubChoice kHub{"https://hub.example/", "https://blog.example/feed", true};
  const std::vector<std::string> networks_ = {"feed"};
  HubContract() {
    EXPECT_TRUE(backend_.sources().Sync({feed_, {{ids_.New(), ids_.New()}, "wordpress", "r", 1, true, {}}}, {}).ok());
  }
  std::vector<ClaimedSubscription> Claim() {
    auto claimed = s_.Claim(networks_, 10, absl::Minutes(5));
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    return claimed.ok() ? *claimed : std::vector<ClaimedSubscription>();
  }
  ClaimedSubscription ClaimOne() {
    std::vector<ClaimedSubscription> claimed = Claim();
    EXPECT_EQ(claimed.size(), 1u);
    return claimed.empty() ? ClaimedSubscription{} : claimed.front();
  }
  static HubConfirmation Yes(const std::string& topic, bool subscribe = true) {
    return {subscribe, topic, absl::Hours(24), absl::Hours(16)};
  }
  // What the keeper writes when a hub took the question.
  static SubscriptionEnd Silent() { return {absl::Minutes(10), 1, "HUB_SILENT", ""}; }
  HeardByHub Hub() {
    return backend_.sources()
        .GetSource(BackgroundCall("test", feed_.binding.workspace_id), feed_.binding.channel_id)
        ->hub;
  }
  bool Told() { return Hub().tells_all; }

  RealClock clock_;
  Ids ids_{clock_};
  Backend backend_;
  HubStore& s_ = backend_.hubs();
  KnownChannel feed_{{ids_.New(), ids_.New()}, "feed", "https://blog.example/feed", 1, true, absl::Seconds(5)};
};

TYPED_TEST_SUITE_P(HubContract);

TYPED_TEST_P(HubContract, OnlyWhatWasAskedForIsConfirmedAndOnce) {
  const Binding& binding = this->feed_.binding;
  const std::string& topic = this->kHub.topic;
  ClaimedSubscription claimed = this->ClaimOne();
  EXPECT_EQ(claimed.source.binding, binding);
  EXPECT_FALSE(claimed.leaving);
  EXPECT_TRUE(this->Claim().empty()) << "it is taken";
  EXPECT_EQ(ReasonOf(this->s_.Confirm(binding, this->Yes(topic))), "SUBSCRIPTION_UNKNOWN") << "not asked yet";
  ASSERT_TRUE(this->s_.Ask(claimed, this->kHub, absl::Minutes(10)).ok());
  EXPECT_EQ(ReasonOf(this->s_.Confirm(binding, this->Yes("https://other.example/"))), "SUBSCRIPTION_UNKNOWN");
  EXPECT_EQ(ReasonOf(this->s_.Confirm(binding, this->Yes(topic, false))), "SUBSCRIPTION_UNKNOWN");
  EXPECT_EQ(ReasonOf(this->s_.Confirm({binding.workspace_id, binding.workspace_id}, this->Yes(topic))),
            "SUBSCRIPTION_UNKNOWN");
  EXPECT_FALSE(this->Told());
  ASSERT_TRUE(this->s_.Confirm(binding, this->Yes(topic)).ok()) << "before the hub has answered";
  EXPECT_TRUE(this->Told());
  EXPECT_EQ(ReasonOf(this->s_.Confirm(binding, this->Yes(topic))), "SUBSCRIPTION_UNKNOWN") << "a second time";
  ASSERT_TRUE(this->s_.Release(claimed, this->Silent()).ok());
  this->backend_.Pass(absl::Hours(1));
  EXPECT_TRUE(this->Claim().empty()) << "it is the renewal's time that counts";
  this->backend_.Pass(absl::Hours(15) + absl::Seconds(1));
  ClaimedSubscription renewal = this->ClaimOne();
  EXPECT_EQ(renewal.hub.topic, topic);
  EXPECT_EQ(renewal.failures, 0);
  EXPECT_TRUE(this->Told()) << "meanwhile it still tells";
  EXPECT_EQ(ReasonOf(this->s_.Ask(claimed, this->kHub, absl::Minutes(10))), "FENCED");
  EXPECT_EQ(ReasonOf(this->s_.Release(claimed, this->Silent())), "FENCED");
  this->backend_.Pass(absl::Hours(9));
  EXPECT_FALSE(this->Told()) << "it ran out";
}

TYPED_TEST_P(HubContract, ASourceShowsHowItsHubIs) {
  const Binding& binding = this->feed_.binding;
  EXPECT_EQ(this->Hub().state, HubState::kNone) << "nobody has looked for one";
  ClaimedSubscription claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Release(claimed, {absl::Hours(1), 1, "FEED_GONE", "gone"}).ok());
  EXPECT_EQ(this->Hub().state, HubState::kFailing);
  EXPECT_EQ(this->Hub().reason, "FEED_GONE");
  this->backend_.Pass(absl::Hours(1) + absl::Seconds(1));
  claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Release(claimed, {absl::Hours(1), 0, "HUB_NONE", ""}).ok());
  EXPECT_EQ(this->Hub().state, HubState::kNone);
  EXPECT_EQ(this->Hub().reason, "HUB_NONE");
  this->backend_.Pass(absl::Hours(1) + absl::Seconds(1));
  claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Ask(claimed, this->kHub, absl::Minutes(10)).ok());
  ASSERT_TRUE(this->s_.Release(claimed, this->Silent()).ok());
  EXPECT_EQ(this->Hub().state, HubState::kAsked);
  EXPECT_EQ(this->Hub().reason, "") << "it still has time";
  EXPECT_EQ(this->Hub().url, this->kHub.url);
  this->backend_.Pass(absl::Minutes(11));
  EXPECT_EQ(this->Hub().state, HubState::kFailing);
  EXPECT_EQ(this->Hub().reason, "HUB_SILENT");
  EXPECT_FALSE(this->Hub().lease_end.has_value());
  claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Ask(claimed, this->kHub, absl::Minutes(10)).ok());
  ASSERT_TRUE(this->s_.Confirm(binding, this->Yes(this->kHub.topic)).ok());
  ASSERT_TRUE(this->s_.Release(claimed, this->Silent()).ok());
  EXPECT_EQ(this->Hub().state, HubState::kSubscribed);
  EXPECT_EQ(this->Hub().reason, "");
  EXPECT_TRUE(this->Hub().lease_end.has_value());
  this->backend_.Pass(absl::Hours(17));
  claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Ask(claimed, this->kHub, absl::Minutes(10)).ok());
  ASSERT_TRUE(this->s_.Release(claimed, {absl::Minutes(1), 1, "HUB_UNAVAILABLE", "HTTP 503"}).ok());
  EXPECT_EQ(this->Hub().state, HubState::kSubscribed) << "it still tells";
  EXPECT_EQ(this->Hub().reason, "HUB_UNAVAILABLE") << "though not for long";
  this->backend_.Pass(absl::Minutes(2));
  claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Ask(claimed, this->kHub, absl::Minutes(10)).ok());
  ASSERT_TRUE(this->s_.Deny(binding, this->kHub.topic, "go away", absl::Hours(1)).ok());
  ASSERT_TRUE(this->s_.Release(claimed, this->Silent()).ok()) << "it denied before it had answered";
  EXPECT_EQ(this->Hub().state, HubState::kRefused);
  EXPECT_EQ(this->Hub().reason, "HUB_DENIED");
}

TYPED_TEST_P(HubContract, AHubThatIsSilentOrRefusesIsAskedAgain) {
  ClaimedSubscription claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Ask(claimed, this->kHub, absl::Minutes(10)).ok());
  ASSERT_TRUE(this->s_.Release(claimed, this->Silent()).ok());
  EXPECT_TRUE(this->Claim().empty());
  this->backend_.Pass(absl::Minutes(11));
  EXPECT_EQ(ReasonOf(this->s_.Confirm(this->feed_.binding, this->Yes(this->kHub.topic))), "SUBSCRIPTION_UNKNOWN")
      << "too late";
  claimed = this->ClaimOne();
  EXPECT_EQ(claimed.failures, 1);
  ASSERT_TRUE(this->s_.Ask(claimed, this->kHub, absl::Minutes(10)).ok());
  ASSERT_TRUE(this->s_.Confirm(this->feed_.binding, this->Yes(this->kHub.topic)).ok());
  ASSERT_TRUE(this->s_.Release(claimed, this->Silent()).ok());
  EXPECT_EQ(ReasonOf(this->s_.Deny(this->feed_.binding, "https://other.example/", "", absl::Hours(1))),
            "SUBSCRIPTION_UNKNOWN");
  ASSERT_TRUE(this->s_.Deny(this->feed_.binding, this->kHub.topic, "go away", absl::Hours(1)).ok());
  EXPECT_FALSE(this->Told());
  EXPECT_TRUE(this->Claim().empty());
  this->backend_.Pass(absl::Hours(1) + absl::Seconds(1));
  EXPECT_EQ(this->Claim().size(), 1u);
}

TYPED_TEST_P(HubContract, WhatIsDisconnectedIsGivenUpAndForgotten) {
  ClaimedSubscription claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Ask(claimed, this->kHub, absl::Minutes(10)).ok());
  ASSERT_TRUE(this->s_.Confirm(this->feed_.binding, this->Yes(this->kHub.topic)).ok());
  ASSERT_TRUE(this->s_.Release(claimed, this->Silent()).ok());
  ASSERT_TRUE(this->backend_.sources().Detach("", "", {}).ok());
  claimed = this->ClaimOne();
  EXPECT_TRUE(claimed.leaving);
  EXPECT_EQ(claimed.hub.url, this->kHub.url);
  ASSERT_TRUE(this->s_.Ask(claimed, claimed.hub, absl::Minutes(10)).ok());
  ASSERT_TRUE(this->s_.Release(claimed, this->Silent()).ok());
  EXPECT_TRUE(this->Claim().empty()) << "not at once again";
  EXPECT_EQ(ReasonOf(this->s_.Confirm(this->feed_.binding, this->Yes(this->kHub.topic))), "SUBSCRIPTION_UNKNOWN");
  // Connected again before the hub has asked: wanted after all.
  ASSERT_TRUE(this->backend_.sources().Sync({this->feed_}, {}).ok());
  claimed = this->ClaimOne();
  EXPECT_FALSE(claimed.leaving);
  ASSERT_TRUE(this->s_.Release(claimed, this->Silent()).ok());
  ASSERT_TRUE(this->backend_.sources().Detach("", "", {}).ok());
  this->backend_.Pass(absl::Minutes(11));
  claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Ask(claimed, claimed.hub, absl::Minutes(10)).ok());
  ASSERT_TRUE(this->s_.Confirm(this->feed_.binding, this->Yes(this->kHub.topic, false)).ok());
  EXPECT_EQ(ReasonOf(this->s_.Release(claimed, this->Silent())), "FENCED") << "it is gone";
  this->backend_.Pass(absl::Hours(1));
  EXPECT_TRUE(this->Claim().empty());
}

REGISTER_TYPED_TEST_SUITE_P(HubContract, OnlyWhatWasAskedForIsConfirmedAndOnce, ASourceShowsHowItsHubIs,
                            AHubThatIsSilentOrRefusesIsAskedAgain, WhatIsDisconnectedIsGivenUpAndForgotten);

}  // namespace parvis::ingestion
