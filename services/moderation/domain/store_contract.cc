#include "moderation/domain/store_contract.h"

#include <absl/strings/str_cat.h>

namespace parvis::moderation {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreContract);

Call StoreContract::In(const std::string& workspace, const std::string& member) const {
  Call call = BackgroundCall("test", workspace);
  call.principal.member_id = member;
  return call;
}

Assessed StoreContract::Comment(int n, Action action, int64_t revision) const {
  Assessed a;
  a.workspace_id = ws_;
  a.activity_id = UuidOfName(absl::StrCat("activity/", n, "/", revision));
  a.channel_id = "018f0000-0000-7000-8000-0000000000c1";
  a.network = "facebook";
  a.kind = revision == 100 ? Kind::kComment : Kind::kEdit;
  a.remote_id = absl::StrCat("comment_", n);
  a.thread = "thread", a.post_remote_id = "post";
  a.revision = revision;
  a.author = {"42", "Zoë \"Z\"", "zoe"};
  a.text = absl::StrCat("texte n°", n, " \\ \"quoted\"");
  a.occurred_time = absl::FromUnixSeconds(1000 + n);
  a.verdict.action = action;
  a.verdict.language = n % 2 == 0 ? "fr" : "en";
  a.verdict.intent = Intent::kOther;
  if (action != Action::kAllow) a.verdict.reasons = {{"rule", action, "Because", {{0, 5, "texte"}}, "literal"}};
  a.verdict.policy_id = "018f0000-0000-7000-8000-0000000000f1";
  a.verdict.policy_version = 3;
  return a;
}

Status StoreContract::Apply(const std::vector<Assessed>& batch) {
  if (!position_) position_ = env_->Claim();
  ++position_->next;
  return env_->queue().Apply(*position_, KeysOf(batch),
                             [&](const auto& known) { return Plan(batch, known, clock_.WallNow()); });
}

PolicyRecord StoreContract::MakePolicy(const Call& call, const std::string& source, absl::Time at,
                                       const std::string& request_id) {
  PolicyRecord p;
  p.id = ids_.New();
  p.display_name = "Règles";
  p.source = source;
  p.version = p.revision = 1;
  p.create_time = p.update_time = at;
  auto created = env_->policies().Create(call, p, "member", request_id);
  EXPECT_TRUE(created.ok()) << created.status();
  return created.value_or(PolicyRecord{});
}

TEST_P(StoreContract, PolicyVersions) {
  const Call call = In(ws_);
  const absl::Time t = clock_.WallNow();
  const PolicyRecord p = MakePolicy(call, "one", t, "018f0000-0000-7000-8000-00000000aaaa");
  EXPECT_EQ(p.version, 1);
  EXPECT_EQ(p.active_version, 0);
  EXPECT_EQ(MakePolicy(call, "two", t, "018f0000-0000-7000-8000-00000000aaaa").id, p.id);  // the same request
  EXPECT_NE(MakePolicy(call, "two", t - absl::Seconds(1)).id, p.id);

  auto updated =
      env_->policies().Update(call, p.id, {.display_name = "Neu", .source = "three", .if_revision = 1}, "m2", t);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->version, 2);
  EXPECT_EQ(updated->source, "three");
  EXPECT_EQ(updated->display_name, "Neu");
  EXPECT_EQ(ReasonOf(env_->policies().Update(call, p.id, {.source = "four", .if_revision = 1}, "m2", t).status()),
            "ETAG_MISMATCH");
  EXPECT_EQ(env_->policies().Update(call, p.id, {.display_name = "Again"}, "m2", t)->version, 2);  // no new version
  EXPECT_EQ(env_->policies().Get(call, ids_.New()).status().code(), Code::kNotFound);

  auto versions = env_->policies().ListVersions(call, p.id, 0, 10);
  ASSERT_TRUE(versions.ok());
  ASSERT_EQ(versions->size(), 2u);
  EXPECT_EQ((*versions)[0].source, "three");
  EXPECT_EQ((*versions)[0].member_id, "m2");
  EXPECT_EQ(env_->policies().ListVersions(call, p.id, 2, 10)->size(), 1u);

  auto page = env_->policies().List(call, std::nullopt, 1);
  ASSERT_EQ(page->size(), 1u);
  EXPECT_EQ((*page)[0].id, p.id);  // the newest
  page = env_->policies().List(call, TimeCursor{(*page)[0].create_time, (*page)[0].id}, 5);
  EXPECT_EQ(page->size(), 1u);
}

