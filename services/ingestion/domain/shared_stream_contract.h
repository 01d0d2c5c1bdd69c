// What every implementation of SharedStreamStore must keep: run on the fake and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "ingestion/domain/shared_stream_store.h"
#include "platform/base/ids.h"

namespace parvis::ingestion {

// `Backend` has `SourceStore& sources()`, `SharedStreamStore& shared()` and `void Pass(absl::Duration)`: lets that much time
// pass for leases and due times.
template <class Backend>
class SharedStreamContract : public ::testing::Test {
 protected:
  static constexpr absl::Duration kLease = absl::Seconds(15);

  KnownChannel AChannel(const std::string& network = "x", const std::string& workspace = "") {
    return {{workspace.empty() ? ids_.New() : workspace, ids_.New()}, network, "1001", 1, true, absl::Seconds(5)};
  }
  void Known(const std::vector<KnownChannel>& channels) {
    ASSERT_TRUE(backend_.sources().Sync(channels, from_).ok());
  }
  Source Get(const KnownChannel& channel) {
    return *backend_.sources().GetSource(BackgroundCall("test", channel.binding.workspace_id),
                                         channel.binding.channel_id);
  }
  std::vector<ClaimedShared> Claim(const std::vector<std::string>& networks = {"x"}) {
    auto claimed = s_.Claim(networks, kLease);
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    return claimed.ok() ? *claimed : std::vector<ClaimedShared>();
  }
  ClaimedShared ClaimOne() {
    std::vector<ClaimedShared> claimed = Claim();
    EXPECT_EQ(claimed.size(), 1u);
    return claimed.empty() ? ClaimedShared{} : claimed.front();
  }
  SharedTurnout Turnout(const ClaimedShared& claimed, int room = 100) {
    auto turnout = s_.Turnout(claimed, room);
    EXPECT_TRUE(turnout.ok()) << turnout.status();
    return turnout.value_or(SharedTurnout());
  }
  static SharedProgress At(const std::string& cursor) {
    SharedProgress progress;
    progress.cursor = cursor;
    return progress;
  }
  // Everybody who may joins.
  void Join(const ClaimedShared& claimed, const std::string& cursor) {
    SharedProgress progress = At(cursor);
    for (const SharedMember& member : Turnout(claimed).joining) progress.joined[member.binding.channel_id] = member;
    ASSERT_TRUE(s_.Save(claimed, progress).ok());
  }
  static MemberEnd EndOf(const SharedMember& member, absl::Duration next_in, const std::string& reason = "STREAM_LOST") {
    return {member, {.next_in = next_in, .failures = 1, .reason = reason, .message = "why"}};
  }
  static std::set<std::string> IdsOf(const std::vector<SharedMember>& members) {
    std::set<std::string> ids;
    for (const SharedMember& member : members) ids.insert(member.binding.channel_id);
    return ids;
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

  RealClock clock_;
  Ids ids_{clock_};
  Backend backend_;
  SharedStreamStore& s_ = backend_.shared();
  absl::Time from_ = absl::FromUnixSeconds(1'700'000'000);
};

TYPED_TEST_SUITE_P(SharedStreamContract);

TYPED_TEST_P(SharedStreamContract, OneReaderHearsAllChannelsOfItsNetwork) {
  EXPECT_TRUE(this->Claim().empty()) << "nobody is to be heard";
  KnownChannel one = this->AChannel(), two = this->AChannel(), sky = this->AChannel("bluesky"), blog = this->AChannel("wordpress");
  this->Known({one, two, sky, blog});
  ClaimedShared claimed = this->ClaimOne();
  EXPECT_EQ(claimed.network, "x");
  EXPECT_EQ(claimed.cursor, "");
  EXPECT_TRUE(claimed.heard.empty());
  EXPECT_TRUE(this->Claim().empty()) << "it is taken";
  SharedTurnout turnout = this->Turnout(claimed);
  EXPECT_EQ(turnout.wanted, 2);
  EXPECT_EQ(this->IdsOf(turnout.joining), (std::set<std::string>{one.binding.channel_id, two.binding.channel_id}));
  EXPECT_EQ(turnout.joining.at(0).remote_id, "1001");
  EXPECT_EQ(this->Turnout(claimed, 1).joining.size(), 1u);
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kNone);
  SharedProgress progress = this->At("c1");
  progress.joined[one.binding.channel_id] = {one.binding, "1001", 1, 0};
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kLive);
  EXPECT_TRUE(this->Get(one).stream.connected_since.has_value());
  EXPECT_EQ(this->Get(two).stream.state, StreamState::kNone) << "not yet";
  EXPECT_EQ(this->IdsOf(this->Turnout(claimed).joining), (std::set<std::string>{two.binding.channel_id}));
  EXPECT_EQ(this->Claim({"bluesky", "wordpress"}).size(), 2u);
  EXPECT_EQ(this->Get(sky).stream.state, StreamState::kNone);
}

TYPED_TEST_P(SharedStreamContract, WhoTakesOverHearsThemFromTheSameCursor) {
  KnownChannel one = this->AChannel(), two = this->AChannel();
  this->Known({one, two});
  ClaimedShared first = this->ClaimOne();
  this->Join(first, "c1");
  this->backend_.Pass(absl::Seconds(10));
  EXPECT_EQ(*this->s_.Renew({first}, this->kLease), (std::set<std::string>{"x"}));
  this->backend_.Pass(absl::Seconds(10));
  EXPECT_TRUE(this->Claim().empty()) << "renewed";
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kLive);
  this->backend_.Pass(absl::Seconds(10));
  EXPECT_NE(this->Get(one).stream.state, StreamState::kLive) << "whatever it was last";
  ClaimedShared second = this->ClaimOne();
  EXPECT_EQ(second.cursor, "c1");
  EXPECT_GT(second.token, first.token);
  EXPECT_EQ(this->IdsOf(second.heard), (std::set<std::string>{one.binding.channel_id, two.binding.channel_id}));
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kConnecting);
  // A zombie writes nothing, of the stream or of its channels.
  SharedProgress late = this->At("of a zombie");
  late.left[one.binding.channel_id] = this->EndOf(second.heard.at(0), absl::Hours(1));
  EXPECT_EQ(ReasonOf(this->s_.Save(first, late)), "FENCED");
  EXPECT_EQ(ReasonOf(this->s_.Release(first, late, {.reason = "", .message = ""})), "FENCED");
  EXPECT_EQ(ReasonOf(this->s_.Turnout(first, 10).status()), "FENCED");
  EXPECT_TRUE(this->s_.Renew({first}, this->kLease)->empty());
  EXPECT_TRUE(this->Turnout(second).joining.empty());
  ASSERT_TRUE(this->s_.Save(second, this->At("c2")).ok());
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kLive);
  ASSERT_TRUE(this->s_.Release(second, this->At("c3"), {.reason = "", .message = ""}).ok());
  EXPECT_TRUE(this->s_.Renew({second}, this->kLease)->empty()) << "released while its keeper was about to renew it";
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kNone);
  EXPECT_EQ(this->ClaimOne().cursor, "c3");
}

