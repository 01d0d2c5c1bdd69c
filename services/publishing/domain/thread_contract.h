// What becomes of a post whose thread ends early, and how it goes on: runs on FakeStore and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "publishing/domain/posts.h"
#include "publishing/domain/settle.h"
#include "publishing/domain/testing/builders.h"
#include "publishing/domain/testing/fake_network.h"

namespace parvis::publishing {

class ThreadFixture {
 public:
  virtual ~ThreadFixture() = default;
  virtual PostStore& posts() = 0;
  virtual CampaignStore& campaigns() = 0;
  virtual DeliveryStore& deliveries() = 0;
  virtual DeliveryLedger& ledger() = 0;
};

class ThreadContract : public ::testing::TestWithParam<std::function<std::unique_ptr<ThreadFixture>()>> {
 protected:
  void SetUp() override {
    directory_.Add(kWorkspace, kChannel, "short");
    directory_.Add(kWorkspace, kOtherChannel, "short");
  }
  // Of one, two, three on kChannel, and of one part on kOtherChannel if wanted; scheduled for now.
  Post Scheduled(bool another_variant = false) {
    Campaign campaign;
    campaign.display_name = "Launch";
    Post post;
    post.campaign_id = CreateCampaign(writer_, context_, campaign, "")->id;
    post.variants = {{kChannel, {.text = "one"}}};
    post.variants[0].content.thread = {{"two", {}}, {"three", {}}};
    if (another_variant) post.variants.push_back({kOtherChannel, {.text = "other"}});
    post = *CreatePost(writer_, context_, post, "");
    EXPECT_TRUE(SubmitPost(writer_, context_, post.id, {}).ok());
    EXPECT_TRUE(ApprovePost(CallOf("approver"), context_, post.id, {}, "").ok());
    const auto scheduled = SchedulePost(writer_, context_, post.id, {}, {.due_time = clock_.WallNow()}, "");
    EXPECT_TRUE(scheduled.ok()) << scheduled.status();
    return *scheduled;
  }
  // The delivery of the post with this text, as it stands.
  Delivery Of(const Post& post, const std::string& text) {
    DeliveryFilter filter;
    filter.post_id = post.id;
    const auto list = fixture_->deliveries().ListDeliveries(writer_, filter, {});
    EXPECT_TRUE(list.ok()) << list.status();
    for (const Delivery& d : *list) {
      if (d.content.text == text) return d;
    }
    return {};
  }
  // The call has begun.
  Delivery Send(const Post& post, const std::string& text) {
    const Delivery d = Of(post, text);
    Change claim{d, {DeliveryState::kScheduled}, d.fence, "", "test", false};
    claim.after.state = DeliveryState::kClaimed;
    claim.after.fence += 1;
    const auto claimed = fixture_->ledger().Apply({claim}, clock_.WallNow());
    EXPECT_TRUE(claimed.ok() && claimed->front()) << text;
    const auto sent = fixture_->ledger().Apply({BeginSend(*claimed->front(), clock_.WallNow(), clock_.WallNow(), {})}, clock_.WallNow());
    EXPECT_TRUE(sent.ok() && sent->front()) << text;
    return *sent->front();
  }
  void End(const Delivery& sent, bool accepted) {
    const WriteOutcome outcome = accepted ? WriteOutcome{WriteResult::kAccepted, Refusal::kNone, "", "", "r-" + sent.content.text}
                                          : WriteOutcome{WriteResult::kRefused, Refusal::kInvalid, "REJECTED", "no"};
    const auto done = fixture_->ledger().Apply({AfterCall(sent, outcome, {}, clock_.WallNow(), 0, {})}, clock_.WallNow());
    ASSERT_TRUE(done.ok() && done->front());
  }
  void Deliver(const Post& post, const std::string& text) { End(Send(post, text), true); }
  void Fail(const Post& post, const std::string& text) { End(Send(post, text), false); }
  PostState StateOf(const Post& post) { return fixture_->posts().GetPost(writer_, post.id)->state; }
  std::string WhyNotResumed(const Post& post) { return ReasonOf(ResumePost(writer_, context_, post.id, {}, "").status()); }

