// What requests do to conversations: claims, answers, lists, cases, the feed, upkeep.
#include <atomic>
#include <thread>

#include "inbox/domain/cases.h"
#include "inbox/domain/claim.h"
#include "inbox/domain/reply.h"
#include "inbox/domain/resolve.h"
#include "inbox/domain/testing/store_contract.h"

namespace parvis::inbox::testing {
namespace {

TEST_P(StoreContract, ClaimsAreFenced) {
  ASSERT_TRUE(Fold({Comment("t", "m1", 1)}).ok());
  auto& store = store_->conversations();
  const auto first = ClaimConversation(store, CallOf("amelie"), IdOf("t"), absl::Minutes(5));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->claim.token, 1);
  EXPECT_EQ(ClaimConversation(store, CallOf("amelie"), IdOf("t"), absl::Minutes(5))->claim.token, 1);
  const auto refused = ClaimConversation(store, CallOf("ben"), IdOf("t"), absl::Minutes(5));
  EXPECT_EQ(ReasonOf(refused.status()), "CLAIM_LOST");
  EXPECT_EQ(ToError(refused.status()).metadata["holder"], "amelie");
  EXPECT_EQ(ReasonOf(ResolveConversation(store, CallOf("ben"), IdOf("t"), "").status()), "CLAIM_LOST");
  store_->Age(absl::Minutes(6));
  const auto second = ClaimConversation(store, CallOf("ben"), IdOf("t"), absl::Minutes(5));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->claim.token, 2);
  const ReplyDraft late{.conversation_id = IdOf("t"), .text = "late", .request_id = RequestId(1), .claim_token = 1};
  EXPECT_EQ(ReasonOf(Reply(store, CallOf("amelie"), late, {}).status()), "CLAIM_LOST");
  EXPECT_EQ(store_->deliveries(), 0);
  EXPECT_EQ(ReasonOf(ReleaseConversation(store, CallOf("ben"), IdOf("t"), 1).status()), "CLAIM_LOST");
  EXPECT_TRUE(ReleaseConversation(store, CallOf("ben"), IdOf("t"), 2).ok());
  EXPECT_EQ(ClaimConversation(store, CallOf("amelie"), IdOf("t"), absl::Minutes(5))->claim.token, 3);
}

TEST_P(StoreContract, OfManyWhoClaimOneWins) {
  ASSERT_TRUE(Fold({Comment("t", "m1", 1)}).ok());
  std::atomic<int> won = 0, lost = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const auto claimed = ClaimConversation(store_->conversations(), CallOf("member" + std::to_string(i)), IdOf("t"),
                                             absl::Minutes(5));
      claimed.ok() ? ++won : ReasonOf(claimed.status()) == "CLAIM_LOST" ? ++lost : lost.load();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
  EXPECT_EQ(Get("t").claim.token, 1);
}

