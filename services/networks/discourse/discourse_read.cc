// What is read from a forum: our own posts to settle an unclear write, what is new, and counters.
#include <absl/strings/match.h>

#include <algorithm>

#include "networks/discourse/discourse.h"
#include "networks/discourse/discourse_parse.h"
#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr int kChunkMax = 50;  // posts of a topic in one request

std::string ContentOf(const Json& post) {
  const std::string raw = Text(post, "raw");
  return raw.empty() ? text::HtmlToText(Text(post, "cooked"), false) : raw;
}

bool IsSet(const Json& object, const char* key) {
  const Json& value = Member(object, key);
  return value.is_boolean() ? value.get<bool>() : !value.is_null();
}

OwnItem ItemOf(const Json& post, const Account& account) {
  OwnItem item;
  item.remote_id = DiscourseIdOf(post);
  const std::string topic = Text(post, "topic_id"), answered = Text(post, "reply_to_post_number");
  item.permalink = BaseOf(account) + "/t/-/" + topic + "/" + Text(post, "post_number");
  item.text = ContentOf(post);
  if (!answered.empty()) item.parent_remote_id = "t/" + topic + "/" + answered;
  item.created_at = ParseIsoTime(Text(post, "created_at")).value_or(absl::InfinitePast());
  item.hidden = IsSet(post, "hidden");
  return item;
}

bool Flagged(const Json& post, int type) {
  const Json& actions = Member(post, "actions_summary");
  for (size_t i = 0; actions.is_array() && i < actions.size(); ++i) {
    if (Text(actions[i], "id") == std::to_string(type) && IsSet(actions[i], "acted")) return true;
  }
  return false;
}

// The topic's number in ".../t/slug/12.json", "/t/12", "/t/slug/12/3.json".
std::string TopicInPath(std::string path) {
  const size_t start = path.rfind("/t/");
  if (start == std::string::npos) return "";
  path = path.substr(start + 3);
  path = path.substr(0, path.find_first_of("?#"));
  while (!path.empty()) {
    const size_t slash = path.find('/');
    std::string part = path.substr(0, slash);
    if (const size_t dot = part.find('.'); dot != std::string::npos) part.resize(dot);
    if (!part.empty() && part.find_first_not_of("0123456789") == std::string::npos) return part;
    path = slash == std::string::npos ? "" : path.substr(slash + 1);
  }
  return "";
}

}  // namespace

StatusOr<std::optional<OwnItem>> DiscourseConnector::TopicOf(const Call& call, const Account& account,
                                                             const std::string& external_id) {
  Answer answer = Ask(call, account, "GET", "/t/external_id/" + net::UrlEncode(external_id) + ".json?include_raw=true");
  // The forum redirects to the topic's own address, of which only the number is taken.
  if (answer.answered() && answer.http.http_status >= 300 && answer.http.http_status < 400) {
    const std::string topic = TopicInPath(net::HeaderOf(answer.http.headers, "Location"));
    if (topic.empty()) return UnintelligibleRead();
    answer = Ask(call, account, "GET", "/t/" + topic + ".json?include_raw=true");
  }
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::optional<OwnItem>();
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& posts = Member(Member(answer.json, "post_stream"), "posts");
  if (!posts.is_array() || posts.empty()) return UnintelligibleRead();
  OwnItem item = ItemOf(posts[0], account);
  if (item.remote_id.empty()) return UnintelligibleRead();
  item.parent_remote_id = "key:" + external_id;  // see Matches
  item.hidden = false;
  return std::optional<OwnItem>(std::move(item));
}

// What waits for approval: without it, a post that is held would be taken for not written.
StatusOr<std::vector<OwnItem>> DiscourseConnector::Pending(const Call& call, const Account& account) {
  const std::string me(account.credentials.Get("api_username").Reveal());
  const Answer answer = Ask(call, account, "GET", "/posts/" + net::UrlEncode(me) + "/pending.json");
  std::vector<OwnItem> out;
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return out;  // a forum older than that route
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& posts = Member(answer.json, "pending_posts");
  if (!posts.is_array() || posts.size() > kPageItemsMax) return UnintelligibleRead();
  for (const Json& post : posts) {
    OwnItem item;
    item.remote_id = "review/" + Text(post, "id");
    item.text = Text(post, "raw_text");
    item.created_at = ParseIsoTime(Text(post, "created_at")).value_or(absl::InfinitePast());
    item.hidden = true;
    out.push_back(std::move(item));
  }
  return out;
}

