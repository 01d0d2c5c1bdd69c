#include "publishing/network/connector_writer.h"

#include <gtest/gtest.h>

#include "publishing/domain/testing/builders.h"

namespace parvis::publishing {
namespace {

// A connector that answers what it is told and keeps what it was given.
class FakeConnector : public networks::Connector {
 public:
  const networks::Capabilities& capabilities() const override { return caps; }
  std::vector<Violation> Check(networks::WriteKind, const networks::Draft& draft) const override {
    if (!media_violation.reason.empty()) return {media_violation};
    std::vector<Violation> missing;
    for (size_t i = 0; fetches && i < draft.media.size(); ++i) {
      if (draft.media[i].url.empty()) missing.push_back({"media[" + std::to_string(i) + "].url", "is needed", "MEDIA_URL"});
    }
    if (fetches && draft.thumbnail && draft.thumbnail->url.empty()) missing.push_back({"thumbnail.url", "is needed", "MEDIA_URL"});
    if (!missing.empty()) return missing;
    if (draft.text.size() <= 5) return {};
    return {{"text", "too long", "TEXT_TOO_LONG"}};
  }
  int TextLength(std::string_view text) const override { return static_cast<int>(text.size()); }
  StatusOr<networks::Identity> WhoAmI(const Call&, const networks::Account&) override { return networks::Identity{}; }
  StatusOr<std::vector<networks::OwnItem>> ReadBack(const Call&, const networks::Account&, const networks::Write&, absl::Time,
                                                    int) override {
    return items;
  }
  bool Matches(const networks::Write& write, const networks::OwnItem& item) const override {
    return write.draft.text == item.text;
  }
  StatusOr<networks::HandshakeAnswer> Handshake(const networks::WebhookCall&, const std::vector<Secret>&,
                                                const Secret&) const override {
    return networks::HandshakeAnswer{};
  }
  Status VerifySignature(const networks::WebhookCall&, const std::vector<Secret>&) const override { return absl::OkStatus(); }
  networks::WebhookContent ParseWebhook(std::string_view) const override { return {}; }
  StatusOr<networks::PollPage> Poll(const Call&, const networks::Account&, const std::string&, absl::Time, int) override {
    return networks::PollPage{};
  }

  networks::Capabilities caps;
  Violation media_violation;
  bool fetches = false;   // every medium must have an address
  networks::Outcome outcome;
  std::vector<networks::OwnItem> items;
  networks::Account last_account;
  networks::Write last;
  int calls = 0;