TEST_P(StoreContract, AnAnswerIsOneMessageWhicheverNewsComesFirst) {
  for (const bool delivery_first : {true, false}) {
    SCOPED_TRACE(delivery_first);
    store_->Clear();
    positions_.clear();
    auto& store = store_->conversations();
    ASSERT_TRUE(Fold({Comment("t", "m1", 1, "hello?", Kind::kQuestion)}).ok());
    const auto claim = ClaimConversation(store, CallOf(), IdOf("t"), absl::Minutes(5));
    const ReplyDraft draft{.conversation_id = IdOf("t"), .text = "our answer", .request_id = RequestId(7),
                           .claim_token = claim->claim.token};
    const auto sent = Reply(store, CallOf(), draft, {});
    ASSERT_TRUE(sent.ok()) << sent.status();
    EXPECT_EQ(sent->delivery.state, SendState::kSending);
    EXPECT_EQ(sent->parent_remote_id, "m1");
    EXPECT_EQ(Reply(store, CallOf(), draft, {})->id, sent->id);   // the same request
    EXPECT_EQ(store_->deliveries(), 1);
    EXPECT_EQ(Get("t").message_count, 2);
    EXPECT_EQ(Get("t").WaitingSince(), At(1));
    EXPECT_EQ(Get("t").first_response_time, std::nullopt);

    const FoldInput delivered = ReplyUpdate(sent->id, SendState::kSent, 3, 12, "r1");
    const FoldInput seen = OurComment("t", "r1", 11);
    ASSERT_TRUE(Fold({ReplyUpdate(sent->id, SendState::kSending, 2, 10)}).ok());
    ASSERT_TRUE(Fold({delivery_first ? delivered : seen}).ok());
    ASSERT_TRUE(Fold({delivery_first ? seen : delivered}).ok());
    ASSERT_TRUE(Fold({delivered, seen, ReplyUpdate(sent->id, SendState::kSending, 2, 10)}).ok());
    EXPECT_EQ(Reply(store, CallOf(), draft, {})->id, sent->id);   // and again, when it has its network's id

    const std::vector<Message> messages = Messages("t");
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[1].id, sent->id);
    EXPECT_EQ(messages[1].remote_key, "r1");
    EXPECT_EQ(messages[1].delivery.state, SendState::kSent);
    EXPECT_EQ(messages[1].delivery.delivered_time, At(12));
    EXPECT_EQ(messages[1].occurred_at, At(11));
    EXPECT_EQ(messages[1].member_id, "amelie");
    EXPECT_EQ(messages[1].author.name, "The brand");
    const Conversation c = Get("t");
    EXPECT_EQ(c.message_count, 2);
    EXPECT_EQ(c.first_response_time, At(11));
    EXPECT_EQ(c.WaitingSince(), std::nullopt);
    EXPECT_EQ(c.preview, "our answer");
  }
}

TEST_P(StoreContract, AnAnswerThatFailsSaysWhy) {
  auto& store = store_->conversations();
  ASSERT_TRUE(Fold({Comment("t", "m1", 1)}).ok());
  const auto claim = ClaimConversation(store, CallOf(), IdOf("t"), absl::Minutes(5));
  const auto sent = Reply(store, CallOf(), {.conversation_id = IdOf("t"), .text = "x", .request_id = RequestId(1),
                                            .claim_token = claim->claim.token}, {});
  ASSERT_TRUE(Fold({ReplyUpdate(sent->id, SendState::kUnknown, 4, 5), ReplyUpdate(sent->id, SendState::kSending, 3, 4)}).ok());
  EXPECT_EQ(Messages("t").at(1).delivery.state, SendState::kUnknown);
  ASSERT_TRUE(Fold({ReplyUpdate(sent->id, SendState::kFailed, 5, 6)}).ok());
  EXPECT_EQ(Messages("t").at(1).delivery.state, SendState::kFailed);
  EXPECT_EQ(Messages("t").at(1).delivery.reason, "REJECTED");
  EXPECT_EQ(Get("t").WaitingSince(), At(1));
}

TEST_P(StoreContract, AnAnswerSeenInAnotherConversationMovesHome) {
  auto& store = store_->conversations();
  ASSERT_TRUE(Fold({Comment("t", "m1", 1)}).ok());
  const auto claim = ClaimConversation(store, CallOf(), IdOf("t"), absl::Minutes(5));
  const auto sent = Reply(store, CallOf(), {.conversation_id = IdOf("t"), .text = "x", .request_id = RequestId(1),
                                            .claim_token = claim->claim.token}, {});
  ASSERT_TRUE(Fold({OurComment("elsewhere", "r1", 5)}).ok());
  EXPECT_EQ(List().size(), 2u);
  ASSERT_TRUE(Fold({ReplyUpdate(sent->id, SendState::kSent, 3, 6, "r1")}).ok());
  EXPECT_EQ(List().size(), 1u);
  EXPECT_EQ(Messages("t").size(), 2u);
  ASSERT_TRUE(Fold({OurComment("elsewhere", "r1", 5)}).ok());
  EXPECT_EQ(List().size(), 1u);
}

