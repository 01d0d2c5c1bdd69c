// PgPostStore where it differs from the fake: transactions, row-level security, the post's end.
#include "publishing/storage/post_store_pg.h"

#include <gtest/gtest.h>

#include "platform/testing/postgres.h"
#include "publishing/domain/deliver.h"
#include "publishing/domain/posts.h"
#include "publishing/domain/settle.h"
#include "publishing/domain/settle_delivery.h"
#include "publishing/domain/testing/builders.h"
#include "publishing/domain/testing/fake_network.h"
#include "publishing/storage/ledger_store.h"
#include "publishing/storage/testdata/database.h"

namespace parvis::publishing {
namespace {

class PostStoreTest : public ::testing::Test {
 protected:
  PostStoreTest() {
    Database().Clear();
    directory_.Add(kWorkspace, kChannel, "short");
    directory_.Add(kWorkspace, kOtherChannel, "blog");
    Campaign campaign;
    campaign.display_name = "Launch";
    campaign_ = *CreateCampaign(writer_, context_, campaign, "");
  }
  Post Scheduled(std::vector<Variant> variants = {{kChannel, SpecialContent()}, {kOtherChannel, SpecialContent()}}) {
    Post post;
    post.campaign_id = campaign_.id;
    post.variants = std::move(variants);
    post = *CreatePost(writer_, context_, post, "");
    EXPECT_TRUE(SubmitPost(writer_, context_, post.id, {}).ok());
    EXPECT_TRUE(ApprovePost(CallOf("approver"), context_, post.id, {}, "").ok());
    auto scheduled = SchedulePost(writer_, context_, post.id, {}, {.due_time = clock_.WallNow()}, "");
    EXPECT_TRUE(scheduled.ok()) << scheduled.status();
    return *scheduled;
  }
  std::vector<Delivery> Deliveries(const Post& post) {
    DeliveryFilter filter;
    filter.post_id = post.id;
    filter.campaign_id = campaign_.id;
    return *store_.ListDeliveries(writer_, filter, {});
  }
  void End(const Delivery& d, DeliveryState state) {
    Change change{d, {DeliveryState::kScheduled}, d.fence, "", "test", false};
    change.after.state = state;
    change.after.attempts = 1;
    ASSERT_TRUE(ledger_.Apply({change}, clock_.WallNow())->front());
  }

