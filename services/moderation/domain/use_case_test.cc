// The stores' contract on the fakes, and the use cases that need no more than them.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "moderation/domain/fake_store.h"
#include "moderation/domain/store_contract.h"

namespace parvis::moderation {
namespace {

class FakeEnvironment : public StoreEnvironment {
 public:
  PolicyStore& policies() override { return policies_; }
  ActivePolicyStore& active() override { return policies_; }
  ReviewStore& reviews() override { return reviews_; }
  QueueStore& queue() override { return queue_; }
  StreamPosition Claim() override {
    StreamPosition& at = data_.positions["moderation.queue/t/0"];
    at.group = "moderation.queue", at.topic = "t";
    ++at.epoch;
    return at;
  }
  std::vector<std::string> Commands() override { return data_.commands; }

 private:
  FakeData data_;
  FakePolicyStore policies_{data_, kContractQuota};
  FakeReviewStore reviews_{data_};
  FakeQueueStore queue_{data_};
};

INSTANTIATE_TEST_SUITE_P(Fake, StoreContract, testing::Values([]() -> std::unique_ptr<StoreEnvironment> {
                           return std::make_unique<FakeEnvironment>();
                         }));

constexpr char kWs[] = "018f0000-0000-7000-8000-000000000001";

std::string PolicySaying(const std::string& word) {
  return "version: 1\nrules:\n- {name: r, action: hide, if: {text: {words: [" + word + "]}}}\n";
}

class UseCases : public testing::Test {
 protected:
  Call call_ = BackgroundCall("test", kWs);
  FakeData data_;
  FakePolicyStore store_{data_};
  FakeClock clock_;
  Ids ids_{clock_, 3};
  Normalizer normalizer_;
  Policies policies_{store_, normalizer_, PolicyLimits{}, ids_, clock_};

  std::string Activated(const std::string& word) {
    const std::string id = policies_.Create(call_, "P", PolicySaying(word), "")->id;
    EXPECT_TRUE(policies_.Activate(call_, id, 0).ok());
    return id;
  }
  static bool Hides(const PolicyInForce& policy, const Normalizer& normalizer, std::string_view text) {
    Assessor assessor(normalizer);
    Subject subject;
    subject.text = text;
    return assessor.Assess(subject, *policy.compiled).action == Action::kHide;
  }
};

TEST_F(UseCases, PoliciesAreCheckedBeforeAnythingIsStored) {
  auto bad = policies_.Create(call_, "", "version: 1\nrules: [", "");
  EXPECT_EQ(ToError(bad.status()).violations.size(), 2u);
  bad = policies_.Create(call_, std::string(201, 'x'), PolicySaying("a"), "");
  EXPECT_EQ(ToError(bad.status()).violations[0].reason, "TOO_LONG");
  EXPECT_TRUE(data_.policies.empty());
  auto good = policies_.Create(call_, "P", PolicySaying("a"), "");
  ASSERT_TRUE(good.ok());
  EXPECT_FALSE(policies_.Update(call_, good->id, {.source = "nonsense"}).ok());
  EXPECT_EQ(policies_.Get(call_, good->id)->version, 1);
}

TEST_F(UseCases, TestPolicySavesNothing) {
  Subject one, two;
  one.text = "un mot", two.text = "autre chose";
  auto tested = policies_.Test(call_, PolicySaying("mot"), "", {one, two});
  ASSERT_TRUE(tested.ok());
  EXPECT_EQ((*tested)[0].verdict.action, Action::kHide);
  EXPECT_EQ((*tested)[0].normalized, "un mot");
  EXPECT_EQ((*tested)[1].verdict.action, Action::kAllow);
  EXPECT_TRUE(data_.policies.empty());
  EXPECT_FALSE(policies_.Test(call_, PolicySaying("mot"), "", {}).ok());
  EXPECT_FALSE(policies_.Test(call_, PolicySaying("mot"), "", std::vector<Subject>(101)).ok());
  const std::string large((64 << 10) + 1, 'x');
  one.text = large;
  EXPECT_EQ(ToError(policies_.Test(call_, PolicySaying("mot"), "", {one}).status()).violations[0].field,
            "texts[0].text");
  EXPECT_EQ(policies_.Test(call_, std::nullopt, ids_.New(), {two}).status().code(), Code::kNotFound);
}

TEST_F(UseCases, TheCacheFollowsTheActivePolicy) {
  Executor compiler({.name = "compile", .threads = 1, .queue_max = 4});
  PolicyCache cache(store_, normalizer_, compiler, clock_, {});
  EXPECT_EQ((*cache.Of({kWs}))[kWs].active.policy_id, "");
  const std::string id = Activated("un");
  EXPECT_EQ((*cache.Of({kWs}))[kWs].active.policy_id, "");  // still fresh
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Hides((*cache.Of({kWs}))[kWs], normalizer_, "un"));
  const int asked = data_.active_questions;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(cache.Of({kWs}).ok());
  EXPECT_EQ(data_.active_questions, asked);  // not asked for every batch

