// What is read from Mastodon to settle an unclear write, statuses by their ids, and counters.
#include <algorithm>

#include "networks/mastodon/mastodon.h"
#include "networks/text/html.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

constexpr int kOwnMax = 40;          // statuses of an account in one request
constexpr size_t kStatusesMax = 20;  // ids in one request; more are refused
constexpr size_t kMeasuredMax = 50;

OwnItem ItemOf(const Json& status) {
  OwnItem item;
  item.remote_id = Text(status, "id");
  item.permalink = Text(status, "url");
  item.text = MastodonText(status);
  item.parent_remote_id = Text(status, "in_reply_to_id");
  item.created_at = ParseIsoTime(Text(status, "created_at")).value_or(absl::InfinitePast());
  return item;
}

bool IsGone(const Answer& answer) { return answer.answered() && answer.refusal.error == ErrorClass::kNotFound; }

// A counter that this server does not have is left out.
void Take(const Json& from, const char* key, const char* counter, Counts* counts) {
  const Json& value = Member(from, key);
  if (value.is_number_integer()) counts->values[counter] = std::max<int64_t>(0, value.get<int64_t>());
}

}  // namespace

std::string MastodonText(const Json& status) { return text::ToUtf8(text::HtmlToText(Text(status, "content"), false)); }

StatusOr<std::vector<Json>> MastodonConnector::Statuses(const Call& call, const Account& account,
                                                        const std::vector<std::string>& ids, RateState* rate) {
  std::vector<Json> out;
  bool together = true;
  for (size_t start = 0; start < ids.size(); start += kStatusesMax) {
    const size_t end = std::min(ids.size(), start + kStatusesMax);
    if (together) {
      std::string path = "/api/v1/statuses";
      for (size_t i = start; i < end; ++i) path += (i == start ? "?id[]=" : "&id[]=") + net::UrlEncode(ids[i]);
      const Answer answer = Ask(call, account, "GET", path);
      *rate = answer.rate;
      together = !IsGone(answer) && answer.http.http_status != 405;  // a server before 4.3 has no such list
      if (together) {
        if (!answer.ok()) return FailedRead(answer, account);
        if (!answer.json.is_array() || answer.json.size() > kPageItemsMax) return UnintelligibleRead();
        out.insert(out.end(), answer.json.begin(), answer.json.end());
        continue;
      }
    }
    for (size_t i = start; i < end; ++i) {
      Answer answer = Ask(call, account, "GET", "/api/v1/statuses/" + net::UrlEncode(ids[i]));
      *rate = answer.rate;
      if (IsGone(answer)) continue;
      if (!answer.ok()) return FailedRead(answer, account);
      out.push_back(std::move(answer.json));
    }
  }
  return out;
}

// The target of what is no status of ours, as one item: `hidden` tells the state that was to be reached (see Matches).
StatusOr<std::vector<OwnItem>> MastodonConnector::ReadTarget(const Call& call, const Account& account,
                                                             const Write& write) {
  OwnItem item;
  std::string author = write.target_author_id;
  const bool of_author = FeatureOf(write.kind) == Feature::kBan || FeatureOf(write.kind) == Feature::kMute;
  if (!of_author || author.empty()) {
    const Answer answer = Ask(call, account, "GET", "/api/v1/statuses/" + net::UrlEncode(write.target_remote_id));
    if (IsGone(answer)) return std::vector<OwnItem>();
    if (!answer.ok()) return FailedRead(answer, account);
    item = ItemOf(answer.json);
    if (item.remote_id.empty()) return UnintelligibleRead();
    author = Text(Member(answer.json, "account"), "id");
  }
  if (of_author) {
    const Answer answer = Ask(call, account, "GET", "/api/v1/accounts/relationships?id[]=" + net::UrlEncode(author));
    if (!answer.ok()) return FailedRead(answer, account);
    if (!answer.json.is_array() || answer.json.size() != 1) return UnintelligibleRead();
    item.remote_id = write.target_remote_id.empty() ? author : write.target_remote_id;
    item.hidden = IsTrue(answer.json[0], FeatureOf(write.kind) == Feature::kBan ? "blocking" : "muting");
  }
  return std::vector<OwnItem>{item};
}

StatusOr<std::vector<OwnItem>> MastodonConnector::ReadBack(const Call& call, const Account& account, const Write& write,
                                                           absl::Time since, int limit) {
  if (write.kind == WriteKind::kReport) {
    return MakeError(Code::kFailedPrecondition, "NOT_POSSIBLE", "what we reported is not shown to us");
  }
  if (write.kind != WriteKind::kPost && write.kind != WriteKind::kReply && write.kind != WriteKind::kPrivateReply) {
    return ReadTarget(call, account, write);
  }
  const std::string path = "/api/v1/accounts/" + net::UrlEncode(account.remote_id) +
                           "/statuses?exclude_reblogs=true&limit=" + std::to_string(std::clamp(limit, 1, kOwnMax));
  std::vector<OwnItem> out;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& place) {
        return Ask(call, account, "GET", place.empty() ? path : path + "&max_id=" + net::UrlEncode(place));
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        if (!answer.json.is_array() || answer.json.size() > kPageItemsMax) return UnintelligibleRead();
        bool older = false;
        std::string oldest;
        for (const Json& status : answer.json) {
          OwnItem item = ItemOf(status);
          if (item.remote_id.empty()) return UnintelligibleRead();
          if (oldest.empty() || IsOlderId(item.remote_id, oldest)) oldest = item.remote_id;
          older = older || item.created_at < since;
          if (item.created_at >= since) out.push_back(std::move(item));
        }
        if (older) return "";
        return oldest.empty() ? LinkParameter(answer.http.headers, "next", "max_id") : oldest;
      }));
  return out;
}

StatusOr<Measurement> MastodonConnector::Measure(const Call& call, const Account& account,
                                                 const std::vector<std::string>& post_remote_ids) {
  Measurement out;
  if (post_remote_ids.empty()) {
    const Answer answer = Ask(call, account, "GET", "/api/v1/accounts/" + net::UrlEncode(account.remote_id));
    if (!answer.ok()) return FailedRead(answer, account);
    if (Text(answer.json, "id").empty()) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    Counts counts;
    counts.remote_id = account.remote_id;
    Take(answer.json, "followers_count", "followers", &counts);
    Take(answer.json, "following_count", "following", &counts);
    Take(answer.json, "statuses_count", "posts", &counts);
    out.counts.push_back(std::move(counts));
    return out;
  }
  std::vector<std::string> ids = post_remote_ids;
  if (ids.size() > kMeasuredMax) ids.resize(kMeasuredMax);
  PARVIS_ASSIGN_OR_RETURN(const std::vector<Json> statuses, Statuses(call, account, ids, &out.rate));
  for (const Json& status : statuses) {
    Counts counts;
    counts.remote_id = Text(status, "id");
    if (std::find(ids.begin(), ids.end(), counts.remote_id) == ids.end()) continue;
    Take(status, "replies_count", "comments", &counts);
    Take(status, "reblogs_count", "shares", &counts);
    Take(status, "favourites_count", "likes", &counts);
    Take(status, "quotes_count", "quotes", &counts);
    out.counts.push_back(std::move(counts));
  }
  return out;
}

}  // namespace parvis::networks
