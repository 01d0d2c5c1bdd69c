#include "networks/bluesky/bluesky.h"

#include <algorithm>
#include <set>

#include "networks/text/facets.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"

namespace parvis::networks {
namespace {

constexpr int kGraphemesMax = 300, kBytesMax = 3000;
constexpr char kPosts[] = "app.bsky.feed.post";

std::string RkeyOf(const std::string& uri) { return uri.substr(uri.rfind('/') + 1); }
bool IsOurs(const std::string& uri, const Account& account) {
  return uri.starts_with("at://" + account.remote_id + "/" + kPosts + "/");
}
std::string Permalink(const std::string& did, const std::string& uri) {
  return "https://bsky.app/profile/" + did + "/post/" + RkeyOf(uri);
}

}  // namespace

Refusal ClassifyBluesky(const net::ClientResult& http, const Json& json) {
  const int status = http.http_status;
  if (status >= 200 && status < 300) return {};
  const std::string name = Text(json, "error");
  Refusal out{ErrorClass::kInvalid, name + ": " + Text(json, "message")};
  const auto is = [&](std::initializer_list<std::string_view> names) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (is({"ExpiredToken", "InvalidToken"})) out.error = ErrorClass::kTokenExpired;
  else if (is({"RecordNotFound", "NotFound", "RepoNotFound", "ActorNotFound"}) || status == 404) out.error = ErrorClass::kNotFound;
  else if (is({"AccountTakedown", "AccountDeactivated", "AccountSuspended"}) || status == 403) out.error = ErrorClass::kPermission;
  else if (name == "RateLimitExceeded" || status == 429) out.error = ErrorClass::kRateLimited;
  else if (name == "InvalidSwap") out.error = ErrorClass::kDuplicate;
  else if (status == 401) out.error = ErrorClass::kTokenExpired;
  else if (status >= 500 || status == 408) out.error = ErrorClass::kTransient;
  return out;
}

RateState BlueskyRate(const net::Headers& headers, absl::Time now) {
  RateState rate;
  if (const auto limit = HeaderNumber(headers, "RateLimit-Limit")) rate.limit = static_cast<int>(std::min<int64_t>(*limit, INT32_MAX));
  if (const auto left = HeaderNumber(headers, "RateLimit-Remaining")) rate.remaining = static_cast<int>(std::min<int64_t>(*left, INT32_MAX));
  if (const auto reset = HeaderNumber(headers, "RateLimit-Reset")) {
    rate.reset_in = std::clamp(absl::FromUnixSeconds(*reset) - now, absl::ZeroDuration(), absl::Hours(24));
  }
  rate.retry_after = RetryAfter(headers);
  return rate;
}

std::string EncodeTid(uint64_t micros, uint32_t clock_id) {
  uint64_t value = ((micros & ((1ULL << 53) - 1)) << 10) | (clock_id & 0x3FF);
  std::string out(13, '2');
  for (int i = 12; i >= 0; --i, value >>= 5) out[static_cast<size_t>(i)] = "234567abcdefghijklmnopqrstuvwxyz"[value & 31];
  return out;
}

std::string TidOfKey(std::string_view key) {
  uint64_t hash = 0xcbf29ce484222325ULL;   // FNV-1a with splitmix64's last mix
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
  hash ^= hash >> 31;
  return EncodeTid(hash >> 11, static_cast<uint32_t>(hash & 0x3FF));
}

BlueskyConnector::BlueskyConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "bluesky";
  c.display_name = "Bluesky";
  using F = Feature;
  c.Allow({F::kText, F::kLink, F::kThread, F::kDelete, F::kDeleteOwn});
  for (int f = 0; f < kFeatures; ++f) {
    if (!c.Can(static_cast<F>(f))) c.Leave(static_cast<F>(f), "Parvis posts text, links and threads there so far");
  }
  c.post_text_max = kGraphemesMax;
  c.text_unit = TextUnit::kGraphemes;
  c.idempotency_key = true;
  c.credential_fields = {"access_token"};
}

int BlueskyConnector::TextLength(std::string_view text) const { return text::Graphemes(text); }

std::vector<Violation> BlueskyConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost) return out;
  const std::string text = TextWithLink(draft);
  CheckText(draft, TextLength(text), kGraphemesMax, "graphemes", false, &out);
  CheckLink(draft, &out);
  if (text.size() > kBytesMax) {
    out.push_back({"text", "has " + std::to_string(text.size()) + " bytes, at most 3000 are allowed", "TEXT_TOO_LONG"});
  }
  return out;
}