  ASSERT_TRUE(policies_.Update(call_, id, {.source = PolicySaying("deux")}).ok());
  ASSERT_TRUE(policies_.Activate(call_, id, 0).ok());
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(cache.Of({kWs}).ok());  // compiles beside, the old one stays in force
  compiler.Stop();
  const PolicyInForce now = (*cache.Of({kWs}))[kWs];
  EXPECT_EQ(now.active, (ActivePolicy{id, 2}));
  EXPECT_TRUE(Hides(now, normalizer_, "deux"));
  EXPECT_FALSE(Hides(now, normalizer_, "un"));

  ASSERT_TRUE(policies_.Deactivate(call_, id).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ((*cache.Of({kWs}))[kWs].active.policy_id, "");
}

TEST_F(UseCases, TheCacheWaitsRatherThanGuesses) {
  Executor compiler({.name = "compile", .threads = 1, .queue_max = 4});
  PolicyCache cache(store_, normalizer_, compiler, clock_, {});
  data_.down = true;
  EXPECT_EQ(cache.Of({kWs}).status().code(), Code::kUnavailable);
  data_.down = false;
  Activated("un");
  EXPECT_TRUE(cache.Of({kWs}).ok());
  clock_.Advance(absl::Seconds(2));
  data_.down = true;
  EXPECT_EQ(cache.Of({kWs}).status().code(), Code::kUnavailable);  // it may have changed meanwhile
}

TEST_F(UseCases, TheCacheIsBounded) {
  Executor compiler({.name = "compile", .threads = 1, .queue_max = 4});
  PolicyCache cache(store_, normalizer_, compiler, clock_, {.entries_max = 3});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(cache.Of({ids_.New()}).ok());
  EXPECT_EQ(cache.entries(), 3);
  std::vector<std::string> many;
  for (int i = 0; i < 10; ++i) many.push_back(ids_.New());
  EXPECT_EQ(cache.Of(many)->size(), 10u);  // more in one batch than are kept
}

// The policy that is shipped compiles, hits what it is for, and leaves ordinary comments alone.
TEST_F(UseCases, StarterPolicy) {
  std::ifstream file("services/moderation/policies/starter.yaml");
  std::stringstream source;
  source << file.rdbuf();
  const auto action = [&](std::string_view text) {
    Subject subject;
    subject.text = text;
    auto tested = policies_.Test(call_, source.str(), "", {subject});
    EXPECT_TRUE(tested.ok()) << tested.status();
    return tested.ok() ? (*tested)[0].verdict.action : Action::kUnspecified;
  };
  for (const char* text :
       {"you are an 1d1ot", "Un vrai c.o.n.n.a.r.d ce vendeur", "va te faire f0utre", "bande d'enculés",
        "gagnez de l'argent sur http://x.biz", "whatsapp +33 6 12 34 56 78", "sаlope"}) {
    EXPECT_EQ(action(text), Action::kHide) << text;
  }
  for (const char* text :
       {"voir http://a.fr et http://b.fr", "c'est de la merde", "nooooooooooooooooooon", "F U C K  Y O U"}) {
    EXPECT_EQ(action(text), Action::kHold) << text;
  }
  EXPECT_EQ(action("je vais te tuer connard"), Action::kEscalate);
  for (const char* text :
       {"Merci, superbe lampe !", "Quel concert ! Bravo à toute l'équipe", "I love this lamp, is it available in blue?",
        "Je suis très déçu, la commande n'est jamais arrivée", "Où est le magasin ? https://exemple.fr/plan",
        "The dispute was settled", "Ma dispute avec le vendeur", "casino royal : quel film"}) {
    EXPECT_EQ(action(text), Action::kAllow) << text;
  }
}

}  // namespace
}  // namespace parvis::moderation
