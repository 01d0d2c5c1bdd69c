#include "networks/wire/seen_comments.h"

#include <gtest/gtest.h>

namespace parvis::networks {
namespace {

const absl::Time kBegin = absl::FromUnixSeconds(1700000000);

TEST(SeenCommentsTest, WhatIsWrittenIsReadAgain) {
  SeenComments seen(Json(), kBegin);
  EXPECT_EQ(seen.after, 1699999999) << "exclusive";
  seen.Watch({"1", "1", "p", false, LookOf("text")});
  seen.Watch({"2", "1", "p", true, LookOf("")});
  seen.MoveOn(1700000050, 0);
  seen.MoveOn(1700000050, 2);
  SeenComments again(seen.Encode(), absl::UnixEpoch());
  EXPECT_EQ(again.after, 1700000050);
  EXPECT_EQ(again.page, 2);
  ASSERT_NE(again.Find("2"), nullptr);
  EXPECT_EQ(again.Find("2")->root, "1");
  EXPECT_EQ(again.Find("2")->post, "p");
  EXPECT_TRUE(again.Find("2")->hidden);
  EXPECT_EQ(again.Find("1")->look, LookOf("text"));
  EXPECT_EQ(again.Find("3"), nullptr);
}

TEST(SeenCommentsTest, PagesAreCountedWhileTheTimeStandsStill) {
  SeenComments seen(Json(), kBegin);
  seen.MoveOn(seen.after, 2);
  EXPECT_EQ(seen.page, 2);
  seen.MoveOn(seen.after + 1, 3);
  EXPECT_EQ(seen.page, 1);
  seen.MoveOn(seen.after, 0);
  EXPECT_EQ(seen.page, 1) << "that was the last";
}

TEST(SeenCommentsTest, OnlyTheLatestAreWatched) {
  SeenComments seen(Json(), kBegin);
  for (size_t i = 0; i < SeenComments::kMax + 5; ++i) seen.Watch({std::to_string(i), "", "", false, 0});
  EXPECT_EQ(seen.watched.size(), SeenComments::kMax);
  EXPECT_EQ(seen.watched.front().id, "5");
}

TEST(SeenCommentsTest, OlderCursorsAndNonsense) {
  const Json older = ParseJson(R"({"a":7,"g":1,"w":[["4","3",true,9],["5","","p",false,9],["6",1,"",false,9],7]})");
  SeenComments seen(older, kBegin);
  ASSERT_EQ(seen.watched.size(), 2u);
  EXPECT_EQ(seen.watched[0].root, "3");
  EXPECT_EQ(seen.watched[0].post, "");
  EXPECT_TRUE(seen.watched[0].hidden);
  EXPECT_EQ(seen.watched[1].root, "5") << "a root has no other";
  EXPECT_EQ(SeenComments({{"a", -1}, {"g", -1}}, kBegin).after, 0);
  EXPECT_EQ(SeenComments({{"a", 1}, {"g", 1e9}}, kBegin).page, 1);
  EXPECT_EQ(SeenComments({{"a", "x"}}, kBegin).after, 1699999999);
}

}  // namespace
}  // namespace parvis::networks
