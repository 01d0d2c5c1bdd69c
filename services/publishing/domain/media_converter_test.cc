#include "publishing/domain/media_converter.h"

#include <gtest/gtest.h>

#include "platform/testing/wait.h"
#include "publishing/domain/sha256.h"
#include "publishing/domain/testing/media_fixture.h"

namespace parvis::publishing {
namespace {

class MediaConverterTest : public MediaFixture {
 protected:
  MediaItem Asked(const std::string& request = "") {
    const auto made = ConvertMedia(call_, context_, source_.id, kChannel, request);
    EXPECT_TRUE(made.ok()) << made.status();
    return *made;
  }
  StatusOr<bool> Convert(bool stopping = false) {
    return ConvertNext(converting_, [stopping] { return stopping; });
  }
  MediaItem Now(const MediaItem& item) { return *media_.GetMedia(call_, item.id); }

  KeptMedia kept_{media_, blobs_};
  std::vector<std::string> outcomes_;
  const ConverterContext converting_{
      media_, kept_,           blobs_, inspector_,
      clock_, context_.limits, {},     {.converted = [this](const std::string& outcome) { outcomes_.push_back(outcome); }}};
  const MediaItem source_ = Ready("video/webm 500x500\n" + std::string(200, 'v'));
};

TEST_F(MediaConverterTest, AVideoIsConvertingAtOnceAndReadyInTheEnd) {
  const std::string request = "0190a0b1-0000-7000-8000-00000000aaaa";
  const MediaItem asked = Asked(request);
  EXPECT_EQ(asked.state, MediaState::kConverting);
  EXPECT_EQ(asked.source_id, source_.id);
  EXPECT_EQ(asked.size_bytes, 900) << "room for the most that it may have";
  EXPECT_EQ(Asked(request), asked) << "the same request, the same medium";
  EXPECT_EQ(*FinishMedia(call_, context_, asked.id, ""), asked);
  EXPECT_EQ(ReasonOf(UploadChunk(call_, context_, asked.id, 0, "x").status()), "MEDIA_CONVERTING");
  EXPECT_TRUE(*Convert());
  const MediaItem made = Now(asked);
  EXPECT_EQ(made.state, MediaState::kReady) << made.refusal;
  EXPECT_EQ(made.facts.type, "video/mp4");
  EXPECT_EQ(made.facts.width, 100);
  EXPECT_EQ(made.received_bytes, made.size_bytes);
  EXPECT_EQ(made.expire_time, clock_.WallNow() + context_.limits.unused_keep);
  const auto bytes = OpenMedia(call_, media_, blobs_, made);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(Sha256::Of(*bytes->read(call_, 0, bytes->size)), made.sha256);
  EXPECT_EQ(Asked(request), made);
  EXPECT_FALSE(*Convert()) << "none waits any more";
  EXPECT_EQ(outcomes_, std::vector<std::string>{"ready"});
}

TEST_F(MediaConverterTest, OnlySoManyOfAWorkspaceWait) {
  for (int i = 0; i < context_.limits.quota.conversions_max; ++i) Asked();
  const auto more = ConvertMedia(call_, context_, source_.id, kChannel, "");
  EXPECT_EQ(ReasonOf(more.status()), "MEDIA_CONVERSIONS");
  EXPECT_TRUE(*Convert());
  Asked();
}

TEST_F(MediaConverterTest, WhatCannotBeConvertedIsRefused) {
  const MediaItem asked = Asked();
  inspector_.next = MakeError(Code::kResourceExhausted, "MEDIA_OVER_LIMIT", "takes more time than is allowed");
  EXPECT_TRUE(*Convert());
  EXPECT_EQ(Now(asked).state, MediaState::kRefused);
  EXPECT_EQ(Now(asked).refusal_reason, "MEDIA_OVER_LIMIT");
  EXPECT_EQ(Now(asked).size_bytes, 0) << "it takes no room any more";
  const MediaItem orphan = Asked();
  ASSERT_TRUE(media_.DeleteMedia(call_, source_.id, clock_.WallNow()).ok());
  EXPECT_TRUE(*Convert());
  EXPECT_EQ(Now(orphan).refusal_reason, "NOT_FOUND");
}

TEST_F(MediaConverterTest, WhatMayPassIsTriedAgainForSoLong) {
  const MediaItem asked = Asked();
  inspector_.next = MakeError(Code::kResourceExhausted, "MEDIA_TOOLS_BUSY", "busy");
  EXPECT_TRUE(*Convert());
  EXPECT_EQ(Now(asked).state, MediaState::kConverting);
  EXPECT_FALSE(*Convert()) << "not at once";
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(converting_.options.retry_wait);
    blobs_.down = MakeError(Code::kUnavailable, "BLOB_STORE_AWAY", "away");
    EXPECT_TRUE(*Convert());
  }
  EXPECT_EQ(Now(asked).state, MediaState::kConverting) << "these are no tries";
  clock_.Advance(converting_.options.give_up);
  EXPECT_TRUE(*Convert());
  EXPECT_EQ(Now(asked).refusal_reason, "BLOB_STORE_AWAY");
}

TEST_F(MediaConverterTest, AnotherTakesUpWhatADeadOneLeft) {
  const MediaItem asked = Asked();
  const auto dead = media_.ClaimConversion(clock_.WallNow(), clock_.WallNow() + converting_.options.lease);
  ASSERT_TRUE(media_.AddConvertedChunk(**dead, 0, std::string(64, 'd'), 64).ok());
  const std::string left = ChunkKey(kWorkspace, asked.id, 0, std::string(64, 'd'));
  ASSERT_TRUE(blobs_.Put(call_, left, "left").ok());
  EXPECT_FALSE(*Convert()) << "its claim still holds";
  clock_.Advance(converting_.options.lease);
  EXPECT_TRUE(*Convert());
  EXPECT_EQ(Now(asked).state, MediaState::kReady);
  EXPECT_FALSE(blobs_.objects.contains(left));
  EXPECT_TRUE(OpenMedia(call_, media_, blobs_, Now(asked)).ok());
}

TEST_F(MediaConverterTest, WhatKillsEveryoneIsRefused) {
  const MediaItem asked = Asked();
  for (int i = 0; i < converting_.options.tries_max; ++i) {
    ASSERT_TRUE(media_.ClaimConversion(clock_.WallNow(), clock_.WallNow() + converting_.options.lease)->has_value());
    clock_.Advance(converting_.options.lease);
  }
  const int before = inspector_.inspected;
  EXPECT_TRUE(*Convert());
  EXPECT_EQ(Now(asked).refusal_reason, "MEDIA_CONVERSION_LOST");
  EXPECT_EQ(inspector_.inspected, before) << "nobody looks at it again";
}

TEST_F(MediaConverterTest, AClaimIsHeldAsLongAsItGoesOn) {
  const MediaItem asked = Asked();
  inspector_.while_converting = [&] {
    for (int i = 0; i < 10; ++i) clock_.Advance(converting_.options.lease / 20);
  };
  EXPECT_TRUE(*Convert());
  EXPECT_EQ(Now(asked).state, MediaState::kReady);
  // One that was away for so long that another has it stores nothing.
  const MediaItem slow = Asked();
  inspector_.while_converting = [&] {
    clock_.Advance(converting_.options.lease * 2);
    EXPECT_TRUE(*Convert());
  };
  EXPECT_TRUE(*Convert());
  EXPECT_EQ(Now(slow).state, MediaState::kReady);
  EXPECT_TRUE(OpenMedia(call_, media_, blobs_, Now(slow)).ok());
}

TEST_F(MediaConverterTest, DeletingItMeanwhileEndsIt) {
  const MediaItem asked = Asked();
  inspector_.while_converting = [&] {
    ASSERT_TRUE(media_.DeleteMedia(call_, asked.id, clock_.WallNow()).ok());
    clock_.Advance(converting_.options.lease * 3 / 4);
  };
  EXPECT_TRUE(*Convert());
  EXPECT_EQ(media_.GetMedia(call_, asked.id).status().code(), Code::kNotFound);
  EXPECT_TRUE(outcomes_.empty());
}

TEST_F(MediaConverterTest, AStopGivesItBack) {
  const MediaItem asked = Asked();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(*Convert(/*stopping=*/true));
  EXPECT_EQ(Now(asked).state, MediaState::kConverting);
  EXPECT_TRUE(*Convert()) << "at once, and no try was lost";
  EXPECT_EQ(Now(asked).state, MediaState::kReady);
}

TEST_F(MediaConverterTest, RunsOnThreadsOfItsOwn) {
  ConverterContext context{media_, kept_, blobs_, inspector_, clock_, context_.limits, {.every = absl::Milliseconds(5)}, {}};
  MediaConverter converter(context);
  converter.Start();
  const MediaItem asked = Asked();
  EXPECT_TRUE(testing::WaitFor([&] { return Now(asked).state == MediaState::kReady; }));
  converter.Stop();
}

}  // namespace
}  // namespace parvis::publishing