TEST_P(StoreContract, RepliesAreChecked) {
  auto& store = store_->conversations();
  ASSERT_TRUE(Fold({Comment("t", "m1", 1), OurComment("t", "o1", 2), Comment("gone", "g1", 1),
                    Activity(ActivityKind::kRemoval, "gone", "g1", 2)}).ok());
  const auto token = [&](const char* c) { return ClaimConversation(store, CallOf(), IdOf(c), absl::Minutes(5))->claim.token; };
  const int64_t t = token("t"), gone = token("gone");
  const auto reply = [&](const char* c, int64_t claim, const std::string& text, const std::string& target = "") {
    return ReasonOf(Reply(store, CallOf(), {.conversation_id = IdOf(c), .text = text, .target_message_id = target,
                                            .request_id = RequestId(1), .claim_token = claim}, {.text_max = 5}).status());
  };
  EXPECT_EQ(reply("t", t, " \n"), "TEXT_EMPTY");
  EXPECT_EQ(reply("t", t, "123456"), "TEXT_TOO_LONG");
  EXPECT_EQ(reply("t", t + 1, "hi"), "CLAIM_LOST");
  EXPECT_EQ(reply("gone", gone, "hi"), "NOTHING_TO_ANSWER");
  EXPECT_EQ(reply("t", t, "hi", Messages("t").at(1).id), "TARGET_IS_OURS");
  EXPECT_EQ(reply("gone", gone, "hi", Messages("gone").at(0).id), "TARGET_REMOVED");
  EXPECT_EQ(reply("t", t, "hi", Messages("gone").at(0).id), "NOT_FOUND");
  EXPECT_EQ(store_->deliveries(), 0);
  EXPECT_EQ(reply("t", t, "ééééé"), "");
  EXPECT_EQ(store_->deliveries(), 1);
}

TEST_P(StoreContract, ListsFilterAndPage) {
  std::vector<FoldInput> batch;
  for (int i = 0; i < 25; ++i) {
    Assessed a = Comment("t" + std::to_string(i), "m" + std::to_string(i), i / 2, "hi",
                         i % 3 == 0 ? Kind::kComplaint : Kind::kThanks);
    a.language = i % 2 ? "fr" : "en";
    if (i % 5 == 0) a.channel_id = kOtherChannel;
    batch.push_back(a);
  }
  ASSERT_TRUE(Fold(batch).ok());
  EXPECT_EQ(List({.kind = Kind::kComplaint}).size(), 9u);
  EXPECT_EQ(List({.state = State::kOpen, .kind = Kind::kComplaint}).size(), 9u);
  EXPECT_EQ(List({.state = State::kOpen, .language = "fr"}).size(), 12u);
  EXPECT_EQ(List({.state = State::kOpen, .channel_id = kOtherChannel}).size(), 5u);
  EXPECT_EQ(List({.state = State::kResolved}).size(), 0u);
  ASSERT_TRUE(AssignConversation(store_->conversations(), CallOf(), IdOf("t1"), "ben", "").ok());
  EXPECT_EQ(List({.assignee = "ben"}).size(), 1u);
  EXPECT_EQ(List({.assignee = ""}).size(), 24u);
  std::vector<std::string> paged, whole;
  for (const Conversation& c : List()) whole.push_back(c.id);
  std::optional<ConversationPosition> after;
  while (true) {
    const auto page = store_->conversations().ListConversations(CallOf(), {}, after, 4);
    ASSERT_TRUE(page.ok()) << page.status();
    if (page->conversations.empty()) break;
    for (const Conversation& c : page->conversations) paged.push_back(c.id);
    after = {*page->conversations.back().last_message_time, page->conversations.back().id};
    EXPECT_EQ(page->sequence, Last());
  }
  EXPECT_EQ(paged, whole);
  EXPECT_EQ(whole.size(), 25u);
}