TEST_P(StoreContract, OneActivePolicy) {
  const Call call = In(ws_);
  const absl::Time t = clock_.WallNow();
  const PolicyRecord a = MakePolicy(call, "a1", t), b = MakePolicy(call, "b1", t);
  EXPECT_TRUE(env_->active().Active({ws_, other_})->empty());
  EXPECT_EQ(env_->policies().Activate(call, a.id, 0, "m", t)->active_version, 1);
  ASSERT_TRUE(env_->policies().Update(call, a.id, {.source = "a2"}, "m", t).ok());
  EXPECT_EQ((*env_->active().Active({ws_, other_}))[ws_], (ActivePolicy{a.id, 1}));  // an update is not in force
  EXPECT_EQ(env_->policies().Activate(call, a.id, 0, "m", t)->active_version, 2);
  EXPECT_EQ(*env_->active().Source(ws_, {a.id, 1}), "a1");
  EXPECT_EQ(*env_->active().Source(ws_, {a.id, 2}), "a2");
  EXPECT_EQ(env_->active().Source(ws_, {a.id, 3}).status().code(), Code::kNotFound);
  EXPECT_EQ(env_->policies().Activate(call, a.id, 9, "m", t).status().code(), Code::kNotFound);
  EXPECT_EQ(env_->policies().Activate(call, b.id, 1, "m", t)->active_version, 1);
  EXPECT_EQ(env_->policies().Get(call, a.id)->active_version, 0);
  EXPECT_EQ(env_->policies().Deactivate(call, a.id)->active_version, 0);  // was not active: nothing happens
  EXPECT_EQ(env_->active().Active({ws_})->size(), 1u);
  ASSERT_TRUE(env_->policies().Deactivate(call, b.id).ok());
  EXPECT_TRUE(env_->active().Active({ws_})->empty());
}

TEST_P(StoreContract, PoliciesAndVersionsAreBounded) {
  const Call call = In(ws_);
  const absl::Time t = clock_.WallNow();
  const std::string request = "018f0000-0000-7000-8000-00000000aaaa";
  PolicyRecord p = MakePolicy(call, "v1", t, request);
  for (int i = 1; i < kContractQuota.policies; ++i) MakePolicy(call, "other", t);
  PolicyRecord more = p;
  more.id = ids_.New();
  const Status full = env_->policies().Create(call, more, "m", "").status();
  EXPECT_EQ(full.code(), Code::kResourceExhausted);
  EXPECT_EQ(ReasonOf(full), "POLICIES_TOO_MANY");
  EXPECT_EQ(ToError(full).metadata["limit"], "3");
  EXPECT_EQ(env_->policies().Get(call, more.id).status().code(), Code::kNotFound);  // nothing half-done
  EXPECT_EQ(MakePolicy(call, "v1", t, request).id, p.id);                           // an earlier request still answers
  EXPECT_TRUE(env_->policies().Create(In(other_), more, "m", "").ok());             // each workspace has its own

  for (int v = 2; v <= kContractQuota.versions; ++v) {
    ASSERT_TRUE(env_->policies().Update(call, p.id, {.source = absl::StrCat("v", v)}, "m", t).ok());
  }
  const Status last = env_->policies().Update(call, p.id, {.display_name = "No", .source = "v5"}, "m", t).status();
  EXPECT_EQ(last.code(), Code::kResourceExhausted);
  EXPECT_EQ(ReasonOf(last), "POLICY_VERSIONS_TOO_MANY");
  EXPECT_EQ(env_->policies().Get(call, p.id)->source, "v4");
  EXPECT_EQ(env_->policies().Get(call, p.id)->display_name, "Règles");
  EXPECT_TRUE(env_->policies().Update(call, p.id, {.display_name = "Yes", .source = "v4"}, "m", t).ok());
  EXPECT_EQ(env_->policies().Activate(call, p.id, 0, "m", t)->active_version, 4);
}

