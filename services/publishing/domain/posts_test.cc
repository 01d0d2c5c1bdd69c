#include "publishing/domain/posts.h"

#include <gtest/gtest.h>

#include "publishing/domain/settle.h"
#include "publishing/domain/settle_delivery.h"
#include "publishing/domain/testing/builders.h"
#include "publishing/domain/testing/fake_network.h"
#include "publishing/domain/testing/fake_store.h"

namespace parvis::publishing {
namespace {

class PostsTest : public ::testing::Test {
 protected:
  PostsTest() {
    directory_.Add(kWorkspace, kChannel, "short");
    directory_.Add(kWorkspace, kOtherChannel, "blog");
    Campaign campaign;
    campaign.display_name = "Launch";
    campaign_ = CreateCampaign(writer_, context_, campaign, "")->id;
  }
  Post Draft() {
    Post post;
    post.campaign_id = campaign_;
    post.variants = {{kChannel, {.text = "hello"}}, {kOtherChannel, {.text = "hello there", .title = "Hello"}}};
    return *CreatePost(writer_, context_, post, "");
  }
  Post Approved() {
    const Post post = Draft();
    EXPECT_TRUE(SubmitPost(writer_, context_, post.id, {}).ok());
    return *ApprovePost(approver_, context_, post.id, {}, "");
  }
  When In(absl::Duration d) { return {.due_time = clock_.WallNow() + d}; }
  std::vector<Delivery> Deliveries(const Post& post) {
    DeliveryFilter filter;
    filter.post_id = post.id;
    return *store_.ListDeliveries(writer_, filter, {});
  }
  // As the deliverer would.
  Delivery Deliver(const Delivery& d, WriteResult result = WriteResult::kAccepted) {
    Change claim{d, {DeliveryState::kScheduled}, d.fence, "", "test", false};
    claim.after.state = DeliveryState::kClaimed;
    claim.after.fence += 1;
    const Delivery claimed = *store_.Apply({claim}, clock_.WallNow())->front();
    const Delivery sent = *store_.Apply({BeginSend(claimed, clock_.WallNow(), clock_.WallNow(), {})}, clock_.WallNow())->front();
    WriteOutcome outcome{result, Refusal::kInvalid, "REJECTED", "", "r1"};
    return *store_.Apply({AfterCall(sent, outcome, {}, clock_.WallNow(), 0, {})}, clock_.WallNow())->front();
  }

