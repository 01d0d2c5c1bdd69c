// Media in memory, and how they get there: what tests of uploads and of what becomes of them stand on.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "publishing/domain/media.h"
#include "publishing/domain/testing/builders.h"
#include "publishing/domain/testing/fake_media.h"
#include "publishing/domain/testing/fake_network.h"

namespace parvis::publishing {

// kChannel is one of the network "short".
class MediaFixture : public ::testing::Test {
 protected:
  static MediaLimits SmallChunks() {
    MediaLimits limits;
    limits.chunk_bytes = 64;
    return limits;
  }
  explicit MediaFixture(MediaLimits limits = SmallChunks())
      : context_{media_, blobs_, inspector_, directory_, rules_, ids_, clock_, std::move(limits), {}} {
    directory_.Add(kWorkspace, kChannel, "short");
  }
  static std::string Picture(int side = 50, size_t size = 150) {
    std::string bytes = "image/png " + std::to_string(side) + "x" + std::to_string(side) + "\n";
    bytes.resize(size, 'p');
    return bytes;
  }
  MediaItem Created(const std::string& content, const std::string& request = "") {
    const auto made = CreateMedia(call_, context_, {"lamp.png", "a lamp", static_cast<int64_t>(content.size())}, request);
    EXPECT_TRUE(made.ok()) << made.status();
    return *made;
  }
  // The chunk of `content` that begins at `offset`.
  StatusOr<MediaItem> Send(const MediaItem& item, const std::string& content, int64_t offset) {
    const auto chunk = std::string_view(content).substr(static_cast<size_t>(offset), static_cast<size_t>(item.chunk_bytes));
    return UploadChunk(call_, context_, item.id, offset, chunk);
  }
  MediaItem Uploaded(const std::string& content) {
    const MediaItem item = Created(content);
    for (int64_t at = 0; at < item.size_bytes; at += item.chunk_bytes) EXPECT_TRUE(Send(item, content, at).ok());
    return *media_.GetMedia(call_, item.id);
  }
  // Ready or refused.
  MediaItem Finished(const std::string& content) {
    const auto done = FinishMedia(call_, context_, Uploaded(content).id, "");
    EXPECT_TRUE(done.ok()) << done.status();
    return *done;
  }
  MediaItem Ready(const std::string& content) {
    const MediaItem item = Finished(content);
    EXPECT_EQ(item.state, MediaState::kReady) << item.refusal;
    return item;
  }

  FakeClock clock_;
  Ids ids_{clock_, 7};
  FakeMediaStore media_;
  FakeBlobs blobs_;
  FakeInspector inspector_;
  FakeDirectory directory_;
  FakeMediaRules rules_;
  const MediaContext context_;
  const Call call_ = CallOf("writer");
};

}  // namespace parvis::publishing