TEST_P(StoreContract, NoWorkspaceSeesAnother) {
  ASSERT_TRUE(Fold({Comment("t", "m1", 1)}).ok());
  auto& store = store_->conversations();
  const Call other = CallOf("eve", kOtherWorkspace);
  EXPECT_EQ(store.ListConversations(other, {}, std::nullopt, 10)->conversations.size(), 0u);
  EXPECT_EQ(store.GetConversation(other, IdOf("t")).status().code(), Code::kNotFound);
  EXPECT_EQ(store.ListMessages(other, IdOf("t"), std::nullopt, 10).status().code(), Code::kNotFound);
  EXPECT_EQ(ClaimConversation(store, other, IdOf("t"), absl::Minutes(1)).status().code(), Code::kNotFound);
  EXPECT_EQ(store_->feeds().Read(other, 0, 10)->size(), 0u);
  EXPECT_EQ(store_->feeds().Heads({kOtherWorkspace})->front().last, 0);
}

TEST_P(StoreContract, CasesAndNotes) {
  ASSERT_TRUE(Fold({Comment("t", "m1", 1, "bad", Kind::kComplaint)}).ok());
  auto& store = store_->conversations();
  const CaseDraft draft{.conversation_id = IdOf("t"), .title = "Broken", .request_id = RequestId(1)};
  const auto opened = OpenCase(store, CallOf(), draft, absl::Hours(1));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->owner, "amelie");
  EXPECT_EQ(OpenCase(store, CallOf(), draft, absl::Hours(1))->id, opened->id);
  CaseDraft second = draft;
  second.request_id = RequestId(2);
  EXPECT_EQ(ReasonOf(OpenCase(store, CallOf(), second, absl::Hours(1)).status()), "CASE_OPEN");
  EXPECT_EQ(Get("t").case_id, opened->id);
  const Escalation escalation{.case_id = opened->id, .reason = "again", .owner = "chef", .request_id = RequestId(3)};
  EXPECT_EQ(EscalateCase(store, CallOf(), escalation)->escalation_count, 1);
  EXPECT_EQ(EscalateCase(store, CallOf(), escalation)->escalation_count, 1);
  EXPECT_TRUE(Get("t").escalated);
  EXPECT_EQ(store.ListCases(CallOf(), {.state = CaseState::kOpen, .owner = "chef"}, std::nullopt, 10)->size(), 1u);
  EXPECT_EQ(store.GetCase(CallOf(), opened->id)->owner, "chef");
  EXPECT_EQ(ResolveCase(store, CallOf(), opened->id, "refunded")->state, CaseState::kResolved);
  EXPECT_EQ(ResolveCase(store, CallOf(), opened->id, "twice")->resolution, "refunded");
  EXPECT_EQ(ReasonOf(EscalateCase(store, CallOf(), {.case_id = opened->id, .reason = "late"}).status()), "CASE_RESOLVED");
  EXPECT_EQ(Get("t").case_id, "");
  EXPECT_EQ(store.ListCases(CallOf(), {.state = CaseState::kOpen}, std::nullopt, 10)->size(), 0u);
  EXPECT_EQ(store.GetCase(CallOf(), RequestId(9)).status().code(), Code::kNotFound);

  const auto note = CreateNote(store, CallOf(), IdOf("t"), "called them", RequestId(4));
  ASSERT_TRUE(note.ok()) << note.status();
  EXPECT_EQ(CreateNote(store, CallOf(), IdOf("t"), "called them", RequestId(4))->id, note->id);
  EXPECT_EQ(ReasonOf(CreateNote(store, CallOf(), IdOf("t"), "other", RequestId(4)).status()), "REQUEST_ID_REUSED");
  ASSERT_EQ(store.ListNotes(CallOf(), IdOf("t"), std::nullopt, 10)->size(), 1u);
  EXPECT_EQ(store.ListNotes(CallOf(), IdOf("t"), std::nullopt, 10)->front().text, "called them");
}

