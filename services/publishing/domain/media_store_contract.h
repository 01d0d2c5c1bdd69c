// What every MediaStore and MediaTrash keeps to; runs on the fake and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "publishing/domain/media_store.h"
#include "publishing/domain/testing/builders.h"

namespace parvis::publishing {

class MediaStoreFixture {
 public:
  virtual ~MediaStoreFixture() = default;
  virtual MediaStore& media() = 0;
  virtual MediaTrash& trash() = 0;
  virtual MediaConversions& conversions() = 0;
  // A post of kWorkspace that names the medium, and its end.
  virtual void NameInPost(const std::string& media_id) = 0;
  virtual void PublishPost(const std::string& media_id) = 0;
};

class MediaStoreContract : public ::testing::TestWithParam<std::function<std::unique_ptr<MediaStoreFixture>()>> {
 protected:
  static MediaItem Item(int number, int64_t size = 100) {
    MediaItem item;
    item.workspace_id = kWorkspace;
    item.id = "0190a0b1-0000-7000-8000-0000000000f" + std::to_string(number);
    item.display_name = "a lamp";
    item.author = "writer";
    item.size_bytes = size;
    item.chunk_bytes = 64;
    item.create_time = item.update_time = kNow + absl::Seconds(number);
    item.expire_time = kNow + absl::Hours(1);
    return item;
  }
  static MediaChunk Chunk(int64_t offset, int64_t bytes) {
    return {offset, bytes, std::string(64, offset == 0 ? 'a' : 'b'), "state", offset == 0 ? "" : "whole", kNow, kNow + absl::Hours(2)};
  }
  MediaItem Ready(int number) {
    MediaItem item = Item(number);
    EXPECT_TRUE(media().InsertMedia(call_, item, {}).ok());
    EXPECT_TRUE(media().AddChunk(call_, item.id, Chunk(0, 64)).ok());
    item = *media().AddChunk(call_, item.id, Chunk(64, 36));
    item.state = MediaState::kReady;
    item.facts = {"image/png", 3, 4, 1, absl::Milliseconds(1500), "h264", "aac", 29.97};
    return *media().SaveMedia(call_, item, MediaState::kUploading);
  }
  MediaStore& media() { return fixture_->media(); }
  // Waiting since kNow + `number` seconds.
  MediaItem Converting(int number) {
    MediaItem item = Item(number);
    item.state = MediaState::kConverting;
    item.source_id = Item(9).id;
    return *media().InsertConversion(call_, item, kTarget, {});
  }
  Conversion Claimed(absl::Time now) {
    const auto claimed = conversions().ClaimConversion(now, now + absl::Minutes(1));
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    EXPECT_TRUE(claimed->has_value());
    return **claimed;
  }
  bool NoneWaits(absl::Time now) { return !conversions().ClaimConversion(now, now + absl::Minutes(1))->has_value(); }
  MediaTrash& trash() { return fixture_->trash(); }
  MediaConversions& conversions() { return fixture_->conversions(); }

