// The methods' bodies on the stores in memory: names, pages, masks, etags and what reaches the caller.
#include <gtest/gtest.h>

#include "platform/rpc/resource.h"
#include "publishing/domain/testing/builders.h"
#include "publishing/domain/testing/fake_network.h"
#include "publishing/domain/testing/fake_store.h"
#include "publishing/transport/campaign_methods.h"
#include "publishing/transport/convert.h"
#include "publishing/transport/delivery_methods.h"
#include "publishing/transport/post_methods.h"

namespace parvis::publishing {
namespace {

const std::string kParent = std::string("workspaces/") + kWorkspace;

class MethodsTest : public ::testing::Test {
 protected:
  MethodsTest() {
    directory_.Add(kWorkspace, kChannel, "short");
    v1::CreateCampaignRequest request;
    request.set_parent(kParent);
    request.mutable_campaign()->set_display_name("Launch");
    EXPECT_TRUE(CreateCampaignMethod(call_, context_, request, campaign_).ok());
  }
  v1::Post Create(const std::string& text = "hello") {
    v1::CreatePostRequest request;
    request.set_parent(kParent);
    request.mutable_post()->set_campaign(campaign_.name());
    v1::Variant* variant = request.mutable_post()->add_variants();
    variant->set_channel_id(kChannel);
    variant->set_text(text);
    v1::Post post;
    const Status status = CreatePostMethod(call_, context_, request, post);
    EXPECT_TRUE(status.ok()) << status;
    return post;
  }
  v1::Post Scheduled() {
    v1::Post post = Create();
    v1::SubmitPostRequest submit;
    submit.set_name(post.name());
    EXPECT_TRUE(SubmitPostMethod(call_, context_, submit, post).ok());
    v1::ApprovePostRequest approve;
    approve.set_name(post.name());
    approve.set_etag(post.etag());
    EXPECT_TRUE(ApprovePostMethod(CallOf("approver"), context_, approve, post).ok());
    v1::SchedulePostRequest schedule;
    schedule.set_name(post.name());
    schedule.mutable_due_time()->set_seconds(absl::ToUnixSeconds(clock_.WallNow()) + 60);
    EXPECT_TRUE(SchedulePostMethod(call_, context_, schedule, post).ok());
    return post;
  }

