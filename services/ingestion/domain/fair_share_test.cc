#include "ingestion/domain/fair_share.h"

#include <gtest/gtest.h>

namespace parvis::ingestion {
namespace {

using Taken = FairShare::Taken;

TEST(FairShareTest, WhoFloodsEndsWithHalfAndTheOthersGetTheirs) {
  FairShare share(1000);
  int64_t flooder = 0;
  while (share.Take("flooder", 10) == Taken::kYes) flooder += 10;
  EXPECT_EQ(flooder, 500);
  EXPECT_EQ(share.Take("flooder", 10), Taken::kOverShare);
  EXPECT_EQ(share.Take("other", 100), Taken::kYes);
  share.Give("other", 100);
  int64_t second = 0;
  while (share.Take("second", 10) == Taken::kYes) second += 10;
  EXPECT_EQ(second, 250);
  EXPECT_EQ(share.Take("other", 100), Taken::kYes);
}

TEST(FairShareTest, FullIsFullForAll) {
  FairShare share(100);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(share.Take(std::to_string(i), 10), Taken::kYes);
  EXPECT_EQ(share.Take("new", 1), Taken::kFull);
  EXPECT_FALSE(share.Fits(1));
  share.Give("3", 10);
  EXPECT_TRUE(share.Fits(10));
  EXPECT_EQ(share.Take("new", 10), Taken::kYes);
  EXPECT_EQ(share.used(), 100);
}

TEST(FairShareTest, WhatIsGivenBackIsThereAgain) {
  FairShare share(100);
  EXPECT_EQ(share.Take("a", 100), Taken::kYes);  // alone, all of it in one piece
  share.Give("a", 100);
  EXPECT_EQ(share.used(), 0);
  EXPECT_EQ(share.Take("a", 101), Taken::kFull);
}

}  // namespace
}  // namespace parvis::ingestion
