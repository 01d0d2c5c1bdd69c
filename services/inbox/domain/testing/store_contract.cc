// What the fold does to the inbox.
#include "inbox/domain/resolve.h"
#include "inbox/domain/testing/store_contract.h"

namespace parvis::inbox::testing {

Status StoreContract::Fold(const std::vector<FoldInput>& inputs, int part) {
  if (!positions_.contains(part)) {
    PARVIS_ASSIGN_OR_RETURN(positions_[part], store_->offsets().Claim("inbox.fold", "topic", part));
  }
  StreamPosition position = positions_[part];
  position.next += std::max<int64_t>(1, static_cast<int64_t>(inputs.size()));   // {}: a record that was parked
  PARVIS_RETURN_IF_ERROR(FoldBatch(store_->fold(), position, inputs));
  positions_[part] = position;
  return absl::OkStatus();
}

std::vector<Conversation> StoreContract::List(const ConversationFilter& filter, int limit) {
  auto page = store_->conversations().ListConversations(CallOf(), filter, std::nullopt, limit);
  EXPECT_TRUE(page.ok()) << page.status();
  return page.ok() ? page->conversations : std::vector<Conversation>();
}

std::vector<Message> StoreContract::Messages(const std::string& conversation) {
  auto messages = store_->conversations().ListMessages(CallOf(), IdOf(conversation), std::nullopt, 1000);
  EXPECT_TRUE(messages.ok()) << messages.status();
  return messages.ok() ? *messages : std::vector<Message>();
}

Conversation StoreContract::Get(const std::string& conversation) {
  auto found = store_->conversations().GetConversation(CallOf(), IdOf(conversation));
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? *found : Conversation();
}

int64_t StoreContract::Last(const std::string& workspace) {
  auto heads = store_->feeds().Heads({workspace});
  EXPECT_TRUE(heads.ok()) << heads.status();
  return heads.ok() && !heads->empty() ? heads->front().last : -1;
}

namespace {

TEST_P(StoreContract, ACommentBecomesAConversation) {
  ASSERT_TRUE(Fold({Comment("t1", "m1", 1, "Où est ma commande ?", Kind::kQuestion)}).ok());
  const std::vector<Conversation> list = List();
  ASSERT_EQ(list.size(), 1u);
  const Conversation& c = list[0];
  EXPECT_EQ(c.id, IdOf("t1"));
  EXPECT_EQ(c.state, State::kOpen);
  EXPECT_EQ(c.kind, Kind::kQuestion);
  EXPECT_EQ(c.language, "en");
  EXPECT_EQ(c.person.name, "Person t1");
  EXPECT_EQ(c.message_count, 1);
  EXPECT_EQ(c.preview, "Où est ma commande ?");
  EXPECT_EQ(c.first_message_time, At(1));
  EXPECT_EQ(c.WaitingSince(), At(1));
  EXPECT_EQ(c.first_response_time, std::nullopt);
  EXPECT_EQ(c.post_remote_id, "post");
  const std::vector<Message> messages = Messages("t1");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].content.text, "Où est ma commande ?");
  EXPECT_EQ(messages[0].remote_key, "m1");
  EXPECT_EQ(Last(), 1);
}

TEST_P(StoreContract, EveryCharacterSurvives) {
  const std::string text = "tab\tline\nreturn\rback\\slash \"quoted\" 'single' {curly, (round)} \\N \\. ; é 👍🏽 %s $1 NULL";
  Assessed a = Comment("t1", "m1", 1, text);
  a.author.name = text;
  a.reasons = {{.rule = "rule \"x\"", .explanation = text}, {.rule = "", .explanation = ""}};
  a.attachments = {{"image/png", "https://x.example/?a={b}&c=\"d\""}};
  ASSERT_TRUE(Fold({a}).ok());
  // Once inserted, once updated: both ways of writing a row.
  ASSERT_TRUE(Fold({TargetUpdate(DeliveryKind::kHide, "m1", 9)}).ok());
  const Message m = Messages("t1").at(0);
  EXPECT_TRUE(m.hidden);
  EXPECT_EQ(m.content.text, text);
  EXPECT_EQ(m.author.name, text);
  EXPECT_EQ(m.content.reasons, a.reasons);
  EXPECT_EQ(m.content.attachments, a.attachments);
  EXPECT_EQ(Get("t1").preview, text);
}

TEST_P(StoreContract, TheOrderIsTheNetworks) {
  ASSERT_TRUE(Fold({Comment("t", "10", 5), Comment("t", "9", 5), Comment("t", "2_100", 1), Comment("t", "2_99", 1)}).ok());
  std::vector<std::string> order;
  for (const Message& m : Messages("t")) order.push_back(m.remote_key);
  EXPECT_EQ(order, (std::vector<std::string>{"2_99", "2_100", "9", "10"}));
}

