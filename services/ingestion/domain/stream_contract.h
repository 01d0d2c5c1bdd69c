// What every implementation of StreamStore must keep: run on the fake and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include "ingestion/domain/stream_store.h"
#include "platform/base/ids.h"

namespace parvis::ingestion {

// `Backend` has `SourceStore& sources()`, `StreamStore& store()` and `void Pass(absl::Duration)`: lets that much time
// pass for leases and due times.
template <class Backend>
class StreamContract : public ::testing::Test {
 protected:
  static constexpr absl::Duration kLease = absl::Seconds(15);
  const std::vector<std::string> networks_ = {"mastodon", "bluesky"};

  KnownChannel AChannel(const std::string& network = "mastodon") {
    return {{ids_.New(), ids_.New()}, network, "https://social.example", 1, true, absl::Seconds(5)};
  }
  void Known(const std::vector<KnownChannel>& channels) {
    ASSERT_TRUE(backend_.sources().Sync(channels, from_).ok());
    ASSERT_TRUE(s_.Attend("k1", 10, networks_, kLease).ok());
  }
  Source Get(const KnownChannel& channel) {
    return *backend_.sources().GetSource(BackgroundCall("test", channel.binding.workspace_id),
                                         channel.binding.channel_id);
  }
  std::vector<ClaimedStream> Claim(int limit = 10) {
    auto claimed = s_.Claim(networks_, limit, kLease);
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    return claimed.ok() ? *claimed : std::vector<ClaimedStream>();
  }
  ClaimedStream ClaimOne() {
    std::vector<ClaimedStream> claimed = Claim();
    EXPECT_EQ(claimed.size(), 1u);
    return claimed.empty() ? ClaimedStream{} : claimed.front();
  }
  // Polls what is due, so that the next poll lies a while ahead.
  void PollAll() {
    auto due = backend_.sources().ListDue(100, {});
    ASSERT_TRUE(due.ok());
    std::vector<Binding> wanted;
    for (const DueSource& one : due->sources) wanted.push_back(one.binding);
    auto claimed = backend_.sources().Claim(wanted, absl::Minutes(2));
    ASSERT_TRUE(claimed.ok());
    PollEnd end;
    end.interval = end.next_in = absl::Minutes(10);
    end.polled = true;
    for (const Claimed& one : *claimed) ASSERT_TRUE(backend_.sources().Release(one, end).ok());
  }
  int64_t Due() { return backend_.sources().ListDue(100, {})->due; }
  static StreamProgress At(const std::string& cursor) {
    return {.cursor = cursor, .last_event = std::nullopt, .failures = 0};
  }

