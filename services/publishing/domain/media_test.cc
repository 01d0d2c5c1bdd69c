#include "publishing/domain/media.h"

#include <gtest/gtest.h>

#include <set>

#include "publishing/domain/media_store_contract.h"
#include "publishing/domain/media_sweeper.h"
#include "publishing/domain/posts.h"
#include "publishing/domain/sha256.h"
#include "publishing/domain/testing/fake_store.h"
#include "publishing/domain/testing/media_fixture.h"

namespace parvis::publishing {
namespace {

class FakeFixture : public MediaStoreFixture {
 public:
  FakeFixture() {
    store_.in_use = [this](const std::string&, const std::string& id) { return named_.contains(id); };
  }
  MediaStore& media() override { return store_; }
  MediaTrash& trash() override { return store_; }
  MediaConversions& conversions() override { return store_; }
  void NameInPost(const std::string& id) override { named_.insert(id); }
  void PublishPost(const std::string& id) override { named_.erase(id); }

 private:
  std::set<std::string> named_;
  FakeMediaStore store_;
};

INSTANTIATE_TEST_SUITE_P(Fake, MediaStoreContract, ::testing::Values([]() -> std::unique_ptr<MediaStoreFixture> {
                           return std::make_unique<FakeFixture>();
                         }));

TEST(Sha256Test, AsTheStandardSays) {
  EXPECT_EQ(Sha256::Of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256::Of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256::Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256::Of(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, GoesOnWhereItWasPutAside) {
  const std::string bytes(640, 'x');
  std::string saved;
  for (int i = 0; i < 9; ++i) {
    auto hash = Sha256::Resume(saved);
    ASSERT_TRUE(hash.has_value());
    hash->Add(std::string_view(bytes).substr(static_cast<size_t>(i) * 64, 64));
    saved = hash->Save();
  }
  auto hash = Sha256::Resume(saved);
  hash->Add(std::string(63, 'x'));
  EXPECT_EQ(hash->Finish(), Sha256::Of(std::string(639, 'x')));
  EXPECT_FALSE(Sha256::Resume("garbage").has_value());
  EXPECT_FALSE(Sha256::Resume(std::string(80, 'g')).has_value());
}

TEST(MediaNameTest, IsReadAndWritten) {
  const std::string name = MediaName(kWorkspace, kChannel);
  ASSERT_TRUE(ParseMediaName(name).has_value());
  EXPECT_EQ(ParseMediaName(name)->workspace_id, kWorkspace);
  EXPECT_EQ(ParseMediaName(name)->id, kChannel);
  for (const std::string& wrong : {std::string(), name + "/", "/" + name, name.substr(1), std::string(name.size(), 'a'),
                                   "workspaces/" + std::string(kWorkspace) + "/posts/" + kChannel}) {
    EXPECT_FALSE(ParseMediaName(wrong).has_value()) << wrong;
  }
}

// Chunks of 64 bytes.
class MediaTest : public MediaFixture {
 protected:
  static MediaLimits Limits() {
    MediaLimits limits;
    limits.chunk_bytes = 100;   // rounded down to whole blocks
    limits.picture_bytes_max = 1000;
    limits.video_bytes_max = 2000;
    return limits;
  }
  MediaTest() : MediaFixture(Limits()) {
    directory_.Add(kWorkspace, kOtherChannel, "blog");
    media_.in_use = [this](const std::string&, const std::string& id) { return named_.contains(id); };
  }
  std::string ReadAll(const MediaItem& item) {
    const auto bytes = OpenMedia(call_, media_, blobs_, item);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return *bytes->read(call_, 0, bytes->size);
  }

  std::set<std::string> named_;
};

TEST_F(MediaTest, ComesInChunksAndIsWhatItIs) {
  const std::string content = Picture();
  const MediaItem item = Created(content);
  EXPECT_EQ(item.chunk_bytes, 64);
  EXPECT_EQ(Send(item, content, 0)->received_bytes, 64);
  EXPECT_EQ(Send(item, content, 64)->received_bytes, 128);
  const auto incomplete = FinishMedia(call_, context_, item.id, "");
  EXPECT_EQ(ReasonOf(incomplete.status()), "MEDIA_INCOMPLETE");
  EXPECT_EQ(Send(item, content, 128)->sha256, Sha256::Of(content));
  const auto ready = FinishMedia(call_, context_, item.id, Sha256::Of(content));
  ASSERT_TRUE(ready.ok()) << ready.status();
  EXPECT_EQ(ready->state, MediaState::kReady);
  EXPECT_EQ(ready->facts.type, "image/png");
  EXPECT_EQ(ready->facts.width, 50);
  EXPECT_EQ(ready->expire_time, clock_.WallNow() + Limits().unused_keep);
  EXPECT_EQ(*FinishMedia(call_, context_, item.id, ""), *ready);
  EXPECT_EQ(inspector_.inspected, 1) << "the same again changes nothing";
  EXPECT_EQ(ReadAll(*ready), content);
}

TEST_F(MediaTest, GoesOnAfterAnInterruption) {
  const std::string content = Picture();
  const std::string request = "0190a0b1-0000-7000-8000-00000000aaaa";
  const MediaItem item = Created(content, request);
  ASSERT_TRUE(Send(item, content, 0).ok());
  EXPECT_EQ(Created(content, request).received_bytes, 64) << "the same request, the same upload";
  EXPECT_EQ(Send(item, content, 0)->received_bytes, 64) << "a chunk whose answer was lost";
  const Status wrong = Send(item, content, 128).status();
  EXPECT_EQ(ReasonOf(wrong), "OFFSET_WRONG");
  EXPECT_EQ(ToError(wrong).metadata.at("received_bytes"), "64");
  EXPECT_EQ(ReasonOf(Send(item, content, 1).status()), "OFFSET_WRONG");
  EXPECT_EQ(ReasonOf(Send(item, std::string(150, 'z'), 0).status()), "CHUNK_DIFFERS");
  EXPECT_EQ(ToError(UploadChunk(call_, context_, item.id, 64, "short").status()).violations[0].reason, "CHUNK_SIZE");
  ASSERT_TRUE(Send(item, content, 64).ok());
  ASSERT_TRUE(Send(item, content, 128).ok());
  EXPECT_EQ(ReasonOf(UploadChunk(call_, context_, item.id, 192, "more").status()), "OFFSET_WRONG");
  EXPECT_EQ(FinishMedia(call_, context_, item.id, "")->state, MediaState::kReady);
  EXPECT_TRUE(Send(item, content, 128).ok()) << "late, and the same";
}

TEST_F(MediaTest, TwoSendersOfOneChunkLeaveOneOfThem) {
  const std::string content = Picture(), other(150, 'o');
  const MediaItem item = Created(content);
  media_.before_add_chunk = [&] { ASSERT_TRUE(Send(item, other, 0).ok()); };
  EXPECT_EQ(ReasonOf(Send(item, content, 0).status()), "CHUNK_DIFFERS");
  EXPECT_EQ(blobs_.objects.size(), 1u) << "the loser's object is gone";
  media_.before_add_chunk = [&] { ASSERT_TRUE(Send(item, other, 64).ok()); };
  EXPECT_TRUE(Send(item, other, 64).ok()) << "both sent the same";
  EXPECT_EQ(blobs_.objects.size(), 2u);
  media_.before_add_chunk = [&] { ASSERT_TRUE(media_.DeleteMedia(call_, item.id, clock_.WallNow()).ok()); };
  EXPECT_EQ(Send(item, other, 128).status().code(), Code::kNotFound);
  EXPECT_EQ(blobs_.objects.size(), 2u) << "only what the trash knows of";
}

TEST_F(MediaTest, NothingIsReceivedWhileTheStoreIsAway) {
  const std::string content = Picture();
  const MediaItem item = Created(content);
  blobs_.down = MakeError(Code::kUnavailable, "BLOB_STORE_AWAY", "away");
  EXPECT_EQ(ReasonOf(Send(item, content, 0).status()), "BLOB_STORE_AWAY");
  blobs_.down = absl::OkStatus();
  EXPECT_EQ(media_.GetMedia(call_, item.id)->received_bytes, 0);
  EXPECT_TRUE(Send(item, content, 0).ok());
}

TEST_F(MediaTest, WhatCannotBeUsedIsRefusedForGood) {
  const MediaItem text = Uploaded("no picture at all");
  EXPECT_EQ(FinishMedia(call_, context_, text.id, "")->refusal_reason, "MEDIA_UNREADABLE");
  EXPECT_EQ(FinishMedia(call_, context_, Uploaded("hostile file").id, "")->refusal_reason, "MEDIA_OVER_LIMIT");
  EXPECT_EQ(FinishMedia(call_, context_, Uploaded(Picture(50, 1001)).id, "")->refusal_reason, "MEDIA_TOO_LARGE");
  const MediaItem other = Uploaded(Picture());
  EXPECT_EQ(FinishMedia(call_, context_, other.id, Sha256::Of("other"))->refusal_reason, "SHA256_MISMATCH");
  EXPECT_EQ(FinishMedia(call_, context_, other.id, "")->state, MediaState::kRefused);
  EXPECT_EQ(ToError(FinishMedia(call_, context_, other.id, "ABC").status()).violations[0].field, "sha256");
  std::string video = "video/mp4 10x10\n";
  video.resize(2000, 'v');
  EXPECT_EQ(FinishMedia(call_, context_, Uploaded(video).id, "")->facts.video_codec, "h264") << "videos may be larger";
}

TEST_F(MediaTest, WhatMayPassIsTriedAgain) {
  const MediaItem item = Uploaded(Picture());
  inspector_.next = MakeError(Code::kResourceExhausted, "MEDIA_TOOLS_BUSY", "busy");
  EXPECT_EQ(ReasonOf(FinishMedia(call_, context_, item.id, "").status()), "MEDIA_TOOLS_BUSY");
  EXPECT_EQ(media_.GetMedia(call_, item.id)->state, MediaState::kUploaded);
  EXPECT_EQ(FinishMedia(call_, context_, item.id, "")->state, MediaState::kReady);
}

TEST_F(MediaTest, LimitsAndNamesAreChecked) {
  const auto wrong = CreateMedia(call_, context_, {std::string(201, 'a'), std::string("\xff", 1), 2001}, "");
  EXPECT_EQ(ToError(wrong.status()).violations.size(), 3u);
  EXPECT_EQ(CreateMedia(call_, context_, {"", "", 0}, "").status().code(), Code::kInvalidArgument);
}

TEST_F(MediaTest, APieceMaySpanChunks) {
  const std::string content = Picture();
  const auto bytes = OpenMedia(call_, media_, blobs_, Ready(content));
  EXPECT_EQ(*bytes->read(call_, 60, 80), content.substr(60, 80));
  EXPECT_EQ(*bytes->read(call_, 140, 1000), content.substr(140));
  EXPECT_EQ(*bytes->read(call_, 150, 1), "");
  EXPECT_EQ(*bytes->read(call_, -1, 1), "");
  EXPECT_EQ(*bytes->read(call_, 1, INT64_MAX), content.substr(1));
  blobs_.objects.clear();
  EXPECT_EQ(ReasonOf(bytes->read(call_, 0, 10).status()), "BLOB_MISSING");
}

TEST_F(MediaTest, EachNetworkSaysWhatItTakesAndWhatWouldHelp) {
  const MediaItem large = Ready(Picture(500));
  const auto fits = CheckMedia(call_, context_, large.id, {kChannel, kOtherChannel});
  ASSERT_TRUE(fits.ok()) << fits.status();
  EXPECT_FALSE((*fits)[0].fit.fits);
  EXPECT_EQ((*fits)[0].fit.changes.size(), 1u);
  EXPECT_TRUE((*fits)[1].fit.fits);
  EXPECT_EQ(CheckMedia(call_, context_, large.id, {}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(CheckMedia(call_, context_, large.id, {large.id}).status().code(), Code::kNotFound);
  EXPECT_EQ(ReasonOf(CheckMedia(call_, context_, Uploaded(Picture()).id, {kChannel}).status()), "MEDIA_NOT_READY");
}

TEST_F(MediaTest, AConversionIsAnotherMedium) {
  const MediaItem large = Ready(Picture(500));
  const std::string request = "0190a0b1-0000-7000-8000-00000000aaaa";
  const auto small = ConvertMedia(call_, context_, large.id, kChannel, request);
  ASSERT_TRUE(small.ok()) << small.status();
  EXPECT_EQ(small->state, MediaState::kReady);
  EXPECT_EQ(small->source_id, large.id);
  EXPECT_EQ(small->facts.width, 100);
  EXPECT_EQ(small->alt_text, "a lamp");
  EXPECT_NE(small->sha256, large.sha256);
  EXPECT_EQ(*ConvertMedia(call_, context_, large.id, kChannel, request), *small);
  EXPECT_EQ(*media_.GetMedia(call_, large.id), large);
  EXPECT_EQ(ReasonOf(ConvertMedia(call_, context_, small->id, kChannel, "").status()), "NO_CONVERSION");
  EXPECT_EQ(ReasonOf(ConvertMedia(call_, context_, Ready("video/webm 1000x1000\n").id, kChannel, "").status()), "NO_CONVERSION");
}

TEST_F(MediaTest, AConversionThatWasCutOffGoesOn) {
  const MediaItem large = Ready(Picture(500));
  const std::string request = "0190a0b1-0000-7000-8000-00000000aaaa";
  media_.before_add_chunk = [&] { blobs_.down = MakeError(Code::kUnavailable, "BLOB_STORE_AWAY", "away"); };
  EXPECT_FALSE(ConvertMedia(call_, context_, large.id, kChannel, request).ok());
  blobs_.down = absl::OkStatus();
  EXPECT_EQ(ConvertMedia(call_, context_, large.id, kChannel, request)->state, MediaState::kReady);
  EXPECT_EQ(media_.ListMedia(call_, {})->size(), 2u);
}

TEST_F(MediaTest, TheSweeperDeletesWhatTimeHasEndedWithItsContent) {
  const MediaItem used = Ready(Picture()), unused = Ready(Picture(51));
  const MediaItem unfinished = Created(Picture());
  ASSERT_TRUE(Send(unfinished, Picture(), 0).ok());
  named_.insert(used.id);
  const auto sweep = [&] { return *SweepMedia(call_, media_, blobs_, clock_.WallNow(), Limits(), {.batch = 10}, {}); };
  EXPECT_FALSE(sweep());
  EXPECT_EQ(blobs_.objects.size(), 7u);
  clock_.Advance(Limits().upload_keep);
  EXPECT_FALSE(sweep());
  EXPECT_EQ(media_.GetMedia(call_, unfinished.id).status().code(), Code::kNotFound);
  EXPECT_EQ(blobs_.objects.size(), 6u);
  clock_.Advance(Limits().unused_keep);
  blobs_.down = MakeError(Code::kUnavailable, "BLOB_STORE_AWAY", "away");
  EXPECT_FALSE(SweepMedia(call_, media_, blobs_, clock_.WallNow(), Limits(), {.batch = 10}, {}).ok());
  blobs_.down = absl::OkStatus();
  EXPECT_FALSE(sweep());
  EXPECT_EQ(blobs_.objects.size(), 3u) << "that of the medium that a post needs";
  EXPECT_GT(media_.GetMedia(call_, used.id)->expire_time, clock_.WallNow());
  EXPECT_EQ(media_.GetMedia(call_, unused.id).status().code(), Code::kNotFound);
}

// ---- in posts ------------------------------------------------------------------------------------------------------

class MediaInPostsTest : public MediaTest {
 protected:
  MediaInPostsTest() {
    Campaign campaign;
    campaign.display_name = "Launch";
    campaign_ = CreateCampaign(call_, posts_, campaign, "")->id;
  }
  Post With(const std::string& name) {
    Post post;
    post.campaign_id = campaign_;
    Media media;
    media.media = name;
    post.variants = {{kChannel, {.text = "hello", .media = {media}}}};
    return post;
  }
  std::vector<Violation> Wrong(const Post& post) { return CheckPost(call_, posts_, post)->violations; }

  FakeStore store_;
  FakeRules network_rules_;
  const PostContext posts_{store_, store_, directory_, network_rules_, ids_, clock_, {}, &media_};
  std::string campaign_;
};

TEST_F(MediaInPostsTest, ADeliveryCarriesWhatIsKnownOfTheMedium) {
  const MediaItem item = Ready(Picture());
  const auto post = CreatePost(call_, posts_, With(MediaName(kWorkspace, item.id)), "");
  ASSERT_TRUE(post.ok()) << post.status();
  EXPECT_EQ(post->variants[0].content.media[0].type, "") << "the post is as it was written";
  ASSERT_TRUE(SubmitPost(call_, posts_, post->id, {}).ok());
  ASSERT_TRUE(ApprovePost(CallOf("approver"), posts_, post->id, {}, "").ok());
  ASSERT_TRUE(SchedulePost(call_, posts_, post->id, {}, {.due_time = clock_.WallNow()}, "").ok());
  const Media sent = store_.ListDeliveries(call_, {}, {})->front().content.media[0];
  EXPECT_EQ(sent.media, MediaName(kWorkspace, item.id));
  EXPECT_EQ(sent.type, "image/png");
  EXPECT_EQ(sent.size_bytes, 150);
  EXPECT_EQ(sent.width, 50);
  EXPECT_EQ(sent.alt_text, "a lamp");
}

TEST_F(MediaInPostsTest, EveryReasonWhyAMediumCannotGoOut) {
  const auto reason = [&](const std::string& name) {
    const auto wrong = Wrong(With(name));
    return wrong.empty() ? "" : wrong[0].reason;
  };
  EXPECT_EQ(reason(MediaName(kWorkspace, Ready(Picture()).id)), "");
  EXPECT_EQ(reason(MediaName(kWorkspace, Uploaded(Picture()).id)), "MEDIA_NOT_READY");
  EXPECT_EQ(reason(MediaName(kWorkspace, FinishMedia(call_, context_, Uploaded("text").id, "")->id)), "MEDIA_REFUSED");
  EXPECT_EQ(reason(MediaName(kWorkspace, kChannel)), "NOT_FOUND");
  EXPECT_EQ(reason(MediaName(kOtherWorkspace, kChannel)), "OTHER_WORKSPACE");
  EXPECT_EQ(reason("media/7"), "MEDIA_NAME");
  EXPECT_EQ(Wrong(With(MediaName(kWorkspace, kChannel)))[0].field, "post.variants[0].media[0].media");
}

TEST_F(MediaInPostsTest, AMediumIsLookedAtWhereverItStands) {
  Post post = With(MediaName(kWorkspace, kChannel));
  Content& content = post.variants[0].content;
  content.thumbnail = content.media[0];
  content.thread = {{"more", {}}, {"and more", content.media}};
  content.thread[1].media[0].media = MediaName(kWorkspace, kOtherChannel);
  std::vector<std::string> fields;
  for (const Violation& wrong : ToError(CreatePost(call_, posts_, post, "").status()).violations) fields.push_back(wrong.field);
  EXPECT_EQ(fields, (std::vector<std::string>{"post.variants[0].media[0].media", "post.variants[0].thumbnail.media",
                                              "post.variants[0].thread[1].media[0].media"}));
  EXPECT_EQ(MediaIdsOf(post.variants), (std::vector<std::string>{kChannel, kOtherChannel}));
}

TEST_F(MediaInPostsTest, APostMayNameWhatIsUploadingButNotWhatIsNot) {
  EXPECT_TRUE(CreatePost(call_, posts_, With(MediaName(kWorkspace, Uploaded(Picture()).id)), "").ok());
  const auto none = CreatePost(call_, posts_, With(MediaName(kWorkspace, kChannel)), "");
  EXPECT_EQ(ToError(none.status()).violations[0].reason, "NOT_FOUND");
}

TEST_F(MediaInPostsTest, TheTextIsTheOneOfWhenThePostIsScheduled) {
  const MediaItem item = Ready(Picture());
  const auto post = CreatePost(call_, posts_, With(MediaName(kWorkspace, item.id)), "");
  ASSERT_TRUE(SubmitPost(call_, posts_, post->id, {}).ok());
  ASSERT_TRUE(ApprovePost(CallOf("approver"), posts_, post->id, {}, "").ok());
  ASSERT_TRUE(UpdateMedia(call_, context_, item.id, {std::nullopt, "a lantern"}).ok());
  ASSERT_TRUE(SchedulePost(call_, posts_, post->id, {}, {.due_time = clock_.WallNow()}, "").ok());
  ASSERT_TRUE(UpdateMedia(call_, context_, item.id, {std::nullopt, "too late"}).ok());
  ASSERT_TRUE(SchedulePost(call_, posts_, post->id, {}, {.due_time = clock_.WallNow() + absl::Hours(1)}, "").ok());
  EXPECT_EQ(store_.ListDeliveries(call_, {}, {})->front().content.media[0].alt_text, "a lantern");
}

}  // namespace
}  // namespace parvis::publishing
