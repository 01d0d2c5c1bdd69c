// What the tests of the service share: a server over the stores in memory, and who calls it. For tests only.
#pragma once

#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "moderation/domain/fake_store.h"
#include "moderation/transport/moderation_service.h"
#include "parvis/moderation/v1/moderation_service.grpc.pb.h"
#include "platform/rpc/client.h"
#include "platform/rpc/resource.h"

namespace parvis::moderation::testing {

inline constexpr char kWorkspace[] = "018f0000-0000-7000-8000-000000000001";
inline constexpr char kOtherWorkspace[] = "018f0000-0000-7000-8000-000000000002";
inline constexpr char kChannel[] = "018f0000-0000-7000-8000-0000000000c1";
inline constexpr PolicyQuota kQuota{.policies = 4, .versions = 3};

inline std::string Parent() { return std::string("workspaces/") + kWorkspace; }
inline std::string RequestId(int n) { return UuidOfName(absl::StrCat("request ", n)); }
inline std::string PolicySaying(const std::string& word) {
  return "version: 1\nrules:\n- {name: r, action: hide, if: {text: {words: [" + word + "]}}}\n";
}

// "CODE REASON field,field", or "OK".
inline std::string Told(const Status& status) {
  if (status.ok()) return "OK";
  const Error error = ToError(status);
  std::vector<std::string> fields;
  for (const Violation& v : error.violations) fields.push_back(v.field);
  return absl::StrCat(absl::StatusCodeToString(error.code), " ", error.reason, fields.empty() ? "" : " ",
                      absl::StrJoin(fields, ","));
}

// The token is the member: "mia" manages, "ana" and "bob" moderate, "lea" only reads, "eve" manages another workspace.
class Members : public rpc::Authenticator {
 public:
  StatusOr<Principal> Authenticate(const std::string& token) override {
    if (token == "nobody") return MakeError(Code::kUnauthenticated, "TOKEN_UNKNOWN", "unknown key");
    Principal principal;
    principal.member_id = token;
    principal.key_id = "key-" + token;
    principal.workspace_id = token == "eve" ? kOtherWorkspace : kWorkspace;
    principal.roles = {token == "lea"                     ? Role::kAnalyst
                       : token == "ana" || token == "bob" ? Role::kModerator
                                                          : Role::kManager};
    return principal;
  }
};

class ModerationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.Start().ok());
    stub_ = v1::ModerationService::NewStub(grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    server_.Stop(absl::Seconds(5));
    runtime_.StopExecutor();
  }
  // One unary call as `member`.
  template <class Response, class Method, class Request>
  StatusOr<Response> Do(Method method, const Request& request, const std::string& member = "mia") {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + member);
    context.set_deadline(absl::ToChronoTime(real_clock_.WallNow() + absl::Seconds(20)));
    Response response;
    const Status status = rpc::FromGrpc(((*stub_).*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  static v1::CreatePolicyRequest NewPolicy(const std::string& display_name, const std::string& source,
                                           const std::string& request_id = "") {
    v1::CreatePolicyRequest r;
    r.set_parent(Parent());
    r.mutable_policy()->set_display_name(display_name);
    r.mutable_policy()->set_source(source);
    r.set_request_id(request_id);
    return r;
  }
  // A review of comment number `n`; its name.
  std::string Held(int n, Action action = Action::kHold) {
    Review review;
    review.workspace_id = kWorkspace;
    review.activity_id = UuidOfName(absl::StrCat("activity ", n));
    review.id = ReviewId(review.activity_id);
    review.channel_id = kChannel;
    review.network = "facebook";
    review.remote_id = absl::StrCat("comment_", n);
    review.text = absl::StrCat("texte ", n);
    review.verdict.action = action;
    review.verdict.language = "fr";
    review.verdict.reasons = {{"shouting", action, "", {}, "capitals"}};
    review.create_time = clock_.WallNow() + absl::Seconds(n);
    const std::lock_guard lock(data_.mutex);
    data_.reviews[{kWorkspace, review.id}] = review;
    return Parent() + "/reviews/" + review.id;
  }
  StatusOr<v1::ClaimReviewResponse> Claim(const std::string& name, const std::string& member) {
    v1::ClaimReviewRequest r;
    r.set_name(name);
    return Do<v1::ClaimReviewResponse>(&v1::ModerationService::Stub::ClaimReview, r, member);
  }
  StatusOr<v1::Review> Release(const std::string& name, int64_t token, const std::string& member) {
    v1::ReleaseReviewRequest r;
    r.set_name(name);
    r.set_claim_token(token);
    return Do<v1::Review>(&v1::ModerationService::Stub::ReleaseReview, r, member);
  }
  static v1::DecideReviewRequest Decision(const std::string& name, int64_t token, v1::Action decision,
                                          const std::string& note = "", const std::string& request_id = "") {
    v1::DecideReviewRequest r;
    r.set_name(name);
    r.set_claim_token(token);
    r.set_decision(decision);
    r.set_note(note);
    r.set_request_id(request_id);
    return r;
  }

  FakeData data_;
  FakePolicyStore policy_store_{data_, kQuota};
  FakeReviewStore review_store_{data_};
  FakeClock clock_;  // of the use cases; calls are timed by the real one
  RealClock real_clock_;
  Ids ids_{clock_, 7};
  obs::Metrics metrics_;
  Normalizer normalizer_;
  Policies policies_{policy_store_, normalizer_, PolicyLimits{}, ids_, clock_};
  Reviews reviews_{review_store_, clock_, absl::Minutes(10), nullptr};
  Members members_;
  rpc::ServerConfig config_;
  rpc::Runtime runtime_{"moderation", config_, members_, real_clock_, metrics_};
  std::unique_ptr<grpc::Service> service_ = MakeModerationService(runtime_, policies_, reviews_);
  rpc::Server server_{config_, runtime_, {service_.get()}};
  std::unique_ptr<v1::ModerationService::Stub> stub_;
};

}  // namespace parvis::moderation::testing