// From the topic's end backwards: the stream has the ids of all its posts, in the order of time.
StatusOr<std::vector<OwnItem>> DiscourseConnector::OwnReplies(const Call& call, const Account& account,
                                                              const std::string& topic, absl::Time since, int limit) {
  const std::string me(account.credentials.Get("api_username").Reveal());
  const size_t chunk = static_cast<size_t>(std::clamp(limit, 1, kChunkMax));
  std::vector<std::string> stream;
  std::vector<OwnItem> out;
  bool listed = false;
  const auto ask = [&](const std::string&) {
    const std::string path = "/t/" + net::UrlEncode(topic);
    if (!listed) return Ask(call, account, "GET", path + ".json");
    std::string query = "?include_raw=true";
    for (size_t i = stream.size() - std::min(chunk, stream.size()); i < stream.size(); ++i)
      query += "&post_ids[]=" + stream[i];
    return Ask(call, account, "GET", path + "/posts.json" + query);
  };
  const auto take = [&](const Answer& answer) -> StatusOr<std::string> {
    const Json& post_stream = Member(answer.json, "post_stream");
    if (!listed) {
      const Json& ids = Member(post_stream, "stream");
      if (!ids.is_array()) return UnintelligibleRead();
      for (const Json& id : ids) stream.push_back(id.is_number_integer() ? id.dump() : "0");
      listed = true;
      return stream.empty() ? "" : std::to_string(stream.size());
    }
    const Json& posts = Member(post_stream, "posts");
    if (!posts.is_array()) return UnintelligibleRead();
    bool older = false;
    std::vector<OwnItem> found;
    for (const Json& post : posts) {
      OwnItem item = ItemOf(post, account);
      older = older || item.created_at < since;
      if (item.created_at >= since && absl::EqualsIgnoreCase(Text(post, "username"), me))
        found.push_back(std::move(item));
    }
    std::sort(found.begin(), found.end(),
              [](const OwnItem& a, const OwnItem& b) { return a.created_at > b.created_at; });
    out.insert(out.end(), found.begin(), found.end());
    stream.resize(stream.size() - std::min(chunk, stream.size()));
    return older || stream.empty() ? "" : std::to_string(stream.size());
  };
  PARVIS_RETURN_IF_ERROR(ReadPages(account, ask, take));
  return out;
}

// The target of what is no post of ours, as one item: `hidden` tells the state that was to be reached (see Matches).
StatusOr<std::vector<OwnItem>> DiscourseConnector::ReadTarget(const Call& call, const Account& account,
                                                              const Write& write) {
  const Feature feature = FeatureOf(write.kind);
  const std::string entry = ReviewableOf(write.target_remote_id);
  Answer answer;
  if ((feature == Feature::kBan || feature == Feature::kMute) && !write.target_author_id.empty()) {
    answer = Ask(call, account, "GET", "/admin/users/" + net::UrlEncode(write.target_author_id) + ".json");
  } else if (!entry.empty()) {
    answer = Ask(call, account, "GET", "/review/" + entry + ".json");
  } else {
    answer = AskPost(call, account, write.target_remote_id);
    const std::string user = Text(answer.json, "user_id"), topic = Text(answer.json, "topic_id");
    if (answer.ok() && (feature == Feature::kBan || feature == Feature::kMute)) {
      answer = Ask(call, account, "GET", "/admin/users/" + net::UrlEncode(user) + ".json");
    } else if (answer.ok() && feature == Feature::kLock) {
      answer = Ask(call, account, "GET", "/t/" + net::UrlEncode(topic) + ".json");
    }
  }
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& reviewable = Member(answer.json, "reviewable");
  const Json& json = reviewable.is_object() ? reviewable : answer.json;
  OwnItem item = ItemOf(json, account);
  if (item.remote_id.empty()) return UnintelligibleRead();
  switch (feature) {
    case Feature::kBan:
      item.hidden = IsSet(json, "suspended") || IsSet(json, "suspended_at");
      break;
    case Feature::kMute:
      item.hidden = IsSet(json, "silenced") || IsSet(json, "silenced_at");
      break;
    case Feature::kLock:
      item.hidden = IsSet(json, "closed");
      break;
    case Feature::kApprove:
      item.hidden = Text(json, "status") != "1";
      break;
    case Feature::kSpam:
      item.hidden = Flagged(json, 8);
      break;
    case Feature::kReport:
      item.hidden = Flagged(json, 7);
      break;
    case Feature::kDelete: {
      const bool decided = !entry.empty() && Text(json, "status") != "0";
      if (decided || IsSet(json, "deleted_at") || IsSet(json, "user_deleted")) return std::vector<OwnItem>();
      break;
    }
    default:
      break;
  }
  return std::vector<OwnItem>{item};
}

StatusOr<std::vector<OwnItem>> DiscourseConnector::ReadBack(const Call& call, const Account& account,
                                                            const Write& write, absl::Time since, int limit) {
  const bool created =
      write.kind == WriteKind::kPost || write.kind == WriteKind::kReply || write.kind == WriteKind::kPrivateReply;
  if (!created) return ReadTarget(call, account, write);
  std::vector<OwnItem> out;
  const bool topic = write.kind == WriteKind::kPrivateReply || write.target_remote_id.empty();
  if (topic) {
    PARVIS_ASSIGN_OR_RETURN(const auto item, TopicOf(call, account, DiscourseExternalId(write.idempotency_key)));
    if (item) return std::vector<OwnItem>{*item};
  } else {
    std::string number;
    if (const auto position = ParseDiscoursePosition(write.target_remote_id)) {
      number = position->topic;
    } else {
      const Answer target = AskPost(call, account, write.target_remote_id);
      // A reply to what is gone may have been written before it went: nobody can tell any more from here.
      if (!target.ok()) return FailedRead(target, account);
      number = Text(target.json, "topic_id");
    }
    PARVIS_ASSIGN_OR_RETURN(out, OwnReplies(call, account, number, since, limit));
  }
  PARVIS_ASSIGN_OR_RETURN(const std::vector<OwnItem> pending, Pending(call, account));
  for (const OwnItem& item : pending) {
    if (item.created_at >= since) out.push_back(item);
  }
  return out;
}

}  // namespace parvis::networks
