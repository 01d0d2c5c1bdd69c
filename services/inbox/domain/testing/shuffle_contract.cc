// The fold's promise: any order, any cutting into batches and any repetition of the same news gives the same inbox.
#include <random>

#include "inbox/domain/claim.h"
#include "inbox/domain/reply.h"
#include "inbox/domain/testing/store_contract.h"

namespace parvis::inbox::testing {
namespace {

int Pick(std::mt19937_64& random, int below) { return static_cast<int>(random() % below); }

Assessed RandomCreation(std::mt19937_64& random, int number) {
  const std::string thread = "t" + std::to_string(Pick(random, 4));
  Assessed a = Pick(random, 5) == 0 ? OurComment(thread, "", Pick(random, 40), "ours " + std::to_string(number))
                                    : Comment(thread, "", Pick(random, 40), "text " + std::to_string(number),
                                              static_cast<Kind>(1 + Pick(random, 4)));
  a.remote_id = std::to_string(number);
  a.activity_id = "create" + a.remote_id;
  a.kind = static_cast<ActivityKind>(Pick(random, 3));
  a.language = std::vector<std::string>{"en", "fr", "und"}[Pick(random, 3)];
  a.action = static_cast<Action>(1 + Pick(random, 5));
  a.reasons = {{.rule = "r" + std::to_string(number), .explanation = ""}};
  return a;
}

// Something that happens to `created` later.
FoldInput RandomChange(std::mt19937_64& random, const Assessed& created, int number) {
  const int at = 50 + Pick(random, 10);   // several changes may share their revision
  Assessed a = Activity(ActivityKind::kEdit, created.conversation, created.remote_id, at, "edit " + std::to_string(number));
  a.intent = static_cast<Kind>(1 + Pick(random, 4));
  a.language = std::vector<std::string>{"en", "fr", "und"}[Pick(random, 3)];
  a.action = static_cast<Action>(1 + Pick(random, 5));
  a.policy_version = Pick(random, 3);
  switch (Pick(random, 8)) {
    case 0: return Activity(ActivityKind::kRemoval, created.conversation, created.remote_id, at);
    case 1: return Activity(ActivityKind::kHide, created.conversation, created.remote_id, at);
    case 2: return Activity(ActivityKind::kUnhide, created.conversation, created.remote_id, at);
    case 3: {
      Assessed reaction = Activity(ActivityKind::kReaction, created.conversation, "like" + std::to_string(number), at);
      return reaction;
    }
    case 4: return TargetUpdate(DeliveryKind::kHide, created.remote_id, at);
    case 5: return TargetUpdate(DeliveryKind::kUnhide, created.remote_id, at);
    default: return a;
  }
}

std::vector<FoldInput> News(std::mt19937_64& random) {
  std::vector<FoldInput> news;
  for (int i = 0; i < 12; ++i) {
    const Assessed created = RandomCreation(random, i * 7);
    news.push_back(created);
    const int changes = Pick(random, 4);
    for (int c = 0; c < changes; ++c) news.push_back(RandomChange(random, created, i * 10 + c));
  }
  return news;
}

// What depends on our clock or on how often something was written is no part of the promise.
void Normalize(std::vector<Conversation>& conversations, std::vector<Message>& messages) {
  for (Conversation& c : conversations) {
    c.create_time = absl::InfinitePast();
    c.version = 0;
    c.claim = {};
  }
  for (Message& m : messages) {
    m.create_time = absl::InfinitePast();
    if (!m.removed) continue;
    m.content.reasons.clear();   // of equally ranked contents, whose only difference was the text that is gone
  }
}

std::string Show(const Conversation& c) {
  return c.id + " kind " + std::to_string(static_cast<int>(c.kind)) + " language " + c.language + " count " +
         std::to_string(c.message_count) + "/" + std::to_string(c.person_count) + " reactions " +
         std::to_string(c.reaction_count) + " preview '" + c.preview + "' waiting " +
         absl::FormatTime(c.waiting_since_time.value_or(absl::InfinitePast())) + " ours " +
         absl::FormatTime(c.last_ours_time.value_or(absl::InfinitePast())) + " response " +
         absl::FormatTime(c.first_response_time.value_or(absl::InfinitePast())) + " person " + c.person.name;
}

TEST_P(ShuffleContract, AnyOrderGivesTheSameInbox) {
  const char* const rounds_flag = std::getenv("PARVIS_SHUFFLE_ROUNDS");
  const int rounds = rounds_flag ? std::atoi(rounds_flag) : 12;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("seed " + std::to_string(round));
    std::mt19937_64 random(round);
    const std::vector<FoldInput> news = News(random);
    std::vector<Conversation> expected;
    std::vector<Message> expected_messages;
    for (int order = 0; order < 5; ++order) {
      store_->Clear();
      positions_.clear();
      // One answer of ours, asked for in every order before the news of its delivery.
      ASSERT_TRUE(Fold({Comment("t0", "question", 30, "?", Kind::kQuestion)}).ok());
      auto& store = store_->conversations();
      const auto claim = ClaimConversation(store, CallOf(), IdOf("t0"), absl::Minutes(5));
      const auto sent = Reply(store, CallOf(), {.conversation_id = IdOf("t0"), .text = "answer", .request_id = RequestId(1),
                                                .claim_token = claim->claim.token}, {});
      ASSERT_TRUE(sent.ok()) << sent.status();
      std::vector<FoldInput> shuffled = news;
      shuffled.push_back(ReplyUpdate(sent->id, SendState::kSending, 2, 44));
      shuffled.push_back(ReplyUpdate(sent->id, SendState::kSent, 3, 46, "reply1"));
      shuffled.push_back(OurComment("t0", "reply1", 45, "answer https://t.co/x"));
      shuffled.push_back(Activity(ActivityKind::kEdit, "t0", "reply1", 70, "corrected"));
      if (order > 0) {
        std::shuffle(shuffled.begin(), shuffled.end(), random);
        const size_t once = shuffled.size();
        for (size_t i = 0; i < once; i += 3) shuffled.push_back(shuffled[Pick(random, static_cast<int>(once))]);
      }
      for (size_t at = 0; at < shuffled.size();) {
        const size_t size = std::min<size_t>(1 + Pick(random, 9), shuffled.size() - at);
        const Status folded = Fold({shuffled.begin() + at, shuffled.begin() + at + size}, Pick(random, 2));
        ASSERT_TRUE(folded.ok()) << folded;
        at += size;
      }
      std::vector<Conversation> conversations = List();
      std::sort(conversations.begin(), conversations.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
      std::vector<Message> messages;
      for (const Conversation& c : conversations) {
        const auto some = store.ListMessages(CallOf(), c.id, std::nullopt, 1000);
        messages.insert(messages.end(), some->begin(), some->end());
      }
      Normalize(conversations, messages);
      if (order == 0) {
        expected = conversations;
        expected_messages = messages;
        continue;
      }
      ASSERT_EQ(conversations.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(conversations[i], expected[i]) << Show(conversations[i]) << "\ninstead of\n" << Show(expected[i]);
      }
      ASSERT_EQ(messages.size(), expected_messages.size());
      for (size_t i = 0; i < messages.size(); ++i) {
        ASSERT_EQ(messages[i], expected_messages[i]) << messages[i].remote_key << ": " << messages[i].content.text
            << " instead of " << expected_messages[i].content.text;
      }
    }
  }
}

}  // namespace
}  // namespace parvis::inbox::testing