TEST_P(StoreContract, ABatchTwiceIsOnce) {
  const std::vector<FoldInput> batch = {Comment("t", "m1", 1), Comment("t", "m2", 2),
                                        Activity(ActivityKind::kReaction, "t", "r1", 3)};
  ASSERT_TRUE(Fold(batch).ok());
  ASSERT_TRUE(Fold(batch).ok());
  EXPECT_EQ(Messages("t").size(), 2u);
  EXPECT_EQ(Get("t").message_count, 2);
  EXPECT_EQ(Get("t").reaction_count, 1);
  EXPECT_EQ(Last(), 3);
  EXPECT_EQ(store_->outbox_events(), 3);
}

TEST_P(StoreContract, AZombieChangesNothing) {
  ASSERT_TRUE(Fold({Comment("t", "m1", 1)}).ok());
  ASSERT_TRUE(store_->offsets().Claim("inbox.fold", "topic", 0).ok());   // somebody else
  EXPECT_EQ(ReasonOf(Fold({Comment("t", "m2", 2)})), "FENCED");
  EXPECT_EQ(Messages("t").size(), 1u);
  positions_.clear();
  EXPECT_EQ(store_->offsets().Claim("inbox.fold", "topic", 0)->next, 1);
  ASSERT_TRUE(Fold({}).ok());   // after a dead letter: only the offset
  EXPECT_EQ(store_->offsets().Claim("inbox.fold", "topic", 0)->next, 2);
  StreamPosition again = *store_->offsets().Claim("inbox.fold", "topic", 0);
  EXPECT_EQ(ReasonOf(FoldBatch(store_->fold(), again, {Comment("t", "m3", 3)})), "FENCED");   // applied already
}

TEST_P(StoreContract, WhatComesBeforeTheCreationWaits) {
  ASSERT_TRUE(Fold({Activity(ActivityKind::kEdit, "t", "m1", 5, "new text"), Activity(ActivityKind::kRemoval, "t", "m2", 6),
                    TargetUpdate(DeliveryKind::kHide, "m3", 7)}).ok());
  EXPECT_TRUE(List().empty());
  EXPECT_EQ(Last(), 0);
  EXPECT_EQ(store_->absent_messages(), 3);
  ASSERT_TRUE(Fold({Comment("t", "m1", 1, "old text"), Comment("t", "m2", 2), Comment("t", "m3", 3)}).ok());
  const std::vector<Message> messages = Messages("t");
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].content.text, "new text");
  EXPECT_TRUE(messages[0].content.is_edit);
  EXPECT_TRUE(messages[1].removed);
  EXPECT_EQ(messages[1].content.text, "");
  EXPECT_TRUE(messages[2].hidden);
  EXPECT_EQ(Get("t").message_count, 2);
  EXPECT_EQ(store_->absent_messages(), 0);
}

TEST_P(StoreContract, ReactionsAloneShowNothing) {
  ASSERT_TRUE(Fold({Activity(ActivityKind::kReaction, "t", "r1", 1)}).ok());
  EXPECT_TRUE(List().empty());
  EXPECT_EQ(store_->conversations().GetConversation(CallOf(), IdOf("t")).status().code(), Code::kNotFound);
  ASSERT_TRUE(Fold({Comment("t", "m1", 2)}).ok());
  EXPECT_EQ(Get("t").reaction_count, 1);
}

TEST_P(StoreContract, ANewMessageOpensAgain) {
  ASSERT_TRUE(Fold({Comment("t", "m1", 1)}).ok());
  ASSERT_TRUE(ResolveConversation(store_->conversations(), CallOf(), IdOf("t"), "").ok());
  EXPECT_EQ(Get("t").state, State::kResolved);
  ASSERT_TRUE(Fold({OurComment("t", "o1", 2), Activity(ActivityKind::kEdit, "t", "m1", 3, "hm")}).ok());
  EXPECT_EQ(Get("t").state, State::kResolved);
  ASSERT_TRUE(Fold({Comment("t", "m2", 4)}).ok());
  const Conversation c = Get("t");
  EXPECT_EQ(c.state, State::kOpen);
  EXPECT_EQ(c.reopen_count, 1);
  EXPECT_EQ(c.resolved_by, "");
  EXPECT_EQ(c.first_response_time, At(2));
  EXPECT_EQ(c.WaitingSince(), At(4));
}

}  // namespace
}  // namespace parvis::inbox::testing