  static inline const VideoTarget kTarget = {true, false, 640, 360, 800, 128, 12'345'678'901};
  static inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
  const Call call_ = CallOf("writer"), other_ = CallOf("spy", kOtherWorkspace);
  const std::unique_ptr<MediaStoreFixture> fixture_ = GetParam()();
};

TEST_P(MediaStoreContract, KeepsWhatIsInserted) {
  const MediaItem item = Item(1);
  EXPECT_EQ(*media().InsertMedia(call_, item, {}), item);
  MediaItem again = item;
  again.display_name = "another";
  EXPECT_EQ(media().InsertMedia(call_, again, {})->display_name, "a lamp");
  EXPECT_EQ(*media().GetMedia(call_, item.id), item);
  EXPECT_EQ(media().GetMedia(call_, Item(2).id).status().code(), Code::kNotFound);
}

TEST_P(MediaStoreContract, TheQuotaHoldsForEachWorkspace) {
  const MediaQuota quota{.uploads_max = 2, .bytes_max = 250};
  ASSERT_TRUE(media().InsertMedia(call_, Item(1), quota).ok());
  EXPECT_EQ(ReasonOf(media().InsertMedia(call_, Item(2, 151), quota).status()), "MEDIA_SPACE");
  ASSERT_TRUE(media().InsertMedia(call_, Item(2), quota).ok());
  EXPECT_EQ(ReasonOf(media().InsertMedia(call_, Item(3, 1), quota).status()), "MEDIA_UPLOADS");
  EXPECT_TRUE(media().InsertMedia(call_, Item(1), quota).ok()) << "it is there already";
  MediaItem theirs = Item(3);
  theirs.workspace_id = kOtherWorkspace;
  EXPECT_TRUE(media().InsertMedia(other_, theirs, quota).ok());
}

TEST_P(MediaStoreContract, ChunksComeInOrderAndOnce) {
  const MediaItem item = Item(1);
  ASSERT_TRUE(media().InsertMedia(call_, item, {}).ok());
  EXPECT_EQ(ReasonOf(media().AddChunk(call_, item.id, Chunk(64, 36)).status()), "MEDIA_CHANGED");
  const auto first = media().AddChunk(call_, item.id, Chunk(0, 64));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->received_bytes, 64);
  EXPECT_EQ(first->hash_state, "state");
  EXPECT_EQ(first->expire_time, kNow + absl::Hours(2));
  EXPECT_EQ(ReasonOf(media().AddChunk(call_, item.id, Chunk(0, 64)).status()), "MEDIA_CHANGED");
  EXPECT_EQ(media().AddChunk(call_, item.id, Chunk(64, 36))->sha256, "whole");
  EXPECT_EQ(*media().ListChunks(call_, item.id), (std::vector<std::string>{std::string(64, 'a'), std::string(64, 'b')}));
  EXPECT_EQ(media().AddChunk(call_, Item(2).id, Chunk(0, 64)).status().code(), Code::kNotFound);
}

TEST_P(MediaStoreContract, SavesFromTheStateThatWasSeen) {
  const MediaItem ready = Ready(1);
  EXPECT_EQ(*media().GetMedia(call_, ready.id), ready);
  EXPECT_EQ(ready.facts.frame_rate, 29.97);
  EXPECT_EQ(ReasonOf(media().SaveMedia(call_, ready, MediaState::kUploaded).status()), "MEDIA_CHANGED");
  EXPECT_EQ(media().SaveMedia(call_, Item(2), MediaState::kUploading).status().code(), Code::kNotFound);
}

TEST_P(MediaStoreContract, LabelsChangeByThemselves) {
  MediaItem item = Ready(1);
  const auto named = media().UpdateMedia(call_, item.id, {"a lantern", std::nullopt}, kNow + absl::Minutes(7));
  ASSERT_TRUE(named.ok()) << named.status();
  item.display_name = "a lantern";
  item.update_time = kNow + absl::Minutes(7);
  EXPECT_EQ(*named, item) << "nothing else";
  const auto described = media().UpdateMedia(call_, item.id, {std::nullopt, "what it shows"}, kNow + absl::Minutes(8));
  EXPECT_EQ(described->display_name, "a lantern");
  EXPECT_EQ(described->alt_text, "what it shows");
  EXPECT_EQ(media().SaveMedia(call_, Ready(2), MediaState::kReady)->alt_text, "");
  EXPECT_EQ(media().SaveMedia(call_, item, MediaState::kReady)->alt_text, "what it shows") << "whoever saves has read it before";
  EXPECT_EQ(media().UpdateMedia(call_, item.id, {std::nullopt, ""}, kNow)->alt_text, "");
  EXPECT_EQ(media().UpdateMedia(other_, item.id, {"theirs", std::nullopt}, kNow).status().code(), Code::kNotFound);
  ASSERT_TRUE(media().DeleteMedia(call_, item.id, kNow).ok());
  EXPECT_EQ(media().UpdateMedia(call_, item.id, {"gone", std::nullopt}, kNow).status().code(), Code::kNotFound) << "it is in the trash";
}

TEST_P(MediaStoreContract, ListsTheNewestFirst) {
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(media().InsertMedia(call_, Item(i), {}).ok());
  const auto first = media().ListMedia(call_, {.size = 2, .after = {}});
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[0].id, Item(3).id);
  const auto rest = media().ListMedia(call_, {.size = 2, .after = {{first->back().create_time, first->back().id}}});
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ((*rest)[0].id, Item(1).id);
}

TEST_P(MediaStoreContract, NobodySeesAnotherWorkspace) {
  const MediaItem item = Ready(1);
  EXPECT_EQ(media().GetMedia(other_, item.id).status().code(), Code::kNotFound);
  EXPECT_TRUE(media().ListMedia(other_, {})->empty());
  EXPECT_TRUE(media().ListChunks(other_, item.id)->empty());
  EXPECT_EQ(media().SaveMedia(other_, item, MediaState::kReady).status().code(), Code::kNotFound);
  EXPECT_EQ(media().DeleteMedia(other_, item.id, kNow).code(), Code::kNotFound);
}