  FakeClock clock_;
  Ids ids_{clock_, 7};
  FakeStore store_;
  FakeDirectory directory_;
  FakeRules rules_;
  const PostContext context_{store_, store_, directory_, rules_, ids_, clock_, {}};
  const Call writer_ = CallOf("writer"), approver_ = CallOf("approver");
  std::string campaign_;
};

TEST_F(PostsTest, OnlyAnApprovedPostCanBeScheduled) {
  const Post draft = Draft();
  EXPECT_EQ(ReasonOf(SchedulePost(writer_, context_, draft.id, {}, In(absl::Hours(1)), "").status()), "NOT_APPROVED");
  ASSERT_TRUE(SubmitPost(writer_, context_, draft.id, {}).ok());
  EXPECT_EQ(ReasonOf(SchedulePost(writer_, context_, draft.id, {}, In(absl::Hours(1)), "").status()), "NOT_APPROVED");
  ASSERT_TRUE(RejectPost(approver_, context_, draft.id, {}, "no").ok());
  EXPECT_EQ(ReasonOf(SchedulePost(writer_, context_, draft.id, {}, In(absl::Hours(1)), "").status()), "NOT_APPROVED");
  EXPECT_TRUE(Deliveries(draft).empty());
  const Post approved = Approved();
  const auto scheduled = SchedulePost(writer_, context_, approved.id, {}, In(absl::Hours(1)), "");
  ASSERT_TRUE(scheduled.ok()) << scheduled.status();
  EXPECT_EQ(scheduled->state, PostState::kScheduled);
  const auto deliveries = Deliveries(approved);
  ASSERT_EQ(deliveries.size(), 2u);
  EXPECT_EQ(deliveries[0].due_time, clock_.WallNow() + absl::Hours(1));
}

TEST_F(PostsTest, WhoSubmitsCannotApprove) {
  const Post post = Draft();
  ASSERT_TRUE(SubmitPost(writer_, context_, post.id, {}).ok());
  const Status own = ApprovePost(writer_, context_, post.id, {}, "").status();
  EXPECT_EQ(ReasonOf(own), "SELF_APPROVAL");
  EXPECT_EQ(own.code(), Code::kPermissionDenied);
  EXPECT_EQ(ApprovePost(approver_, context_, post.id, {}, "")->state, PostState::kApproved);
}

TEST_F(PostsTest, RejectingNeedsAReason) {
  const Post post = Draft();
  ASSERT_TRUE(SubmitPost(writer_, context_, post.id, {}).ok());
  EXPECT_EQ(ToError(RejectPost(approver_, context_, post.id, {}, "").status()).violations.front().field, "comment");
  EXPECT_EQ(RejectPost(approver_, context_, post.id, {}, "the date is wrong")->review_comment, "the date is wrong");
  EXPECT_EQ(SubmitPost(writer_, context_, post.id, {})->state, PostState::kInReview) << "a rejected post may come again";
}

TEST_F(PostsTest, SubmittingListsEveryViolationOfEveryVariant) {
  Post post;
  post.campaign_id = campaign_;
  const std::string unknown = "0190a0b1-0000-7000-8000-00000000c009";
  post.variants = {{kChannel, {.text = "longer than ten"}}, {kOtherChannel, {.text = "no title"}}, {unknown, {.text = "x"}}};
  const Post draft = *CreatePost(writer_, context_, post, "");
  const Error error = ToError(SubmitPost(writer_, context_, draft.id, {}).status());
  EXPECT_EQ(error.code, Code::kInvalidArgument);
  ASSERT_EQ(error.violations.size(), 3u);
  EXPECT_EQ(error.violations[0].field, "post.variants[0].text");
  EXPECT_EQ(error.violations[1].field, "post.variants[1].title");
  EXPECT_EQ(error.violations[2].field, "post.variants[2].channel_id");
  EXPECT_EQ(store_.GetPost(writer_, draft.id)->state, PostState::kDraft);
  const auto check = CheckPost(writer_, context_, draft);
  EXPECT_EQ(check->lengths[0].length, 15);
  EXPECT_EQ(check->lengths[0].limit, 10);
}

TEST_F(PostsTest, PreviewShowsEveryNetworkWithItsOwnViolations) {
  Post draft;
  draft.campaign_id = campaign_;
  draft.display_name = std::string(300, 'x');
  draft.variants = {{kChannel, {.text = "hello", .link = "https://example.org"}}, {kOtherChannel, {.text = "hello"}},
                    {"nothing", {.text = "hello"}}};
  const auto preview = PreviewPost(writer_, context_, draft);
  ASSERT_TRUE(preview.ok()) << preview.status();
  ASSERT_EQ(preview->variants.size(), 3u);
  EXPECT_EQ(preview->variants[0].network, "short");
  EXPECT_EQ(preview->variants[0].preview.text, "hello https://example.org");
  EXPECT_EQ(preview->variants[0].length.length, 25);   // with the link
  EXPECT_TRUE(preview->variants[0].violations.empty());
  ASSERT_EQ(preview->variants[1].violations.size(), 1u);
  EXPECT_EQ(preview->variants[1].violations[0].field, "post.variants[1].title");
  EXPECT_EQ(preview->variants[2].network, "");
  EXPECT_EQ(preview->variants[2].violations.size(), 1u);
  ASSERT_EQ(preview->violations.size(), 1u);
  EXPECT_EQ(preview->violations[0].field, "post.display_name");
}

TEST_F(PostsTest, ShapeIsCheckedBeforeAnythingIsStored) {
  Post post;
  post.campaign_id = campaign_;
  post.variants = {{"nonsense", {.text = std::string("\xff", 1)}},
                   {kChannel, {.text = "a", .link = "javascript:x", .media = {{"ftp://x", "png", "", -1}}}},
                   {kChannel, {.text = "again"}}};
  const Error error = ToError(CreatePost(writer_, context_, post, "").status());
  std::vector<std::string> fields;
  for (const Violation& violation : error.violations) fields.push_back(violation.field);
  EXPECT_EQ(fields, (std::vector<std::string>{"post.variants[0].channel_id", "post.variants[0].text", "post.variants[1].link",
                                              "post.variants[1].media[0].url", "post.variants[1].media[0].type",
                                              "post.variants[1].media[0].size_bytes", "post.variants[2].channel_id"}));
  EXPECT_TRUE(store_.ListPosts(writer_, {}, {})->empty());
}

TEST_F(PostsTest, TheShapeOfWhatOnlySomeNetworksTake) {
  Post post;
  post.campaign_id = campaign_;
  post.variants = {{kChannel, SpecialContent()}};
  EXPECT_TRUE(CreatePost(writer_, context_, post, "").ok());
  Content& content = post.variants[0].content;
  content.format = static_cast<PostFormat>(9);
  content.poll = Poll{{"only one"}, absl::Seconds(1), false};
  content.tags = {""};
  content.options[std::string(101, 'n')] = "v";
  content.thumbnail->url = "file:///etc/passwd";
  const Error error = ToError(CreatePost(writer_, context_, post, "").status());
  std::vector<std::string> fields;
  for (const Violation& violation : error.violations) fields.push_back(violation.field.substr(std::string("post.variants[0]").size()));
  EXPECT_EQ(fields, (std::vector<std::string>{".format", ".poll.options", ".poll.open_for", ".tags[0]", ".options", ".thumbnail.url"}));
}

TEST_F(PostsTest, TheSameRequestMakesOnePost) {
  Post post;
  post.campaign_id = campaign_;
  const std::string request = "0190a0b1-0000-7000-8000-00000000aaaa";
  EXPECT_EQ(CreatePost(writer_, context_, post, request)->id, CreatePost(writer_, context_, post, request)->id);
  EXPECT_EQ(store_.ListPosts(writer_, {}, {})->size(), 1u);
}

TEST_F(PostsTest, AnOldEtagIsRefused) {
  const Post post = Draft();
  ASSERT_TRUE(UpdatePost(writer_, context_, {.id = post.id, .version = post.version, .display_name = "a"}).ok());
  EXPECT_EQ(ReasonOf(UpdatePost(writer_, context_, {.id = post.id, .version = post.version, .display_name = "b"}).status()),
            "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(SubmitPost(writer_, context_, post.id, post.version).status()), "ETAG_MISMATCH");
}

TEST_F(PostsTest, AnEditWithdrawsTheApprovalAndTheDeliveries) {
  const Post post = Approved();
  ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(1)), "").ok());
  EXPECT_EQ(UpdatePost(writer_, context_, {.id = post.id, .display_name = "renamed"})->state, PostState::kScheduled)
      << "a name among colleagues is not what was approved";
  const auto edited = UpdatePost(writer_, context_, {.id = post.id, .variants = std::vector<Variant>{{kChannel, {.text = "new"}}}});
  ASSERT_TRUE(edited.ok()) << edited.status();
  EXPECT_EQ(edited->state, PostState::kDraft);
  for (const Delivery& d : Deliveries(post)) EXPECT_EQ(d.state, DeliveryState::kCancelled);
  EXPECT_EQ(ReasonOf(SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(1)), "").status()), "NOT_APPROVED");
  ASSERT_TRUE(SubmitPost(writer_, context_, post.id, {}).ok());
  ASSERT_TRUE(ApprovePost(approver_, context_, post.id, {}, "").ok());
  ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(2)), "").ok());
  EXPECT_EQ(Deliveries(post).size(), 3u) << "two cancelled, one new";
}

