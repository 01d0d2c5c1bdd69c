// What Facebook counts: fields of posts and of the Page (facts 1.3). Impressions and reach are gone from every version.
#include "networks/facebook/facebook.h"

namespace parvis::networks {
namespace {

constexpr size_t kIdsMax = 50;

void Take(const Json& value, const char* name, Counts* counts) {
  if (value.is_number_integer()) counts->values[name] = value.get<int64_t>();
}

Counts OfPost(const std::string& id, const Json& post) {
  Counts counts;
  counts.remote_id = id;
  Take(Member(Member(Member(post, "reactions"), "summary"), "total_count"), "likes", &counts);
  Take(Member(Member(Member(post, "comments"), "summary"), "total_count"), "comments", &counts);
  // A post that nobody shared has no `shares`.
  counts.values["shares"] = 0;
  Take(Member(Member(post, "shares"), "count"), "shares", &counts);
  return counts;
}

}  // namespace

StatusOr<std::vector<Counts>> FacebookConnector::Measure(const Call& call, const Account& account,
                                                         const std::vector<std::string>& post_remote_ids) {
  if (post_remote_ids.size() > kIdsMax) {
    return InvalidField("post_remote_ids", "TOO_MANY", "at most " + std::to_string(kIdsMax) + " at once");
  }
  if (post_remote_ids.empty()) {
    const Answer answer =
        Ask(call, account, "GET", "/" + net::UrlEncode(account.remote_id), {{"fields", "id,followers_count"}});
    if (!answer.ok()) return FailedRead(answer, account);
    Counts counts;
    counts.remote_id = Text(answer.json, "id");
    if (counts.remote_id.empty()) return UnintelligibleRead();
    Take(Member(answer.json, "followers_count"), "followers", &counts);
    return std::vector<Counts>{std::move(counts)};
  }
  std::vector<Counts> out;
  // One by one: in a call for several, one that is gone refuses all.
  for (const std::string& id : post_remote_ids) {
    const Answer answer =
        Ask(call, account, "GET", "/" + net::UrlEncode(id),
            {{"fields", "id,shares,reactions.summary(total_count).limit(0),comments.summary(true).limit(0)"}});
    if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) continue;
    if (!answer.ok()) return FailedRead(answer, account);
    if (Text(answer.json, "id").empty()) return UnintelligibleRead();
    out.push_back(OfPost(id, answer.json));
  }
  return out;
}

}  // namespace parvis::networks
