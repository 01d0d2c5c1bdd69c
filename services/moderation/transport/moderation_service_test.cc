// Reviews, decisions and lists as a caller sees them: over gRPC, on the stores in memory.
#include <gtest/gtest.h>

#include "moderation/transport/test_moderation.h"

namespace parvis::moderation {
namespace {

using testing::kChannel;
using testing::kOtherWorkspace;
using testing::Parent;
using testing::PolicySaying;
using testing::RequestId;
using testing::Told;
using Stub = v1::ModerationService::Stub;

class ModerationServiceTest : public testing::ModerationTest {};

TEST_F(ModerationServiceTest, TheLifeOfAReview) {
  const std::string name = Held(1);
  v1::GetReviewRequest get;
  get.set_name(name);
  const auto open = Do<v1::Review>(&Stub::GetReview, get, "lea");
  ASSERT_TRUE(open.ok()) << open.status();
  EXPECT_EQ(open->state(), v1::REVIEW_STATE_OPEN);
  EXPECT_EQ(open->text(), "texte 1");
  EXPECT_EQ(open->action(), v1::ACTION_HOLD);
  EXPECT_EQ(open->reasons(0).condition(), "capitals");
  EXPECT_FALSE(open->has_claim_expire_time());

  const auto claimed = Claim(name, "ana");
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  EXPECT_EQ(claimed->review().state(), v1::REVIEW_STATE_CLAIMED);
  EXPECT_EQ(claimed->review().claim_member_id(), "ana");
  const Status taken = Claim(name, "bob").status();
  EXPECT_EQ(Told(taken), "FAILED_PRECONDITION REVIEW_CLAIMED");
  EXPECT_EQ(ToError(taken).retry_after, absl::Minutes(10));
  EXPECT_EQ(Claim(name, "ana")->claim_token(), claimed->claim_token());  // prolonged
  EXPECT_EQ(Told(Release(name, claimed->claim_token() + 1, "ana").status()), "ABORTED CLAIM_LOST");
  ASSERT_EQ(Release(name, claimed->claim_token(), "ana")->state(), v1::REVIEW_STATE_OPEN);
  EXPECT_EQ(Told(Release(name, claimed->claim_token(), "ana").status()), "ABORTED CLAIM_LOST");

  const int64_t token = Claim(name, "bob")->claim_token();
  const v1::DecideReviewRequest decide = Decision(name, token, v1::ACTION_HIDE, "insulting", RequestId(1));
  const auto decided = Do<v1::Review>(&Stub::DecideReview, decide, "bob");
  ASSERT_TRUE(decided.ok()) << decided.status();
  EXPECT_EQ(decided->state(), v1::REVIEW_STATE_DECIDED);
  EXPECT_EQ(decided->decision(), v1::ACTION_HIDE);
  EXPECT_EQ(decided->decide_member_id(), "bob");
  EXPECT_EQ(decided->note(), "insulting");
  EXPECT_TRUE(decided->has_end_time());
  EXPECT_EQ(data_.commands.size(), 1u);
  EXPECT_TRUE(Do<v1::Review>(&Stub::DecideReview, decide, "bob").ok());  // sent again: decided once
  EXPECT_EQ(data_.commands.size(), 1u);
  EXPECT_EQ(Told(Claim(name, "ana").status()), "FAILED_PRECONDITION REVIEW_ENDED");
  EXPECT_EQ(Told(Release(name, token, "bob").status()), "FAILED_PRECONDITION REVIEW_ENDED");
  EXPECT_EQ(Told(Do<v1::Review>(&Stub::DecideReview, Decision(name, token, v1::ACTION_ALLOW), "bob").status()),
            "FAILED_PRECONDITION REVIEW_ENDED");

  v1::ListDecisionsRequest log;
  log.set_parent(Parent());
  log.set_source(v1::DECISION_SOURCE_REVIEW);
  const auto decisions = Do<v1::ListDecisionsResponse>(&Stub::ListDecisions, log, "lea");
  ASSERT_EQ(decisions->decisions_size(), 1);
  EXPECT_EQ(decisions->decisions(0).action(), v1::ACTION_HIDE);
  EXPECT_EQ(decisions->decisions(0).member_id(), "bob");
  EXPECT_EQ(decisions->decisions(0).note(), "insulting");
  EXPECT_EQ(decisions->decisions(0).command_id(), data_.commands[0]);
  log.set_action(v1::ACTION_DELETE);
  EXPECT_EQ(Do<v1::ListDecisionsResponse>(&Stub::ListDecisions, log, "lea")->decisions_size(), 0);
}

TEST_F(ModerationServiceTest, AClaimThatRanOutIsLostToWhoeverTakesItNext) {
  const std::string name = Held(1);
  const int64_t old = Claim(name, "ana")->claim_token();
  clock_.Advance(absl::Minutes(11));
  const int64_t fresh = Claim(name, "bob")->claim_token();
  EXPECT_GT(fresh, old);
  EXPECT_EQ(Told(Do<v1::Review>(&Stub::DecideReview, Decision(name, old, v1::ACTION_HIDE), "ana").status()),
            "ABORTED CLAIM_LOST");
  EXPECT_TRUE(data_.commands.empty());
  EXPECT_TRUE(Do<v1::Review>(&Stub::DecideReview, Decision(name, fresh, v1::ACTION_DELETE), "bob").ok());
}

TEST_F(ModerationServiceTest, DecisionsThatAreRefusedChangeNothing) {
  const std::string name = Held(1);
  const int64_t token = Claim(name, "ana")->claim_token();
  const auto told = [&](const v1::DecideReviewRequest& r) {
    return Told(Do<v1::Review>(&Stub::DecideReview, r, "ana").status());
  };
  EXPECT_EQ(told(Decision(name, token, v1::ACTION_UNSPECIFIED)), "INVALID_ARGUMENT WRONG_VALUE decision");
  EXPECT_EQ(told(Decision(name, token, v1::ACTION_HOLD)), "INVALID_ARGUMENT WRONG_VALUE decision");
  EXPECT_EQ(told(Decision(name, token, static_cast<v1::Action>(99))), "INVALID_ARGUMENT WRONG_VALUE decision");
  EXPECT_EQ(told(Decision(name, token, v1::ACTION_HIDE, std::string(2001, 'x'))), "INVALID_ARGUMENT TOO_LONG note");
  EXPECT_EQ(told(Decision(name, token, v1::ACTION_HIDE, std::string("a\0b", 3))), "INVALID_ARGUMENT WRONG_VALUE note");
  EXPECT_EQ(told(Decision(name, token, v1::ACTION_HIDE, "", "1")), "INVALID_ARGUMENT REQUEST_ID request_id");
  EXPECT_EQ(told(Decision(name, token + 1, v1::ACTION_HIDE)), "ABORTED CLAIM_LOST");
  EXPECT_EQ(told(Decision(name, 0, v1::ACTION_HIDE)), "ABORTED CLAIM_LOST");
  EXPECT_EQ(told(Decision("reviews/1", token, v1::ACTION_HIDE)), "INVALID_ARGUMENT INVALID_NAME name");
  const std::string nobodys = Parent() + "/reviews/" + RequestId(9);
  EXPECT_EQ(told(Decision(nobodys, token, v1::ACTION_HIDE)), "NOT_FOUND NOT_FOUND");
  EXPECT_EQ(Told(Claim(nobodys, "ana").status()), "NOT_FOUND NOT_FOUND");
  EXPECT_EQ(Told(Claim("x", "ana").status()), "INVALID_ARGUMENT INVALID_NAME name");
  EXPECT_EQ(Told(Release(nobodys, 1, "ana").status()), "NOT_FOUND NOT_FOUND");
  EXPECT_EQ(Told(Release("x", 1, "ana").status()), "INVALID_ARGUMENT INVALID_NAME name");
  v1::GetReviewRequest get;
  get.set_name(nobodys);
  EXPECT_EQ(Told(Do<v1::Review>(&Stub::GetReview, get).status()), "NOT_FOUND NOT_FOUND");
  get.set_name("x");
  EXPECT_EQ(Told(Do<v1::Review>(&Stub::GetReview, get).status()), "INVALID_ARGUMENT INVALID_NAME name");
  EXPECT_TRUE(data_.decisions.empty());
  // Just as long as allowed, counted in characters.
  std::string note;
  for (int i = 0; i < 2000; ++i) note += "é";
  EXPECT_EQ(told(Decision(name, token, v1::ACTION_ALLOW, note)), "OK");
}

TEST_F(ModerationServiceTest, ReviewsComeByPagesEscalatedFirst) {
  for (int n = 1; n <= 5; ++n) Held(n, n == 4 ? Action::kEscalate : Action::kHold);
  v1::ListReviewsRequest r;
  r.set_parent(Parent());
  r.set_page_size(2);
  std::vector<std::string> texts;
  for (int page = 0; page < 3; ++page) {
    const auto reviews = Do<v1::ListReviewsResponse>(&Stub::ListReviews, r, "lea");
    ASSERT_TRUE(reviews.ok()) << reviews.status();
    for (const auto& review : reviews->reviews()) texts.push_back(review.text());
    EXPECT_EQ(reviews->next_page_token().empty(), page == 2);
    r.set_page_token(reviews->next_page_token());
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"texte 4", "texte 1", "texte 2", "texte 3", "texte 5"}));
  r.clear_page_token();
  r.set_page_size(0);
  r.set_channel_id(kChannel);
  EXPECT_EQ(Do<v1::ListReviewsResponse>(&Stub::ListReviews, r)->reviews_size(), 5);
  r.set_channel_id(RequestId(9));
  EXPECT_EQ(Do<v1::ListReviewsResponse>(&Stub::ListReviews, r)->reviews_size(), 0);
  r.set_channel_id("");
  r.set_language("en");
  EXPECT_EQ(Do<v1::ListReviewsResponse>(&Stub::ListReviews, r)->reviews_size(), 0);
  r.set_language("fr");
  r.set_state(v1::REVIEW_STATE_DECIDED);
  EXPECT_EQ(Do<v1::ListReviewsResponse>(&Stub::ListReviews, r)->reviews_size(), 0);
  r.set_state(v1::REVIEW_STATE_OPEN);
  EXPECT_EQ(Do<v1::ListReviewsResponse>(&Stub::ListReviews, r)->reviews_size(), 5);
}