Answer BlueskyConnector::Ask(const Call& call, const Account& account, const std::string& method, const Json* body) {
  net::ClientRequest request;
  request.method = body == nullptr ? "GET" : "POST";
  request.url = account.base_url + (account.base_url.ends_with('/') ? "xrpc/" : "/xrpc/") + method;
  request.bearer = account.credentials.Get("access_token");
  if (body != nullptr) {
    request.headers["Content-Type"] = "application/json";
    request.body = body->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyBluesky(answer.http, answer.json);
  answer.rate = BlueskyRate(answer.http.headers, clock_.WallNow());
  return answer;
}

Answer BlueskyConnector::GetRecord(const Call& call, const Account& account, const std::string& rkey) {
  return Ask(call, account, "com.atproto.repo.getRecord?repo=" + net::UrlEncode(account.remote_id) + "&collection=" + kPosts +
                                "&rkey=" + net::UrlEncode(rkey));
}

Json BlueskyConnector::Facets(const Call& call, const Account& account, const std::string& text, std::optional<Outcome>* failed) {
  Json out = Json::array();
  const std::string type = "app.bsky.richtext.facet";
  for (const text::Facet& facet : text::FindFacets(text)) {
    Json feature;
    if (facet.kind == text::Facet::Kind::kMention) {
      const Answer answer = Ask(call, account, "com.atproto.identity.resolveHandle?handle=" + net::UrlEncode(facet.value));
      const bool nobody = answer.answered() && (answer.refusal.error == ErrorClass::kInvalid || answer.refusal.error == ErrorClass::kNotFound);
      if (nobody) continue;   // stays plain text, as in the network's own app
      if (!answer.ok()) {
        *failed = FailedWrite(answer, account, false);
        return out;
      }
      feature = {{"$type", type + "#mention"}, {"did", Text(answer.json, "did")}};
    } else if (facet.kind == text::Facet::Kind::kLink) {
      feature = {{"$type", type + "#link"}, {"uri", facet.value}};
    } else {
      feature = {{"$type", type + "#tag"}, {"tag", facet.value}};
    }
    out.push_back({{"index", {{"byteStart", facet.begin}, {"byteEnd", facet.end}}}, {"features", Json::array({feature})}});
  }
  return out;
}

Outcome BlueskyConnector::Post(const Call& call, const Account& account, const Write& write) {
  if (write.idempotency_key.empty()) return RefusedBeforeSending(ErrorClass::kInvalid, "no idempotency key is given");
  const std::string text = TextWithLink(write.draft), rkey = TidOfKey(write.idempotency_key);
  Json record = {{"$type", kPosts}, {"text", text}, {"createdAt", FormatIsoTime(clock_.WallNow())}};
  std::optional<Outcome> failed;
  if (Json facets = Facets(call, account, text, &failed); !facets.empty()) record["facets"] = std::move(facets);
  if (failed) return *failed;
  if (!write.draft.language.empty()) record["langs"] = Json::array({write.draft.language});
  if (!write.target_remote_id.empty()) {
    if (!IsOurs(write.target_remote_id, account)) return RefusedBeforeSending(ErrorClass::kInvalid, "a thread continues our own post");
    const Answer parent = GetRecord(call, account, RkeyOf(write.target_remote_id));
    if (!parent.ok()) return FailedWrite(parent, account, false);
    const Json ref = {{"uri", write.target_remote_id}, {"cid", Text(parent.json, "cid")}};
    const Json& root = Member(Member(Member(parent.json, "value"), "reply"), "root");
    record["reply"] = {{"root", root.is_object() ? root : ref}, {"parent", ref}};
  }
  const Json body = {{"repo", account.remote_id}, {"collection", kPosts}, {"rkey", rkey}, {"record", record}, {"swapRecord", nullptr}};
  Answer answer = Ask(call, account, "com.atproto.repo.putRecord", &body);
  if (answer.answered() && answer.refusal.error == ErrorClass::kDuplicate) {   // sent before: is it what we meant?
    Answer there = GetRecord(call, account, rkey);
    if (there.ok() && Text(Member(there.json, "value"), "text") == text) answer = std::move(there);
  }
  if (!answer.ok()) return FailedWrite(answer, account);
  Outcome out;
  out.remote_id = Text(answer.json, "uri");
  if (out.remote_id.empty()) return UnclearWrite(answer);
  out.kind = OutcomeKind::kAccepted;
  out.permalink = Permalink(account.remote_id, out.remote_id);
  out.rate = answer.rate;
  return out;
}

Outcome BlueskyConnector::Execute(const Call& call, const Account& account, const Write& write) {
  if (write.kind == WriteKind::kPost) return Post(call, account, write);
  if (write.kind != WriteKind::kDelete) return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(FeatureOf(write.kind)));
  if (!IsOurs(write.target_remote_id, account)) return RefusedBeforeSending(ErrorClass::kPermission, "only our own posts can be deleted");
  const Json body = {{"repo", account.remote_id}, {"collection", kPosts}, {"rkey", RkeyOf(write.target_remote_id)}};
  const Answer answer = Ask(call, account, "com.atproto.repo.deleteRecord", &body);
  if (!answer.ok()) return FailedWrite(answer, account);
  Outcome out;
  out.kind = OutcomeKind::kAccepted;
  out.remote_id = write.target_remote_id;
  out.rate = answer.rate;
  return out;
}

StatusOr<Identity> BlueskyConnector::WhoAmI(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "com.atproto.server.getSession");
  if (!answer.ok()) return FailedRead(answer, account);
  Identity me{Text(answer.json, "did"), Text(answer.json, "handle"), Text(answer.json, "handle"), ""};
  if (me.remote_id.empty()) return UnintelligibleRead();
  me.url = "https://bsky.app/profile/" + me.handle;
  return me;
}

// The record key follows from the idempotency key: one look tells.
StatusOr<std::vector<OwnItem>> BlueskyConnector::ReadBack(const Call& call, const Account& account, const Write& write, absl::Time, int) {
  const std::string rkey = write.kind == WriteKind::kPost ? TidOfKey(write.idempotency_key) : RkeyOf(write.target_remote_id);
  const Answer answer = GetRecord(call, account, rkey);
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& value = Member(answer.json, "value");
  OwnItem item;
  item.remote_id = Text(answer.json, "uri");
  if (item.remote_id.empty()) return UnintelligibleRead();
  item.permalink = Permalink(account.remote_id, item.remote_id);
  item.text = Text(value, "text");
  item.parent_remote_id = Text(Member(Member(value, "reply"), "parent"), "uri");
  item.created_at = ParseIsoTime(Text(value, "createdAt")).value_or(absl::InfinitePast());
  return std::vector<OwnItem>{item};
}

bool BlueskyConnector::Matches(const Write& write, const OwnItem& item) const {
  return write.kind == WriteKind::kPost && item.parent_remote_id == write.target_remote_id && item.text == TextWithLink(write.draft);
}

}  // namespace parvis::networks
