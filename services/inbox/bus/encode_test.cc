#include "inbox/bus/encode.h"

#include <gtest/gtest.h>

#include "inbox/domain/testing/scenario.h"
#include "parvis/publishing/v1/events.pb.h"

namespace parvis::inbox::bus {
namespace {

TEST(Encode, ACommandForPublishing) {
  const StreamRecord record = CommandRecord({.message_id = testing::RequestId(1), .workspace_id = testing::kWorkspace,
                                             .channel_id = testing::kChannel, .target_remote_id = "m1",
                                             .post_remote_id = "post", .thread = "t", .text = "hi", .member_id = "amelie",
                                             .requested_time = testing::At(1), .expire_time = testing::At(61)});
  EXPECT_EQ(record.topic, kCommandTopic);
  EXPECT_EQ(record.key, testing::kChannel);
  publishing::v1::DeliveryCommand command;
  ASSERT_TRUE(command.ParseFromString(record.payload));
  EXPECT_EQ(command.command_id(), "inbox/reply/" + testing::RequestId(1));
  EXPECT_EQ(command.kind(), publishing::v1::DELIVERY_KIND_REPLY);
  EXPECT_EQ(command.target_remote_id(), "m1");
  EXPECT_EQ(command.requested_by(), "amelie");
  EXPECT_EQ(command.expire_time().seconds() - command.requested_time().seconds(), 60);
  EXPECT_EQ(record.headers.at("ce_workspace"), testing::kWorkspace);
}

TEST(Encode, AnEventsKeyIsItsConversation) {
  Event event;
  event.id = EventId(testing::kWorkspace, 4);
  event.conversation.id = testing::IdOf("t");
  event.conversation.workspace_id = testing::kWorkspace;
  event.time = testing::At(1);
  const StreamRecord record = EventRecord(event, "payload");
  EXPECT_EQ(record.key, testing::IdOf("t"));
  EXPECT_EQ(record.payload, "payload");
  EXPECT_EQ(record.headers.at("ce_id"), event.id);
}

}  // namespace
}  // namespace parvis::inbox::bus