TEST_F(ModerationServiceTest, PoliciesAndDecisionsComeByPages) {
  for (int n = 1; n <= 3; ++n) {
    ASSERT_TRUE(Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy(std::to_string(n), PolicySaying("un"))).ok());
    clock_.Advance(absl::Seconds(1));
    const std::string name = Held(n);
    const int64_t token = Claim(name, "ana")->claim_token();
    ASSERT_TRUE(Do<v1::Review>(&Stub::DecideReview, Decision(name, token, v1::ACTION_HIDE), "ana").ok());
  }
  v1::ListPoliciesRequest policies;
  policies.set_parent(Parent());
  policies.set_page_size(2);
  auto listed = Do<v1::ListPoliciesResponse>(&Stub::ListPolicies, policies, "lea");
  ASSERT_EQ(listed->policies_size(), 2);
  EXPECT_EQ(listed->policies(0).display_name(), "3");  // the newest first
  policies.set_page_token(listed->next_page_token());
  listed = Do<v1::ListPoliciesResponse>(&Stub::ListPolicies, policies, "lea");
  ASSERT_EQ(listed->policies_size(), 1);
  EXPECT_EQ(listed->policies(0).display_name(), "1");
  EXPECT_EQ(listed->next_page_token(), "");

  v1::ListDecisionsRequest decisions;
  decisions.set_parent(Parent());
  decisions.set_page_size(2);
  auto log = Do<v1::ListDecisionsResponse>(&Stub::ListDecisions, decisions, "lea");
  ASSERT_EQ(log->decisions_size(), 2);
  decisions.set_page_token(log->next_page_token());
  log = Do<v1::ListDecisionsResponse>(&Stub::ListDecisions, decisions, "lea");
  ASSERT_EQ(log->decisions_size(), 1);
  EXPECT_EQ(log->decisions(0).remote_id(), "comment_1");
}