TEST_P(StoreContract, NoWorkspaceSeesAnother) {
  const PolicyRecord p = MakePolicy(In(ws_), "a", clock_.WallNow());
  ASSERT_TRUE(Apply({Comment(1, Action::kHold)}).ok());
  const Call other = In(other_);
  EXPECT_EQ(env_->policies().Get(other, p.id).status().code(), Code::kNotFound);
  EXPECT_EQ(env_->policies().Update(other, p.id, {.source = "x"}, "m", clock_.WallNow()).status().code(),
            Code::kNotFound);
  EXPECT_EQ(env_->policies().Activate(other, p.id, 1, "m", clock_.WallNow()).status().code(), Code::kNotFound);
  EXPECT_TRUE(env_->policies().List(other, std::nullopt, 10)->empty());
  EXPECT_TRUE(env_->reviews().List(other, {}, std::nullopt, clock_.WallNow(), 10)->empty());
  EXPECT_TRUE(env_->reviews().ListDecisions(other, {}, std::nullopt, 10)->empty());
  const std::string review = ReviewId(Comment(1, Action::kHold).activity_id);
  EXPECT_EQ(env_->reviews().Get(other, review).status().code(), Code::kNotFound);
  EXPECT_EQ(
      env_->reviews().Alter(other, review, [](Review&, ReviewEffects&) { return absl::OkStatus(); }).status().code(),
      Code::kNotFound);
}

TEST_P(StoreContract, HoldsAndHides) {
  const Assessed held = Comment(1, Action::kHold), hidden = Comment(2, Action::kHide),
                 fine = Comment(3, Action::kAllow), urgent = Comment(4, Action::kEscalate),
                 deleted = Comment(5, Action::kDelete);
  ASSERT_TRUE(Apply({held, hidden, fine, urgent, deleted}).ok());
  ASSERT_TRUE(Apply({held, hidden, fine, urgent, deleted}).ok());  // delivered again
  auto reviews = env_->reviews().List(In(ws_), {}, std::nullopt, clock_.WallNow(), 10);
  ASSERT_TRUE(reviews.ok()) << reviews.status();
  ASSERT_EQ(reviews->size(), 2u);
  EXPECT_EQ((*reviews)[0].activity_id, urgent.activity_id);  // escalated first
  const Review& r = (*reviews)[1];
  EXPECT_EQ(r.text, held.text);
  EXPECT_EQ(r.author.name, held.author.name);
  EXPECT_EQ(r.verdict, held.verdict);
  EXPECT_EQ(r.occurred_time, held.occurred_time);
  EXPECT_EQ(r.create_time, clock_.WallNow());
  EXPECT_EQ(r.state, ReviewState::kOpen);
  EXPECT_EQ(env_->Commands(), (std::vector<std::string>{"moderation/hide/" + hidden.activity_id,
                                                        "moderation/delete/" + deleted.activity_id}));
  auto decisions = env_->reviews().ListDecisions(In(ws_), {}, std::nullopt, 10);
  EXPECT_EQ(decisions->size(), 4u);
  decisions = env_->reviews().ListDecisions(In(ws_), {.action = Action::kHide}, std::nullopt, 10);
  ASSERT_EQ(decisions->size(), 1u);
  EXPECT_EQ((*decisions)[0].command_id, "moderation/hide/" + hidden.activity_id);
  EXPECT_EQ((*decisions)[0].reasons, hidden.verdict.reasons);
}