  RealClock clock_;
  Ids ids_{clock_};
  Backend backend_;
  StreamStore& s_ = backend_.store();
  absl::Time from_ = absl::FromUnixSeconds(1'700'000'000);
};

TYPED_TEST_SUITE_P(StreamContract);

TYPED_TEST_P(StreamContract, OneReaderHasAStreamAndTheSourceShowsIt) {
  KnownChannel social = this->AChannel(), blog = this->AChannel("wordpress");
  this->Known({social, blog});
  EXPECT_EQ(this->Get(social).stream.state, StreamState::kNone);
  ClaimedStream claimed = this->ClaimOne();
  EXPECT_EQ(claimed.source.binding, social.binding);
  EXPECT_EQ(claimed.source.remote_id, "https://social.example");
  EXPECT_EQ(claimed.cursor, "");
  EXPECT_TRUE(this->Claim().empty()) << "it is taken";
  EXPECT_EQ(this->Get(social).stream.state, StreamState::kConnecting);
  ASSERT_TRUE(this->s_.Save(claimed, this->At("c1")).ok());
  EXPECT_EQ(this->Get(social).stream.state, StreamState::kLive);
  EXPECT_TRUE(this->Get(social).stream.connected_since.has_value());
  ASSERT_TRUE(
      this->s_.Release(claimed, this->At("c2"), {.next_in = absl::Seconds(30), .reason = "", .message = ""}).ok());
  EXPECT_EQ(this->Get(social).stream.state, StreamState::kNone);
  EXPECT_FALSE(this->Get(social).stream.connected_since.has_value());
  EXPECT_TRUE(this->Claim().empty()) << "its time has not come";
  this->backend_.Pass(absl::Seconds(31));
  EXPECT_EQ(this->ClaimOne().cursor, "c2");
  EXPECT_EQ(this->Get(blog).stream.state, StreamState::kNone);
}

TYPED_TEST_P(StreamContract, WhoLostTheLeaseChangesNothing) {
  KnownChannel social = this->AChannel();
  this->Known({social});
  ClaimedStream first = this->ClaimOne();
  ASSERT_TRUE(this->s_.Save(first, this->At("c1")).ok());
  this->backend_.Pass(absl::Seconds(10));
  EXPECT_TRUE(this->s_.Renew({first}, this->kLease)->kept.contains(social.binding.channel_id));
  this->backend_.Pass(absl::Seconds(10));
  EXPECT_TRUE(this->Claim().empty()) << "renewed";
  this->backend_.Pass(absl::Seconds(10));
  EXPECT_EQ(this->Get(social).stream.state, StreamState::kNone) << "whatever it was last";
  ClaimedStream second = this->ClaimOne();
  EXPECT_EQ(second.cursor, "c1");
  EXPECT_GT(second.token, first.token);
  EXPECT_EQ(this->Get(social).stream.state, StreamState::kConnecting);
  EXPECT_EQ(ReasonOf(this->s_.Save(first, this->At("of a zombie"))), "FENCED");
  EXPECT_EQ(ReasonOf(this->s_.Release(first, this->At("of a zombie"), {.reason = "", .message = ""})), "FENCED");
  auto renewed = this->s_.Renew({first, second}, this->kLease);
  ASSERT_TRUE(renewed.ok());
  EXPECT_EQ(renewed->kept.size(), 1u);
  EXPECT_TRUE(renewed->changed.empty());
  EXPECT_TRUE(this->s_.Renew({first}, this->kLease)->kept.empty());
  ASSERT_TRUE(this->s_.Release(second, this->At("c2"), {.reason = "", .message = ""}).ok());
  renewed = this->s_.Renew({second}, this->kLease);
  ASSERT_TRUE(renewed.ok());
  EXPECT_TRUE(renewed->kept.empty() && renewed->changed.empty()) << "released while its keeper was about to renew it";
  EXPECT_EQ(this->ClaimOne().cursor, "c2");
}

TYPED_TEST_P(StreamContract, WhatWasMissedMakesTheSourceDue) {
  KnownChannel social = this->AChannel();
  this->Known({social});
  this->PollAll();
  ClaimedStream claimed = this->ClaimOne();
  StreamProgress progress = this->At("c1");
  progress.last_event = this->from_ + absl::Hours(2);
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_EQ(this->Get(social).last_event, this->from_ + absl::Hours(2));
  EXPECT_EQ(this->Due(), 0);
  EXPECT_FALSE(this->Get(social).stream.last_gap.has_value());
  progress.last_event = this->from_ + absl::Hours(1);
  progress.gap = progress.poll_now = true;
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_EQ(this->Get(social).last_event, this->from_ + absl::Hours(2)) << "only ever forward";
  EXPECT_TRUE(this->Get(social).stream.last_gap.has_value());
  EXPECT_EQ(this->Due(), 1);
  this->PollAll();
  StreamEnd end{.next_in = absl::Seconds(1), .failures = 2, .poll_now = true, .reason = "STREAM_LOST", .message = ""};
  ASSERT_TRUE(this->s_.Release(claimed, this->At("c2"), end).ok());
  EXPECT_EQ(this->Due(), 1);
  EXPECT_EQ(this->Get(social).stream.state, StreamState::kConnecting) << "it will be tried again";
  EXPECT_EQ(this->Get(social).state, SourceState::kActive);
  this->backend_.Pass(absl::Seconds(2));
  EXPECT_EQ(this->ClaimOne().failures, 2);
}

TYPED_TEST_P(StreamContract, RefusedCredentialsBreakTheSourceUntilItHasNewOnes) {
  KnownChannel social = this->AChannel();
  this->Known({social});
  ClaimedStream claimed = this->ClaimOne();
  StreamEnd broken{.next_in = absl::Hours(1), .broken = true, .reason = "TOKEN_EXPIRED", .message = "expired"};
  ASSERT_TRUE(this->s_.Release(claimed, this->At("c1"), broken).ok());
  EXPECT_EQ(this->Get(social).state, SourceState::kBroken);
  EXPECT_EQ(this->Get(social).state_reason, "TOKEN_EXPIRED");
  EXPECT_EQ(this->Get(social).stream.state, StreamState::kNone);
  EXPECT_EQ(this->Due(), 0);
  this->backend_.Pass(absl::Hours(2));
  EXPECT_TRUE(this->Claim().empty());
  this->backend_.Pass(-absl::Hours(2));
  social.credentials_version = 2;
  ASSERT_TRUE(this->backend_.sources().Sync({social}, this->from_).ok());
  claimed = this->ClaimOne();
  EXPECT_EQ(claimed.cursor, "c1") << "at once, whatever its next try was";
  social.credentials_version = 3;
  ASSERT_TRUE(this->backend_.sources().Sync({social}, this->from_).ok());
  auto renewed = this->s_.Renew({claimed}, this->kLease);
  ASSERT_TRUE(renewed.ok());
  EXPECT_TRUE(renewed->changed.contains(social.binding.channel_id)) << "to be opened again, with the new ones";
  ASSERT_TRUE(this->s_.Release(claimed, this->At("c1"), broken).ok());
  EXPECT_EQ(this->Get(social).state, SourceState::kActive) << "the old ones were refused";
}

TYPED_TEST_P(StreamContract, DisconnectedChannelsAreHeardNoMore) {
  KnownChannel social = this->AChannel();
  this->Known({social});
  ClaimedStream claimed = this->ClaimOne();
  ASSERT_TRUE(this->backend_.sources().Detach("", "", {}).ok());
  EXPECT_TRUE(this->s_.Renew({claimed}, this->kLease)->changed.contains(social.binding.channel_id));
  ASSERT_TRUE(this->s_.Release(claimed, this->At("c1"), {.reason = "", .message = ""}).ok());
  EXPECT_TRUE(this->Claim().empty());
  EXPECT_EQ(this->s_.Attend("k1", 10, this->networks_, this->kLease)->wanted, 0);
}

TYPED_TEST_P(StreamContract, KeepersCountWhileTheyAreThere) {
  this->Known({this->AChannel(), this->AChannel("bluesky"), this->AChannel("wordpress")});
  (void)this->Claim(1);
  auto plan = this->s_.Attend("k2", 5, this->networks_, this->kLease);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->keepers, 2);
  EXPECT_EQ(plan->places, 15);
  EXPECT_EQ(plan->wanted, 2);
  EXPECT_EQ(plan->read, 1);
  this->backend_.Pass(absl::Seconds(10));
  ASSERT_TRUE(this->s_.Attend("k2", 6, this->networks_, this->kLease).ok());
  this->backend_.Pass(absl::Seconds(10));
  plan = this->s_.Attend("k3", 1, this->networks_, this->kLease);
  EXPECT_EQ(plan->places, 7) << "the first has not been seen for longer than its lease";
  EXPECT_EQ(plan->read, 0);
  ASSERT_TRUE(this->s_.Leave("k2").ok());
  EXPECT_EQ(this->s_.Attend("k3", 1, {"bluesky"}, this->kLease)->wanted, 1);
  EXPECT_EQ(this->s_.Attend("k3", 1, {"bluesky"}, this->kLease)->places, 1);
}

TYPED_TEST_P(StreamContract, WorkspacesHaveTheirTurn) {
  std::vector<KnownChannel> many;
  for (int i = 0; i < 5; ++i) {
    many.push_back(this->AChannel());
    many.back().binding.workspace_id = many.front().binding.workspace_id;
  }
  this->Known(many);
  EXPECT_EQ(this->Claim(2).size(), 2u);
  KnownChannel single = this->AChannel();
  this->Known({single});
  EXPECT_EQ(this->Claim(1).at(0).source.binding, single.binding) << "it has no reader yet";
  EXPECT_EQ(this->Claim(10).size(), 3u);
}

REGISTER_TYPED_TEST_SUITE_P(StreamContract, OneReaderHasAStreamAndTheSourceShowsIt, WhoLostTheLeaseChangesNothing,
                            WhatWasMissedMakesTheSourceDue, RefusedCredentialsBreakTheSourceUntilItHasNewOnes,
                            DisconnectedChannelsAreHeardNoMore, KeepersCountWhileTheyAreThere, WorkspacesHaveTheirTurn);

}  // namespace parvis::ingestion
