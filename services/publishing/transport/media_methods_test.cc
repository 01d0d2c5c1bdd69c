// The media's methods on the stores in memory: names, pages, and what reaches the caller.
#include "publishing/transport/media_methods.h"

#include <gtest/gtest.h>

#include "publishing/domain/testing/media_fixture.h"

namespace parvis::publishing {
namespace {

const std::string kParent = std::string("workspaces/") + kWorkspace;

class MediaMethodsTest : public MediaFixture {
 protected:
  MediaMethodsTest() : MediaFixture(MediaLimits()) {}
  v1::MediaItem Create(const std::string& content) {
    v1::CreateMediaRequest request;
    request.set_parent(kParent);
    request.mutable_media()->set_display_name("lamp.png");
    request.mutable_media()->set_size_bytes(static_cast<int64_t>(content.size()));
    v1::MediaItem item;
    const Status status = CreateMediaMethod(call_, context_, request, item);
    EXPECT_TRUE(status.ok()) << status;
    return item;
  }
  v1::MediaItem Ready(const std::string& content) {
    v1::MediaItem item = Create(content);
    v1::UploadMediaChunkRequest chunk;
    chunk.set_name(item.name());
    chunk.set_content(content);
    EXPECT_TRUE(UploadMediaChunkMethod(call_, context_, chunk, item).ok());
    v1::FinishMediaRequest finish;
    finish.set_name(item.name());
    EXPECT_TRUE(FinishMediaMethod(call_, context_, finish, item).ok());
    return item;
  }
};

TEST_F(MediaMethodsTest, AnUploadGoesItsWay) {
  const v1::MediaItem created = Create("image/png 50x40\n");
  EXPECT_EQ(created.state(), v1::MEDIA_STATE_UPLOADING);
  EXPECT_EQ(created.chunk_bytes(), 512 << 10);
  EXPECT_FALSE(created.has_facts());
  const v1::MediaItem ready = Ready("image/png 50x40\n");
  EXPECT_EQ(ready.state(), v1::MEDIA_STATE_READY);
  EXPECT_EQ(ready.facts().type(), "image/png");
  EXPECT_EQ(ready.facts().height(), 40);
  EXPECT_EQ(ready.sha256().size(), 64u);
  EXPECT_EQ(ready.author(), "writer");
  v1::GetMediaRequest get;
  get.set_name(ready.name());
  v1::MediaItem got;
  ASSERT_TRUE(GetMediaMethod(call_, context_, get, got).ok());
  EXPECT_EQ(got.SerializeAsString(), ready.SerializeAsString());
  EXPECT_EQ(Ready("text").refusal().reason(), "MEDIA_UNREADABLE");
}

TEST_F(MediaMethodsTest, TheErrorTellsWhereToGoOn) {
  const v1::MediaItem item = Create("image/png 50x40\n");
  v1::UploadMediaChunkRequest chunk;
  chunk.set_name(item.name());
  chunk.set_offset(item.chunk_bytes());
  v1::MediaItem out;
  const Status wrong = UploadMediaChunkMethod(call_, context_, chunk, out);
  EXPECT_EQ(ToError(wrong).reason, "OFFSET_WRONG");
  EXPECT_EQ(ToError(wrong).metadata.at("received_bytes"), "0");
  chunk.set_name("media/1");
  EXPECT_EQ(UploadMediaChunkMethod(call_, context_, chunk, out).code(), Code::kInvalidArgument);
}

TEST_F(MediaMethodsTest, WhatIsSaidOfAMediumCanBeChanged) {
  v1::UpdateMediaRequest request;
  request.mutable_media()->set_name(Ready("image/png 50x40\n").name());
  request.mutable_media()->set_alt_text("a lamp");
  request.mutable_media()->set_size_bytes(7);
  v1::MediaItem out;
  ASSERT_TRUE(UpdateMediaMethod(call_, context_, request, out).ok());
  EXPECT_EQ(out.alt_text(), "a lamp");
  EXPECT_EQ(out.display_name(), "lamp.png") << "not set: as it was";
  EXPECT_NE(out.size_bytes(), 7);
  EXPECT_EQ(out.state(), v1::MEDIA_STATE_READY);
  request.mutable_media()->clear_alt_text();
  request.mutable_update_mask()->add_paths("alt_text");
  ASSERT_TRUE(UpdateMediaMethod(call_, context_, request, out).ok());
  EXPECT_EQ(out.alt_text(), "") << "taken away";
  request.mutable_media()->set_alt_text(std::string(2001, 'x'));
  EXPECT_EQ(ToError(UpdateMediaMethod(call_, context_, request, out)).violations[0].field, "media.alt_text");
  request.mutable_update_mask()->set_paths(0, "size_bytes");
  EXPECT_EQ(ToError(UpdateMediaMethod(call_, context_, request, out)).violations[0].reason, "FIELD_MASK");
  request.mutable_media()->set_name("media/1");
  EXPECT_EQ(UpdateMediaMethod(call_, context_, request, out).code(), Code::kInvalidArgument);
}

TEST_F(MediaMethodsTest, ListsInPagesAndDeletes) {
  for (int i = 0; i < 5; ++i) {
    Create("12345");
    clock_.Advance(absl::Milliseconds(1));
  }
  v1::ListMediaRequest request;
  request.set_parent(kParent);
  request.set_page_size(2);
  std::vector<std::string> names;
  do {
    v1::ListMediaResponse response;
    ASSERT_TRUE(ListMediaMethod(call_, context_, request, response).ok());
    for (const v1::MediaItem& item : response.media()) names.push_back(item.name());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(names.size(), 5u);
  v1::DeleteMediaRequest remove;
  remove.set_name(names[0]);
  google::protobuf::Empty nothing;
  EXPECT_TRUE(DeleteMediaMethod(call_, context_, remove, nothing).ok());
  EXPECT_EQ(DeleteMediaMethod(call_, context_, remove, nothing).code(), Code::kNotFound);
}

TEST_F(MediaMethodsTest, ChecksAndConvertsForAChannel) {
  const v1::MediaItem large = Ready("image/jpeg 500x500\n");
  v1::CheckMediaRequest check;
  check.set_name(large.name());
  check.add_channels(kParent + "/channels/" + kChannel);
  v1::CheckMediaResponse checked;
  const Status status = CheckMediaMethod(call_, context_, check, checked);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(checked.checks_size(), 1);
  EXPECT_EQ(checked.checks(0).network(), "short");
  EXPECT_FALSE(checked.checks(0).fits());
  EXPECT_EQ(checked.checks(0).violations(0).reason(), "MEDIA_TYPE");
  EXPECT_EQ(checked.checks(0).conversion().type(), "image/png");
  EXPECT_EQ(checked.checks(0).conversion().changes_size(), 1);
  v1::ConvertMediaRequest convert;
  convert.set_name(large.name());
  convert.set_channel(check.channels(0));
  v1::MediaItem made;
  ASSERT_TRUE(ConvertMediaMethod(call_, context_, convert, made).ok());
  EXPECT_EQ(made.source(), large.name());
  EXPECT_EQ(made.facts().type(), "image/png");
  EXPECT_FALSE(checked.checks(0).conversion().later());
  check.set_name(Ready("video/webm 500x500\n").name());
  checked.Clear();
  ASSERT_TRUE(CheckMediaMethod(call_, context_, check, checked).ok());
  EXPECT_EQ(checked.checks(0).conversion().type(), "video/mp4");
  EXPECT_EQ(checked.checks(0).conversion().side_max(), 100);
  EXPECT_TRUE(checked.checks(0).conversion().later());
  convert.set_name(check.name());
  ASSERT_TRUE(ConvertMediaMethod(call_, context_, convert, made).ok());
  EXPECT_EQ(made.state(), v1::MEDIA_STATE_CONVERTING);
  EXPECT_FALSE(made.has_facts());
  convert.set_channel(std::string("workspaces/") + kOtherWorkspace + "/channels/" + kChannel);
  EXPECT_EQ(ToError(ConvertMediaMethod(call_, context_, convert, made)).violations[0].reason, "OTHER_WORKSPACE");
}

}  // namespace
}  // namespace parvis::publishing
