#include "moderation/transport/moderation_service.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "moderation/transport/convert.h"
#include "parvis/moderation/v1/moderation_service.grpc.pb.h"
#include "platform/rpc/resource.h"
#include "platform/rpc/unary.h"

namespace parvis::moderation {
namespace {

constexpr int kPageDefault = 50, kPageMax = 200;
constexpr char kWorkspace[] = "workspaces/*";
constexpr char kPolicy[] = "workspaces/*/policies/*";
constexpr char kReview[] = "workspaces/*/reviews/*";

#define PARVIS_METHOD(name) "parvis.moderation.v1.ModerationService/" name

Status BadPageToken() {
  return InvalidField("page_token", "PAGE_TOKEN_INVALID", "is not a token that this method returned");
}

// The second id of a name such as "workspaces/*/policies/*".
StatusOr<std::string> IdOf(std::string_view field, const std::string& name, std::string_view pattern) {
  PARVIS_ASSIGN_OR_RETURN(std::vector<std::string> ids, rpc::ParseName(field, name, pattern));
  return ids.at(1);
}

struct Page {
  int size = 0;
  std::string digest;
  std::vector<std::string> keyset;  // empty on the first page
};

template <class Request>
StatusOr<Page> PageOf(const Request& request, size_t keyset_size) {
  Page page;
  PARVIS_ASSIGN_OR_RETURN(page.size, rpc::PageSize(request.page_size(), kPageDefault, kPageMax));
  page.digest = rpc::QueryDigest(request);
  if (request.page_token().empty()) return page;
  PARVIS_ASSIGN_OR_RETURN(page.keyset, rpc::DecodePageToken(request.page_token(), page.digest));
  if (page.keyset.size() != keyset_size) return BadPageToken();
  return page;
}

std::string Micros(absl::Time time) { return absl::StrCat(absl::ToUnixMicros(time)); }

StatusOr<absl::Time> TimeOf(const std::string& micros) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(micros, &value)) return BadPageToken();
  return absl::FromUnixMicros(value);
}

StatusOr<std::optional<TimeCursor>> TimeCursorOf(const Page& page) {
  if (page.keyset.empty()) return std::optional<TimeCursor>();
  PARVIS_ASSIGN_OR_RETURN(absl::Time time, TimeOf(page.keyset[0]));
  if (!IsUuid(page.keyset[1])) return BadPageToken();
  return std::optional<TimeCursor>({time, page.keyset[1]});
}

// Asks for one more than fits, to know whether there is a next page; true if there is.
template <class Item>
bool Trim(std::vector<Item>& items, int size) {
  if (static_cast<int>(items.size()) <= size) return false;
  items.resize(static_cast<size_t>(size));
  return true;
}

Status CheckChannel(const std::string& channel_id) {
  if (channel_id.empty() || IsUuid(channel_id)) return absl::OkStatus();
  return InvalidField("channel_id", "INVALID_ID", "must be the id of a channel, a UUID in small letters");
}

