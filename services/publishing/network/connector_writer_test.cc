#include "publishing/network/testing/connector_fixture.h"

namespace parvis::publishing {
namespace {

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

}  // namespace
}  // namespace parvis::publishing
