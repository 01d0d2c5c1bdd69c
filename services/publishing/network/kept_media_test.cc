// ConnectorWriter and ConnectorRules with media that we keep.
#include "publishing/network/testing/connector_fixture.h"

namespace parvis::publishing {
namespace {

class FakeSource : public MediaSource {
 public:
  StatusOr<MediaBytes> Open(const Call&, const std::string& workspace_id, const std::string& media_id) override {
    opened = MediaName(workspace_id, media_id);
    if (!status.ok()) return status;
    return MediaBytes{7, [this](const Call&, int64_t offset, int64_t length) -> StatusOr<std::string> {
                        if (!read.ok()) return read;
                        return std::string("picture").substr(static_cast<size_t>(offset), static_cast<size_t>(length));
                      }};
  }
  Status status, read;
  std::string opened;
};

class KeptMediaTest : public ConnectorWriterTest {
 protected:
  Delivery WithPicture() {
    Delivery delivery = Reply();
    Media& media = delivery.content.media.emplace_back();
    media.media = MediaName(delivery.workspace_id, kOtherChannel);
    media.type = "image/png", media.size_bytes = 7, media.width = 5, media.height = 6, media.duration = absl::Seconds(1);
    delivery.content.thumbnail = media;
    return delivery;
  }
  FakeSource source_;
  ConnectorWriter with_media_{connectors_, access_, {}, {&source_, nullptr}};
};

TEST_F(KeptMediaTest, TheConnectorReadsTheContentInPieces) {
  connector_->outcome.kind = networks::OutcomeKind::kAccepted;
  EXPECT_EQ(with_media_.Write(call_, WithPicture()).result, WriteResult::kAccepted);
  EXPECT_EQ(source_.opened, WithPicture().content.media[0].media);
  const networks::Media& media = connector_->last.draft.media.at(0);
  EXPECT_EQ(media.type, "image/png");
  EXPECT_EQ(media.width, 5);
  EXPECT_EQ(media.height, 6);
  EXPECT_EQ(media.duration, absl::Seconds(1));
  ASSERT_NE(media.content, nullptr);
  EXPECT_EQ(media.content->size(), 7);
  EXPECT_EQ(*media.content->Read(call_, 3, 2), "tu");
  EXPECT_EQ(*connector_->last.draft.thumbnail->content->Read(call_, 0, 7), "picture");
  source_.read = MakeError(Code::kUnavailable, "BLOB_STORE_AWAY", "away");
  EXPECT_EQ(media.content->Read(call_, 0, 1).status().code(), Code::kUnavailable);
  source_.read = MakeError(Code::kNotFound, "BLOB_MISSING", "gone");
  EXPECT_EQ(media.content->Read(call_, 0, 1).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(media.content->Read(call_, 0, 1).status()), "MEDIA_UNAVAILABLE");
}

TEST_F(KeptMediaTest, WithoutTheContentNothingIsSent) {
  source_.status = NotFound("media/1");
  EXPECT_EQ(with_media_.Write(call_, WithPicture()).result, WriteResult::kRefused);
  source_.status = MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "away");
  EXPECT_EQ(with_media_.Write(call_, WithPicture()).result, WriteResult::kNotSent);
  source_.status = absl::OkStatus();
  Delivery foreign = WithPicture();
  foreign.content.media[0].media = MediaName(kOtherWorkspace, kOtherChannel);
  EXPECT_EQ(with_media_.Write(call_, foreign).result, WriteResult::kRefused);
  EXPECT_EQ(writer_.Write(call_, WithPicture()).result, WriteResult::kRefused) << "none are kept";
  EXPECT_EQ(connector_->calls, 0);
}

// The store of media is away, full or refuses us: whatever it says then, the delivery is for later.
TEST_F(KeptMediaTest, WhileTheStoreIsAwayNothingIsSentAndItIsNotTheNetworksFault) {
  connector_->outcome.kind = networks::OutcomeKind::kAccepted;
  for (const char* reason : {"BLOB_STORE_AWAY", "BLOB_STORE_REFUSED"}) {
    source_.read = MakeError(Code::kUnavailable, reason, "the object store was not reached");
    const WriteOutcome outcome = with_media_.Write(call_, WithPicture());
    EXPECT_EQ(outcome.result, WriteResult::kNotSent);
    EXPECT_TRUE(outcome.ours);
    EXPECT_NE(outcome.message.find("the object store was not reached"), std::string::npos) << outcome.message;
  }
  EXPECT_EQ(connector_->calls, 0);
  EXPECT_EQ(with_media_.Write(call_, Reply()).result, WriteResult::kAccepted) << "what needs no medium goes out";
  source_.read = MakeError(Code::kNotFound, "BLOB_MISSING", "there is no object");
  EXPECT_EQ(with_media_.Write(call_, WithPicture()).result, WriteResult::kRefused) << "this will not pass";
  source_.read = absl::OkStatus();
  EXPECT_EQ(with_media_.Write(call_, WithPicture()).result, WriteResult::kAccepted);
}

// ---- media that the network fetches --------------------------------------------------------------------------------

class FetchedMediaTest : public KeptMediaTest {
 protected:
  FetchedMediaTest() {
    connector_->fetches = connector_->caps.fetches_media = true;
    connector_->outcome.kind = networks::OutcomeKind::kAccepted;
  }
  std::string AddressOf(const std::string& media_id) const { return addresses_.Of({kWorkspace, media_id}); }
  FakeClock clock_;
  const MediaAddresses addresses_{"https://media.brand.example", {Secret("key")}, absl::Hours(1), clock_};
  const KeptForNetworks kept_{&source_, &addresses_};
  ConnectorWriter writing_{connectors_, access_, {}, kept_};
};

TEST_F(FetchedMediaTest, HaveASignedAddressBesideTheirContent) {
  EXPECT_EQ(writing_.Write(call_, WithPicture()).result, WriteResult::kAccepted);
  const networks::Draft& draft = connector_->last.draft;
  EXPECT_EQ(draft.media.at(0).url, AddressOf(kOtherChannel));
  EXPECT_NE(draft.media.at(0).content, nullptr);
  EXPECT_EQ(draft.thumbnail->url, AddressOf(kOtherChannel));
  clock_.Advance(absl::Hours(2));
  writing_.Write(call_, WithPicture());
  EXPECT_EQ(draft.media.at(0).url, AddressOf(kOtherChannel)) << "every attempt has a new one";
}

TEST_F(FetchedMediaTest, OnlyWhereOneIsMissing) {
  Delivery delivery = WithPicture();
  delivery.content.media[0].url = "https://brand.example/lamp.jpg";
  writing_.Write(call_, delivery);
  EXPECT_EQ(connector_->last.draft.media.at(0).url, "https://brand.example/lamp.jpg") << "its own stays";
  connector_->fetches = false;
  writing_.Write(call_, WithPicture());
  EXPECT_EQ(connector_->last.draft.media.at(0).url, "") << "this network's rules ask for none";
  connector_->fetches = true;
  connector_->caps.fetches_media = false;
  writing_.Write(call_, WithPicture());
  EXPECT_EQ(connector_->last.draft.media.at(0).url, "") << "this network fetches nothing";
}

TEST_F(FetchedMediaTest, TheRulesKnowThatTheyWillHaveOne) {
  const Content content = WithPicture().content;
  EXPECT_TRUE(ConnectorRules(connectors_, kept_).Check("net", DeliveryKind::kPost, content).empty());
  const MediaAddresses none("", {}, absl::Hours(1), clock_);
  for (const KeptForNetworks& without : {KeptForNetworks{&source_, nullptr}, KeptForNetworks{&source_, &none}}) {
    const auto wrong = ConnectorRules(connectors_, without).Check("net", DeliveryKind::kPost, content);
    ASSERT_EQ(wrong.size(), 2u);
    EXPECT_EQ(wrong[0].reason, "MEDIA_URL");
    EXPECT_NE(wrong[0].description.find("media_public_url"), std::string::npos) << "says what would help: " << wrong[0].description;
  }
  Content nothing_kept;
  nothing_kept.media.resize(1);
  EXPECT_EQ(ConnectorRules(connectors_, kept_).Check("net", DeliveryKind::kPost, nothing_kept).at(0).description, "is needed");
}

TEST_F(FetchedMediaTest, ARefusalWhileTheStoreIsAwayIsNotForGood) {
  connector_->outcome = {networks::OutcomeKind::kRefused, networks::ErrorClass::kInvalid, "REJECTED", "could not be fetched"};
  connector_->on_write = [&] { source_.read = MakeError(Code::kUnavailable, "BLOB_STORE_AWAY", "away"); };
  WriteOutcome outcome = writing_.Write(call_, WithPicture());
  EXPECT_EQ(outcome.result, WriteResult::kNotSent);
  EXPECT_TRUE(outcome.ours);
  connector_->on_write = nullptr;
  source_.read = absl::OkStatus();
  outcome = writing_.Write(call_, WithPicture());
  EXPECT_EQ(outcome.result, WriteResult::kRefused) << "the network had what it asked for";
  EXPECT_EQ(connector_->calls, 2);
}

// What the network says is shown to people, and kept: it is no place for what opens a medium.
TEST_F(FetchedMediaTest, NoAnswerRepeatsTheSignature) {
  const std::string address = AddressOf(kOtherChannel), signature = address.substr(address.find("&signature=") + 11);
  connector_->outcome.kind = networks::OutcomeKind::kRefused;
  connector_->outcome.message = "cannot fetch " + address + " (signature%3D" + signature + ")";
  const WriteOutcome refused = writing_.Write(call_, WithPicture());
  EXPECT_EQ(refused.message.find(signature), std::string::npos) << refused.message;
  EXPECT_EQ(refused.message.rfind("cannot fetch https://media.brand.example/media/", 0), 0u) << refused.message;
  connector_->outcome.kind = networks::OutcomeKind::kAccepted;
  connector_->outcome.lacking = "without " + address;
  EXPECT_EQ(writing_.Write(call_, WithPicture()).message.find(signature), std::string::npos);
}

class FitTest : public FetchedMediaTest {
 protected:
  FitTest() {
    connector_->fetches = connector_->caps.fetches_media = false;
    connector_->caps.media_types = {"image/jpeg"};
    connector_->caps.media_max = 1;
    connector_->caps.media_max_bytes = 1'000'000;
    item_.workspace_id = kWorkspace;
    item_.id = kOtherChannel;
    item_.size_bytes = 7;
    item_.facts = {.type = "image/png", .width = 5, .height = 6};
  }
  ConnectorRules rules_{connectors_};
  MediaItem item_;
};

TEST_F(FitTest, OffersWhatWouldFitTheNetwork) {
  const MediaFit fit = rules_.Fit("net", item_);
  EXPECT_FALSE(fit.fits);
  ASSERT_EQ(fit.violations.size(), 1u);
  EXPECT_EQ(fit.violations[0].reason, "MEDIA_TYPE");
  ASSERT_TRUE(fit.target.has_value());
  EXPECT_EQ(fit.target->type, "image/jpeg");
  EXPECT_FALSE(fit.changes.empty());
  item_.facts.type = "image/jpeg";
  EXPECT_TRUE(rules_.Fit("net", item_).fits);
  EXPECT_FALSE(rules_.Fit("other", item_).fits);
}

TEST_F(FitTest, OffersWhatWouldFitOfAVideoByItsFacts) {
  connector_->caps.Allow({networks::Feature::kVideo});
  connector_->caps.media_types = {"video/mp4"};
  item_.size_bytes = 900'000;
  item_.facts = {.type = "video/webm", .width = 640, .height = 360, .duration = absl::Seconds(9), .video_codec = "vp9",
                 .audio_codec = "opus", .frame_rate = 25};
  const MediaFit fit = rules_.Fit("net", item_);
  EXPECT_FALSE(fit.target.has_value());
  ASSERT_TRUE(fit.video.has_value());
  EXPECT_FALSE(fit.video->copy_video);
  EXPECT_GT(fit.video->video_kbps, 100);
  EXPECT_EQ(fit.video->audio_kbps, 64);
  EXPECT_EQ(fit.video->bytes_max, 1'000'000);
  EXPECT_FALSE(fit.changes.empty());
  item_.facts = {.type = "image/gif", .width = 64, .height = 36, .frames = 9, .duration = absl::Seconds(3)};
  EXPECT_TRUE(rules_.Fit("net", item_).video.has_value());
  connector_->media_violation = {"media[0].url", "is needed", "MEDIA_URL"};
  EXPECT_FALSE(rules_.Fit("net", item_).video.has_value());
}

TEST_F(FitTest, NothingIsOfferedThatWouldNotHelp) {
  connector_->media_violation = {"media[0].url", "is needed: Net fetches pictures from a public address", "MEDIA_URL"};
  const MediaFit fit = rules_.Fit("net", item_);
  ASSERT_EQ(fit.violations.size(), 2u);
  EXPECT_EQ(fit.violations[1].field, "url");
  EXPECT_FALSE(fit.target.has_value());
}

TEST_F(FitTest, WhatWillHaveAnAddressFits) {
  connector_->fetches = connector_->caps.fetches_media = true;
  item_.facts.type = "image/jpeg";
  EXPECT_TRUE(ConnectorRules(connectors_, kept_).Fit("net", item_).fits);
  const MediaFit without = rules_.Fit("net", item_);
  ASSERT_EQ(without.violations.size(), 1u);
  EXPECT_NE(without.violations[0].description.find("media_public_url"), std::string::npos);
}

}  // namespace
}  // namespace parvis::publishing
