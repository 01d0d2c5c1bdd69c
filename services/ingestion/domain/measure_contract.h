// What every implementation of MeasureStore must keep: run on the fake and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "ingestion/domain/measure.h"
#include "platform/base/ids.h"

namespace parvis::ingestion {

// `Backend` has `MeasureStore& store()`, `void Source(const Binding&, network, active, host)`, `StreamPosition Next()`
// (one that the store accepts, further on at every call) and `void Pass(absl::Duration)`: lets that much time pass.
template <class Backend>
class MeasureContract : public ::testing::Test {
 protected:
  Binding AChannel(const std::string& network = "x", const std::string& workspace = "") {
    Binding binding{workspace.empty() ? ids_.New() : workspace, ids_.New()};
    backend_.Source(binding, network, true, "");
    return binding;
  }
  static PostChange Delivered(const Binding& binding, const std::string& post, absl::Duration first_in) {
    return {.binding = binding,
            .network = "x",
            .post_remote_id = post,
            .published = absl::FromUnixSeconds(1'790'000'000),
            .first_in = first_in};
  }
  static PostChange Deleted(const Binding& binding, const std::string& post) {
    return {.binding = binding, .network = "", .post_remote_id = post, .deleted = true, .first_in = {}};
  }
  void Follow(const std::vector<PostChange>& changes) {
    const Status status = s_.Follow(backend_.Next(), changes);
    EXPECT_TRUE(status.ok()) << status;
  }
  std::vector<MeasureJob> Claim(int limit = 10, int batch = 50, const std::vector<std::string>& paused = {}) {
    auto jobs = s_.Claim(limit, batch, absl::Seconds(30), absl::Minutes(2), paused);
    EXPECT_TRUE(jobs.ok()) << jobs.status();
    return jobs.ok() ? *jobs : std::vector<MeasureJob>();
  }
  MeasureJob ClaimOne() {
    std::vector<MeasureJob> jobs = Claim();
    EXPECT_EQ(jobs.size(), 1u);
    return jobs.empty() ? MeasureJob{} : jobs.front();
  }
  static std::set<std::string> PostsOf(const MeasureJob& job) {
    std::set<std::string> ids;
    for (const MeasuredPost& post : job.posts) ids.insert(post.remote_id);
    return ids;
  }
  // Every post of the job again after `in`.
  static MeasureEnd AllIn(const MeasureJob& job, absl::Duration in) {
    MeasureEnd end;
    for (const MeasuredPost& post : job.posts) end.posts.push_back({post.remote_id, in, 0});
    return end;
  }
  void Release(const MeasureJob& job, const MeasureEnd& end) {
    const Status status = s_.Release(job, end);
    EXPECT_TRUE(status.ok()) << status;
  }

  RealClock clock_;
  Ids ids_{clock_};
  Backend backend_;
  MeasureStore& s_ = backend_.store();
};

TYPED_TEST_SUITE_P(MeasureContract);

using IdSet = std::set<std::string>;

TYPED_TEST_P(MeasureContract, PostsAreMeasuredTogetherAndUnderALease) {
  const Binding page = this->AChannel();
  this->Follow({this->Delivered(page, "1", absl::Minutes(1)), this->Delivered(page, "2", absl::Minutes(1)),
                this->Delivered(page, "3", absl::Minutes(1) + absl::Seconds(20)),
                this->Delivered(page, "4", absl::Minutes(9))});
  EXPECT_TRUE(this->Claim().empty()) << "not due yet";
  this->backend_.Pass(absl::Seconds(61));
  const MeasureJob job = this->ClaimOne();
  EXPECT_EQ(job.binding, page);
  EXPECT_EQ(job.network, "x");
  EXPECT_EQ(this->PostsOf(job), (IdSet{"1", "2", "3"})) << "the third a little early, with the others";
  EXPECT_EQ(job.posts.front().published, absl::FromUnixSeconds(1'790'000'000));
  EXPECT_FALSE(job.own);
  EXPECT_TRUE(this->Claim().empty()) << "it is taken";
  this->Release(job, this->AllIn(job, absl::Minutes(20)));
  EXPECT_TRUE(this->Claim().empty());
  this->backend_.Pass(absl::Minutes(8));
  EXPECT_EQ(this->PostsOf(this->ClaimOne()), (IdSet{"4"}));
}

TYPED_TEST_P(MeasureContract, ALostLeaseChangesNothing) {
  const Binding page = this->AChannel();
  this->Follow({this->Delivered(page, "1", absl::ZeroDuration())});
  const MeasureJob first = this->ClaimOne();
  this->backend_.Pass(absl::Minutes(3));
  const MeasureJob second = this->ClaimOne();
  EXPECT_GT(second.token, first.token);
  EXPECT_GE(second.late, absl::Minutes(3));
  EXPECT_EQ(ReasonOf(this->s_.Release(first, this->AllIn(first, absl::Hours(1)))), "FENCED");
  this->Release(second, this->AllIn(second, absl::Minutes(5)));
  this->backend_.Pass(absl::Minutes(6));
  EXPECT_EQ(this->ClaimOne().posts.size(), 1u);
}

TYPED_TEST_P(MeasureContract, DeletedAndEndedPostsDoNotComeBack) {
  const Binding page = this->AChannel();
  this->Follow({this->Delivered(page, "1", absl::ZeroDuration()), this->Delivered(page, "2", absl::ZeroDuration()),
                this->Delivered(page, "3", absl::ZeroDuration())});
  const MeasureJob job = this->ClaimOne();
  this->Follow({this->Deleted(page, "1"), this->Deleted(page, "of somebody else")});
  MeasureEnd end = this->AllIn(job, absl::ZeroDuration());
  for (MeasureEnd::Post& post : end.posts) {
    if (post.remote_id == "2") post.next_in = absl::InfiniteDuration();
    if (post.remote_id == "3") post.misses = 2;
  }
  this->Release(job, end);
  this->Follow({this->Delivered(page, "1", absl::ZeroDuration()), this->Delivered(page, "2", absl::ZeroDuration())});
  const MeasureJob next = this->ClaimOne();
  EXPECT_EQ(this->PostsOf(next), (IdSet{"3"}));
  EXPECT_EQ(next.posts.at(0).misses, 2);
  // Forgotten only when they ended.
  ASSERT_TRUE(this->s_.Forget(absl::FromUnixSeconds(1'790'000'001)).ok());
  this->Release(next, this->AllIn(next, absl::ZeroDuration()));
  EXPECT_EQ(this->PostsOf(this->ClaimOne()), (IdSet{"3"}));
}

TYPED_TEST_P(MeasureContract, ABatchThatWasStoredBeforeIsFenced) {
  const Binding page = this->AChannel();
  const StreamPosition position = this->backend_.Next();
  ASSERT_TRUE(this->s_.Follow(position, {this->Delivered(page, "1", absl::ZeroDuration())}).ok());
  EXPECT_EQ(ReasonOf(this->s_.Follow(position, {this->Delivered(page, "2", absl::ZeroDuration())})), "FENCED");
  EXPECT_EQ(this->PostsOf(this->ClaimOne()), (IdSet{"1"}));
}

TYPED_TEST_P(MeasureContract, ChannelsCountForThemselves) {
  const Binding page = this->AChannel("x"), blog = this->AChannel("wordpress");
  this->Follow({this->Delivered(page, "1", absl::Hours(1))});
  ASSERT_TRUE(this->s_.AddChannels({"x", "bluesky"}, absl::ZeroDuration()).ok());
  const MeasureJob job = this->ClaimOne();
  EXPECT_EQ(job.binding, page);
  EXPECT_TRUE(job.own);
  EXPECT_TRUE(job.posts.empty());
  MeasureEnd end;
  end.own_next_in = absl::Hours(6);
  this->Release(job, end);
  ASSERT_TRUE(this->s_.AddChannels({"x", "bluesky"}, absl::ZeroDuration()).ok());
  EXPECT_TRUE(this->Claim().empty()) << "it is known already";
  this->backend_.Pass(absl::Hours(2));
  const MeasureJob posts = this->ClaimOne();
  EXPECT_FALSE(posts.own);
  EXPECT_EQ(posts.posts.size(), 1u);
  this->Release(posts, this->AllIn(posts, absl::InfiniteDuration()));
  this->backend_.Pass(absl::Hours(5));
  EXPECT_TRUE(this->ClaimOne().own);
}

TYPED_TEST_P(MeasureContract, APauseHoldsTheWholeChannel) {
  const Binding page = this->AChannel();
  this->Follow({this->Delivered(page, "1", absl::ZeroDuration())});
  MeasureEnd end;
  end.pause = absl::Minutes(15);
  end.failures = 3;
  this->Release(this->ClaimOne(), end);
  this->Follow({this->Delivered(page, "2", absl::ZeroDuration())});
  this->backend_.Pass(absl::Minutes(14));
  EXPECT_TRUE(this->Claim().empty());
  EXPECT_EQ(this->s_.Due()->channels, 0);
  this->backend_.Pass(absl::Minutes(2));
  EXPECT_EQ(this->s_.Due()->channels, 1);
  EXPECT_GE(this->s_.Due()->most_overdue, absl::Minutes(1));
  EXPECT_LT(this->s_.Due()->most_overdue, absl::Minutes(2));
  const MeasureJob job = this->ClaimOne();
  EXPECT_EQ(job.failures, 3);
  EXPECT_EQ(this->PostsOf(job), (IdSet{"1", "2"}));
}

TYPED_TEST_P(MeasureContract, ClaimsAreFairAndBounded) {
  const std::string crowded = this->ids_.New();
  std::vector<PostChange> changes;
  for (int channel = 0; channel < 5; ++channel) {
    const Binding page = this->AChannel("x", crowded);
    for (int post = 0; post < 3; ++post) {
      changes.push_back(this->Delivered(page, std::to_string(post), absl::Seconds(channel)));
    }
  }
  const Binding single = this->AChannel();
  changes.push_back(this->Delivered(single, "1", absl::Minutes(1)));
  this->Follow(changes);
  this->backend_.Pass(absl::Minutes(2));
  const std::vector<MeasureJob> jobs = this->Claim(2, 2);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_TRUE(jobs[0].binding == single || jobs[1].binding == single) << "a part for every workspace";
  for (const MeasureJob& job : jobs) {
    EXPECT_LE(job.posts.size(), 2u);
    if (job.binding == single) continue;
    this->Release(job, this->AllIn(job, absl::Hours(1)));
  }
  EXPECT_EQ(this->Claim(10).size(), 5u) << "also the one whose third post is left";
}

TYPED_TEST_P(MeasureContract, BrokenSourcesAndPausedHostsWait) {
  const Binding page = this->AChannel(), busy = this->AChannel("youtube"), unknown{this->ids_.New(), this->ids_.New()};
  this->backend_.Source(busy, "youtube", true, "api.example");
  this->Follow({this->Delivered(page, "1", absl::ZeroDuration()), this->Delivered(busy, "1", absl::ZeroDuration()),
                this->Delivered(unknown, "1", absl::ZeroDuration())});
  this->backend_.Source(page, "x", false, "");
  EXPECT_TRUE(this->Claim(10, 50, {"api.example"}).empty());
  EXPECT_EQ(this->ClaimOne().host, "api.example");
  this->backend_.Source(page, "x", true, "");
  EXPECT_EQ(this->ClaimOne().binding, page);
  this->backend_.Source(unknown, "x", true, "");
  EXPECT_EQ(this->ClaimOne().binding, unknown) << "its source came later than its post";
}

TYPED_TEST_P(MeasureContract, AClockThatIsSetBackDelaysNothingForLong) {
  const Binding page = this->AChannel();
  this->Follow({this->Delivered(page, "1", absl::Hours(1))});
  this->backend_.Pass(-absl::Hours(24 * 365));
  EXPECT_EQ(this->PostsOf(this->ClaimOne()), (IdSet{"1"}));
}

REGISTER_TYPED_TEST_SUITE_P(MeasureContract, PostsAreMeasuredTogetherAndUnderALease, ALostLeaseChangesNothing,
                            DeletedAndEndedPostsDoNotComeBack, ABatchThatWasStoredBeforeIsFenced,
                            ChannelsCountForThemselves, APauseHoldsTheWholeChannel, ClaimsAreFairAndBounded,
                            BrokenSourcesAndPausedHostsWait, AClockThatIsSetBackDelaysNothingForLong);

}  // namespace parvis::ingestion
