// The review queue and the decision log in PostgreSQL, over the api role. Thread-safe.
#pragma once

#include "moderation/domain/review.h"
#include "platform/db/pool.h"

namespace parvis::moderation {

class PgReviewStore : public ReviewStore {
 public:
  PgReviewStore(db::Pool& api, EncodeCommand encode) : pool_(api), encode_(std::move(encode)) {}
  StatusOr<Review> Get(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Review>> List(const Call& call, const ReviewFilter& filter,
                                     const std::optional<ReviewCursor>& after, absl::Time now, int limit) override;
  StatusOr<Review> Alter(const Call& call, const std::string& id, const Change& change) override;
  StatusOr<std::vector<Decision>> ListDecisions(const Call& call, const DecisionFilter& filter,
                                                const std::optional<TimeCursor>& after, int limit) override;

 private:
  db::Pool& pool_;
  const EncodeCommand encode_;
};

}  // namespace parvis::moderation
