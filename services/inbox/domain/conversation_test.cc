#include "inbox/domain/conversation.h"

#include <gtest/gtest.h>

#include "platform/base/ids.h"

namespace parvis::inbox {
namespace {

TEST(OrderKey, NumbersCountAsNumbers) {
  const std::vector<std::string> ordered = {"1", "2", "9", "10", "99", "100", "1790000000000000000", "a1", "a2", "a10"};
  for (size_t i = 1; i < ordered.size(); ++i) {
    EXPECT_LT(OrderKey(ordered[i - 1]), OrderKey(ordered[i])) << ordered[i - 1] << " " << ordered[i];
  }
  EXPECT_LT(OrderKey("12_9"), OrderKey("12_10"));
  EXPECT_NE(OrderKey("7"), OrderKey("07"));
  EXPECT_EQ(OrderKey(""), "");
}

TEST(NaturalKeys, AreStableAndApart) {
  EXPECT_TRUE(IsUuid(ConversationId("w", "c", "t")));
  EXPECT_EQ(ConversationId("w", "c", "t"), ConversationId("w", "c", "t"));
  EXPECT_NE(ConversationId("w", "c", "t"), ConversationId("w", "c", "u"));
  EXPECT_NE(ConversationId("w", "c", "t"), MessageId("w", "c", "t"));
  const std::string id = MessageId("w", "c", "t");
  EXPECT_EQ(MessageIdOfCommand(ReplyCommandId(id)), id);
  EXPECT_EQ(MessageIdOfCommand("moderation/hide/" + id), "");
  EXPECT_EQ(MessageIdOfCommand("inbox/reply/x"), "");
}

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(Shorten("été", 2), "ét");
  EXPECT_EQ(Shorten("été", 3), "été");
  EXPECT_EQ(CountCharacters("👍é"), 2);
}

TEST(Content, TheHighestRankWins) {
  const Content creation{.revision = 5, .policy_version = 9, .text = "z"};
  const Content edit{.revision = 5, .is_edit = true, .policy_version = 1, .text = "a"};
  EXPECT_TRUE(Wins(edit, creation));
  EXPECT_FALSE(Wins(creation, edit));
  EXPECT_FALSE(Wins(edit, edit));
  EXPECT_TRUE(Wins({.revision = 6}, edit));
  EXPECT_TRUE(Wins({.revision = 5, .policy_version = 10}, creation));
}

}  // namespace
}  // namespace parvis::inbox
