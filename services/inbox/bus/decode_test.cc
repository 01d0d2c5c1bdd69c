#include "inbox/bus/decode.h"

#include <gtest/gtest.h>

#include "inbox/domain/testing/scenario.h"
#include "parvis/moderation/v1/assessment.pb.h"
#include "parvis/publishing/v1/events.pb.h"

namespace parvis::inbox::bus {
namespace {

moderation::v1::Assessment Assessment() {
  moderation::v1::Assessment out;
  auto& a = *out.mutable_activity();
  a.set_id("act");
  a.set_workspace_id(testing::kWorkspace);
  a.set_channel_id(testing::kChannel);
  a.set_network("x");
  a.set_kind(ingestion::v1::Activity::KIND_COMMENT);
  a.set_remote_id("m1");
  a.set_thread("t");
  a.set_conversation("c");
  a.set_text("hello");
  a.mutable_author()->set_name("Ann");
  a.mutable_occurred_at()->set_seconds(100);
  a.mutable_occurred_at()->set_nanos(5000);
  a.set_revision(7);
  out.set_language("en");
  out.set_intent(moderation::v1::INTENT_COMPLAINT);
  out.set_action(moderation::v1::ACTION_HOLD);
  out.add_reasons()->set_rule("insults");
  return out;
}

StatusOr<std::optional<FoldInput>> Decoded(const google::protobuf::Message& message, const char* topic) {
  return Decode({.topic = topic, .key = "k", .payload = message.SerializeAsString(), .headers = {}});
}

TEST(Decode, AnAssessment) {
  const auto input = Decoded(Assessment(), kAssessmentTopic);
  ASSERT_TRUE(input.ok() && *input) << input.status();
  const auto& a = std::get<Assessed>(**input);
  EXPECT_EQ(a.conversation, "c");
  EXPECT_EQ(a.author.name, "Ann");
  EXPECT_EQ(a.occurred_at, absl::FromUnixSeconds(100) + absl::Microseconds(5));
  EXPECT_EQ(a.intent, Kind::kComplaint);
  EXPECT_EQ(a.action, Action::kHeld);
  EXPECT_EQ(a.reasons.at(0).rule, "insults");
}

TEST(Decode, WhatIsMissingIsNamed) {
  const auto reason = [](auto change, const char* topic = kAssessmentTopic) {
    auto assessment = Assessment();
    change(assessment);
    return ReasonOf(Decoded(assessment, topic).status());
  };
  EXPECT_EQ(reason([](auto& a) { a.mutable_activity()->clear_remote_id(); }), "MISSING_FIELD");
  EXPECT_EQ(reason([](auto& a) { a.mutable_activity()->clear_kind(); }), "MISSING_FIELD");
  EXPECT_EQ(reason([](auto& a) { a.mutable_activity()->set_workspace_id("w"); }), "NOT_AN_ID");
  EXPECT_EQ(reason([](auto& a) { a.mutable_activity()->set_channel_id("W"); }), "NOT_AN_ID");
  EXPECT_EQ(reason([](auto&) {}, "other"), "UNKNOWN_TOPIC");
  EXPECT_EQ(ReasonOf(Decode({.topic = kAssessmentTopic, .key = "", .payload = "\xff\xff", .headers = {}}).status()), "UNREADABLE");
}

TEST(Decode, ANewerVersionsKindIsKeptForLater) {
  auto assessment = Assessment();
  assessment.mutable_activity()->set_kind(static_cast<ingestion::v1::Activity::Kind>(99));
  EXPECT_EQ(ReasonOf(Decoded(assessment, kAssessmentTopic).status()), "KIND_UNKNOWN");
}

TEST(Decode, NulBecomesVisible) {
  auto assessment = Assessment();
  assessment.mutable_activity()->set_text(std::string("a\0b", 3));
  EXPECT_EQ(std::get<Assessed>(**Decoded(assessment, kAssessmentTopic)).text, "a\xEF\xBF\xBD" "b");
}

TEST(Decode, AMessageAlwaysHasAConversation) {
  auto assessment = Assessment();
  assessment.mutable_activity()->clear_conversation();
  EXPECT_EQ(std::get<Assessed>(**Decoded(assessment, kAssessmentTopic)).conversation, "t");
  assessment.mutable_activity()->clear_thread();
  EXPECT_EQ(std::get<Assessed>(**Decoded(assessment, kAssessmentTopic)).conversation, "m1");
}

TEST(Decode, Deliveries) {
  publishing::v1::DeliveryEvent event;
  event.set_workspace_id(testing::kWorkspace);
  event.set_sequence(4);
  event.mutable_time()->set_seconds(50);
  auto& d = *event.mutable_delivery();
  d.set_channel_id(testing::kChannel);
  d.set_kind(publishing::v1::DELIVERY_KIND_REPLY);
  d.set_command_id(ReplyCommandId(testing::RequestId(1)));
  d.set_state(publishing::v1::DELIVERY_STATE_EXPIRED);
  const auto expired = Decoded(event, kDeliveryTopic);
  ASSERT_TRUE(expired.ok() && *expired) << expired.status();
  EXPECT_EQ(std::get<DeliveryUpdate>(**expired).state, SendState::kFailed);
  EXPECT_EQ(std::get<DeliveryUpdate>(**expired).reason, "EXPIRED");
  d.set_state(publishing::v1::DELIVERY_STATE_DELIVERED);
  d.set_remote_id("r1");
  d.mutable_delivered_time()->set_seconds(49);
  const auto sent = std::get<DeliveryUpdate>(**Decoded(event, kDeliveryTopic));
  EXPECT_EQ(sent.state, SendState::kSent);
  EXPECT_EQ(sent.time, absl::FromUnixSeconds(49));
  d.set_command_id("engagement/reply/1");
  EXPECT_FALSE(Decoded(event, kDeliveryTopic)->has_value());
  d.set_kind(publishing::v1::DELIVERY_KIND_POST);
  EXPECT_FALSE(Decoded(event, kDeliveryTopic)->has_value());
  d.set_kind(publishing::v1::DELIVERY_KIND_HIDE);
  EXPECT_EQ(ReasonOf(Decoded(event, kDeliveryTopic).status()), "MISSING_FIELD");
  d.set_target_remote_id("m1");
  EXPECT_EQ(std::get<DeliveryUpdate>(**Decoded(event, kDeliveryTopic)).kind, DeliveryKind::kHide);
}

}  // namespace
}  // namespace parvis::inbox::bus