TYPED_TEST_P(SharedStreamContract, WhoJoinsIsPolledOnceAndAGapPollsAll) {
  KnownChannel one = this->AChannel(), two = this->AChannel(), blog = this->AChannel("wordpress");
  this->Known({one, two, blog});
  this->PollAll();
  ClaimedShared claimed = this->ClaimOne();
  SharedProgress progress = this->At("c1");
  progress.joined[one.binding.channel_id] = {one.binding, "1001", 1, 0};
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_EQ(this->Due(), 1);
  this->PollAll();
  progress = this->At("c2");
  progress.news[one.binding.channel_id] = {one.binding, this->from_ + absl::Hours(2)};
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_EQ(this->Get(one).last_event, this->from_ + absl::Hours(2));
  EXPECT_EQ(this->Due(), 0);
  this->Join(claimed, "c3");
  this->PollAll();
  progress = this->At("c4");
  progress.news[one.binding.channel_id] = {one.binding, this->from_ + absl::Hours(1)};
  progress.gap = progress.poll_all = true;
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_EQ(this->Get(one).last_event, this->from_ + absl::Hours(2)) << "only ever forward";
  EXPECT_TRUE(this->Get(two).stream.last_gap.has_value());
  EXPECT_FALSE(this->Get(blog).stream.last_gap.has_value());
  EXPECT_EQ(this->Due(), 2);
  this->PollAll();
  // An outage: all are polled, and the stream is tried again in its time.
  StreamEnd end{.next_in = absl::Seconds(30), .failures = 2, .poll_now = true, .reason = "CONNECT_FAILED", .message = ""};
  ASSERT_TRUE(this->s_.Release(claimed, this->At("c4"), end).ok());
  EXPECT_EQ(this->Due(), 2);
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kConnecting) << "it will be tried again";
  EXPECT_TRUE(this->Claim().empty());
  this->backend_.Pass(absl::Seconds(31));
  EXPECT_EQ(this->ClaimOne().failures, 2);
}