class ModerationService final : public v1::ModerationService::CallbackService {
 public:
  ModerationService(rpc::Runtime& runtime, Policies& policies, Reviews& reviews)
      : rt_(runtime), policies_(policies), reviews_(reviews) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* CreatePolicy(Context* ctx, const v1::CreatePolicyRequest* req, v1::Policy* resp) override {
    return rpc::Unary(ctx, rt_, PARVIS_METHOD("CreatePolicy"), *req, *resp,
                      [this](const Call& call, const v1::CreatePolicyRequest& r, v1::Policy& out) -> Status {
                        PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", r.parent(), kWorkspace).status());
                        PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(r.request_id()));
                        PARVIS_ASSIGN_OR_RETURN(
                            const PolicyRecord policy,
                            policies_.Create(call, r.policy().display_name(), r.policy().source(), r.request_id()));
                        ToProto(call.workspace_id, policy, &out);
                        return absl::OkStatus();
                      });
  }

  Reactor* GetPolicy(Context* ctx, const v1::GetPolicyRequest* req, v1::Policy* resp) override {
    return rpc::Unary(ctx, rt_, PARVIS_METHOD("GetPolicy"), *req, *resp,
                      [this](const Call& call, const v1::GetPolicyRequest& r, v1::Policy& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf("name", r.name(), kPolicy));
                        PARVIS_ASSIGN_OR_RETURN(const PolicyRecord policy, policies_.Get(call, id));
                        ToProto(call.workspace_id, policy, &out);
                        return absl::OkStatus();
                      });
  }

  Reactor* ListPolicies(Context* ctx, const v1::ListPoliciesRequest* req, v1::ListPoliciesResponse* resp) override {
    return rpc::Unary(
        ctx, rt_, PARVIS_METHOD("ListPolicies"), *req, *resp,
        [this](const Call& call, const v1::ListPoliciesRequest& r, v1::ListPoliciesResponse& out) -> Status {
          PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", r.parent(), kWorkspace).status());
          PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(r, 2));
          PARVIS_ASSIGN_OR_RETURN(const auto after, TimeCursorOf(page));
          PARVIS_ASSIGN_OR_RETURN(auto policies, policies_.List(call, after, page.size + 1));
          if (Trim(policies, page.size)) {
            out.set_next_page_token(
                rpc::EncodePageToken(page.digest, {Micros(policies.back().create_time), policies.back().id}));
          }
          for (const PolicyRecord& policy : policies) ToProto(call.workspace_id, policy, out.add_policies());
          return absl::OkStatus();
        });
  }

  Reactor* UpdatePolicy(Context* ctx, const v1::UpdatePolicyRequest* req, v1::Policy* resp) override {
    return rpc::Unary(ctx, rt_, PARVIS_METHOD("UpdatePolicy"), *req, *resp,
                      [this](const Call& call, const v1::UpdatePolicyRequest& r, v1::Policy& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf("policy.name", r.policy().name(), kPolicy));
                        PolicyChange change;
                        PARVIS_ASSIGN_OR_RETURN(change.if_revision, RevisionOf(r.policy().etag()));
                        const auto& paths = r.update_mask().paths();
                        if (paths.empty()) {
                          if (!r.policy().display_name().empty()) change.display_name = r.policy().display_name();
                          if (!r.policy().source().empty()) change.source = r.policy().source();
                        }
                        for (const std::string& path : paths) {
                          if (path == "display_name")
                            change.display_name = r.policy().display_name();
                          else if (path == "source")
                            change.source = r.policy().source();
                          else
                            return InvalidField(
                                "update_mask", "UNKNOWN_FIELD",
                                absl::StrCat("\"", path, "\" cannot be changed; display_name and source can"));
                        }
                        PARVIS_ASSIGN_OR_RETURN(const PolicyRecord policy, policies_.Update(call, id, change));
                        ToProto(call.workspace_id, policy, &out);
                        return absl::OkStatus();
                      });
  }

  Reactor* ListPolicyVersions(Context* ctx, const v1::ListPolicyVersionsRequest* req,
                              v1::ListPolicyVersionsResponse* resp) override {
    return rpc::Unary(
        ctx, rt_, PARVIS_METHOD("ListPolicyVersions"), *req, *resp,
        [this](const Call& call, const v1::ListPolicyVersionsRequest& r,
               v1::ListPolicyVersionsResponse& out) -> Status {
          PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf("parent", r.parent(), kPolicy));
          PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(r, 1));
          int64_t before = 0;
          if (!page.keyset.empty() && !absl::SimpleAtoi(page.keyset[0], &before)) return BadPageToken();
          PARVIS_ASSIGN_OR_RETURN(auto versions, policies_.ListVersions(call, id, before, page.size + 1));
          if (Trim(versions, page.size)) {
            out.set_next_page_token(rpc::EncodePageToken(page.digest, {absl::StrCat(versions.back().version)}));
          }
          for (const auto& version : versions) ToProto(call.workspace_id, id, version, out.add_policy_versions());
          return absl::OkStatus();
        });
  }

  Reactor* ActivatePolicy(Context* ctx, const v1::ActivatePolicyRequest* req, v1::Policy* resp) override {
    return rpc::Unary(ctx, rt_, PARVIS_METHOD("ActivatePolicy"), *req, *resp,
                      [this](const Call& call, const v1::ActivatePolicyRequest& r, v1::Policy& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf("name", r.name(), kPolicy));
                        PARVIS_ASSIGN_OR_RETURN(const PolicyRecord policy, policies_.Activate(call, id, r.version()));
                        ToProto(call.workspace_id, policy, &out);
                        return absl::OkStatus();
                      });
  }

  Reactor* DeactivatePolicy(Context* ctx, const v1::DeactivatePolicyRequest* req, v1::Policy* resp) override {
    return rpc::Unary(ctx, rt_, PARVIS_METHOD("DeactivatePolicy"), *req, *resp,
                      [this](const Call& call, const v1::DeactivatePolicyRequest& r, v1::Policy& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf("name", r.name(), kPolicy));
                        PARVIS_ASSIGN_OR_RETURN(const PolicyRecord policy, policies_.Deactivate(call, id));
                        ToProto(call.workspace_id, policy, &out);
                        return absl::OkStatus();
                      });
  }

  Reactor* TestPolicy(Context* ctx, const v1::TestPolicyRequest* req, v1::TestPolicyResponse* resp) override {
    return rpc::Unary(ctx, rt_, PARVIS_METHOD("TestPolicy"), *req, *resp,
                      [this](const Call& call, const v1::TestPolicyRequest& r, v1::TestPolicyResponse& out) -> Status {
                        PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", r.parent(), kWorkspace).status());
                        std::optional<std::string> source;
                        std::string id;
                        if (r.tried_case() == v1::TestPolicyRequest::kSource) {
                          source = r.source();
                        } else if (r.tried_case() == v1::TestPolicyRequest::kPolicy) {
                          PARVIS_ASSIGN_OR_RETURN(id, IdOf("policy", r.policy(), kPolicy));
                        } else {
                          return InvalidField("source", "MISSING", "either source or policy must be given");
                        }
                        std::vector<Subject> texts;
                        for (const v1::TestText& t : r.texts()) {
                          texts.push_back({t.text(), Kind::kComment, false, t.network(), t.channel_id(),
                                           t.author_remote_id(), t.author_handle()});
                        }
                        PARVIS_ASSIGN_OR_RETURN(const auto tested, policies_.Test(call, source, id, texts));
                        for (const TestedText& t : tested) ToProto(t, out.add_decisions());
                        return absl::OkStatus();
                      });
  }

  Reactor* ListReviews(Context* ctx, const v1::ListReviewsRequest* req, v1::ListReviewsResponse* resp) override {
    return rpc::Unary(
        ctx, rt_, PARVIS_METHOD("ListReviews"), *req, *resp,
        [this](const Call& call, const v1::ListReviewsRequest& r, v1::ListReviewsResponse& out) -> Status {
          PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", r.parent(), kWorkspace).status());
          PARVIS_RETURN_IF_ERROR(CheckChannel(r.channel_id()));
          PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(r, 3));
          std::optional<ReviewCursor> after;
          if (!page.keyset.empty()) {
            PARVIS_ASSIGN_OR_RETURN(const absl::Time time, TimeOf(page.keyset[1]));
            if (!IsUuid(page.keyset[2])) return BadPageToken();
            after = ReviewCursor{page.keyset[0] == "e", time, page.keyset[2]};
          }
          const ReviewFilter filter{static_cast<ReviewState>(r.state()), r.channel_id(), r.language()};
          PARVIS_ASSIGN_OR_RETURN(auto reviews, reviews_.List(call, filter, after, page.size + 1));
          if (Trim(reviews, page.size)) {
            const Review& last = reviews.back();
            out.set_next_page_token(rpc::EncodePageToken(
                page.digest,
                {last.verdict.action == Action::kEscalate ? "e" : "h", Micros(last.create_time), last.id}));
          }
          for (const Review& review : reviews) ToProto(review, reviews_.Now(), out.add_reviews());
          return absl::OkStatus();
        });
  }

  Reactor* GetReview(Context* ctx, const v1::GetReviewRequest* req, v1::Review* resp) override {
    return rpc::Unary(ctx, rt_, PARVIS_METHOD("GetReview"), *req, *resp,
                      [this](const Call& call, const v1::GetReviewRequest& r, v1::Review& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf("name", r.name(), kReview));
                        PARVIS_ASSIGN_OR_RETURN(const Review review, reviews_.Get(call, id));
                        ToProto(review, reviews_.Now(), &out);
                        return absl::OkStatus();
                      });
  }

  Reactor* ClaimReview(Context* ctx, const v1::ClaimReviewRequest* req, v1::ClaimReviewResponse* resp) override {
    return rpc::Unary(
        ctx, rt_, PARVIS_METHOD("ClaimReview"), *req, *resp,
        [this](const Call& call, const v1::ClaimReviewRequest& r, v1::ClaimReviewResponse& out) -> Status {
          PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf("name", r.name(), kReview));
          PARVIS_ASSIGN_OR_RETURN(const Review review, reviews_.Claim(call, id));
          ToProto(review, reviews_.Now(), out.mutable_review());
          out.set_claim_token(review.claim_token);
          return absl::OkStatus();
        });
  }

  Reactor* ReleaseReview(Context* ctx, const v1::ReleaseReviewRequest* req, v1::Review* resp) override {
    return rpc::Unary(ctx, rt_, PARVIS_METHOD("ReleaseReview"), *req, *resp,
                      [this](const Call& call, const v1::ReleaseReviewRequest& r, v1::Review& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf("name", r.name(), kReview));
                        PARVIS_ASSIGN_OR_RETURN(const Review review, reviews_.Release(call, id, r.claim_token()));
                        ToProto(review, reviews_.Now(), &out);
                        return absl::OkStatus();
                      });
  }

  Reactor* DecideReview(Context* ctx, const v1::DecideReviewRequest* req, v1::Review* resp) override {
    return rpc::Unary(ctx, rt_, PARVIS_METHOD("DecideReview"), *req, *resp,
                      [this](const Call& call, const v1::DecideReviewRequest& r, v1::Review& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf("name", r.name(), kReview));
                        PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(r.request_id()));
                        PARVIS_ASSIGN_OR_RETURN(const Review review, reviews_.Decide(call, id, r.claim_token(),
                                                                                     static_cast<Action>(r.decision()),
                                                                                     r.note(), r.request_id()));
                        ToProto(review, reviews_.Now(), &out);
                        return absl::OkStatus();
                      });
  }

  Reactor* ListDecisions(Context* ctx, const v1::ListDecisionsRequest* req, v1::ListDecisionsResponse* resp) override {
    return rpc::Unary(
        ctx, rt_, PARVIS_METHOD("ListDecisions"), *req, *resp,
        [this](const Call& call, const v1::ListDecisionsRequest& r, v1::ListDecisionsResponse& out) -> Status {
          PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", r.parent(), kWorkspace).status());
          PARVIS_RETURN_IF_ERROR(CheckChannel(r.channel_id()));
          PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(r, 2));
          PARVIS_ASSIGN_OR_RETURN(const auto after, TimeCursorOf(page));
          const DecisionFilter filter{r.channel_id(), static_cast<DecisionSource>(r.source()),
                                      static_cast<Action>(r.action())};
          PARVIS_ASSIGN_OR_RETURN(auto decisions, reviews_.ListDecisions(call, filter, after, page.size + 1));
          if (Trim(decisions, page.size)) {
            out.set_next_page_token(
                rpc::EncodePageToken(page.digest, {Micros(decisions.back().create_time), decisions.back().id}));
          }
          for (const Decision& decision : decisions) ToProto(decision, out.add_decisions());
          return absl::OkStatus();
        });
  }

 private:
  rpc::Runtime& rt_;
  Policies& policies_;
  Reviews& reviews_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeModerationService(rpc::Runtime& runtime, Policies& policies, Reviews& reviews) {
  return std::make_unique<ModerationService>(runtime, policies, reviews);
}

}  // namespace parvis::moderation