TEST_F(PostsTest, SchedulingAgainMovesWhatWaits) {
  const Post post = Approved();
  const std::string request = "0190a0b1-0000-7000-8000-00000000bbbb";
  const Post first = *SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(1)), request);
  EXPECT_EQ(SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(9)), request)->due_time, first.due_time)
      << "the same request changes nothing twice";
  ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(3)), "").ok());
  const auto deliveries = Deliveries(post);
  ASSERT_EQ(deliveries.size(), 2u);
  for (const Delivery& d : deliveries) EXPECT_EQ(d.ready_time, clock_.WallNow() + absl::Hours(3));
  Deliver(deliveries[0]);
  EXPECT_EQ(ReasonOf(SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(4)), "").status()), "ALREADY_SENT");
  EXPECT_EQ(ReasonOf(UpdatePost(writer_, context_, {.id = post.id, .variants = std::vector<Variant>{}}).status()),
            "ALREADY_SENT");
  EXPECT_EQ(ReasonOf(DeletePost(writer_, context_, post.id, {})), "ALREADY_SENT");
}

TEST_F(PostsTest, CancelStopsWhatWaitsAndThePostMayBeScheduledAgain) {
  const Post post = Approved();
  ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(1)), "").ok());
  EXPECT_EQ(CancelPost(writer_, context_, post.id, {})->state, PostState::kCancelled);
  EXPECT_EQ(CancelPost(writer_, context_, post.id, {})->state, PostState::kCancelled) << "again is no error";
  ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(1)), "").ok());
  const auto all = Deliveries(post);
  ASSERT_EQ(all.size(), 4u);
  for (const Delivery& d : all) {
    if (d.state == DeliveryState::kScheduled && d.channel_id == kChannel) Deliver(d);
  }
  EXPECT_EQ(CancelPost(writer_, context_, post.id, {})->state, PostState::kPublished) << "one went out, one was cancelled";
  EXPECT_EQ(ReasonOf(CancelPost(writer_, context_, post.id, {}).status()), "ALREADY_SENT");
}

