#include "metrics/domain/store_contract.h"

namespace parvis::metrics {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreContract);

TEST_P(StoreContract, AFactThatComesTwiceCountsOnce) {
  ASSERT_TRUE(stores_.facts->FoldActivities(stores_.next(), {Comment("1"), Comment("2"), Comment("1")}).ok());
  ASSERT_TRUE(stores_.facts->FoldActivities(stores_.next(), {Comment("2"), Comment("3")}).ok());
  EXPECT_EQ(Total("comments"), 3);
  ASSERT_TRUE(stores_.facts->FoldDeliveries(stores_.next(), {Post("d", 1, "scheduled"), Post("d", 2, "delivered", "post-1")}).ok());
  ASSERT_TRUE(stores_.facts->FoldDeliveries(stores_.next(), {Post("d", 2, "delivered", "post-1")}).ok());
  EXPECT_EQ(Total("posts_delivered"), 1);
  ASSERT_TRUE(stores_.facts->FoldConversations(stores_.next(), {Conversation("e1", 1, "created", "c")}).ok());
  ASSERT_TRUE(stores_.facts->FoldConversations(stores_.next(), {Conversation("e1", 1, "created", "c"), Conversation("e2", 2, "resolved", "c")}).ok());
  EXPECT_EQ(Total("conversations_created"), 1);
  EXPECT_EQ(Total("conversations_resolved"), 1);
}

TEST_P(StoreContract, ABatchThatWasCommittedBeforeIsFenced) {
  const StreamPosition position = stores_.next();
  ASSERT_TRUE(stores_.facts->FoldActivities(position, {Comment("1")}).ok());
  EXPECT_EQ(ReasonOf(stores_.facts->FoldActivities(position, {Comment("2")})), "FENCED");
  EXPECT_EQ(Total("comments"), 1);
}

TEST_P(StoreContract, AnEmptyBatchOnlyMovesOn) {
  EXPECT_TRUE(stores_.facts->FoldActivities(stores_.next(), {}).ok());
  EXPECT_TRUE(stores_.facts->FoldDeliveries(stores_.next(), {}).ok());
  EXPECT_TRUE(stores_.facts->FoldConversations(stores_.next(), {}).ok());
}

TEST_P(StoreContract, OursEditsAndRemovalsAreNoComments) {
  ActivityFact ours = Comment("1"), edit = Comment("2"), removal = Comment("3");
  ours.by_us = true;
  edit.kind = "edit";
  edit.fact_id = ActivityFactId("edit", kChannel, "2", "activity edit");
  removal.kind = "removal";
  removal.fact_id = ActivityFactId("removal", kChannel, "3", "activity removal");
  ASSERT_TRUE(stores_.facts->FoldActivities(stores_.next(), {ours, edit, removal, Comment("4")}).ok());
  EXPECT_EQ(Total("comments"), 1);
  EXPECT_EQ(Total("edits"), 1);
  EXPECT_EQ(Total("removals"), 1);
}

TEST_P(StoreContract, ACampaignHasWhatHangsBelowItsPostsAlsoWhenTheDeliveryComesLater) {
  ASSERT_TRUE(stores_.facts->FoldActivities(stores_.next(), {Comment("1"), Comment("2"), Comment("3", kNoon, "another post"),
                                                             Comment("4", kNoon, "")}).ok());
  EXPECT_EQ(Total("comments", kCampaign), 0);
  ASSERT_TRUE(stores_.facts->FoldDeliveries(stores_.next(), {Post("d", 1, "delivered", "post-1")}).ok());
  EXPECT_EQ(Total("comments", kCampaign), 2);
  EXPECT_EQ(Total("posts_delivered", kCampaign), 1);
  EXPECT_EQ(Total("comments", UuidOfName("nobody's campaign")), 0);
  EXPECT_EQ(Total("comments"), 4);
}

TEST_P(StoreContract, AnotherWorkspaceSeesNothing) {
  ASSERT_TRUE(stores_.facts->FoldActivities(stores_.next(), {Comment("1")}).ok());
  EXPECT_EQ(Total("comments", "", kOtherWorkspace), 0);
}

TEST_P(StoreContract, StepsBeginWhereTheyShouldAndBoundsAreHalfOpen) {
  ASSERT_TRUE(stores_.facts->FoldActivities(stores_.next(), {Comment("1", kNoon), Comment("2", kNoon + absl::Seconds(59)),
      Comment("3", kNoon + absl::Minutes(1)), Comment("4", kNoon + absl::Hours(1)), Comment("5", kNoon + absl::Hours(13))}).ok());
  TimeseriesQuery query{.metric = "comments", .start = kNoon, .end = kNoon + absl::Hours(2), .step = Step::kMinute};
  const Call call = BackgroundCall("test", kWorkspace);
  EXPECT_EQ(*stores_.rollups->Sum(call, query),
            (std::vector<Point>{{kNoon, 2}, {kNoon + absl::Minutes(1), 1}, {kNoon + absl::Hours(1), 1}}));
  query.step = Step::kHour;
  query.end = kNoon + absl::Hours(1);
  EXPECT_EQ(*stores_.rollups->Sum(call, query), (std::vector<Point>{{kNoon, 3}}));
  query.step = Step::kDay;
  query.start = kNoon - absl::Hours(12);
  query.end = kNoon + absl::Hours(36);
  EXPECT_EQ(*stores_.rollups->Sum(call, query), (std::vector<Point>{{kNoon - absl::Hours(12), 4}, {kNoon + absl::Hours(12), 1}}));
}

}  // namespace parvis::metrics
