// What every implementation of SourceStore must keep: run on the fake and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include "ingestion/domain/sources.h"
#include "platform/base/ids.h"

namespace parvis::ingestion {

// `Backend` has `SourceStore& store()`, `absl::Time Now()` and `void Pass(absl::Duration)`: lets that much time pass
// for leases and due times.
template <class Backend>
class SourceContract : public ::testing::Test {
 protected:
  KnownChannel AChannel(const std::string& network = "wordpress") {
    return {{ids_.New(), ids_.New()}, network, "https://blog.example", 1, true, absl::Seconds(5)};
  }
  Call In(const KnownChannel& channel) { return BackgroundCall("test", channel.binding.workspace_id); }
  Source Get(const KnownChannel& channel) { return *s_.GetSource(In(channel), channel.binding.channel_id); }
  std::vector<DueSource> Due(int limit = 10, const std::vector<std::string>& paused_hosts = {}) {
    auto due = s_.ListDue(limit, paused_hosts);
    EXPECT_TRUE(due.ok()) << due.status();
    return due.ok() ? due->sources : std::vector<DueSource>();
  }
  // Takes what is due, as a poller does.
  std::vector<Claimed> ClaimDue(int limit = 10) {
    std::vector<Binding> wanted;
    for (const DueSource& one : Due(limit)) wanted.push_back(one.binding);
    auto claimed = s_.Claim(wanted, absl::Minutes(2));
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    return claimed.ok() ? *claimed : std::vector<Claimed>();
  }
  Claimed ClaimOne() {
    std::vector<Claimed> claimed = ClaimDue();
    EXPECT_EQ(claimed.size(), 1u);
    return claimed.empty() ? Claimed{} : claimed.front();
  }
  static PollEnd Next(absl::Duration in) {
    PollEnd end;
    end.interval = absl::Seconds(7);
    end.next_in = in;
    end.polled = true;
    return end;
  }