  FakeClock clock_;
  Ids ids_{clock_, 7};
  PgPostStore store_{Database().api(), EncodeForTest, nullptr};
  LedgerStore ledger_{Database().stream(), EncodeForTest, nullptr};
  FakeDirectory directory_;
  FakeRules rules_;
  const PostContext context_{store_, store_, directory_, rules_, ids_, clock_, {}};
  const Call writer_ = CallOf("writer");
  Campaign campaign_;
};

TEST_F(PostStoreTest, KeepsAPostAndItsDeliveries) {
  const Post post = Scheduled();
  EXPECT_EQ(store_.GetPost(writer_, post.id)->variants, post.variants);
  const auto deliveries = Deliveries(post);
  ASSERT_EQ(deliveries.size(), 2u);
  EXPECT_EQ(deliveries[0].content, post.variants[0].content);
  EXPECT_EQ(Database().Number("SELECT count(*) FROM outbox"), 2);
  EXPECT_EQ(store_.ListPosts(writer_, {campaign_.id, PostState::kScheduled}, {})->size(), 1u);
  EXPECT_TRUE(store_.ListPosts(writer_, {campaign_.id, PostState::kDraft}, {})->empty());
}

TEST_F(PostStoreTest, TheLastDeliveryEndsThePost) {
  const Post post = Scheduled();
  const auto deliveries = Deliveries(post);
  End(deliveries[0], DeliveryState::kDelivered);
  EXPECT_EQ(store_.GetPost(writer_, post.id)->state, PostState::kScheduled);
  End(deliveries[1], DeliveryState::kFailed);
  EXPECT_EQ(store_.GetPost(writer_, post.id)->state, PostState::kPublished);
  EXPECT_EQ(ReasonOf(CancelPost(writer_, context_, post.id, {}).status()), "ALREADY_SENT");
}

TEST_F(PostStoreTest, APostEndsWithItsThreadAndCancellingEndsTheThread) {
  Content content{.text = "one"};
  content.thread = {{"two", {{"https://brand.example/b.png", "image/png", "a lamp", 9}}}, {"three", {}}};
  const Post post = Scheduled({{kChannel, content}});
  EXPECT_EQ(store_.GetPost(writer_, post.id)->variants, post.variants);
  auto deliveries = Deliveries(post);
  ASSERT_EQ(deliveries.size(), 1u);
  EXPECT_EQ(deliveries[0].content, content);
  deliveries[0].remote_id = "r1";
  End(deliveries[0], DeliveryState::kDelivered);
  EXPECT_EQ(store_.GetPost(writer_, post.id)->state, PostState::kScheduled) << "it goes on";
  deliveries = Deliveries(post);
  ASSERT_EQ(deliveries.size(), 2u);
  EXPECT_EQ(deliveries[0].content, PartOf(content, 0));
  EXPECT_EQ(deliveries[0].target_remote_id, "r1");
  // While the second part is under way the third can still be stopped.
  Change send{deliveries[0], {DeliveryState::kScheduled}, deliveries[0].fence, "", "test", false};
  send.after.state = DeliveryState::kSent;
  const Delivery sent = *ledger_.Apply({send}, clock_.WallNow())->front();
  ASSERT_TRUE(CancelPost(writer_, context_, post.id, {}).ok());
  EXPECT_EQ(ReasonOf(CancelPost(writer_, context_, post.id, {}).status()), "ALREADY_SENT") << "nothing is left to be stopped";
  Change done{sent, {DeliveryState::kSent}, sent.fence, "", "test", false};
  done.after.state = DeliveryState::kDelivered;
  done.after.remote_id = "r2";
  ASSERT_TRUE(ledger_.Apply({done}, clock_.WallNow())->front());
  EXPECT_EQ(Deliveries(post).size(), 2u);
  EXPECT_EQ(store_.GetPost(writer_, post.id)->state, PostState::kPublished);
}

TEST_F(PostStoreTest, MovesCancelsAndSchedulesAnew) {
  const Post post = Scheduled();
  const When later{.due_time = clock_.WallNow() + absl::Hours(5)};
  ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, later, "").ok());
  for (const Delivery& d : Deliveries(post)) EXPECT_EQ(d.ready_time, *later.due_time);
  EXPECT_EQ(CancelPost(writer_, context_, post.id, {})->state, PostState::kCancelled);
  ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, later, "").ok());
  auto all = Deliveries(post);
  ASSERT_EQ(all.size(), 4u);
  std::erase_if(all, [](const Delivery& d) { return d.state != DeliveryState::kScheduled; });
  End(all[0], DeliveryState::kDelivered);
  EXPECT_EQ(ReasonOf(SchedulePost(writer_, context_, post.id, {}, later, "").status()), "ALREADY_SENT");
  EXPECT_EQ(ReasonOf(DeletePost(writer_, context_, post.id, {})), "ALREADY_SENT");
  EXPECT_EQ(CancelPost(writer_, context_, post.id, {})->state, PostState::kPublished);
}

TEST_F(PostStoreTest, DeletesWhatWasNeverSent) {
  const Post post = Scheduled();
  ASSERT_TRUE(DeletePost(writer_, context_, post.id, {}).ok());
  EXPECT_EQ(store_.GetPost(writer_, post.id).status().code(), Code::kNotFound);
  for (const Delivery& d : Deliveries(post)) EXPECT_EQ(d.state, DeliveryState::kCancelled);
}