TYPED_TEST_P(SharedStreamContract, AChannelThatIsLostComesBackInItsTime) {
  KnownChannel one = this->AChannel(), two = this->AChannel();
  this->Known({one, two});
  ClaimedShared claimed = this->ClaimOne();
  this->Join(claimed, "c1");
  this->PollAll();
  SharedProgress progress = this->At("c2");
  const SharedMember member{one.binding, "1001", 1, 0};
  progress.left[one.binding.channel_id] = this->EndOf(member, absl::Minutes(1));
  progress.left[one.binding.channel_id].end.poll_now = true;
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_EQ(this->Due(), 1) << "something was missed";
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kConnecting);
  EXPECT_EQ(this->Get(two).stream.state, StreamState::kLive);
  EXPECT_TRUE(this->Turnout(claimed).joining.empty()) << "its time has not come";
  ASSERT_TRUE(this->s_.Renew({claimed}, absl::Hours(1)).ok());
  this->backend_.Pass(absl::Seconds(61));
  ASSERT_EQ(this->Turnout(claimed).joining.size(), 1u);
  EXPECT_EQ(this->Turnout(claimed).joining.at(0).failures, 1);
  // New credentials are tried at once.
  progress.left[one.binding.channel_id] = this->EndOf(member, absl::Hours(1));
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_TRUE(this->Turnout(claimed).joining.empty());
  one.credentials_version = 2;
  this->Known({one});
  EXPECT_EQ(this->IdsOf(this->Turnout(claimed).joining), (std::set<std::string>{one.binding.channel_id}));
  // Nobody who may be heard: nobody opens the stream.
  progress = this->At("c3");
  for (const KnownChannel& channel : {one, two}) {
    const SharedMember gone{channel.binding, "1001", channel.credentials_version, 0};
    progress.left[channel.binding.channel_id] = this->EndOf(gone, absl::Hours(1));
  }
  ASSERT_TRUE(this->s_.Release(claimed, progress, {.reason = "", .message = ""}).ok());
  EXPECT_TRUE(this->Claim().empty());
  this->backend_.Pass(absl::Hours(2));
  EXPECT_EQ(this->ClaimOne().cursor, "c3");
}

TYPED_TEST_P(SharedStreamContract, RefusedCredentialsBreakOneSourceAlone) {
  KnownChannel one = this->AChannel(), two = this->AChannel();
  this->Known({one, two});
  ClaimedShared claimed = this->ClaimOne();
  this->Join(claimed, "c1");
  SharedProgress progress = this->At("c2");
  const SharedMember member{one.binding, "1001", 1, 0};
  progress.left[one.binding.channel_id] = this->EndOf(member, absl::Seconds(1), "TOKEN_EXPIRED");
  progress.left[one.binding.channel_id].end.broken = true;
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_EQ(this->Get(one).state, SourceState::kBroken);
  EXPECT_EQ(this->Get(one).state_reason, "TOKEN_EXPIRED");
  EXPECT_EQ(this->Get(two).stream.state, StreamState::kLive);
  EXPECT_EQ(this->Turnout(claimed).wanted, 1);
  EXPECT_TRUE(this->Turnout(claimed).leaving.empty()) << "it has left";
  one.credentials_version = 2;
  this->Known({one});
  this->Join(claimed, "c3");
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kLive);
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_EQ(this->Get(one).state, SourceState::kActive) << "the old ones were refused";
}

