// Ports: where campaigns, posts and their deliveries are kept, as requests see them (one workspace: call.workspace_id).
// Contract suites: post_store_contract.h. Unless said otherwise: NOT_FOUND when there is no such thing in the workspace.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/call.h"
#include "platform/base/error.h"
#include "publishing/domain/ledger.h"
#include "publishing/domain/post.h"

namespace parvis::publishing {

// Where a list goes on: after this position, exclusive.
struct Page {
  int size = 50;
  std::optional<std::pair<absl::Time, std::string>> after;
};

class CampaignStore {
 public:
  virtual ~CampaignStore() = default;
  // Returns what is there already when the id is taken (the same request came twice).
  virtual StatusOr<Campaign> InsertCampaign(const Call& call, const Campaign& campaign) = 0;
  virtual StatusOr<Campaign> GetCampaign(const Call& call, const std::string& id) = 0;
  // By (create_time, id), descending.
  virtual StatusOr<std::vector<Campaign>> ListCampaigns(const Call& call, const Page& page) = 0;
  // Stores it with version + 1 if the version is still `campaign.version`; ABORTED ETAG_MISMATCH otherwise.
  virtual StatusOr<Campaign> SaveCampaign(const Call& call, const Campaign& campaign) = 0;
};

// What saving a post does to its deliveries, in the same transaction.
struct DeliveryEdit {
  enum class Kind {
    kNone,
    kInsert,        // adds `inserts`
    kMove,          // those of the post's generation get new times; FAILED_PRECONDITION ALREADY_SENT unless all still wait
    kWithdraw,      // cancels all; ALREADY_SENT when one has been sent
    kCancel,        // cancels those that wait; ALREADY_SENT when none does. The post's state follows from the rest; no thread goes on
    kResume,        // parts at which threads ended early are sent again (thread.h); NOTHING_TO_RESUME when there is none
  };
  Kind kind = Kind::kNone;
  std::vector<Delivery> inserts;
  absl::Time due_time, expire_time;
  std::string actor;
};

struct PostFilter {
  std::string campaign_id;           // "" for all
  std::optional<PostState> state;
};

class PostStore {
 public:
  virtual ~PostStore() = default;
  // Returns what is there already when the id is taken.
  virtual StatusOr<Post> InsertPost(const Call& call, const Post& post) = 0;
  virtual StatusOr<Post> GetPost(const Call& call, const std::string& id) = 0;
  // By (create_time, id), descending.
  virtual StatusOr<std::vector<Post>> ListPosts(const Call& call, const PostFilter& filter, const Page& page) = 0;
  // Stores it with version + 1 if the version is still `post.version`; ABORTED ETAG_MISMATCH otherwise.
  virtual StatusOr<Post> SavePost(const Call& call, const Post& post, const DeliveryEdit& edit) = 0;
  // FAILED_PRECONDITION ALREADY_SENT when one of its deliveries was; waiting ones are cancelled. ABORTED ETAG_MISMATCH.
  virtual Status DeletePost(const Call& call, const Post& post, const std::string& actor) = 0;
};

struct DeliveryFilter {
  std::optional<DeliveryState> state;
  std::optional<DeliveryKind> kind;
  std::string campaign_id, channel_id, post_id;
  bool needs_human = false;
};

class DeliveryStore {
 public:
  virtual ~DeliveryStore() = default;
  // Stores it, with its event, unless the workspace has a delivery of this id or command_id; returns what is there then.
  virtual StatusOr<Delivery> InsertDelivery(const Call& call, const Delivery& delivery, absl::Time now,
                                            const std::string& actor) = 0;
  // A scheduled delivery of a paused channel shows why it waits in `error_reason`.
  virtual StatusOr<Delivery> GetDelivery(const Call& call, const std::string& id) = 0;
  // By (due_time, id), descending.
  virtual StatusOr<std::vector<Delivery>> ListDeliveries(const Call& call, const DeliveryFilter& filter,
                                                         const Page& page) = 0;
  // By number, ascending, from `after_number` exclusive.
  virtual StatusOr<std::vector<Transition>> ListTransitions(const Call& call, const std::string& id,
                                                            int64_t after_number, int limit) = 0;
  // ABORTED DELIVERY_CHANGED when the change's guard does not hold any more.
  virtual StatusOr<Delivery> SettleByPerson(const Call& call, const Change& change, absl::Time now) = 0;
};

}  // namespace parvis::publishing