TEST_F(PostStoreTest, AnOldVersionChangesNothing) {
  Post post = Scheduled();
  post.version -= 1;
  DeliveryEdit edit;
  edit.kind = DeliveryEdit::Kind::kWithdraw;
  EXPECT_EQ(ReasonOf(store_.SavePost(writer_, post, edit).status()), "ETAG_MISMATCH");
  EXPECT_EQ(Deliveries(post)[0].state, DeliveryState::kScheduled);
}

TEST_F(PostStoreTest, NobodySeesAnotherWorkspace) {
  const Post post = Scheduled();
  const Call other = CallOf("spy", kOtherWorkspace);
  EXPECT_EQ(store_.GetPost(other, post.id).status().code(), Code::kNotFound);
  EXPECT_EQ(store_.GetCampaign(other, campaign_.id).status().code(), Code::kNotFound);
  EXPECT_TRUE(store_.ListPosts(other, {}, {})->empty());
  EXPECT_TRUE(store_.ListCampaigns(other, {})->empty());
  Post foreign = post;
  EXPECT_EQ(ReasonOf(store_.SavePost(other, foreign, {}).status()), "ETAG_MISMATCH");
}

TEST_F(PostStoreTest, CampaignsKeepTheirVersion) {
  ASSERT_TRUE(UpdateCampaign(writer_, context_, {.id = campaign_.id, .version = 1, .display_name = "Renamed"}).ok());
  EXPECT_EQ(ReasonOf(store_.SaveCampaign(writer_, campaign_).status()), "ETAG_MISMATCH");
  EXPECT_EQ(store_.GetCampaign(writer_, campaign_.id)->display_name, "Renamed");
  EXPECT_EQ(store_.GetCampaign(writer_, campaign_.id)->start_time, absl::InfinitePast());
}

TEST_F(PostStoreTest, WhatAPersonAsksForIsStoredOnceAndOnlyInTheOwnWorkspace) {
  DeliverRequest request;
  request.channel_id = kChannel;
  request.kind = DeliveryKind::kBan;
  request.target_author_id = "p7";
  request.request_id = ids_.New();
  const auto first = Deliver(writer_, context_, store_, request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->target_author_id, "p7");
  EXPECT_EQ(first->kind, DeliveryKind::kBan);
  EXPECT_EQ(Deliver(writer_, context_, store_, request)->id, first->id);
  EXPECT_EQ(store_.ListTransitions(writer_, first->id, 0, 10)->size(), 1u);
  const auto claimed = ledger_.Claim({.owned = {}, .shards = {ShardOf(kChannel)}, .now = clock_.WallNow(), .horizon = clock_.WallNow(),
                                      .lease_until = clock_.WallNow() + absl::Minutes(1), .limit = 10, .skip = {}, .actor = "test"});
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  ASSERT_EQ(claimed->size(), 1u);
  EXPECT_EQ(claimed->front().target_author_id, "p7");
  Delivery foreign = *first;
  foreign.id = ids_.New(), foreign.command_id = "another";
  EXPECT_FALSE(store_.InsertDelivery(CallOf("spy", kOtherWorkspace), foreign, clock_.WallNow(), "spy").ok());
}

TEST_F(PostStoreTest, APersonSettlesAnUnknown) {
  const Post post = Scheduled();
  const Delivery d = Deliveries(post)[0];
  End(d, DeliveryState::kUnknown);
  const std::string request = "0190a0b1-0000-7000-8000-00000000cccc";
  const auto settled = SettleDelivery(writer_, store_, clock_, {d.id, Settlement::kDelivered, "r7", "", "", request}, {});
  ASSERT_TRUE(settled.ok()) << settled.status();
  EXPECT_EQ(store_.GetDelivery(writer_, d.id)->remote_id, "r7");
  EXPECT_TRUE(SettleDelivery(writer_, store_, clock_, {d.id, Settlement::kDelivered, "r7", "", "", request}, {}).ok());
}

}  // namespace
}  // namespace parvis::publishing