TEST_F(PostsTest, EndsAsItsDeliveriesDo) {
  const Post published = Approved(), failed = Approved();
  for (const Post& post : {published, failed}) {
    ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, In(absl::ZeroDuration()), "").ok());
    for (const Delivery& d : Deliveries(post)) {
      EXPECT_EQ(store_.GetPost(writer_, post.id)->state, PostState::kScheduled);
      const bool ok = post.id == published.id && d.channel_id == kChannel;
      Deliver(d, ok ? WriteResult::kAccepted : WriteResult::kRefused);
    }
  }
  EXPECT_EQ(store_.GetPost(writer_, published.id)->state, PostState::kPublished);
  EXPECT_EQ(store_.GetPost(writer_, failed.id)->state, PostState::kFailed);
  EXPECT_TRUE(SchedulePost(writer_, context_, failed.id, {}, In(absl::Hours(1)), "").ok()) << "it is still approved";
}

TEST_F(PostsTest, APostEndsWithTheLastPartOfItsThread) {
  Post post;
  post.campaign_id = campaign_;
  post.variants = {{kChannel, {.text = "one"}}};
  post.variants[0].content.thread = {{"two", {}}, {"three", {}}};
  post = *CreatePost(writer_, context_, post, "");
  ASSERT_TRUE(SubmitPost(writer_, context_, post.id, {}).ok());
  ASSERT_TRUE(ApprovePost(approver_, context_, post.id, {}, "").ok());
  ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, In(absl::ZeroDuration()), "").ok());
  for (size_t part = 0; part < 3; ++part) {
    EXPECT_EQ(store_.GetPost(writer_, post.id)->state, PostState::kScheduled);
    const auto all = Deliveries(post);   // the latest first
    ASSERT_EQ(all.size(), part + 1);
    EXPECT_EQ(all.front().content.part, static_cast<int>(part));
    Deliver(all.front());
  }
  EXPECT_EQ(store_.GetPost(writer_, post.id)->state, PostState::kPublished);
}