// What every list refuses in the same way: `answer` is the list's own call.
template <class Request>
void RefusesWrongPages(Request request, const std::string& parent, const std::string& other_token,
                       const std::function<std::string(const Request&)>& told) {
  request.set_parent("x");
  EXPECT_EQ(told(request), "INVALID_ARGUMENT INVALID_NAME parent");
  request.set_parent(parent);
  EXPECT_EQ(told(request), "OK");
  request.set_page_size(-1);
  EXPECT_EQ(told(request), "INVALID_ARGUMENT PAGE_SIZE page_size");
  request.set_page_size(1'000'000);  // lowered, not refused
  EXPECT_EQ(told(request), "OK");
  request.set_page_token("not a token");
  EXPECT_EQ(told(request), "INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token");
  request.set_page_token(other_token);
  EXPECT_EQ(told(request), "INVALID_ARGUMENT PAGE_TOKEN_OF_ANOTHER_QUERY page_token");
  // Rightly made but holding what this list never puts in.
  request.set_page_token(rpc::EncodePageToken(rpc::QueryDigest(request), {"x", "y", "z"}));
  EXPECT_EQ(told(request), "INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token");
  request.set_page_token(rpc::EncodePageToken(rpc::QueryDigest(request), {"x", "y"}));
  EXPECT_EQ(told(request), "INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token");
  request.set_page_token(rpc::EncodePageToken(rpc::QueryDigest(request), {"x"}));
  EXPECT_EQ(told(request), "INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token");
}