  RealClock clock_;
  Ids ids_{clock_};
  Backend backend_;
  SourceStore& s_ = backend_.store();
  absl::Time from_ = absl::FromUnixSeconds(1'700'000'000);
};

TYPED_TEST_SUITE_P(SourceContract);

TYPED_TEST_P(SourceContract, NewChannelsBecomeSourcesThatAreDue) {
  KnownChannel blog = this->AChannel(), page = this->AChannel("unreadable");
  page.pollable = false;
  ASSERT_TRUE(this->s_.Sync({blog, page}, this->from_).ok());
  ASSERT_TRUE(this->s_.Sync({blog, page}, this->from_ + absl::Hours(1)).ok()) << "again changes nothing";
  Source source = this->Get(blog);
  EXPECT_EQ(source.state, SourceState::kActive);
  EXPECT_EQ(source.complete_from, this->from_);
  EXPECT_EQ(source.interval, absl::Seconds(5));
  EXPECT_FALSE(source.verified_complete.has_value());
  Claimed claimed = this->ClaimOne();
  EXPECT_EQ(claimed.source.binding, blog.binding);
  EXPECT_TRUE(this->ClaimDue().empty()) << "it is taken";
  EXPECT_TRUE(this->s_.Claim({blog.binding}, absl::Minutes(2))->empty()) << "also by name";
  EXPECT_EQ(this->s_.GetSource(this->In(page), blog.binding.channel_id).status().code(), Code::kNotFound);
  EXPECT_EQ(this->s_.ListSources(this->In(blog), "", 10)->size(), 1u);
  EXPECT_TRUE(this->s_.ListSources(this->In(blog), blog.binding.channel_id, 10)->empty());
}

TYPED_TEST_P(SourceContract, ProgressIsSavedUnderTheLeaseOnly) {
  KnownChannel blog = this->AChannel();
  ASSERT_TRUE(this->s_.Sync({blog}, this->from_).ok());
  Claimed first = this->ClaimOne();
  Progress progress;
  progress.cursor = "c1";
  progress.last_event = this->from_ + absl::Hours(2);
  progress.verified_complete = this->from_ + absl::Hours(3);
  ASSERT_TRUE(this->s_.Save(first, progress, absl::Minutes(2)).ok());
  this->backend_.Pass(absl::Minutes(3));
  Claimed second = this->ClaimOne();
  EXPECT_EQ(second.source.cursor, "c1");
  EXPECT_GT(second.token, first.token);
  progress.cursor = "of a zombie";
  EXPECT_EQ(ReasonOf(this->s_.Save(first, progress, absl::Minutes(2))), "FENCED");
  EXPECT_EQ(ReasonOf(this->s_.Release(first, this->Next(absl::Seconds(1)))), "FENCED");
  progress.cursor = "c2";
  progress.last_event = this->from_ + absl::Hours(1);
  progress.verified_complete.reset();
  ASSERT_TRUE(this->s_.Save(second, progress, absl::Minutes(2)).ok());
  ASSERT_TRUE(this->s_.Release(second, this->Next(absl::Seconds(30))).ok());
  Source after = this->Get(blog);
  EXPECT_EQ(after.cursor, "c2");
  EXPECT_EQ(after.last_event, this->from_ + absl::Hours(2)) << "only ever forward";
  EXPECT_EQ(after.verified_complete, this->from_ + absl::Hours(3));
  EXPECT_EQ(after.interval, absl::Seconds(7));
  EXPECT_TRUE(after.last_poll.has_value());
  EXPECT_TRUE(this->ClaimDue().empty()) << "not due yet";
  this->backend_.Pass(absl::Seconds(31));
  EXPECT_EQ(this->ClaimDue().size(), 1u);
}

TYPED_TEST_P(SourceContract, BrokenSourcesRestUntilNewCredentials) {
  KnownChannel blog = this->AChannel();
  ASSERT_TRUE(this->s_.Sync({blog}, this->from_).ok());
  PollEnd broken = this->Next(absl::InfiniteDuration());
  broken.state = SourceState::kBroken;
  broken.state_reason = "TOKEN_EXPIRED";
  broken.polled = false;
  ASSERT_TRUE(this->s_.Release(this->ClaimOne(), broken).ok());
  EXPECT_EQ(this->Get(blog).state, SourceState::kBroken);
  EXPECT_EQ(this->Get(blog).state_reason, "TOKEN_EXPIRED");
  EXPECT_FALSE(this->Get(blog).next_poll.has_value());
  ASSERT_TRUE(this->s_.Sync({blog}, this->from_).ok());
  this->backend_.Pass(absl::Hours(24));
  EXPECT_TRUE(this->ClaimDue().empty());
  blog.credentials_version = 2;
  ASSERT_TRUE(this->s_.Sync({blog}, this->from_).ok());
  EXPECT_EQ(this->Get(blog).state, SourceState::kActive);
  EXPECT_EQ(this->Get(blog).state_reason, "");
  // A poll with the old credentials that ends late does not break the new ones.
  Claimed claimed = this->ClaimOne();
  blog.credentials_version = 3;
  ASSERT_TRUE(this->s_.Sync({blog}, this->from_).ok());
  ASSERT_TRUE(this->s_.Release(claimed, broken).ok());
  EXPECT_EQ(this->Get(blog).state, SourceState::kActive);
}

TYPED_TEST_P(SourceContract, DisconnectedChannelsAreDetachedAndComeBack) {
  KnownChannel a = this->AChannel(), b = this->AChannel(), c = this->AChannel();
  ASSERT_TRUE(this->s_.Sync({a, b, c}, this->from_).ok());
  ASSERT_TRUE(this->s_.Detach(a.binding.channel_id, "", {c.binding.channel_id}).ok());
  EXPECT_EQ(this->Get(a).state, SourceState::kActive) << "outside the range";
  EXPECT_EQ(this->Get(b).state, SourceState::kDetached);
  EXPECT_EQ(this->Get(c).state, SourceState::kActive);
  EXPECT_EQ(this->ClaimDue().size(), 2u);
  ASSERT_TRUE(this->s_.Sync({b}, this->from_).ok());
  EXPECT_EQ(this->Get(b).state, SourceState::kActive);
  EXPECT_EQ(this->Get(b).complete_from, this->from_);
}

TYPED_TEST_P(SourceContract, BackfillsStartOverOnlyForAnEarlierTime) {
  KnownChannel blog = this->AChannel();
  ASSERT_TRUE(this->s_.Sync({blog}, this->from_).ok());
  Claimed under_way = this->ClaimOne();
  const absl::Time start = this->from_ - absl::Hours(10);
  auto asked = this->s_.StartBackfill(this->In(blog), blog.binding.channel_id, start);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->backfill, BackfillState::kRunning);
  EXPECT_EQ(ReasonOf(this->s_.Save(under_way, {}, absl::Minutes(2))), "FENCED") << "it knows nothing of the backfill";
  Claimed claimed = this->ClaimOne();
  EXPECT_EQ(claimed.source.backfill_from, start);
  Progress progress;
  progress.backfill = BackfillState::kRunning;
  progress.backfill_cursor = "b1";
  ASSERT_TRUE(this->s_.Save(claimed, progress, absl::Minutes(2)).ok());
  ASSERT_TRUE(this->s_.StartBackfill(this->In(blog), blog.binding.channel_id, start + absl::Hours(1)).ok());
  EXPECT_EQ(this->Get(blog).backfill_cursor, "b1") << "a later start changes nothing";
  progress.backfill = BackfillState::kDone;
  progress.complete_from = start;
  ASSERT_TRUE(this->s_.Save(claimed, progress, absl::Minutes(2)).ok());
  EXPECT_EQ(this->Get(blog).complete_from, start);
  ASSERT_TRUE(this->s_.StartBackfill(this->In(blog), blog.binding.channel_id, start + absl::Hours(1)).ok());
  EXPECT_EQ(this->Get(blog).backfill, BackfillState::kRunning);
  EXPECT_EQ(this->Get(blog).backfill_cursor, "");
  KnownChannel other = this->AChannel();
  EXPECT_EQ(this->s_.StartBackfill(this->In(other), blog.binding.channel_id, start).status().code(), Code::kNotFound);
}

TYPED_TEST_P(SourceContract, HeardTimesOnlyMoveForward) {
  KnownChannel page = this->AChannel("facebook"), unknown = this->AChannel("facebook");
  ASSERT_TRUE(this->s_.Sync({page}, this->from_).ok());
  const absl::Time t = this->from_;
  ASSERT_TRUE(
      this->s_.NoteHeard({{page.binding, t + absl::Minutes(5), t + absl::Minutes(4)}, {unknown.binding, t, t}}).ok());
  ASSERT_TRUE(this->s_.NoteHeard({{page.binding, t + absl::Minutes(3), t + absl::Minutes(6)}}).ok());
  EXPECT_EQ(this->Get(page).last_webhook, t + absl::Minutes(5));
  EXPECT_EQ(this->Get(page).last_event, t + absl::Minutes(6));
}

TYPED_TEST_P(SourceContract, WhatIsDueIsListedFairly) {
  // One workspace with twenty channels of one host and one of another that became due after them; another workspace
  // with a single channel, due last of all; a host that may not be asked.
  std::vector<KnownChannel> many;
  for (int i = 0; i < 20; ++i) {
    many.push_back(this->AChannel());
    many.back().binding.workspace_id = many.front().binding.workspace_id;
  }
  KnownChannel forum = this->AChannel("forum"), single = this->AChannel(), resting = this->AChannel("resting");
  forum.binding.workspace_id = many.front().binding.workspace_id;
  ASSERT_TRUE(this->s_.Sync(many, this->from_).ok());
  this->backend_.Pass(absl::Minutes(5));
  ASSERT_TRUE(this->s_.Sync({forum}, this->from_).ok());
  this->backend_.Pass(absl::Minutes(5));
  ASSERT_TRUE(this->s_.Sync({single, resting}, this->from_).ok());
  auto due = this->s_.ListDue(18, {"resting"});
  ASSERT_TRUE(due.ok()) << due.status();
  EXPECT_TRUE(due->cut);
  EXPECT_EQ(due->due, 22);
  EXPECT_EQ(due->paused, 1);
  EXPECT_GE(due->most_overdue, absl::Minutes(10));
  EXPECT_LT(due->most_overdue, absl::Minutes(11));
  ASSERT_EQ(due->sources.size(), 18u);
  EXPECT_EQ(due->sources[1].binding, single.binding) << "a part for every workspace";
  EXPECT_EQ(due->sources[17].binding, forum.binding) << "after sixteen of one host the others";
  EXPECT_EQ(due->sources[17].host, "forum");
  due = this->s_.ListDue(23, {});
  EXPECT_FALSE(due->cut);
  EXPECT_EQ(due->sources.size(), 23u);
  EXPECT_EQ(this->s_.Claim({single.binding, forum.binding}, absl::Minutes(2))->size(), 2u);
  EXPECT_EQ(this->s_.ListDue(23, {})->due, 21);
  EXPECT_TRUE(this->s_.Claim({{single.binding.workspace_id, forum.binding.channel_id}}, absl::Minutes(2))->empty());
}

TYPED_TEST_P(SourceContract, APollTeachesTheHostAndHowLateItWas) {
  KnownChannel blog = this->AChannel();
  ASSERT_TRUE(this->s_.Sync({blog}, this->from_).ok());
  EXPECT_EQ(this->Get(blog).host, "wordpress") << "until a poll has learned it";
  this->backend_.Pass(absl::Seconds(90));
  Claimed claimed = this->ClaimOne();
  EXPECT_GE(claimed.late, absl::Seconds(90));
  EXPECT_LT(claimed.late, absl::Seconds(120));
  PollEnd end = this->Next(absl::ZeroDuration());
  end.host = "blog.example";
  ASSERT_TRUE(this->s_.Release(claimed, end).ok());
  EXPECT_EQ(this->Due().at(0).host, "blog.example");
  ASSERT_TRUE(this->s_.Release(this->ClaimOne(), this->Next(absl::ZeroDuration())).ok());
  EXPECT_EQ(this->Get(blog).host, "blog.example") << "a poll that learned nothing leaves it";
}

TYPED_TEST_P(SourceContract, AChannelThatIsRemovedWhilePolledIsPolledNoMore) {
  KnownChannel blog = this->AChannel();
  ASSERT_TRUE(this->s_.Sync({blog}, this->from_).ok());
  std::vector<DueSource> chosen = this->Due();
  Claimed claimed = this->ClaimOne();
  ASSERT_TRUE(this->s_.Detach("", "", {}).ok());
  ASSERT_TRUE(this->s_.Release(claimed, this->Next(absl::ZeroDuration())).ok());
  EXPECT_EQ(this->Get(blog).state, SourceState::kDetached);
  this->backend_.Pass(absl::Hours(1));
  EXPECT_TRUE(this->Due().empty());
  EXPECT_TRUE(this->s_.Claim({chosen.at(0).binding}, absl::Minutes(2))->empty()) << "also what was chosen before";
}

// The store's clock was a year ahead when the next poll was planned.
TYPED_TEST_P(SourceContract, AClockThatIsSetBackDelaysNothingForLong) {
  KnownChannel blog = this->AChannel();
  ASSERT_TRUE(this->s_.Sync({blog}, this->from_).ok());
  ASSERT_TRUE(this->s_.Release(this->ClaimOne(), this->Next(kPlannedMax - absl::Minutes(1))).ok());
  EXPECT_TRUE(this->Due().empty());
  this->backend_.Pass(-absl::Hours(24 * 365));
  auto due = this->s_.ListDue(10, {});
  ASSERT_TRUE(due.ok()) << due.status();
  EXPECT_EQ(due->due, 1);
  EXPECT_EQ(due->most_overdue, absl::ZeroDuration());
  EXPECT_EQ(this->ClaimOne().late, absl::ZeroDuration());
}

TYPED_TEST_P(SourceContract, APollThatIsAskedForIsDueAtOnceAlsoAfterOneUnderWay) {
  KnownChannel blog = this->AChannel(), page = this->AChannel("unreadable");
  page.pollable = false;
  ASSERT_TRUE(this->s_.Sync({blog, page}, this->from_).ok());
  const std::vector<Binding> both = {blog.binding, page.binding};
  ASSERT_TRUE(this->s_.Release(this->ClaimOne(), this->Next(absl::Minutes(10))).ok());
  EXPECT_TRUE(this->Due().empty());
  ASSERT_TRUE(this->s_.PollNow(both).ok());
  Claimed under_way = this->ClaimOne();
  ASSERT_TRUE(this->s_.PollNow(both).ok());
  EXPECT_TRUE(this->Due().empty()) << "it is being polled";
  ASSERT_TRUE(this->s_.Release(under_way, this->Next(absl::Minutes(10))).ok());
  Claimed after = this->ClaimOne();
  ASSERT_TRUE(this->s_.Release(after, this->Next(absl::Minutes(10))).ok());
  EXPECT_TRUE(this->Due().empty()) << "once is enough";
  // What fails is left its time.
  this->backend_.Pass(absl::Minutes(11));
  PollEnd failed = this->Next(absl::Minutes(10));
  failed.failures = 1;
  Claimed failing = this->ClaimOne();
  ASSERT_TRUE(this->s_.PollNow(both).ok());
  ASSERT_TRUE(this->s_.Release(failing, failed).ok());
  ASSERT_TRUE(this->s_.PollNow(both).ok());
  EXPECT_TRUE(this->Due().empty());
  EXPECT_TRUE(this->s_.PollNow({{this->ids_.New(), this->ids_.New()}}).ok()) << "nobody's";
}

REGISTER_TYPED_TEST_SUITE_P(SourceContract, NewChannelsBecomeSourcesThatAreDue, ProgressIsSavedUnderTheLeaseOnly,
                            BrokenSourcesRestUntilNewCredentials, DisconnectedChannelsAreDetachedAndComeBack,
                            BackfillsStartOverOnlyForAnEarlierTime, HeardTimesOnlyMoveForward, WhatIsDueIsListedFairly,
                            APollTeachesTheHostAndHowLateItWas, AChannelThatIsRemovedWhilePolledIsPolledNoMore,
                            AClockThatIsSetBackDelaysNothingForLong,
                            APollThatIsAskedForIsDueAtOnceAlsoAfterOneUnderWay);

}  // namespace parvis::ingestion
