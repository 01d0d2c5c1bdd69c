// Campaigns, posts and their states. Plain data.
#pragma once

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "publishing/domain/delivery.h"

namespace parvis::publishing {

struct Campaign {
  std::string workspace_id, id, display_name, description;
  absl::Time start_time = absl::InfinitePast(), end_time = absl::InfiniteFuture();   // infinite: open
  bool archived = false;
  int64_t version = 1;
  absl::Time create_time, update_time;
};

// Numbers are those of parvis.publishing.v1.PostState and of the column posts.state.
enum class PostState {
  kNone = 0, kDraft = 1, kInReview = 2, kRejected = 3, kApproved = 4, kScheduled = 5, kPublished = 6, kFailed = 7,
  kCancelled = 8, kPartlyPublished = 9
};
const char* PostStateName(PostState state);  // "in review"

struct Variant {
  std::string channel_id;
  Content content;
  bool operator==(const Variant&) const = default;
};

struct Post {
  std::string workspace_id, id, campaign_id, display_name;
  std::vector<Variant> variants;
  PostState state = PostState::kDraft;
  std::string author, submitted_by, reviewed_by, review_comment;
  absl::Time review_time = absl::InfinitePast();
  absl::Time due_time = absl::InfinitePast();
  int generation = 0;                  // raised whenever new deliveries are made for it
  std::string schedule_request_id;     // of the last SchedulePost or ResumePost
  int64_t version = 1;                 // the etag
  absl::Time create_time, update_time;
};

// What a post becomes when its deliveries (of one generation) stand like this; kScheduled while one of them is still under way.
PostState StateFromDeliveries(const std::vector<Delivery>& deliveries);

}  // namespace parvis::publishing
