// What X counts: public metrics of posts (facts 3.3) and of the account.
#include "networks/x/x.h"

namespace parvis::networks {
namespace {

constexpr size_t kIdsMax = 50;

// (the network's name, ours)
constexpr std::pair<const char*, const char*> kOfPost[] = {
    {"like_count", "likes"},   {"reply_count", "comments"},   {"retweet_count", "shares"},
    {"quote_count", "quotes"}, {"bookmark_count", "saves"}, {"impression_count", "impressions"}};
constexpr std::pair<const char*, const char*> kOfAccount[] = {{"followers_count", "followers"}, {"tweet_count", "posts"}};

template <class Names>
Counts CountsOf(const Json& object, const Names& names) {
  Counts counts;
  counts.remote_id = Text(object, "id");
  const Json& metrics = Member(object, "public_metrics");
  for (const auto& [theirs, ours] : names) {
    const Json& value = Member(metrics, theirs);
    if (value.is_number_integer()) counts.values[ours] = value.get<int64_t>();
  }
  return counts;
}

}  // namespace

StatusOr<Measurement> XConnector::Measure(const Call& call, const Account& account,
                                          const std::vector<std::string>& post_remote_ids) {
  if (post_remote_ids.size() > kIdsMax) {
    return InvalidField("post_remote_ids", "TOO_MANY", "at most " + std::to_string(kIdsMax) + " at once");
  }
  if (post_remote_ids.empty()) {
    const Answer answer =
        Ask(call, account, "GET", "/2/users/" + net::UrlEncode(account.remote_id) + "?user.fields=public_metrics");
    if (!answer.ok()) return FailedRead(answer, account);
    Counts counts = CountsOf(Member(answer.json, "data"), kOfAccount);
    if (counts.remote_id.empty()) return UnintelligibleRead();
    return Measurement{{std::move(counts)}, answer.rate};
  }
  std::string ids;
  for (const std::string& id : post_remote_ids) ids += (ids.empty() ? "" : ",") + id;
  const Answer answer =
      Ask(call, account, "GET", "/2/tweets?ids=" + net::UrlEncode(ids) + "&tweet.fields=public_metrics");
  // All of them gone: 200 with errors[] and no data (facts 3.5).
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return Measurement{{}, answer.rate};
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& data = Member(answer.json, "data");
  if (!data.is_array() || data.size() > kIdsMax) return UnintelligibleRead();
  Measurement out{{}, answer.rate};
  for (const Json& tweet : data) {
    if (Counts counts = CountsOf(tweet, kOfPost); !counts.remote_id.empty()) out.counts.push_back(std::move(counts));
  }
  return out;
}

}  // namespace parvis::networks