 private:
  networks::Outcome CarryOut(const Call&, const networks::Account& account, const networks::Write& write) override {
    ++calls;
    last_account = account;
    last = write;
    return outcome;
  }
};

class FakeAccess : public ChannelAccessSource {
 public:
  StatusOr<ChannelAccess> GetAccess(const Call&, const std::string&, const std::string&, bool fresh) override {
    if (!status.ok()) return status;
    ChannelAccess access{"net", "page-1", "https://net.example", fresh ? "2" : "1", {}};
    access.fields.emplace("access_token", Secret("s3cret"));
    return access;
  }
  Status ReportBroken(const Call&, const std::string&, const std::string&, const ChannelAccess& access,
                      const std::string& reason, const std::string&) override {
    reported = access.version + " " + reason;
    return absl::OkStatus();
  }
  Status status;
  std::string reported;
};

class ConnectorWriterTest : public ::testing::Test {
 protected:
  ConnectorWriterTest() {
    auto connector = std::make_unique<FakeConnector>();
    connector_ = connector.get();
    connector_->caps.network = "net";
    connector_->caps.post_text_max = 5;
    for (int i = 0; i < networks::kFeatures; ++i) connector_->caps.Allow({static_cast<networks::Feature>(i)});
    connectors_["net"] = std::move(connector);
  }
  Delivery Reply() { return MakeReply("hi", absl::UnixEpoch()); }
  Connectors connectors_;
  FakeConnector* connector_;
  FakeAccess access_;
  ConnectorWriter writer_{connectors_, access_, {"net"}};
  const Call call_ = CallOf("m");
};

TEST_F(ConnectorWriterTest, HandsOverWhatTheNetworkNeeds) {
  connector_->outcome = {networks::OutcomeKind::kAccepted, networks::ErrorClass::kNone, "", "", "r1", "https://net.example/r1"};
  const Delivery reply = Reply();
  const WriteOutcome outcome = writer_.Write(call_, reply);
  EXPECT_EQ(outcome.result, WriteResult::kAccepted);
  EXPECT_EQ(outcome.remote_id, "r1");
  EXPECT_EQ(outcome.credentials_version, "1");
  EXPECT_EQ(connector_->last.kind, networks::WriteKind::kReply);
  EXPECT_EQ(connector_->last.target_remote_id, "c-t1");
  EXPECT_EQ(connector_->last.idempotency_key, reply.id);
  EXPECT_EQ(connector_->last_account.credentials.fields.at("access_token").Reveal(), "s3cret");
}

TEST_F(ConnectorWriterTest, HandsOverEveryKindAndEveryMember) {
  for (const DeliveryKind kind : kDeliveryKinds) {
    Delivery delivery = Reply();
    delivery.kind = kind;
    delivery.target_author_id = "p7";
    delivery.content = SpecialContent();
    writer_.Write(call_, delivery);
    EXPECT_EQ(networks::NameOf(connector_->last.kind), KindName(kind));
    EXPECT_EQ(connector_->last.target_author_id, "p7");
  }
  const networks::Draft& draft = connector_->last.draft;
  EXPECT_EQ(draft.language, "fr");
  EXPECT_EQ(draft.format, networks::PostFormat::kReel);
  ASSERT_TRUE(draft.poll.has_value());
  EXPECT_EQ(draft.poll->options.size(), 2u);
  EXPECT_EQ(draft.poll->open_for, absl::Hours(48));
  EXPECT_TRUE(draft.poll->multiple);
  EXPECT_EQ(draft.quote_remote_id, "q1");
  EXPECT_EQ(draft.tags.size(), 2u);
  ASSERT_TRUE(draft.thumbnail.has_value());
  EXPECT_EQ(draft.thumbnail->url, "https://brand.example/t.png");
  EXPECT_EQ(draft.options.at("visibility"), "unlisted");
  EXPECT_EQ(draft.media[0].title, "Plan");
}

TEST_F(ConnectorWriterTest, WhatAnAcceptedWriteLacksIsSaid) {
  connector_->outcome.kind = networks::OutcomeKind::kAccepted;
  connector_->outcome.lacking = "the thumbnail was refused";
  connector_->outcome.held = true;
  EXPECT_EQ(writer_.Write(call_, Reply()).message, "the network shows it after somebody's approval there; the thumbnail was refused");
}

TEST_F(ConnectorWriterTest, ATokenThatExpiredIsReportedToAccounts) {
  connector_->outcome = {networks::OutcomeKind::kRefused, networks::ErrorClass::kTokenExpired, "TOKEN_EXPIRED", "expired"};
  EXPECT_TRUE(writer_.Write(call_, Reply()).refusal == Refusal::kTokenExpired);
  EXPECT_EQ(access_.reported, "1 TOKEN_EXPIRED");
  EXPECT_EQ(*writer_.CredentialsVersion(call_, kWorkspace, kChannel), "2") << "asked past the cache";
}

TEST_F(ConnectorWriterTest, WithoutCredentialsNothingIsSent) {
  access_.status = MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "");
  EXPECT_EQ(writer_.Write(call_, Reply()).result, WriteResult::kNotSent);
  access_.status = MakeError(Code::kFailedPrecondition, "CHANNEL_DISCONNECTED", "");
  const WriteOutcome gone = writer_.Write(call_, Reply());
  EXPECT_EQ(gone.result, WriteResult::kRefused);
  EXPECT_EQ(gone.reason, "CHANNEL_DISCONNECTED");
  EXPECT_EQ(connector_->calls, 0);
}

TEST_F(ConnectorWriterTest, ReadsBackOnlyWhatMatches) {
  connector_->items = {{"r1", "", "other"}, {"r2", "https://net.example/r2", "hi"}};
  const auto found = writer_.ReadBack(call_, Reply(), absl::UnixEpoch());
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().remote_id, "r2");
  Delivery hide = Reply();
  hide.kind = DeliveryKind::kHide;
  connector_->items = {{"c-t1", "", "somebody's", "", absl::UnixEpoch(), true}};
  EXPECT_TRUE(writer_.ReadBack(call_, hide, absl::UnixEpoch())->front().hidden) << "the target, whatever it says";
}

TEST_F(ConnectorWriterTest, BudgetsAreTheConnectors) {
  connector_->caps.budgets = {{networks::WriteKind::kHide, "hide"}};
  EXPECT_EQ(writer_.BudgetOf("net", DeliveryKind::kHide), "hide");
  EXPECT_EQ(writer_.BudgetOf("net", DeliveryKind::kReply), "");
  EXPECT_EQ(writer_.BudgetOf("nowhere", DeliveryKind::kHide), "");
  connector_->outcome.budget = "media";
  EXPECT_EQ(writer_.Write(call_, Reply()).budget, "media");
}

TEST_F(ConnectorWriterTest, RulesAreTheConnectors) {
  const ConnectorRules rules(connectors_);
  EXPECT_TRUE(rules.Knows("net"));
  EXPECT_FALSE(rules.Knows("nowhere"));
  EXPECT_EQ(rules.Check("net", DeliveryKind::kPost, {.text = "too long"}).size(), 1u);
  EXPECT_EQ(rules.TextLength("net", "abc").length, 3);
  EXPECT_EQ(rules.TextLength("net", "abc").limit, 5);
  EXPECT_TRUE(writer_.Traits("net").content_dedupe);
  connector_->caps.of_author = {networks::WriteKind::kReport};
  EXPECT_FALSE(rules.AuthorIsEnough("net", DeliveryKind::kBan));
  EXPECT_TRUE(rules.AuthorIsEnough("net", DeliveryKind::kReport));
}

TEST_F(ConnectorWriterTest, WhatIsShownIsTheConnectorsInCodePoints) {
  const ConnectorRules rules(connectors_);
  const Preview shown = rules.Show("net", {.text = "Été 🎉 #soldes chez @lumen", .link = "https://lumen.example/é"});
  EXPECT_EQ(shown.text, "Été 🎉 #soldes chez @lumen\nhttps://lumen.example/é");
  EXPECT_EQ(shown.spans, (std::vector<TextSpan>{{TextSpan::Kind::kHashtag, 6, 13, "soldes"},
                                                {TextSpan::Kind::kMention, 19, 25, "lumen"},
                                                {TextSpan::Kind::kLink, 26, 49, "https://lumen.example/é"}}));
  EXPECT_TRUE(rules.Show("nowhere", {.text = "a"}).text.empty());
}

// ---- media that we keep --------------------------------------------------------------------------------------------

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
