// What Instagram counts: fields of the media, and insights by the names of today (facts 2.3). One name that does not fit the
// kind of media refuses the whole request, so every kind has its own list.
#include "networks/instagram/instagram.h"

namespace parvis::networks {
namespace {

constexpr size_t kIdsMax = 50;

using Metrics = std::vector<meta::Metric>;

const Metrics& MetricsOf(const std::string& product) {
  static const Metrics* const story = new Metrics{{"views", "views"}, {"reach", "reach"}, {"replies", "replies"}, {"shares", "shares"},
                                                  {"total_interactions", "interactions"}};
  static const Metrics* const other = new Metrics{{"views", "views"}, {"reach", "reach"}, {"likes", "likes"}, {"comments", "comments"},
                                                  {"shares", "shares"}, {"saved", "saves"}, {"total_interactions", "interactions"}};
  return product == "STORY" ? *story : *other;
}

}  // namespace

StatusOr<Measurement> InstagramConnector::Measure(const Call& call, const Account& account,
                                                  const std::vector<std::string>& post_remote_ids) {
  if (post_remote_ids.size() > kIdsMax) {
    return InvalidField("post_remote_ids", "TOO_MANY", "at most " + std::to_string(kIdsMax) + " at once");
  }
  Measurement out;
  if (post_remote_ids.empty()) {
    const Answer answer = Ask(call, account, "GET", meta::Path(account.remote_id), {{"fields", "id,followers_count,media_count"}});
    if (!answer.ok()) return FailedRead(answer, account);
    if (Text(answer.json, "id").empty()) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    Counts counts;
    counts.remote_id = account.remote_id;
    meta::TakeCount(Member(answer.json, "followers_count"), "followers", &counts);
    meta::TakeCount(Member(answer.json, "media_count"), "posts", &counts);
    PARVIS_RETURN_IF_ERROR(meta::AskInsights(http_, call, account,
                                             {{"views", "views"}, {"reach", "reach"}, {"total_interactions", "interactions"}},
                                             {{"period", "day"}, {"metric_type", "total_value"}}, &counts, &out.rate));
    out.counts.push_back(std::move(counts));
    return out;
  }
  for (const std::string& id : post_remote_ids) {
    const Answer answer =
        Ask(call, account, "GET", meta::Path(id), {{"fields", "id,media_product_type,like_count,comments_count"}});
    if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) continue;
    if (!answer.ok()) return FailedRead(answer, account);
    if (Text(answer.json, "id").empty()) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    Counts counts;
    counts.remote_id = id;
    meta::TakeCount(Member(answer.json, "like_count"), "likes", &counts);
    meta::TakeCount(Member(answer.json, "comments_count"), "comments", &counts);
    PARVIS_RETURN_IF_ERROR(
        meta::AskInsights(http_, call, account, MetricsOf(Text(answer.json, "media_product_type")), {}, &counts, &out.rate));
    out.counts.push_back(std::move(counts));
  }
  return out;
}

}  // namespace parvis::networks
