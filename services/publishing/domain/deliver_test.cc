// Deliver: what a person asks for at once.
#include "publishing/domain/deliver.h"

#include <gtest/gtest.h>

#include "publishing/domain/testing/builders.h"
#include "publishing/domain/testing/fake_network.h"
#include "publishing/domain/testing/fake_store.h"

namespace parvis::publishing {
namespace {

class DeliverTest : public ::testing::Test {
 protected:
  DeliverTest() { directory_.Add(kWorkspace, kChannel, "short"); }
  static DeliverRequest Asked(DeliveryKind kind, const std::string& text = "") {
    DeliverRequest request;
    request.channel_id = kChannel;
    request.kind = kind;
    request.target_remote_id = "c1";
    request.thread = "t1";
    request.text = text;
    return request;
  }
  StatusOr<Delivery> Do(const DeliverRequest& request) { return Deliver(call_, context_, store_, request); }
  std::vector<std::string> Reasons(const DeliverRequest& request) {
    std::vector<std::string> out;
    const auto delivered = Do(request);
    for (const Violation& violation : ToError(delivered.status()).violations) out.push_back(violation.reason);
    return out;
  }
  using Strings = std::vector<std::string>;

  FakeClock clock_;
  Ids ids_{clock_, 3};
  FakeStore store_;
  FakeDirectory directory_;
  FakeRules rules_;
  const PostContext context_{store_, store_, directory_, rules_, ids_, clock_, {}};
  const Call call_ = CallOf("moderator");
};

TEST_F(DeliverTest, IsDueAtOnceInTheLaneOfItsThread) {
  const auto delivery = Do(Asked(DeliveryKind::kPrivateReply, "hello"));
  ASSERT_TRUE(delivery.ok()) << delivery.status();
  EXPECT_EQ(delivery->state, DeliveryState::kScheduled);
  EXPECT_EQ(delivery->network, "short");
  EXPECT_EQ(delivery->due_time, clock_.WallNow());
  EXPECT_EQ(delivery->requested_by, "moderator");
  EXPECT_EQ(delivery->lane, std::string(kChannel) + "/t1");
  ASSERT_EQ(store_.events().size(), 1u);
}

TEST_F(DeliverTest, TheSameRequestIsOneDelivery) {
  DeliverRequest request = Asked(DeliveryKind::kReport, "spam");
  request.request_id = ids_.New();
  const auto first = Do(request), again = Do(request);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->id, again->id);
  EXPECT_EQ(store_.events().size(), 1u);
  request.request_id = ids_.New();
  EXPECT_NE(Do(request)->id, first->id);
  const auto other = Deliver(CallOf("colleague"), context_, store_, request);
  EXPECT_NE(other->id, Do(request)->id) << "a request's id is its sender's own";
}

TEST_F(DeliverTest, WhatTheNetworkDoesNotHaveIsSaidAtOnce) {
  EXPECT_EQ(Reasons(Asked(DeliveryKind::kLock)), Strings{"NOT_POSSIBLE"});
  EXPECT_EQ(Reasons(Asked(DeliveryKind::kReply, "longer than ten")), Strings{"TEXT_TOO_LONG"});
  EXPECT_TRUE(store_.events().empty());
}

TEST_F(DeliverTest, EveryViolationOfShape) {
  DeliverRequest request = Asked(DeliveryKind::kHide, "text");
  request.target_remote_id.clear();
  request.thread = std::string(501, 'x');
  EXPECT_EQ(Reasons(request), (Strings{"REQUIRED", "TOO_LONG", "TEXT_NOT_TAKEN"}));
  EXPECT_EQ(Reasons(Asked(DeliveryKind::kPost, "text")), (Strings{"KIND", "TEXT_NOT_TAKEN"}));
  EXPECT_EQ(Reasons(Asked(DeliveryKind::kReply, "\xff")), Strings{"NOT_UTF8"});
  EXPECT_TRUE(store_.events().empty());
}

TEST_F(DeliverTest, APersonMayBeNamedWithoutATarget) {
  DeliverRequest request = Asked(DeliveryKind::kBan);
  request.target_remote_id.clear();
  EXPECT_EQ(Reasons(request), Strings{"REQUIRED"});
  request.target_author_id = "p7";
  const auto delivery = Do(request);
  ASSERT_TRUE(delivery.ok()) << delivery.status();
  EXPECT_EQ(delivery->target_author_id, "p7");
}

TEST_F(DeliverTest, APersonAloneIsNotEnoughWhereTheNetworkSaysSo) {
  DeliverRequest request = Asked(DeliveryKind::kBan);
  request.target_remote_id.clear();
  request.target_author_id = "p7";
  directory_.Add(kWorkspace, kOtherChannel, "blog");
  request.channel_id = kOtherChannel;
  const Error error = ToError(Do(request).status());
  ASSERT_EQ(error.violations.size(), 1u);
  EXPECT_EQ(error.violations[0].field, "target_remote_id");
  EXPECT_EQ(error.violations[0].reason, "REQUIRED");
  EXPECT_EQ(error.violations[0].description, "is required: a person alone is not enough for a ban on blog");
  request.target_remote_id = "c1";
  EXPECT_TRUE(Do(request).ok());
  request = Asked(DeliveryKind::kHide);
  request.target_remote_id.clear();
  request.target_author_id = "p7";
  EXPECT_EQ(Reasons(request), Strings{"REQUIRED"});
}

TEST_F(DeliverTest, AChannelOfNobodyOrOfOthersIsNotFound) {
  DeliverRequest request = Asked(DeliveryKind::kHide);
  request.channel_id = kOtherChannel;
  EXPECT_EQ(Do(request).status().code(), Code::kNotFound);
  EXPECT_EQ(Deliver(CallOf("spy", kOtherWorkspace), context_, store_, Asked(DeliveryKind::kHide)).status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace parvis::publishing