TYPED_TEST_P(SharedStreamContract, NewCredentialsOfOneThatIsHeardAreTold) {
  KnownChannel one = this->AChannel(), two = this->AChannel();
  this->Known({one, two});
  ClaimedShared claimed = this->ClaimOne();
  this->Join(claimed, "c1");
  EXPECT_TRUE(this->Turnout(claimed).renewed.empty());
  one.credentials_version = 2;
  this->Known({one});
  SharedTurnout turnout = this->Turnout(claimed, 0);
  ASSERT_EQ(this->IdsOf(turnout.renewed), (std::set<std::string>{one.binding.channel_id}));
  EXPECT_EQ(turnout.renewed[0].credentials_version, 2);
  EXPECT_EQ(this->Get(one).stream.state, StreamState::kLive) << "it is heard all the while";
  SharedProgress progress = this->At("c2");
  progress.joined[one.binding.channel_id] = turnout.renewed[0];
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_TRUE(this->Turnout(claimed).renewed.empty());
}

TYPED_TEST_P(SharedStreamContract, DisconnectedChannelsLeave) {
  KnownChannel one = this->AChannel();
  this->Known({one});
  ClaimedShared claimed = this->ClaimOne();
  this->Join(claimed, "c1");
  ASSERT_TRUE(this->backend_.sources().Detach("", "", {}).ok());
  SharedTurnout turnout = this->Turnout(claimed);
  EXPECT_EQ(this->IdsOf(turnout.leaving), (std::set<std::string>{one.binding.channel_id}));
  EXPECT_EQ(turnout.wanted, 0);
  SharedProgress progress = this->At("c2");
  progress.left[one.binding.channel_id] = {turnout.leaving.at(0), {.reason = "", .message = ""}};
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  EXPECT_TRUE(this->Turnout(claimed).leaving.empty());
  ASSERT_TRUE(this->s_.Release(claimed, this->At("c2"), {.reason = "", .message = ""}).ok());
  EXPECT_TRUE(this->Claim().empty());
}

TYPED_TEST_P(SharedStreamContract, WorkspacesHaveTheirTurn) {
  std::vector<KnownChannel> many = {this->AChannel()};
  while (many.size() < 5) many.push_back(this->AChannel("x", many[0].binding.workspace_id));
  this->Known(many);
  ClaimedShared claimed = this->ClaimOne();
  SharedProgress progress = this->At("c1");
  for (const SharedMember& member : this->Turnout(claimed, 2).joining) progress.joined[member.binding.channel_id] = member;
  EXPECT_EQ(progress.joined.size(), 2u);
  ASSERT_TRUE(this->s_.Save(claimed, progress).ok());
  KnownChannel single = this->AChannel();
  this->Known({single});
  EXPECT_EQ(this->Turnout(claimed, 1).joining.at(0).binding, single.binding) << "it has none yet";
  EXPECT_EQ(this->Turnout(claimed).joining.size(), 4u);
  EXPECT_TRUE(this->Turnout(claimed, 0).joining.empty());
}

REGISTER_TYPED_TEST_SUITE_P(SharedStreamContract, OneReaderHearsAllChannelsOfItsNetwork,
                            WhoTakesOverHearsThemFromTheSameCursor, WhoJoinsIsPolledOnceAndAGapPollsAll,
                            AChannelThatIsLostComesBackInItsTime, RefusedCredentialsBreakOneSourceAlone,
                            NewCredentialsOfOneThatIsHeardAreTold, DisconnectedChannelsLeave, WorkspacesHaveTheirTurn);

}  // namespace parvis::ingestion