  FakeClock clock_;
  Ids ids_{clock_, 3};
  FakeStore store_;
  FakeDirectory directory_;
  FakeRules rules_;
  const PostContext context_{store_, store_, directory_, rules_, ids_, clock_, {}};
  const Call call_ = CallOf("writer");
  v1::Campaign campaign_;
};

TEST_F(MethodsTest, APostGoesItsWay) {
  const v1::Post post = Scheduled();
  EXPECT_EQ(post.state(), v1::POST_STATE_SCHEDULED);
  EXPECT_EQ(post.submitted_by(), "writer");
  EXPECT_EQ(post.reviewed_by(), "approver");
  v1::ListDeliveriesRequest list;
  list.set_parent(kParent);
  list.set_post(post.name());
  list.set_campaign(campaign_.name());
  v1::ListDeliveriesResponse deliveries;
  ASSERT_TRUE(ListDeliveriesMethod(call_, store_, list, deliveries).ok());
  ASSERT_EQ(deliveries.deliveries_size(), 1);
  EXPECT_EQ(deliveries.deliveries(0).text(), "hello");
  v1::ListDeliveryTransitionsRequest history;
  history.set_parent(deliveries.deliveries(0).name());
  v1::ListDeliveryTransitionsResponse steps;
  ASSERT_TRUE(ListDeliveryTransitionsMethod(call_, store_, history, steps).ok());
  EXPECT_EQ(steps.transitions(0).to(), v1::DELIVERY_STATE_SCHEDULED);
}

TEST_F(MethodsTest, AVariantKeepsWhatOnlySomeNetworksTake) {
  v1::CreatePostRequest request;
  request.set_parent(kParent);
  request.mutable_post()->set_campaign(campaign_.name());
  v1::Variant* variant = request.mutable_post()->add_variants();
  variant->set_channel_id(kChannel);
  variant->set_format(v1::POST_FORMAT_STORY);
  variant->mutable_poll()->add_options("yes");
  variant->mutable_poll()->add_options("no");
  variant->mutable_poll()->mutable_open_for()->set_seconds(3600);
  variant->mutable_poll()->set_multiple(true);
  variant->set_quote_remote_id("q1");
  variant->add_tags("lamp");
  variant->mutable_thumbnail()->set_url("https://brand.example/t.png");
  variant->mutable_thumbnail()->set_type("image/png");
  (*variant->mutable_options())["visibility"] = "unlisted";
  variant->add_media()->set_url("https://brand.example/a.pdf");
  variant->mutable_media(0)->set_type("application/pdf");
  variant->mutable_media(0)->set_title("Plan");
  variant->add_thread()->set_text("more");
  variant->mutable_thread(0)->add_media()->set_url("https://brand.example/b.png");
  variant->mutable_thread(0)->mutable_media(0)->set_type("image/png");
  variant->add_thread()->set_text("the end");
  v1::Post post;
  const Status created = CreatePostMethod(call_, context_, request, post);
  ASSERT_TRUE(created.ok()) << created;
  EXPECT_EQ(post.variants(0).SerializeAsString(), variant->SerializeAsString());
}

TEST_F(MethodsTest, PagesLeadThroughTheListAndBelongToTheirQuery) {
  for (int i = 0; i < 5; ++i) {
    Create();
    clock_.Advance(absl::Milliseconds(1));
  }
  v1::ListPostsRequest request;
  request.set_parent(kParent);
  request.set_page_size(2);
  int seen = 0;
  std::string token;
  do {
    request.set_page_token(token);
    v1::ListPostsResponse response;
    ASSERT_TRUE(ListPostsMethod(call_, context_, request, response).ok());
    seen += response.posts_size();
    token = response.next_page_token();
    if (seen == 2) {
      v1::ListPostsRequest other = request;
      other.set_page_token(token);
      other.set_state(v1::POST_STATE_SCHEDULED);
      v1::ListPostsResponse nothing;
      EXPECT_EQ(ListPostsMethod(call_, context_, other, nothing).code(), Code::kInvalidArgument);
    }
  } while (!token.empty());
  EXPECT_EQ(seen, 5);
  request.set_page_token("garbage");
  v1::ListPostsResponse nothing;
  EXPECT_EQ(ListPostsMethod(call_, context_, request, nothing).code(), Code::kInvalidArgument);
  const std::string forged = rpc::EncodePageToken(rpc::QueryDigest(request), {"99999999999999999999999", "x"});
  request.set_page_token(forged);
  EXPECT_EQ(ListPostsMethod(call_, context_, request, nothing).code(), Code::kInvalidArgument);
}

TEST_F(MethodsTest, EtagsAndMasksAreChecked) {
  const v1::Post post = Create();
  v1::UpdatePostRequest update;
  update.mutable_post()->set_name(post.name());
  update.mutable_post()->set_etag("7");
  update.mutable_post()->set_display_name("x");
  v1::Post out;
  EXPECT_EQ(ToError(UpdatePostMethod(call_, context_, update, out)).violations[0].reason, "ETAG");
  update.mutable_post()->set_etag("\"99\"");
  EXPECT_EQ(ReasonOf(UpdatePostMethod(call_, context_, update, out)), "ETAG_MISMATCH");
  update.mutable_post()->set_etag(post.etag());
  update.mutable_update_mask()->add_paths("state");
  EXPECT_EQ(ToError(UpdatePostMethod(call_, context_, update, out)).violations[0].field, "update_mask");
  update.mutable_update_mask()->set_paths(0, "display_name");
  ASSERT_TRUE(UpdatePostMethod(call_, context_, update, out).ok());
  EXPECT_EQ(out.display_name(), "x");
  EXPECT_EQ(out.variants_size(), 1) << "not in the mask: as it was";
  EXPECT_NE(out.etag(), post.etag());
}

TEST_F(MethodsTest, ACampaignsDatesCanBeSetAndTakenAway) {
  v1::UpdateCampaignRequest update;
  update.mutable_campaign()->set_name(campaign_.name());
  update.mutable_campaign()->mutable_start_time()->set_seconds(1'800'000'000);
  v1::Campaign out;
  ASSERT_TRUE(UpdateCampaignMethod(call_, context_, update, out).ok());
  EXPECT_EQ(out.start_time().seconds(), 1'800'000'000);
  EXPECT_EQ(out.display_name(), "Launch");
  update.mutable_campaign()->clear_start_time();
  update.mutable_update_mask()->add_paths("start_time");
  ASSERT_TRUE(UpdateCampaignMethod(call_, context_, update, out).ok());
  EXPECT_FALSE(out.has_start_time());
  update.mutable_campaign()->mutable_start_time()->set_seconds(INT64_MAX);
  EXPECT_EQ(ToError(UpdateCampaignMethod(call_, context_, update, out)).violations[0].reason, "TIMESTAMP");
}

TEST_F(MethodsTest, AnotherWorkspacesCampaignIsRefused) {
  v1::CreatePostRequest request;
  request.set_parent(kParent);
  request.mutable_post()->set_campaign(std::string("workspaces/") + kOtherWorkspace + "/campaigns/" + kChannel);
  v1::Post post;
  EXPECT_EQ(ToError(CreatePostMethod(call_, context_, request, post)).violations[0].reason, "OTHER_WORKSPACE");
}

TEST_F(MethodsTest, CheckTellsViolationsAndLengths) {
  v1::CheckPostRequest request;
  request.set_parent(kParent);
  v1::Variant* variant = request.mutable_post()->add_variants();
  variant->set_channel_id(kChannel);
  variant->set_text("eleven char");
  v1::CheckPostResponse response;
  ASSERT_TRUE(CheckPostMethod(call_, context_, request, response).ok());
  ASSERT_EQ(response.violations_size(), 1);
  EXPECT_EQ(response.violations(0).field(), "post.variants[0].text");
  EXPECT_EQ(response.lengths(0).length(), 11);
  EXPECT_EQ(response.lengths(0).limit(), 10);
}

TEST_F(MethodsTest, PreviewTellsWhatIsShownAndWhatIsRefused) {
  v1::PreviewPostRequest request;
  request.set_parent(kParent);
  v1::Variant* variant = request.mutable_post()->add_variants();
  variant->set_channel_id(kChannel);
  variant->set_text("eleven char");
  variant->add_thread()->set_text("and on");
  v1::PreviewPostResponse response;
  ASSERT_TRUE(PreviewPostMethod(call_, context_, request, response).ok());
  ASSERT_EQ(response.previews_size(), 1);
  EXPECT_EQ(response.previews(0).network(), "short");
  EXPECT_EQ(response.previews(0).text(), "eleven char");
  EXPECT_EQ(response.previews(0).length().length(), 11);
  ASSERT_EQ(response.previews(0).violations_size(), 1);
  EXPECT_EQ(response.previews(0).violations(0).field(), "post.variants[0].text");
  EXPECT_EQ(response.violations_size(), 0);
  ASSERT_EQ(response.previews(0).thread_size(), 1);
  EXPECT_EQ(response.previews(0).thread(0).text(), "and on");
  EXPECT_EQ(response.previews(0).thread(0).length().length(), 6);
}

TEST_F(MethodsTest, DeliverTakesEveryKindButPostsAndUnknownOnes) {
  v1::DeliverRequest request;
  request.set_parent(kParent);
  request.set_channel_id(kChannel);
  request.set_target_remote_id("c1");
  v1::Delivery out;
  EXPECT_EQ(ToError(DeliverMethod(call_, context_, store_, request, out)).violations[0].field, "kind");
  request.set_kind(static_cast<v1::DeliveryKind>(99));
  EXPECT_EQ(ToError(DeliverMethod(call_, context_, store_, request, out)).violations[0].field, "kind");
  request.set_kind(v1::DELIVERY_KIND_LOCK);
  EXPECT_EQ(ToError(DeliverMethod(call_, context_, store_, request, out)).violations[0].reason, "NOT_POSSIBLE");
  request.set_kind(v1::DELIVERY_KIND_MUTE);
  request.set_target_author_id("p7");
  const Status done = DeliverMethod(call_, context_, store_, request, out);
  ASSERT_TRUE(done.ok()) << done;
  EXPECT_EQ(out.kind(), v1::DELIVERY_KIND_MUTE);
  EXPECT_EQ(out.target_author_id(), "p7");
  request.set_channel_id("channel");
  EXPECT_EQ(ToError(DeliverMethod(call_, context_, store_, request, out)).violations[0].field, "channel_id");
}

TEST_F(MethodsTest, ADeliveryTellsWhatOfItsThreadFollows) {
  Delivery d = MakeThread("one", {"two", "three"}, clock_.WallNow());
  EXPECT_EQ(ToProto(d).following_parts(), 2);
  d.content = PartOf(d.content, 0);
  EXPECT_EQ(ToProto(d).following_parts(), 1);
  EXPECT_EQ(ToProto(d).thread_part(), 1);
}

TEST_F(MethodsTest, ResumingNeedsAThreadThatEndedEarly) {
  v1::ResumePostRequest request;
  request.set_name(Scheduled().name());
  v1::Post out;
  EXPECT_EQ(ReasonOf(ResumePostMethod(call_, context_, request, out)), "NOTHING_TO_RESUME");
  request.set_etag("7");
  EXPECT_EQ(ToError(ResumePostMethod(call_, context_, request, out)).violations[0].reason, "ETAG");
  request.clear_etag();
  request.set_request_id("not-a-uuid");
  EXPECT_EQ(ResumePostMethod(call_, context_, request, out).code(), Code::kInvalidArgument);
}

TEST_F(MethodsTest, SettlingNeedsADecisionAndAnUnknown) {
  Scheduled();
  const Delivery d = store_.ListDeliveries(call_, {}, {})->front();
  v1::SettleDeliveryRequest request;
  request.set_name(kParent + "/deliveries/" + d.id);
  v1::Delivery out;
  EXPECT_EQ(ToError(SettleDeliveryMethod(call_, store_, context_, request, out)).violations[0].field, "settlement");
  request.set_settlement(v1::SETTLEMENT_FAILED);
  EXPECT_EQ(ReasonOf(SettleDeliveryMethod(call_, store_, context_, request, out)), "NOT_UNKNOWN");
  request.set_request_id("not-a-uuid");
  EXPECT_EQ(SettleDeliveryMethod(call_, store_, context_, request, out).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace parvis::publishing