TEST_P(MediaStoreContract, WhatAPostNeedsStays) {
  const MediaItem item = Ready(1);
  fixture_->NameInPost(item.id);
  EXPECT_EQ(ReasonOf(media().DeleteMedia(call_, item.id, kNow)), "MEDIA_IN_USE");
  EXPECT_EQ(*trash().TrashExpired(kNow + absl::Hours(3), kNow + absl::Hours(9), 10), 1);
  EXPECT_EQ(media().GetMedia(call_, item.id)->expire_time, kNow + absl::Hours(9));
  EXPECT_TRUE(trash().ListTrash(10)->empty());
  fixture_->PublishPost(item.id);
  EXPECT_TRUE(media().DeleteMedia(call_, item.id, kNow).ok());
  EXPECT_EQ(media().DeleteMedia(call_, item.id, kNow).code(), Code::kNotFound);
}

TEST_P(MediaStoreContract, WhatIsDeletedLeavesItsChunksInTheTrash) {
  const MediaItem item = Ready(1), kept = Ready(2);
  ASSERT_TRUE(media().DeleteMedia(call_, item.id, kNow).ok());
  EXPECT_TRUE(media().ListChunks(call_, item.id)->empty());
  const auto list = trash().ListTrash(10);
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().workspace_id, kWorkspace);
  EXPECT_EQ(list->front().id, item.id);
  EXPECT_EQ(list->front().chunks.size(), 2u);
  EXPECT_TRUE(trash().Forget(list->front()).ok());
  EXPECT_TRUE(trash().Forget(list->front()).ok()) << "two replicas";
  EXPECT_TRUE(trash().ListTrash(10)->empty());
  EXPECT_EQ(media().ListChunks(call_, kept.id)->size(), 2u);
}

TEST_P(MediaStoreContract, TimeEndsUploadsAndWhatNobodyNeeds) {
  ASSERT_TRUE(media().InsertMedia(call_, Item(1), {}).ok());
  const MediaItem ready = Ready(2);
  ASSERT_TRUE(media().InsertMedia(call_, Item(3), {}).ok());
  EXPECT_EQ(*trash().TrashExpired(kNow, kNow, 10), 0);
  EXPECT_EQ(*trash().TrashExpired(kNow + absl::Hours(1), kNow, 1), 1) << "at most so many at once";
  EXPECT_EQ(*trash().TrashExpired(kNow + absl::Hours(1), kNow, 10), 1);
  EXPECT_EQ(media().ListMedia(call_, {})->size(), 1u);
  EXPECT_EQ(*trash().TrashExpired(kNow + absl::Hours(3), kNow, 10), 1);
  EXPECT_TRUE(media().ListMedia(call_, {})->empty());
  EXPECT_EQ(trash().ListTrash(2)->size(), 2u);
  EXPECT_EQ(trash().ListTrash(10)->size(), 3u);
}

TEST_P(MediaStoreContract, AConversionIsClaimedByOneAtATime) {
  const MediaItem first = Converting(1), second = Converting(2);
  EXPECT_EQ(first.state, MediaState::kConverting);
  EXPECT_EQ(*media().InsertConversion(call_, first, {}, {}), first) << "it is there already";
  EXPECT_TRUE(NoneWaits(kNow)) << "not yet";
  const absl::Time later = kNow + absl::Seconds(5);
  const Conversion one = Claimed(later), two = Claimed(later);
  EXPECT_EQ(one.item, first) << "the one that has waited longest";
  EXPECT_EQ(one.target, kTarget);
  EXPECT_EQ(one.tries, 1);
  EXPECT_TRUE(one.chunks.empty());
  EXPECT_EQ(two.item.id, second.id);
  EXPECT_TRUE(NoneWaits(later + absl::Seconds(59)));
  EXPECT_TRUE(conversions().HoldConversion(one, later + absl::Hours(1)).ok());
  const Conversion again = Claimed(later + absl::Minutes(1));
  EXPECT_EQ(again.item.id, second.id) << "the other one is held";
  EXPECT_EQ(again.tries, 2);
  EXPECT_EQ(ReasonOf(conversions().HoldConversion(two, later)), "MEDIA_CHANGED");
  EXPECT_EQ(ReasonOf(conversions().GiveBackConversion(two, later)), "MEDIA_CHANGED");
  EXPECT_TRUE(conversions().GiveBackConversion(again, later).ok());
  EXPECT_EQ(ReasonOf(conversions().HoldConversion(again, later)), "MEDIA_CHANGED") << "it is not ours any more";
  EXPECT_EQ(Claimed(later).tries, 2) << "what was given back does not count";
}

