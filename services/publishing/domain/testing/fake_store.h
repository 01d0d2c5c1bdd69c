// The publishing stores in memory, for tests: one mutex, the same contracts (ledger_contract.h) as PostgreSQL's.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "publishing/domain/ledger.h"
#include "publishing/domain/post_store.h"

namespace parvis::publishing {

class FakeStore : public DeliveryLedger, public CampaignStore, public PostStore, public DeliveryStore {
 public:
  StatusOr<int> Accept(const StreamPositions& positions, const std::vector<Delivery>& deliveries, absl::Time now,
                       const std::string& actor) override;
  StatusOr<std::vector<Delivery>> Claim(const ClaimRequest& request) override;
  StatusOr<std::vector<std::optional<Delivery>>> Apply(const std::vector<Change>& changes, absl::Time now) override;
  StatusOr<std::vector<Delivery>> FindUnsettled(const std::vector<int>& shards, absl::Time now, bool every_claim,
                                                int limit) override;
  StatusOr<std::vector<Delivery>> FindExpired(const std::vector<int>& shards, absl::Time now, int limit) override;
  StatusOr<std::set<std::string>> TakenRemoteIds(const std::string& workspace_id, const std::string& channel_id,
                                                 const std::vector<std::string>& remote_ids) override;
  Status Pause(const PausedChannel& channel) override;
  Status Resume(const std::string& workspace_id, const std::string& channel_id) override;
  StatusOr<std::vector<PausedChannel>> ListPaused(const std::vector<int>& shards, const std::optional<PausedChannel>& after,
                                                  int limit) override;

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

  // For tests.
  void SetEpoch(int partition, int64_t epoch);
  std::vector<DeliveryChanged> events() const;
  std::vector<Transition> history(const std::string& id) const;
  void OnClaim(std::function<void()> hook);   // at the beginning of every claim, without the store's lock
  void FailApply(int times);   // the next so many Apply fail, without effect (negative: the commit's answer is lost)

 private:
  using Key = std::pair<std::string, std::string>;
  int Insert(const std::vector<Delivery>& deliveries, absl::Time now, const std::string& actor);
  std::vector<std::optional<Delivery>> ApplyLocked(const std::vector<Change>& changes, absl::Time now);
  bool BehindOthers(const Delivery& delivery, absl::Time horizon, bool claiming,
                    const std::set<ClaimSkip>& skip = {}) const;
  Status EditDeliveries(Post& post, const DeliveryEdit& edit);
  void Step(const Delivery& delivery, absl::Time time, DeliveryState from, const std::string& detail,
            const std::string& actor);

  mutable std::mutex mutex_;
  std::map<Key, Delivery> deliveries_;
  std::map<Key, Post> posts_;
  std::map<Key, Campaign> campaigns_;
  std::map<Key, PausedChannel> paused_;
  std::map<std::string, std::vector<Transition>> history_;
  std::map<int, int64_t> epochs_, next_;
  std::vector<DeliveryChanged> events_;
  std::function<void()> on_claim_;
  int fail_apply_ = 0;
};

}  // namespace parvis::publishing