TEST_F(PostsTest, CancellingStopsTheRestOfAThread) {
  Post post;
  post.campaign_id = campaign_;
  post.variants = {{kChannel, {.text = "one"}}};
  post.variants[0].content.thread = {{"two", {}}};
  post = *CreatePost(writer_, context_, post, "");
  ASSERT_TRUE(SubmitPost(writer_, context_, post.id, {}).ok());
  ASSERT_TRUE(ApprovePost(approver_, context_, post.id, {}, "").ok());
  ASSERT_TRUE(SchedulePost(writer_, context_, post.id, {}, In(absl::ZeroDuration()), "").ok());
  const Delivery d = Deliveries(post).front();
  Change send{d, {DeliveryState::kScheduled}, d.fence, "", "test", false};
  send.after.state = DeliveryState::kSent;
  const Delivery sent = *store_.Apply({send}, clock_.WallNow())->front();
  EXPECT_TRUE(CancelPost(writer_, context_, post.id, {}).ok());
  EXPECT_EQ(ReasonOf(CancelPost(writer_, context_, post.id, {}).status()), "ALREADY_SENT");
  const WriteOutcome accepted{WriteResult::kAccepted, Refusal::kNone, "", "", "r1"};
  ASSERT_TRUE(store_.Apply({AfterCall(sent, accepted, {}, clock_.WallNow(), 0, {})}, clock_.WallNow())->front());
  EXPECT_EQ(Deliveries(post).size(), 1u);
  EXPECT_EQ(store_.GetPost(writer_, post.id)->state, PostState::kPublished);
}

TEST_F(PostsTest, AThreadIsCheckedPartByPart) {
  Post post;
  post.campaign_id = campaign_;
  Content content{.text = "one", .title = "Title"};
  content.thread = {{"two", {}}, {"longer than ten", {}}};
  post.variants = {{kChannel, content}, {kOtherChannel, content}};
  const auto check = CheckPost(writer_, context_, post);
  ASSERT_EQ(check->violations.size(), 2u);
  EXPECT_EQ(check->violations[0].field, "post.variants[0].thread[1].text");
  EXPECT_EQ(check->violations[1].field, "post.variants[1].thread");
  EXPECT_EQ(check->violations[1].reason, "NOT_POSSIBLE");
  post.variants[0].content.thread.assign(25, {"x", {}});
  const Error error = ToError(CreatePost(writer_, context_, post, "").status());
  ASSERT_EQ(error.violations.size(), 1u);
  EXPECT_EQ(error.violations[0].field, "post.variants[0].thread");
  const auto preview = PreviewPost(writer_, context_, {.variants = {{kChannel, content}}});
  ASSERT_EQ(preview->variants[0].thread.size(), 2u);
  EXPECT_EQ(preview->variants[0].thread[1].preview.text, "longer than ten");
  EXPECT_EQ(preview->variants[0].thread[1].length.length, 15);
}

TEST_F(PostsTest, ThePastAndTheFarFutureAreRefused) {
  const Post post = Approved();
  EXPECT_EQ(ToError(SchedulePost(writer_, context_, post.id, {}, In(-absl::Minutes(2)), "").status()).violations[0].reason,
            "DUE_IN_PAST");
  EXPECT_EQ(ToError(SchedulePost(writer_, context_, post.id, {}, In(absl::Hours(24 * 800)), "").status()).violations[0].reason,
            "DUE_TOO_FAR");
  EXPECT_EQ(ToError(SchedulePost(writer_, context_, post.id, {}, {}, "").status()).violations[0].field, "when");
  EXPECT_TRUE(Deliveries(post).empty());
}