TEST_P(MediaStoreContract, AConversionStoresWhatItMakes) {
  Converting(1);
  const Conversion dead = Claimed(kNow + absl::Minutes(1));
  ASSERT_TRUE(conversions().AddConvertedChunk(dead, 0, "d0", 64).ok());
  EXPECT_EQ(media().GetMedia(call_, dead.item.id)->received_bytes, 64);
  Conversion mine = Claimed(kNow + absl::Minutes(3));
  EXPECT_EQ(mine.chunks, (std::vector<std::string>{"d0"}));
  EXPECT_EQ(ReasonOf(conversions().AddConvertedChunk(dead, 1, "d1", 64)), "MEDIA_CHANGED");
  EXPECT_EQ(ReasonOf(conversions().DropConvertedChunks(dead)), "MEDIA_CHANGED");
  EXPECT_EQ(ReasonOf(conversions().EndConversion(dead, dead.item)), "MEDIA_CHANGED");
  ASSERT_TRUE(conversions().DropConvertedChunks(mine).ok());
  EXPECT_TRUE(media().ListChunks(call_, mine.item.id)->empty());
  EXPECT_EQ(media().GetMedia(call_, mine.item.id)->received_bytes, 0);
  ASSERT_TRUE(conversions().AddConvertedChunk(mine, 0, "e0", 64).ok());
  ASSERT_TRUE(conversions().AddConvertedChunk(mine, 1, "e1", 6).ok());
  MediaItem ended = mine.item;
  ended.state = MediaState::kReady;
  ended.size_bytes = ended.received_bytes = 70;
  ended.sha256 = "whole";
  ended.facts = {"video/mp4", 640, 360, 0, absl::Seconds(9), "h264", "aac", 25};
  ended.update_time = kNow + absl::Minutes(4);
  ended.expire_time = kNow + absl::Hours(50);
  ASSERT_TRUE(conversions().EndConversion(mine, ended).ok());
  EXPECT_EQ(*media().GetMedia(call_, ended.id), ended);
  EXPECT_EQ(*media().ListChunks(call_, ended.id), (std::vector<std::string>{"e0", "e1"}));
  EXPECT_EQ(ReasonOf(conversions().EndConversion(mine, ended)), "MEDIA_CHANGED");
  EXPECT_TRUE(NoneWaits(kNow + absl::Hours(9)));
}

TEST_P(MediaStoreContract, DeletingCallsAConversionOff) {
  const MediaItem item = Converting(1);
  const Conversion claimed = Claimed(kNow + absl::Minutes(1));
  ASSERT_TRUE(conversions().AddConvertedChunk(claimed, 0, "d0", 64).ok());
  EXPECT_EQ(media().DeleteMedia(other_, item.id, kNow).code(), Code::kNotFound);
  ASSERT_TRUE(media().DeleteMedia(call_, item.id, kNow).ok());
  EXPECT_EQ(ReasonOf(conversions().HoldConversion(claimed, kNow)), "MEDIA_CHANGED");
  EXPECT_EQ(ReasonOf(conversions().AddConvertedChunk(claimed, 1, "d1", 64)), "MEDIA_CHANGED");
  EXPECT_EQ(trash().ListTrash(10)->front().chunks.size(), 1u) << "what was stored of it is swept";
  Converting(2);
  EXPECT_EQ(*trash().TrashExpired(kNow + absl::Hours(2), kNow, 10), 1);
  EXPECT_TRUE(NoneWaits(kNow + absl::Hours(9)));
}

TEST_P(MediaStoreContract, ConversionsHaveAQuotaOfTheirOwn) {
  const MediaQuota quota{.uploads_max = 1, .conversions_max = 1, .bytes_max = 250};
  MediaItem item = Item(1);
  item.state = MediaState::kConverting;
  ASSERT_TRUE(media().InsertConversion(call_, item, kTarget, quota).ok());
  item.id = Item(2).id;
  EXPECT_EQ(ReasonOf(media().InsertConversion(call_, item, kTarget, quota).status()), "MEDIA_CONVERSIONS");
  EXPECT_TRUE(media().InsertMedia(call_, Item(3), quota).ok()) << "uploads are counted apart";
  item.size_bytes = 51;
  EXPECT_EQ(ReasonOf(media().InsertConversion(call_, item, kTarget, {.bytes_max = 250}).status()), "MEDIA_SPACE");
}

}  // namespace parvis::publishing
