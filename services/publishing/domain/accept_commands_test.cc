#include "publishing/domain/accept_commands.h"

#include <gtest/gtest.h>

#include "publishing/domain/testing/builders.h"
#include "publishing/domain/testing/fake_network.h"
#include "publishing/domain/testing/fake_store.h"

namespace parvis::publishing {
namespace {

class AcceptTest : public ::testing::Test {
 protected:
  AcceptTest() {
    directory_.Add(kWorkspace, kChannel, "short");
    store_.SetEpoch(0, 1);
  }
  DeliveryCommand Command(const std::string& id = "inbox/reply/1") {
    DeliveryCommand command;
    command.command_id = id;
    command.workspace_id = kWorkspace;
    command.channel_id = kChannel;
    command.kind = DeliveryKind::kReply;
    command.target_remote_id = "c1";
    command.text = "thanks";
    command.thread = "t1";
    command.requested_time = clock_.WallNow() - absl::Seconds(1);
    return command;
  }
  StatusOr<int> Accept(const std::vector<DeliveryCommand>& commands) {
    return AcceptCommands({store_, directory_, rules_, clock_, "test"}, StreamPosition{"g", "t", 0, 1, 1}, commands);
  }
  std::vector<Delivery> All() { return *store_.ListDeliveries(CallOf("m"), {}, {}); }

  FakeClock clock_;
  FakeStore store_;
  FakeDirectory directory_;
  FakeRules rules_;
};

TEST_F(AcceptTest, ACommandBecomesADeliveryOnce) {
  EXPECT_EQ(*Accept({Command(), Command("moderation/hide/2"), Command()}), 2);
  EXPECT_EQ(*Accept({Command()}), 0);
  const auto all = All();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].network, "short");
  EXPECT_EQ(all[0].expire_time, all[0].due_time + absl::Hours(24));
  EXPECT_EQ(all[0].due_time, clock_.WallNow() - absl::Seconds(1));
}

TEST_F(AcceptTest, AClockAheadOfOursHoldsNothingBack) {
  DeliveryCommand command = Command();
  command.requested_time = clock_.WallNow() + absl::Minutes(10);
  ASSERT_TRUE(Accept({command}).ok());
  EXPECT_EQ(All()[0].ready_time, clock_.WallNow());
}

TEST_F(AcceptTest, WhatTheNetworkWouldRefuseFailsVisibly) {
  DeliveryCommand command = Command(), elsewhere = Command("inbox/reply/2");
  command.text = "longer than ten";
  elsewhere.channel_id = kOtherChannel;
  EXPECT_EQ(*Accept({command, elsewhere}), 2);
  for (const Delivery& d : All()) EXPECT_EQ(d.state, DeliveryState::kFailed);
  EXPECT_EQ(store_.events().size(), 2u);
}

TEST_F(AcceptTest, APersonAloneIsEnoughWhereTheNetworkSaysSo) {
  DeliveryCommand ban = Command("moderation/ban/1");
  ban.kind = DeliveryKind::kBan;
  ban.text.clear();
  ban.target_remote_id.clear();
  ban.target_author_id = "p7";
  DeliveryCommand elsewhere = ban;
  elsewhere.command_id = "moderation/ban/2";
  elsewhere.channel_id = kOtherChannel;
  directory_.Add(kWorkspace, kOtherChannel, "blog");
  EXPECT_EQ(*Accept({ban, elsewhere}), 2);
  for (const Delivery& d : All()) {
    EXPECT_EQ(d.state, d.channel_id == kChannel ? DeliveryState::kScheduled : DeliveryState::kFailed);
    EXPECT_EQ(d.error_reason, d.channel_id == kChannel ? "" : "REJECTED");
  }
}

TEST_F(AcceptTest, AnIncompleteCommandIsToBlameAndAccountsIsNot) {
  for (const auto& spoil : std::vector<std::function<void(DeliveryCommand&)>>{
           [](DeliveryCommand& c) { c.command_id.clear(); }, [](DeliveryCommand& c) { c.workspace_id = "x"; },
           [](DeliveryCommand& c) { c.channel_id = "x"; }, [](DeliveryCommand& c) { c.target_remote_id.clear(); },
           [](DeliveryCommand& c) { c.text = "\xff"; }, [](DeliveryCommand& c) { c.kind = DeliveryKind::kPost; }}) {
    DeliveryCommand command = Command();
    spoil(command);
    EXPECT_EQ(Accept({command}).status().code(), Code::kInvalidArgument);
  }
  directory_.down = MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "");
  EXPECT_EQ(Accept({Command()}).status().code(), Code::kUnavailable) << "tried again, nothing lost";
  EXPECT_TRUE(All().empty());
}

}  // namespace
}  // namespace parvis::publishing