TEST_F(ModerationServiceTest, ListsRefuseWrongPages) {
  const auto policy = *Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("P", PolicySaying("un")));
  for (int n = 1; n <= 2; ++n) Held(n);
  v1::ListReviewsRequest reviews;
  reviews.set_parent(Parent());
  reviews.set_page_size(1);
  const std::string token = Do<v1::ListReviewsResponse>(&Stub::ListReviews, reviews)->next_page_token();
  ASSERT_NE(token, "");
  reviews.set_language("fr");  // the same list with another filter is another query
  RefusesWrongPages<v1::ListReviewsRequest>(reviews, Parent(), token, [&](const auto& r) {
    return Told(Do<v1::ListReviewsResponse>(&Stub::ListReviews, r).status());
  });
  RefusesWrongPages<v1::ListPoliciesRequest>({}, Parent(), token, [&](const auto& r) {
    return Told(Do<v1::ListPoliciesResponse>(&Stub::ListPolicies, r).status());
  });
  RefusesWrongPages<v1::ListPolicyVersionsRequest>({}, policy.name(), token, [&](const auto& r) {
    return Told(Do<v1::ListPolicyVersionsResponse>(&Stub::ListPolicyVersions, r).status());
  });
  RefusesWrongPages<v1::ListDecisionsRequest>({}, Parent(), token, [&](const auto& r) {
    return Told(Do<v1::ListDecisionsResponse>(&Stub::ListDecisions, r).status());
  });
  reviews.clear_page_token();
  reviews.set_channel_id("page");
  EXPECT_EQ(Told(Do<v1::ListReviewsResponse>(&Stub::ListReviews, reviews).status()),
            "INVALID_ARGUMENT INVALID_ID channel_id");
  v1::ListDecisionsRequest decisions;
  decisions.set_parent(Parent());
  decisions.set_channel_id("page");
  EXPECT_EQ(Told(Do<v1::ListDecisionsResponse>(&Stub::ListDecisions, decisions).status()),
            "INVALID_ARGUMENT INVALID_ID channel_id");
}

TEST_F(ModerationServiceTest, RolesAndWorkspaces) {
  const auto create = [&](const std::string& who) {
    return Told(Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("P", PolicySaying("un")), who).status());
  };
  EXPECT_EQ(create("mia"), "OK");
  EXPECT_EQ(create("ana"), "PERMISSION_DENIED ROLE_MISSING");  // moderators do not write policies
  EXPECT_EQ(create("nobody"), "UNAUTHENTICATED TOKEN_UNKNOWN");
  EXPECT_EQ(create("eve"), "PERMISSION_DENIED WORKSPACE_MISMATCH");
  const std::string name = Held(1);
  EXPECT_EQ(Told(Claim(name, "lea").status()), "PERMISSION_DENIED ROLE_MISSING");  // analysts only read
  EXPECT_EQ(Told(Claim(name, "eve").status()), "PERMISSION_DENIED WORKSPACE_MISMATCH");
  v1::ListReviewsRequest r;
  r.set_parent(std::string("workspaces/") + kOtherWorkspace);
  EXPECT_EQ(Do<v1::ListReviewsResponse>(&Stub::ListReviews, r, "eve")->reviews_size(), 0);
}

TEST_F(ModerationServiceTest, AStoreThatIsAwayIsUnavailable) {
  const std::string name = Held(1);
  data_.down = true;
  EXPECT_EQ(Told(Claim(name, "ana").status()), "UNAVAILABLE DB_UNAVAILABLE");
  EXPECT_EQ(Told(Do<v1::Policy>(&Stub::CreatePolicy, NewPolicy("P", PolicySaying("un"))).status()),
            "UNAVAILABLE DB_UNAVAILABLE");
}

}  // namespace
}  // namespace parvis::moderation
