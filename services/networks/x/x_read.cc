// What is read from X: who we are, our own posts, mentions and replies.
#include <algorithm>

#include "networks/text/unicode.h"
#include "networks/x/x.h"
#include "networks/x/x_post.h"

namespace parvis::networks {
namespace {

constexpr size_t kTextMax = 64 << 10;

// Links as the author wrote them: the API shows t.co links and says what each stands for.
std::string WithExpandedLinks(const Json& tweet) {
  std::string out = Text(tweet, "text");
  const Json& urls = Member(Member(tweet, "entities"), "urls");
  for (size_t i = 0; urls.is_array() && i < urls.size() && i < 100; ++i) {
    const std::string shown = Text(urls[i], "url"), meant = Text(urls[i], "expanded_url");
    const size_t at = shown.empty() || meant.empty() ? std::string::npos : out.find(shown);
    if (at != std::string::npos) out.replace(at, shown.size(), meant);
  }
  return out;
}

std::string RepliedTo(const Json& tweet) {
  const Json& references = Member(tweet, "referenced_tweets");
  for (size_t i = 0; references.is_array() && i < references.size(); ++i) {
    if (Text(references[i], "type") == "replied_to") return Text(references[i], "id");
  }
  return Text(tweet, "in_reply_to_tweet_id");
}

OwnItem ItemOf(const Json& tweet) {
  OwnItem item;
  item.remote_id = Text(tweet, "id");
  item.permalink = "https://x.com/i/web/status/" + item.remote_id;
  item.text = WithExpandedLinks(tweet);
  item.parent_remote_id = RepliedTo(tweet);
  item.created_at = XPostTime(Text(tweet, "created_at"), item.remote_id).value_or(absl::InfinitePast());
  return item;
}

// Ids are numbers of up to 19 digits: longer is later.
bool Later(const std::string& a, const std::string& b) { return a.size() != b.size() ? a.size() > b.size() : a > b; }

std::string StartTime(absl::Time since) { return "&start_time=" + net::UrlEncode(FormatIsoTime(since)); }

}  // namespace

std::optional<Happening> XHappening(const Json& tweet, const Json& users, const std::string& us) {
  Happening h;
  h.remote_id = Text(tweet, "id");
  h.author_remote_id = Text(tweet, "author_id");
  const auto time = XPostTime(Text(tweet, "created_at"), h.remote_id);
  if (h.remote_id.empty() || h.author_remote_id.empty() || !time) return std::nullopt;
  h.account_remote_id = us;
  h.parent_remote_id = RepliedTo(tweet);
  // A reply is a reply whichever way it reached us: the kind is part of the natural key.
  h.kind = h.parent_remote_id.empty() ? Happening::Kind::kMention : Happening::Kind::kComment;
  h.thread = Text(tweet, "conversation_id");
  if (h.thread.empty()) h.thread = h.remote_id;
  h.by_us = h.author_remote_id == us;
  std::string person = h.by_us ? Text(tweet, "in_reply_to_user_id") : h.author_remote_id;
  if (person.empty()) person = h.author_remote_id;
  h.conversation = h.thread + "/" + person;
  if (!h.parent_remote_id.empty()) h.post_remote_id = h.thread;
  for (size_t i = 0; users.is_array() && i < users.size() && i < kPageItemsMax; ++i) {
    if (Text(users[i], "id") != h.author_remote_id) continue;
    h.author_name = text::ToUtf8(Text(users[i], "name"));
    h.author_handle = Text(users[i], "username");
  }
  h.text = text::CutBytes(text::ToUtf8(WithExpandedLinks(tweet)), kTextMax);
  h.occurred_at = *time;
  h.revision = absl::ToUnixMicros(*time);
  h.permalink = "https://x.com/i/web/status/" + h.remote_id;
  return h;
}

StatusOr<Identity> XConnector::WhoAmI(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "GET", "/2/users/me");
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& data = Member(answer.json, "data");
  Identity identity;
  identity.remote_id = Text(data, "id");
  identity.name = Text(data, "name");
  identity.handle = Text(data, "username");
  if (identity.remote_id.empty()) return UnintelligibleRead();
  if (!identity.handle.empty()) identity.url = "https://x.com/" + identity.handle;
  return identity;
}

