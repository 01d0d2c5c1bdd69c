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
  Claimed ClaimOne() {
    auto claimed = s_.Claim(10, absl::Minutes(2));
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    EXPECT_EQ(claimed->size(), 1u);
    return claimed->empty() ? Claimed{} : claimed->front();
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
  EXPECT_TRUE(this->s_.Claim(10, absl::Minutes(2))->empty()) << "it is taken";
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
  EXPECT_TRUE(this->s_.Claim(10, absl::Minutes(2))->empty()) << "not due yet";
  this->backend_.Pass(absl::Seconds(31));
  EXPECT_EQ(this->s_.Claim(10, absl::Minutes(2))->size(), 1u);
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
  EXPECT_TRUE(this->s_.Claim(10, absl::Minutes(2))->empty());
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
  EXPECT_EQ(this->s_.Claim(10, absl::Minutes(2))->size(), 2u);
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

REGISTER_TYPED_TEST_SUITE_P(SourceContract, NewChannelsBecomeSourcesThatAreDue, ProgressIsSavedUnderTheLeaseOnly,
                            BrokenSourcesRestUntilNewCredentials, DisconnectedChannelsAreDetachedAndComeBack,
                            BackfillsStartOverOnlyForAnEarlierTime, HeardTimesOnlyMoveForward);

}  // namespace parvis::ingestion
