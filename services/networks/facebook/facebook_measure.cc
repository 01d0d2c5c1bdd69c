// What Facebook counts: fields of posts and of the Page, and insights by the names of today (facts 1.3): views of the media
// and the people who saw it came for impressions and reach, which are gone from every version.
#include "networks/facebook/facebook.h"

namespace parvis::networks {
namespace {

constexpr size_t kIdsMax = 50;

Counts OfPost(const std::string& id, const Json& post) {
  Counts counts;
  counts.remote_id = id;
  meta::TakeCount(Member(Member(Member(post, "reactions"), "summary"), "total_count"), "likes", &counts);
  meta::TakeCount(Member(Member(Member(post, "comments"), "summary"), "total_count"), "comments", &counts);
  // A post that nobody shared has no `shares`.
  counts.values["shares"] = 0;
  meta::TakeCount(Member(Member(post, "shares"), "count"), "shares", &counts);
  return counts;
}

}  // namespace

StatusOr<Measurement> FacebookConnector::Measure(const Call& call, const Account& account,
                                                 const std::vector<std::string>& post_remote_ids) {
  if (post_remote_ids.size() > kIdsMax) {
    return InvalidField("post_remote_ids", "TOO_MANY", "at most " + std::to_string(kIdsMax) + " at once");
  }
  Measurement out;
  if (post_remote_ids.empty()) {
    const Answer answer =
        Ask(call, account, "GET", "/" + net::UrlEncode(account.remote_id), {{"fields", "id,followers_count"}});
    if (!answer.ok()) return FailedRead(answer, account);
    Counts counts;
    counts.remote_id = Text(answer.json, "id");
    if (counts.remote_id.empty()) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    meta::TakeCount(Member(answer.json, "followers_count"), "followers", &counts);
    PARVIS_RETURN_IF_ERROR(meta::AskInsights(http_, call, account, {{"page_media_view", "views"}, {"page_total_media_view_unique", "reach"}},
                                             {{"period", "day"}}, &counts, &out.rate));
    out.counts.push_back(std::move(counts));
    return out;
  }
  // One by one: in a call for several, one that is gone refuses all.
  for (const std::string& id : post_remote_ids) {
    const Answer answer =
        Ask(call, account, "GET", "/" + net::UrlEncode(id),
            {{"fields", "id,shares,reactions.summary(total_count).limit(0),comments.summary(true).limit(0)"}});
    if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) continue;
    if (!answer.ok()) return FailedRead(answer, account);
    if (Text(answer.json, "id").empty()) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    out.counts.push_back(OfPost(id, answer.json));
  }
  for (Counts& counts : out.counts) {
    PARVIS_RETURN_IF_ERROR(meta::AskInsights(http_, call, account, {{"post_media_view", "views"}, {"post_total_media_view_unique", "reach"}},
                                             {{"period", "lifetime"}}, &counts, &out.rate));
  }
  return out;
}

}  // namespace parvis::networks