TEST_P(StoreContract, EtagsAndWhatChangesNothing) {
  ASSERT_TRUE(Fold({Comment("t", "m1", 1)}).ok());
  auto& store = store_->conversations();
  const std::string etag = EtagOf(Get("t"));
  const auto assigned = AssignConversation(store, CallOf(), IdOf("t"), "ben", etag);
  ASSERT_TRUE(assigned.ok());
  EXPECT_EQ(*assigned, Get("t"));
  EXPECT_EQ(ReasonOf(ResolveConversation(store, CallOf(), IdOf("t"), etag).status()), "ETAG_MISMATCH");
  ASSERT_TRUE(ResolveConversation(store, CallOf(), IdOf("t"), EtagOf(*assigned)).ok());
  const int64_t last = Last();
  EXPECT_TRUE(ResolveConversation(store, CallOf(), IdOf("t"), "").ok());
  EXPECT_TRUE(AssignConversation(store, CallOf(), IdOf("t"), "ben", "").ok());
  EXPECT_EQ(Last(), last);
  EXPECT_EQ(ReopenConversation(store, CallOf(), IdOf("t"), "")->state, State::kOpen);
  EXPECT_EQ(Last(), last + 1);
}

TEST_P(StoreContract, TheFeedHasNoGapsWhoeverWrites) {
  constexpr int kWriters = 6, kEach = 20;
  std::vector<FoldInput> batch;
  for (int w = 0; w < kWriters; ++w) batch.push_back(Comment("t" + std::to_string(w), "m" + std::to_string(w), w));
  ASSERT_TRUE(Fold(batch).ok());
  const int64_t before = Last();
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(AssignConversation(store_->conversations(), CallOf(), IdOf("t" + std::to_string(w)),
                                       "member" + std::to_string(i), "").ok());
      }
    });
  }
  // Meanwhile the fold writes into the same conversations, and a reader never sees a hole.
  for (int i = 0; i < kEach; ++i) {
    std::vector<FoldInput> more;
    for (int w = kWriters - 1; w >= 0; --w) {
      more.push_back(Comment("t" + std::to_string(w), "x" + std::to_string(w) + "_" + std::to_string(i), 100 + i));
    }
    EXPECT_TRUE(Fold(more).ok());
    const auto entries = store_->feeds().Read(CallOf(), 0, 100'000);
    ASSERT_TRUE(entries.ok());
    for (size_t e = 0; e < entries->size(); ++e) ASSERT_EQ((*entries)[e].sequence, static_cast<int64_t>(e + 1));
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Last(), before + kWriters * kEach * 2);
  EXPECT_EQ(store_->outbox_events(), Last());
}

TEST_P(StoreContract, Upkeep) {
  ASSERT_TRUE(Fold({Comment("t", "m1", 1), Comment("u", "u1", 1), Activity(ActivityKind::kRemoval, "t", "never", 2)}).ok());
  auto& store = store_->conversations();
  ASSERT_TRUE(ClaimConversation(store, CallOf(), IdOf("t"), absl::Minutes(5)).ok());
  EXPECT_EQ(*store_->upkeep().ReleaseExpiredClaims(10), 0);
  EXPECT_EQ(*store_->upkeep().TrimFeeds(absl::Minutes(1), 10), 0);
  EXPECT_EQ(*store_->upkeep().ForgetAbsentMessages(absl::Minutes(1), 10), 0);
  store_->Age(absl::Minutes(10));
  EXPECT_EQ(*store_->upkeep().ReleaseExpiredClaims(10), 1);
  EXPECT_EQ(*store_->upkeep().ReleaseExpiredClaims(10), 0);
  EXPECT_EQ(Get("t").claim.member_id, "");
  EXPECT_EQ(Get("t").claim.token, 1);
  EXPECT_EQ(*store_->upkeep().TrimFeeds(absl::Minutes(1), 10), 3);
  const auto head = store_->feeds().Heads({kWorkspace})->front();
  EXPECT_EQ(head.floor, 3);
  EXPECT_EQ(head.last, 4);
  EXPECT_EQ(*store_->upkeep().ForgetAbsentMessages(absl::Minutes(1), 10), 1);
  EXPECT_EQ(store_->absent_messages(), 0);
  EXPECT_EQ(List().size(), 2u);
}

}  // namespace
}  // namespace parvis::inbox::testing