  std::unique_ptr<ThreadFixture> fixture_ = GetParam()();
  FakeClock clock_;
  Ids ids_{clock_, 7};
  FakeDirectory directory_;
  FakeRules rules_;
  const PostContext context_{fixture_->posts(), fixture_->campaigns(), directory_, rules_, ids_, clock_, {}};
  const Call writer_ = CallOf("writer");
};

TEST_P(ThreadContract, ALaterPartThatFailsLeavesThePostPartlyPublished) {
  const Post post = Scheduled();
  Deliver(post, "one");
  EXPECT_EQ(StateOf(post), PostState::kScheduled);
  Fail(post, "two");
  EXPECT_EQ(StateOf(post), PostState::kPartlyPublished);
  const Delivery failed = Of(post, "two");
  EXPECT_EQ(failed.state, DeliveryState::kFailed);
  EXPECT_EQ(failed.error_reason, "REJECTED");
  EXPECT_EQ(failed.content.part, 1);
  EXPECT_EQ(failed.content.thread.size(), 1u) << "what has not been sent";
  EXPECT_EQ(ReasonOf(SchedulePost(writer_, context_, post.id, {}, {.due_time = clock_.WallNow()}, "").status()), "ALREADY_SENT");
  EXPECT_EQ(ReasonOf(CancelPost(writer_, context_, post.id, {}).status()), "ALREADY_SENT");
  EXPECT_EQ(ReasonOf(UpdatePost(writer_, context_, {.id = post.id, .variants = std::vector<Variant>{}}).status()), "ALREADY_SENT");
  EXPECT_EQ(ReasonOf(DeletePost(writer_, context_, post.id, {})), "ALREADY_SENT");
}

TEST_P(ThreadContract, AFirstPartThatFailsIsAFailedPost) {
  const Post post = Scheduled();
  Fail(post, "one");
  EXPECT_EQ(StateOf(post), PostState::kFailed);
  EXPECT_EQ(WhyNotResumed(post), "NOTHING_TO_RESUME") << "it can be scheduled again";
}

TEST_P(ThreadContract, AResumedThreadGoesOnWithThePartThatFailed) {
  const Post post = Scheduled();
  EXPECT_EQ(WhyNotResumed(post), "NOTHING_TO_RESUME") << "it has not ended";
  Deliver(post, "one");
  Fail(post, "two");
  const Delivery failed = Of(post, "two");
  clock_.Advance(absl::Hours(50));
  const std::string request = ids_.New();
  const auto resumed = ResumePost(writer_, context_, post.id, {}, request);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(resumed->state, PostState::kScheduled);
  EXPECT_GT(resumed->version, post.version);
  const Delivery again = Of(post, "two");
  EXPECT_EQ(again.id, failed.id) << "the same delivery: it cannot be there twice";
  EXPECT_EQ(again.state, DeliveryState::kScheduled);
  EXPECT_EQ(again.fence, failed.fence + 1);
  EXPECT_EQ(again.sequence, failed.sequence + 1) << "others are told";
  EXPECT_EQ(again.target_remote_id, "r-one");
  EXPECT_EQ(again.error_reason, "");
  EXPECT_EQ(again.ready_time, clock_.WallNow());
  EXPECT_EQ(again.expire_time, clock_.WallNow() + context_.limits.late_max);
  const auto steps = fixture_->deliveries().ListTransitions(writer_, again.id, 0, 100);
  EXPECT_EQ(steps->back().from, DeliveryState::kFailed);
  EXPECT_EQ(steps->back().actor, "writer");
  // Twice, and late: nothing happens.
  EXPECT_EQ(ResumePost(writer_, context_, post.id, {}, request)->version, resumed->version);
  EXPECT_EQ(ReasonOf(ResumePost(writer_, context_, post.id, post.version, "").status()), "ETAG_MISMATCH");
  EXPECT_EQ(WhyNotResumed(post), "NOTHING_TO_RESUME") << "it is on its way";
  Deliver(post, "two");
  EXPECT_EQ(Of(post, "three").target_remote_id, "r-two");
  EXPECT_EQ(Of(post, "three").expire_time, clock_.WallNow() + context_.limits.late_max);
  Deliver(post, "three");
  EXPECT_EQ(StateOf(post), PostState::kPublished);
  EXPECT_EQ(WhyNotResumed(post), "NOTHING_TO_RESUME");
}

TEST_P(ThreadContract, AThreadCanEndAndGoOnMoreThanOnce) {
  const Post post = Scheduled();
  Deliver(post, "one");
  Deliver(post, "two");
  for (int i = 0; i < 2; ++i) {
    Fail(post, "three");
    EXPECT_EQ(StateOf(post), PostState::kPartlyPublished);
    ASSERT_TRUE(ResumePost(writer_, context_, post.id, {}, ids_.New()).ok());
  }
  ASSERT_TRUE(CancelPost(writer_, context_, post.id, {}).ok());
  EXPECT_EQ(StateOf(post), PostState::kPublished) << "ended by a person";
  EXPECT_EQ(Of(post, "three").state, DeliveryState::kCancelled);
  EXPECT_EQ(WhyNotResumed(post), "NOTHING_TO_RESUME");
}

TEST_P(ThreadContract, AThreadGoesOnWhileAnotherVariantWaits) {
  const Post post = Scheduled(true);
  Deliver(post, "one");
  Fail(post, "two");
  EXPECT_EQ(StateOf(post), PostState::kScheduled);
  ASSERT_TRUE(ResumePost(writer_, context_, post.id, {}, "").ok());
  Deliver(post, "two");
  Deliver(post, "three");
  Fail(post, "other");
  EXPECT_EQ(StateOf(post), PostState::kPublished);
}

TEST_P(ThreadContract, ACancelledPostIsNotResumed) {
  const Post waiting = Scheduled(true);
  Deliver(waiting, "one");
  Fail(waiting, "two");
  ASSERT_TRUE(CancelPost(writer_, context_, waiting.id, {}).ok());
  EXPECT_EQ(StateOf(waiting), PostState::kPartlyPublished);
  EXPECT_EQ(WhyNotResumed(waiting), "NOTHING_TO_RESUME");
  EXPECT_EQ(Of(waiting, "two").state, DeliveryState::kFailed);
  EXPECT_TRUE(Of(waiting, "two").content.thread.empty());

  const Post under_way = Scheduled(true);
  Deliver(under_way, "one");
  const Delivery sent = Send(under_way, "two");
  ASSERT_TRUE(CancelPost(writer_, context_, under_way.id, {}).ok());
  End(sent, false);
  EXPECT_EQ(StateOf(under_way), PostState::kPartlyPublished);
  EXPECT_EQ(WhyNotResumed(under_way), "NOTHING_TO_RESUME");
}

}  // namespace parvis::publishing