StatusOr<std::vector<OwnItem>> XConnector::ReadBack(const Call& call, const Account& account, const Write& write, absl::Time since, int limit) {
  if (write.kind == WriteKind::kPost || write.kind == WriteKind::kReply) {
    const std::string path = "/2/users/" + net::UrlEncode(account.remote_id) + "/tweets?max_results=" +
                             std::to_string(std::clamp(limit, 5, 100)) + "&tweet.fields=" + net::UrlEncode(kXTweetFields) + StartTime(since);
    std::vector<OwnItem> out;
    PARVIS_RETURN_IF_ERROR(ReadPages(
        account,
        [&](const std::string& token) {
          return Ask(call, account, "GET", token.empty() ? path : path + "&pagination_token=" + net::UrlEncode(token));
        },
        [&](const Answer& answer) -> StatusOr<std::string> {
          const Json &data = Member(answer.json, "data"), &meta = Member(answer.json, "meta");
          if (!data.is_array() && !meta.is_object()) return UnintelligibleRead();
          for (size_t i = 0; data.is_array() && i < data.size(); ++i) out.push_back(ItemOf(data[i]));
          return Text(meta, "next_token");
        }));
    return out;
  }
  if (write.kind == WriteKind::kMute || write.kind == WriteKind::kUnmute) return CannotReadBack(write.kind, capabilities_);
  // Whether a reply is hidden cannot be read. Hiding is a PUT of a state, so doing it again is harmless: the item is
  // shown as not yet in the wanted state.
  const Answer answer = Ask(call, account, "GET", "/2/tweets/" + net::UrlEncode(write.target_remote_id) + "?tweet.fields=" + net::UrlEncode(kXTweetFields));
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
  if (!answer.ok()) return FailedRead(answer, account);
  OwnItem item = ItemOf(Member(answer.json, "data"));
  if (item.remote_id.empty()) return UnintelligibleRead();
  item.hidden = write.kind == WriteKind::kUnhide;
  return std::vector<OwnItem>{item};
}

// The network pages from new to old. A round goes back to the last round's newest id; `since_id` moves when it is done, so
// a crash in between only reads again.
StatusOr<PollPage> XConnector::Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since, int limit) {
  const Json state = ParseJson(cursor);
  std::string since_id = Text(state, "s"), newest = Text(state, "n");
  const std::string token = Text(state, "t");
  std::string path = "/2/users/" + net::UrlEncode(account.remote_id) + "/mentions?max_results=" + std::to_string(std::clamp(limit, 5, 100)) +
                     "&tweet.fields=" + net::UrlEncode(kXTweetFields) + "&expansions=author_id&user.fields=" + net::UrlEncode(kXUserFields);
  if (IsNumber(since_id)) {
    path += "&since_id=" + since_id;
  } else {
    path += StartTime(since);
  }
  if (!token.empty()) path += "&pagination_token=" + net::UrlEncode(token);
  const Answer answer = Ask(call, account, "GET", path);
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& meta = Member(answer.json, "meta");
  const Json& data = Member(answer.json, "data");
  if (!meta.is_object() || (!data.is_null() && !data.is_array()) || data.size() > kPageItemsMax) return UnintelligibleRead();
  PollPage page;
  page.rate = answer.rate;
  const Json& users = Member(Member(answer.json, "includes"), "users");
  for (size_t i = data.size(); data.is_array() && i > 0; --i) {   // oldest first
    const Json& tweet = data[i - 1];
    if (const std::string id = Text(tweet, "id"); IsNumber(id) && Later(id, newest)) newest = id;
    if (auto happening = XHappening(tweet, users, account.remote_id)) {
      page.happenings.push_back(*std::move(happening));
    } else {
      page.unparsed.push_back({Dump(tweet), "MISSING_FIELD", "a post without id, author or time"});
    }
  }
  const std::string next = Text(meta, "next_token");
  page.more = !next.empty() && next != token;
  Json after = Json::object();
  if (page.more) {
    if (!since_id.empty()) after["s"] = since_id;
    if (!newest.empty()) after["n"] = newest;
    after["t"] = next;
  } else if (!newest.empty()) {
    after["s"] = newest;
  } else if (!since_id.empty()) {
    after["s"] = since_id;
  }
  page.cursor = after.empty() ? "" : after.dump();
  return page;
}

}  // namespace parvis::networks