TEST_P(StoreContract, EditsAndRemovalsInAnyOrder) {
  ASSERT_TRUE(Apply({Comment(1, Action::kHold, 100)}).ok());
  ASSERT_TRUE(Apply({Comment(1, Action::kAllow, 200)}).ok());  // corrected: the review is closed
  const auto open = [&] {
    return env_->reviews().List(In(ws_), {.state = ReviewState::kOpen}, std::nullopt, clock_.WallNow(), 10)->size();
  };
  EXPECT_EQ(open(), 0u);
  EXPECT_EQ(env_->reviews().List(In(ws_), {.state = ReviewState::kClosed}, std::nullopt, clock_.WallNow(), 10)->size(),
            1u);
  ASSERT_TRUE(Apply({Comment(1, Action::kHold, 150)}).ok());  // late: older than what is known
  EXPECT_EQ(open(), 0u);
  ASSERT_TRUE(Apply({Comment(1, Action::kHide, 300)}).ok());
  ASSERT_TRUE(Apply({Comment(1, Action::kHide, 400)}).ok());  // hidden already: no second command
  EXPECT_EQ(env_->Commands().size(), 1u);

  ASSERT_TRUE(Apply({Comment(2, Action::kHold, 200)}).ok());  // the edit before its comment
  ASSERT_TRUE(Apply({Comment(2, Action::kHide, 100)}).ok());
  EXPECT_EQ(open(), 1u);
  EXPECT_EQ(env_->Commands().size(), 1u);

  Assessed removal = Comment(3, Action::kAllow);
  removal.kind = Kind::kRemoval;
  ASSERT_TRUE(Apply({removal}).ok());  // the removal before its comment
  ASSERT_TRUE(Apply({Comment(3, Action::kHold)}).ok());
  EXPECT_EQ(open(), 1u);
  Assessed gone = Comment(2, Action::kAllow);
  gone.kind = Kind::kRemoval;
  ASSERT_TRUE(Apply({gone}).ok());
  EXPECT_EQ(open(), 0u);
  ASSERT_TRUE(Apply({Comment(4, Action::kHold), Comment(4, Action::kEscalate, 101)}).ok());  // in one batch
  EXPECT_EQ(open(), 1u);
}

TEST_P(StoreContract, AZombieWritesNothing) {
  const StreamPosition zombie = env_->Claim();
  env_->Claim();
  const std::vector<Assessed> batch = {Comment(1, Action::kHide)};
  const Status status = env_->queue().Apply(zombie, KeysOf(batch),
                                            [&](const auto& known) { return Plan(batch, known, clock_.WallNow()); });
  EXPECT_EQ(ReasonOf(status), "FENCED");
  EXPECT_TRUE(env_->Commands().empty());
  EXPECT_TRUE(env_->reviews().ListDecisions(In(ws_), {}, std::nullopt, 10)->empty());
}