TEST_F(PostsTest, LocalTimeIsTheWorkspaces) {
  const Post post = Approved();
  const absl::CivilDay tomorrow(absl::ToCivilDay(clock_.WallNow(), absl::UTCTimeZone()) + 1);
  const When when{.local_time = absl::FormatCivilTime(tomorrow) + "T09:00"};
  const auto scheduled = SchedulePost(writer_, context_, post.id, {}, when, "");
  ASSERT_TRUE(scheduled.ok()) << scheduled.status();
  absl::TimeZone paris;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Paris", &paris));
  EXPECT_EQ(absl::FormatTime("%H:%M", scheduled->due_time, paris), "09:00");
}

TEST_F(PostsTest, AnArchivedCampaignTakesNoPosts) {
  ASSERT_TRUE(UpdateCampaign(writer_, context_, {.id = campaign_, .archived = true}).ok());
  Post post;
  post.campaign_id = campaign_;
  EXPECT_EQ(ReasonOf(CreatePost(writer_, context_, post, "").status()), "CAMPAIGN_ARCHIVED");
  const auto wrong = UpdateCampaign(writer_, context_, {.id = campaign_, .display_name = "", .start_time = clock_.WallNow(),
                                                        .end_time = clock_.WallNow() - absl::Hours(1)});
  EXPECT_EQ(ToError(wrong.status()).violations.size(), 2u);
}

TEST_F(PostsTest, AnotherWorkspacesPostIsNotFound) {
  const Post post = Draft();
  EXPECT_EQ(SubmitPost(CallOf("writer", kOtherWorkspace), context_, post.id, {}).status().code(), Code::kNotFound);
}

// ---- what a person settles -----------------------------------------------------------------------------------------

class SettleTest : public PostsTest {
 protected:
  Delivery UnknownDelivery() {
    const Post post = Approved();
    EXPECT_TRUE(SchedulePost(writer_, context_, post.id, {}, In(absl::ZeroDuration()), "").ok());
    return Deliver(Deliveries(post)[0], WriteResult::kUnknown);
  }
  StatusOr<Delivery> Settle(const SettleRequest& request) {
    return SettleDelivery(writer_, store_, clock_, request, absl::Hours(2));
  }
};

TEST_F(SettleTest, AsDeliveredFailedOrOnceMore) {
  Delivery d = UnknownDelivery();
  EXPECT_EQ(ToError(Settle({d.id, Settlement::kDelivered}).status()).violations[0].field, "remote_id");
  const auto delivered = Settle({d.id, Settlement::kDelivered, "r9", "https://net.example/r9", "saw it", ""});
  EXPECT_EQ(delivered->state, DeliveryState::kDelivered);
  EXPECT_EQ(delivered->remote_id, "r9");
  EXPECT_EQ(store_.history(d.id).back().actor, "writer");
  EXPECT_EQ(store_.history(d.id).back().detail, "settled by a person: delivered: saw it");
  EXPECT_EQ(Settle({UnknownDelivery().id, Settlement::kFailed})->state, DeliveryState::kFailed);
  EXPECT_EQ(Settle({UnknownDelivery().id, Settlement::kRetry})->state, DeliveryState::kScheduled);
  EXPECT_EQ(ReasonOf(Settle({d.id, Settlement::kRetry}).status()), "NOT_UNKNOWN");
}

TEST_F(SettleTest, TheSameRequestSettlesOnce) {
  const Delivery d = UnknownDelivery();
  const SettleRequest request{d.id, Settlement::kRetry, "", "", "", "0190a0b1-0000-7000-8000-00000000cccc"};
  const Delivery first = *Settle(request);
  EXPECT_EQ(Settle(request)->fence, first.fence);
}

}  // namespace
}  // namespace parvis::publishing
