// Use cases: campaigns and posts as they are written, reviewed and scheduled. Each takes the caller's Call first, checks
// everything before it changes anything, and stores post and deliveries in one transaction.
//
// Approval blocks: a delivery comes only from an approved post, and any edit withdraws the approval and the deliveries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/ids.h"
#include "publishing/domain/channels.h"
#include "publishing/domain/local_time.h"
#include "publishing/domain/media_store.h"
#include "publishing/domain/post_store.h"

namespace parvis::publishing {

struct PostLimits {
  int variants_max = 50;
  int media_max = 20;
  int text_max_bytes = 100'000;
  int name_max = 200, comment_max = 4000;
  absl::Duration past_max = absl::Minutes(1);        // "now" may be so long ago
  absl::Duration future_max = absl::Hours(24 * 730);
  absl::Duration late_max = absl::Hours(2);          // a post is not sent later than this after its time
};

// What the use cases stand on; everything outlives it.
struct PostContext {
  PostStore& posts;
  CampaignStore& campaigns;
  ChannelDirectory& channels;
  const NetworkRules& rules;
  Ids& ids;
  const Clock& clock;
  PostLimits limits;
  MediaStore* media = nullptr;   // null: none are kept
};

// Who acts, for histories and four eyes: the member's id, or "key/<id>" for a key without a member.
std::string ActorOf(const Call& call);

// ---- campaigns (campaigns.cc) --------------------------------------------------------------------------------------
// INVALID_ARGUMENT with every violation. The same `request_id` gives the same campaign.
StatusOr<Campaign> CreateCampaign(const Call& call, const PostContext& context, Campaign campaign,
                                  const std::string& request_id);
struct CampaignUpdate {
  std::string id;
  std::optional<int64_t> version;   // the caller's etag
  std::optional<std::string> display_name, description;
  std::optional<absl::Time> start_time, end_time;
  std::optional<bool> archived;
};
StatusOr<Campaign> UpdateCampaign(const Call& call, const PostContext& context, const CampaignUpdate& update);

// ---- writing (write_post.cc) ---------------------------------------------------------------------------------------
// FAILED_PRECONDITION CAMPAIGN_ARCHIVED; NOT_FOUND for the campaign; INVALID_ARGUMENT with every violation of shape. The
// networks' rules are checked at SubmitPost.
StatusOr<Post> CreatePost(const Call& call, const PostContext& context, Post post, const std::string& request_id);
struct PostUpdate {
  std::string id;
  std::optional<int64_t> version;
  std::optional<std::string> display_name;
  std::optional<std::vector<Variant>> variants;
};
// A change of the variants makes it a draft again and cancels its deliveries; ALREADY_SENT once one was sent.
StatusOr<Post> UpdatePost(const Call& call, const PostContext& context, const PostUpdate& update);
Status DeletePost(const Call& call, const PostContext& context, const std::string& id, std::optional<int64_t> version);

struct PostCheck {
  std::vector<Violation> violations;          // "post.variants[1].text"
  std::vector<NetworkRules::Length> lengths;  // per variant
  std::vector<Content> contents;              // per variant, with what is known of the media that it names
  std::vector<std::optional<Channel>> channels;   // per variant; nullopt when the workspace has no such channel
};
// Everything that any of its networks, or we, would refuse. Errors only when the channels cannot be looked up.
StatusOr<PostCheck> CheckPost(const Call& call, const PostContext& context, const Post& post);

// What one network will show of a post, and what of it would be refused.
struct VariantPreview {
  std::string channel_id, channel_name, network;   // the last two "" when the channel is not known
  Preview preview;
  NetworkRules::Length length;
  std::vector<Violation> violations;   // of this variant, "post.variants[1].text"
  struct Part {
    Preview preview;
    NetworkRules::Length length;
  };
  std::vector<Part> thread;            // what continues it, in order
};
struct PostPreview {
  std::vector<VariantPreview> variants;   // in order
  std::vector<Violation> violations;      // of the post itself
};
// Stores nothing. Errors only when the channels cannot be looked up. (preview_post.cc)
StatusOr<PostPreview> PreviewPost(const Call& call, const PostContext& context, const Post& post);

// ---- review (review_post.cc) ---------------------------------------------------------------------------------------
// draft, rejected -> in review. INVALID_ARGUMENT with every violation; FAILED_PRECONDITION WRONG_STATE.
StatusOr<Post> SubmitPost(const Call& call, const PostContext& context, const std::string& id,
                          std::optional<int64_t> version);
// in review -> approved. PERMISSION_DENIED SELF_APPROVAL for whoever submitted it.
StatusOr<Post> ApprovePost(const Call& call, const PostContext& context, const std::string& id,
                           std::optional<int64_t> version, const std::string& comment);
// in review -> rejected. The comment is required.
StatusOr<Post> RejectPost(const Call& call, const PostContext& context, const std::string& id,
                          std::optional<int64_t> version, const std::string& comment);

// ---- schedule (schedule_post.cc) -----------------------------------------------------------------------------------
struct When {
  std::optional<absl::Time> due_time;   // or
  std::string local_time;
  LocalTimeChoice choice = LocalTimeChoice::kNone;
};
// approved, cancelled, failed -> scheduled with new deliveries; scheduled -> moved. FAILED_PRECONDITION NOT_APPROVED,
// ALREADY_SENT; INVALID_ARGUMENT DUE_IN_PAST, DUE_TOO_FAR, LOCAL_TIME_*. The same `request_id` changes nothing twice.
StatusOr<Post> SchedulePost(const Call& call, const PostContext& context, const std::string& id,
                            std::optional<int64_t> version, const When& when, const std::string& request_id);
// partly published, scheduled -> scheduled: threads that ended early go on with the part that failed, now. FAILED_PRECONDITION
// NOTHING_TO_RESUME, also for a post that was cancelled. The same `request_id` resumes once.
StatusOr<Post> ResumePost(const Call& call, const PostContext& context, const std::string& id,
                          std::optional<int64_t> version, const std::string& request_id);
// Cancels what still waits. FAILED_PRECONDITION ALREADY_SENT when nothing does, WRONG_STATE when it is not scheduled.
StatusOr<Post> CancelPost(const Call& call, const PostContext& context, const std::string& id,
                          std::optional<int64_t> version);

}  // namespace parvis::publishing