TEST_P(StoreContract, ReviewsAreClaimedAndDecided) {
  const Assessed held = Comment(1, Action::kHold);
  ASSERT_TRUE(Apply({held}).ok());
  const std::string id = ReviewId(held.activity_id);
  Reviews reviews(env_->reviews(), clock_, absl::Minutes(10), nullptr);
  const Call ana = In(ws_, "ana"), bob = In(ws_, "bob");
  auto claimed = reviews.Claim(ana, id);
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  EXPECT_EQ(claimed->StateAt(clock_.WallNow()), ReviewState::kClaimed);
  EXPECT_EQ(ReasonOf(reviews.Claim(bob, id).status()), "REVIEW_CLAIMED");
  EXPECT_EQ(reviews.Claim(ana, id)->claim_token, claimed->claim_token);  // prolonged
  const auto list = [&](ReviewState state) { return reviews.List(ana, {.state = state}, std::nullopt, 10)->size(); };
  EXPECT_EQ(list(ReviewState::kClaimed), 1u);
  EXPECT_EQ(list(ReviewState::kOpen), 0u);

  clock_.Advance(absl::Minutes(11));  // the claim runs out
  EXPECT_EQ(list(ReviewState::kOpen), 1u);
  auto taken = reviews.Claim(bob, id);
  ASSERT_TRUE(taken.ok());
  EXPECT_GT(taken->claim_token, claimed->claim_token);
  const std::string request = ids_.New();
  EXPECT_EQ(ReasonOf(reviews.Decide(ana, id, claimed->claim_token, Action::kHide, "", request).status()), "CLAIM_LOST");
  EXPECT_EQ(ReasonOf(reviews.Release(ana, id, claimed->claim_token).status()), "CLAIM_LOST");
  EXPECT_TRUE(env_->Commands().empty());

  auto decided = reviews.Decide(bob, id, taken->claim_token, Action::kHide, "insulting", request);
  ASSERT_TRUE(decided.ok()) << decided.status();
  EXPECT_EQ(decided->state, ReviewState::kDecided);
  EXPECT_TRUE(reviews.Decide(bob, id, taken->claim_token, Action::kHide, "insulting", request).ok());  // sent again
  EXPECT_EQ(ReasonOf(reviews.Decide(bob, id, taken->claim_token, Action::kAllow, "", ids_.New()).status()),
            "REVIEW_ENDED");
  EXPECT_EQ(env_->Commands(), std::vector<std::string>{"moderation/hide/" + held.activity_id});
  const auto log = reviews.ListDecisions(ana, {.source = DecisionSource::kReview}, std::nullopt, 10);
  ASSERT_EQ(log->size(), 1u);
  EXPECT_EQ((*log)[0].member_id, "bob");
  EXPECT_EQ((*log)[0].note, "insulting");
  EXPECT_EQ(ReasonOf(reviews.Claim(bob, id).status()), "REVIEW_ENDED");
}

TEST_P(StoreContract, AllowingShowsWhatIsHidden) {
  Assessed hide = Comment(1, Action::kAllow, 500);
  hide.kind = Kind::kHide;
  ASSERT_TRUE(Apply({Comment(1, Action::kHold), Comment(2, Action::kHold), hide}).ok());
  Reviews reviews(env_->reviews(), clock_, absl::Minutes(10), nullptr);
  for (int n : {1, 2}) {
    const std::string id = ReviewId(Comment(n, Action::kHold).activity_id);
    auto claimed = reviews.Claim(In(ws_, "ana"), id);
    ASSERT_TRUE(reviews.Decide(In(ws_, "ana"), id, claimed->claim_token, Action::kAllow, "", "").ok());
  }
  EXPECT_EQ(env_->Commands(),
            std::vector<std::string>{CommandId(Command::Kind::kUnhide, Comment(1, Action::kHold).activity_id)});
}

TEST_P(StoreContract, ListsByPages) {
  std::vector<Assessed> batch;
  for (int n = 0; n < 25; ++n) batch.push_back(Comment(n, n % 5 == 0 ? Action::kEscalate : Action::kHold));
  ASSERT_TRUE(Apply(batch).ok());
  std::optional<ReviewCursor> after;
  std::vector<std::string> seen;
  for (int page = 0; page < 10; ++page) {
    auto reviews = env_->reviews().List(In(ws_), {}, after, clock_.WallNow(), 7);
    for (const Review& r : *reviews) seen.push_back(r.id);
    if (reviews->size() < 7) break;
    after = ReviewCursor{reviews->back().verdict.action == Action::kEscalate, reviews->back().create_time,
                         reviews->back().id};
  }
  EXPECT_EQ(seen.size(), 25u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 25u);
  EXPECT_EQ(env_->reviews().List(In(ws_), {.language = "fr"}, std::nullopt, clock_.WallNow(), 50)->size(), 13u);
  EXPECT_EQ(env_->reviews().List(In(ws_), {.channel_id = other_}, std::nullopt, clock_.WallNow(), 50)->size(), 0u);
}

}  // namespace parvis::moderation
