// Campaigns, posts and their deliveries on PostgreSQL, with the api role: one workspace per transaction, row-level security.
// Thread-safe.
#pragma once

#include <string>

#include "platform/db/pool.h"
#include "publishing/domain/post_store.h"
#include "publishing/storage/rows.h"

namespace parvis::publishing {

class PgPostStore : public CampaignStore, public PostStore, public DeliveryStore {
 public:
  // `api` is the pool of role publishing_api. `committed` is called after each commit that may have written an event or
  // made something due.
  PgPostStore(db::Pool& api, EncodeDelivery encode, std::function<void()> committed);

  StatusOr<Campaign> InsertCampaign(const Call& call, const Campaign& campaign) override;
  StatusOr<Campaign> GetCampaign(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Campaign>> ListCampaigns(const Call& call, const Page& page) override;
  StatusOr<Campaign> SaveCampaign(const Call& call, const Campaign& campaign) override;

  StatusOr<Post> InsertPost(const Call& call, const Post& post) override;
  StatusOr<Post> GetPost(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Post>> ListPosts(const Call& call, const PostFilter& filter, const Page& page) override;
  StatusOr<Post> SavePost(const Call& call, const Post& post, const DeliveryEdit& edit) override;
  Status DeletePost(const Call& call, const Post& post, const std::string& actor) override;

  StatusOr<Delivery> InsertDelivery(const Call& call, const Delivery& delivery, absl::Time now,
                                    const std::string& actor) override;
  StatusOr<Delivery> GetDelivery(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Delivery>> ListDeliveries(const Call& call, const DeliveryFilter& filter,
                                                 const Page& page) override;
  StatusOr<std::vector<Transition>> ListTransitions(const Call& call, const std::string& id, int64_t after_number,
                                                    int limit) override;
  StatusOr<Delivery> SettleByPerson(const Call& call, const Change& change, absl::Time now) override;

 private:
  Status EditDeliveries(db::Tx& tx, Post& post, const DeliveryEdit& edit);
  db::Pool& api_;
  const EncodeDelivery encode_;
  const std::function<void()> committed_;
};

}  // namespace parvis::publishing
