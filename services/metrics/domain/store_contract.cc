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

TEST_P(StoreContract, LaterPartsOfAThreadAreNoPostsOfTheirOwn) {
  DeliveryFact second = Post("e", 1, "delivered", "post-2"), third = Post("f", 1, "failed");
  second.thread_part = 1;
  third.thread_part = 2;
  ASSERT_TRUE(stores_.facts->FoldDeliveries(stores_.next(), {Post("d", 1, "delivered", "post-1"), second, third}).ok());
  EXPECT_EQ(Total("posts_delivered"), 1);
  EXPECT_EQ(Total("posts_delivered", kCampaign), 1);
  EXPECT_EQ(Total("posts_failed"), 0);
  ASSERT_TRUE(stores_.facts->FoldActivities(stores_.next(), {Comment("1", kNoon, "post-2")}).ok());
  EXPECT_EQ(Total("comments", kCampaign), 1) << "what hangs below it is the campaign's";
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

TEST_P(StoreContract, ALaterSampleReplacesAnEarlierOneInWhateverOrderTheyCome) {
  const SampleFact first = Sample("post-1", kNoon, {{"likes", 3}, {"shares", 1}}),
                   second = Sample("post-1", kNoon + absl::Minutes(5), {{"likes", 2}}),
                   other = Sample("post-2", kNoon, {{"likes", 10}});
  ASSERT_TRUE(stores_.facts->FoldSamples(stores_.next(), {second, other, second}).ok());
  ASSERT_TRUE(stores_.facts->FoldSamples(stores_.next(), {first}).ok());
  ASSERT_TRUE(stores_.facts->FoldSamples(stores_.next(), {}).ok());
  EXPECT_EQ(Latest("likes"), 12);
  EXPECT_EQ(Latest("shares"), 1);
  EXPECT_EQ(Latest("likes", {.channel_id = kChannel, .post_remote_id = "post-1"}), 2);
  EXPECT_EQ(Latest("likes", {.channel_id = UuidOfName("another channel")}), -1);
  EXPECT_EQ(Latest("likes", {}, kOtherWorkspace), -1);
  const StreamPosition position = stores_.next();
  ASSERT_TRUE(stores_.facts->FoldSamples(position, {first}).ok());
  EXPECT_EQ(ReasonOf(stores_.facts->FoldSamples(position, {other})), "FENCED");
}

TEST_P(StoreContract, ACampaignHasTheCountersOfItsPostsAndChannelsTheirOwn) {
  ASSERT_TRUE(stores_.facts->FoldSamples(stores_.next(), {Sample("post-1", kNoon, {{"likes", 3}}), Sample("post-2", kNoon, {{"likes", 4}}),
                                                          Sample("", kNoon, {{"followers", 100}, {"likes", 50}})}).ok());
  EXPECT_EQ(Latest("likes", {.campaign_id = kCampaign}), -1);
  ASSERT_TRUE(stores_.facts->FoldDeliveries(stores_.next(), {Post("d", 1, "delivered", "post-1"), Post("e", 1, "failed", "post-2")}).ok());
  EXPECT_EQ(Latest("likes", {.campaign_id = kCampaign}), 3);
  EXPECT_EQ(Latest("likes"), 7);
  EXPECT_EQ(Latest("followers"), -1);
  EXPECT_EQ(Latest("followers", {.subject = CounterSubject::kChannels}), 100);
}

TEST_P(StoreContract, GrowthIsReadFromTheLastValueOfEveryStep) {
  ASSERT_TRUE(stores_.facts->FoldSamples(stores_.next(), {
      Sample("post-1", kNoon - absl::Hours(30), {{"likes", 1}}), Sample("post-1", kNoon - absl::Minutes(1), {{"likes", 2}}),
      Sample("post-1", kNoon + absl::Minutes(1), {{"likes", 3}}), Sample("post-1", kNoon + absl::Minutes(50), {{"likes", 5}}),
      Sample("post-1", kNoon + absl::Minutes(130), {{"likes", 4}}), Sample("post-2", kNoon + absl::Minutes(61), {{"likes", 10}}),
      Sample("post-1", kNoon + absl::Hours(40), {{"likes", 100}})}).ok());
  CounterQuery query{.range = CounterQuery::Range{kNoon + absl::Minutes(7), kNoon + absl::Hours(4), Step::kHour}};
  const Call call = BackgroundCall("test", kWorkspace);
  auto series = QueryCounters(call, query, 100, *stores_.counters);
  ASSERT_TRUE(series.ok()) << series.status();
  ASSERT_EQ(series->size(), 1u);
  EXPECT_EQ(series->at(0).network, "facebook");
  EXPECT_EQ(series->at(0).value, 110);
  EXPECT_EQ(series->at(0).subjects, 2);
  EXPECT_EQ(series->at(0).measured, kNoon + absl::Hours(40));
  EXPECT_EQ(series->at(0).points, (std::vector<Point>{{kNoon, 5}, {kNoon + absl::Hours(1), 15}, {kNoon + absl::Hours(2), 14},
                                                      {kNoon + absl::Hours(3), 14}}));
  query.range = CounterQuery::Range{kNoon - absl::Hours(72), kNoon + absl::Hours(48), Step::kDay};
  series = QueryCounters(call, query, 100, *stores_.counters);
  std::vector<int64_t> days;
  for (const Point& point : series->at(0).points) days.push_back(point.value);
  EXPECT_EQ(days, (std::vector<int64_t>{0, 0, 1, 14, 14, 110})) << "the last day begins at midnight";
}

}  // namespace parvis::metrics
