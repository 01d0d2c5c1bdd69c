#include "networks/bluesky/bluesky.h"

#include <algorithm>

#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr int kGraphemesMax = 300;
constexpr size_t kBytesMax = 3000;
constexpr int kTagGraphemesMax = 64;
constexpr size_t kTagBytesMax = 640, kTagsMax = 8;
constexpr int kReportGraphemesMax = 2000;
const char kPostLexicon[] = "https://docs.bsky.app/docs/advanced-guides/posts";
const char kXrpc[] = "https://atproto.com/specs/xrpc";
const char kGateLexicon[] =
    "https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/feed/threadgate.json";
const char kRepo[] = "https://atproto.com/specs/repository";
const char kViews[] = "https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/feed/defs.json";
const char kReports[] =
    "https://github.com/bluesky-social/atproto/blob/main/lexicons/com/atproto/moderation/createReport.json";

void TakeStances(Capabilities* c) {
  using F = Feature;
  c->Allow({F::kText, F::kLink, F::kImage, F::kGallery, F::kThread, F::kQuote, F::kTags, F::kReply, F::kDeleteOwn,
            F::kPolling, F::kStream, F::kMentions, F::kHide, F::kUnhide, F::kBan, F::kMute, F::kReport, F::kLock, F::kPostCounts,
            F::kChannelCounts});
  c->Refuse(F::kTitle, "posts have no title; it names the link's card", kPostLexicon);
  c->Refuse(F::kReel, "there is one kind of post", kPostLexicon);
  c->Refuse(F::kStory, "there is one kind of post", kPostLexicon);
  c->Refuse(F::kDocument, "posts carry pictures, a video or a card", kPostLexicon);
  c->Refuse(F::kPoll, "there are no polls", kPostLexicon);
  c->Refuse(F::kNativeSchedule, "what is written is there at once", kRepo);
  c->Refuse(F::kNewsletter, "there are no newsletters", kPostLexicon);
  c->Refuse(F::kWebhooks, "it is asked, or its stream is read", kXrpc);
  c->Refuse(F::kApprove, "nothing is held for review", kGateLexicon);
  c->Refuse(F::kSpam, "a report hides nothing; report the post and hide it", kReports);
  c->Refuse(F::kDelete, "only our own posts can be deleted", kRepo);
  c->Refuse(F::kImpressions, "views are not counted", kViews);
  c->Leave(F::kVideo, "a video goes through a service of its own, which Parvis does not use yet");
  c->Leave(F::kThumbnail, "it belongs to a video");
  c->Leave(F::kMessages, "chat needs an app password with that permission, which Parvis does not ask for");
  c->Leave(F::kPrivateReply, "chat needs an app password with that permission, which Parvis does not ask for");
}

void CheckTags(const Draft& draft, std::vector<Violation>* out) {
  if (draft.tags.size() > kTagsMax) {
    out->push_back(
        {"tags", "has " + std::to_string(draft.tags.size()) + " tags, at most 8 are allowed", "TOO_MANY_TAGS"});
  }
  for (size_t i = 0; i < draft.tags.size(); ++i) {
    const std::string& tag = draft.tags[i];
    if (text::IsUtf8(tag) && !tag.empty() && tag.size() <= kTagBytesMax && text::Graphemes(tag) <= kTagGraphemesMax)
      continue;
    out->push_back({"tags[" + std::to_string(i) + "]", "must have 1 to 64 characters", "TAG_INVALID"});
  }
}

}  // namespace

BlueskyConnector::BlueskyConnector(net::HttpClient& http, const Clock& clock, const Streaming& streaming)
    : http_(http), clock_(clock), streaming_(streaming) {
  Capabilities& c = capabilities_;
  c.network = "bluesky";
  c.display_name = "Bluesky";
  c.reads_share_budget = true;  // 3,000 requests in 5 minutes by address: https://docs.bsky.app/docs/advanced-guides/rate-limits
  TakeStances(&c);
  if (streaming_.client == nullptr || streaming_.jetstream_url.empty()) {
    c.Leave(Feature::kStream, "no Jetstream is named, which brings all posts of the network; notifications are read instead");
  } else {
    c.stream_channels_max = 10'000;   // a number of ours: everything comes anyway
  }
  c.post_text_max = c.reply_text_max = kGraphemesMax;
  c.text_unit = TextUnit::kGraphemes;
  c.media_max = 4;
  c.media_types = {"image/jpeg", "image/png", "image/webp", "image/gif"};
  c.media_max_bytes = 2'000'000;
  c.idempotency_key = true;
  c.credential_fields = {"access_token"};
  c.options = {{"label", "what the post warns of", {"sexual", "nudity", "porn", "graphic-media"}},
               {"reason", "of a report", {"spam", "violation", "misleading", "sexual", "rude", "other"}}};
  c.of_author.insert(WriteKind::kReport);
  c.counters = {"likes", "comments", "shares", "quotes", "bookmarks", "followers", "following", "posts"};
}

Appearance BlueskyConnector::Show(const Draft& draft) const {
  Appearance out;
  out.text = BlueskyText(WriteKind::kPost, draft);
  out.facets = text::FindFacets(out.text);
  std::sort(out.facets.begin(), out.facets.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  if (draft.media.empty()) out.card = draft.link;
  if (!draft.tags.empty()) out.remarks.push_back("tags are kept beside the text and are not shown in it");
  const bool mentions = std::any_of(out.facets.begin(), out.facets.end(),
                                    [](const text::Facet& facet) { return facet.kind == text::Facet::Kind::kMention; });
  if (mentions) out.remarks.push_back("a mention can be clicked only if the account exists");
  return out;
}

int BlueskyConnector::TextLength(std::string_view text) const { return text::Graphemes(text); }

std::string BlueskyText(WriteKind, const Draft& draft) {
  return draft.media.empty() ? draft.text : TextWithLink(draft);
}

std::vector<Violation> BlueskyConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind == WriteKind::kReport && text::Graphemes(draft.text) > kReportGraphemesMax) {
    out.push_back({"text", "must have at most 2000 graphemes", "TEXT_TOO_LONG"});
  }
  if (kind != WriteKind::kPost && kind != WriteKind::kReply) return out;
  const std::string text = BlueskyText(kind, draft);
  if (draft.quote_remote_id.empty() || !draft.text.empty()) {
    CheckText(draft, TextLength(text), kGraphemesMax, "graphemes", true, &out);
  }
  if (text.size() > kBytesMax) {
    out.push_back({"text", "has " + std::to_string(text.size()) + " bytes, at most 3000 are allowed", "TEXT_TOO_LONG"});
  }
  CheckLink(draft, &out);
  CheckMedia(draft, capabilities_, &out);
  if (!draft.quote_remote_id.empty() && !IsBlueskyPost(draft.quote_remote_id)) {
    out.push_back({"quote_remote_id", "must be the at-URI of a post", "QUOTE_INVALID"});
  }
  CheckTags(draft, &out);
  return out;
}

Answer BlueskyConnector::SendRequest(const Call& call, const Account& account, const std::string& method,
                                     net::ClientRequest request) {
  request.url = BaseOf(account) + "/xrpc/" + method;
  request.bearer = account.credentials.Get("access_token");
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyBluesky(answer.http, answer.json);
  answer.rate = BlueskyRate(answer.http.headers, clock_.WallNow());
  return answer;
}

Answer BlueskyConnector::Ask(const Call& call, const Account& account, const std::string& method, const Json* body) {
  net::ClientRequest request;
  request.method = body == nullptr ? "GET" : "POST";
  if (body != nullptr) SetJson(*body, &request);
  return SendRequest(call, account, method, std::move(request));
}

Answer BlueskyConnector::GetRecord(const Call& call, const Account& account, const char* collection,
                                   const std::string& rkey) {
  Answer answer = Ask(call, account,
                      "com.atproto.repo.getRecord?repo=" + net::UrlEncode(account.remote_id) +
                          "&collection=" + collection + "&rkey=" + net::UrlEncode(rkey));
  // Servers before 2025 have no name for it.
  const bool unnamed = Text(answer.json, "error") == "InvalidRequest" &&
                       Text(answer.json, "message").starts_with("Could not locate record");
  if (answer.answered() && unnamed) answer.refusal.error = ErrorClass::kNotFound;
  return answer;
}

Answer BlueskyConnector::GetPosts(const Call& call, const Account& account, const std::vector<std::string>& uris) {
  std::string query;
  for (const std::string& uri : uris) query += (query.empty() ? "?uris=" : "&uris=") + net::UrlEncode(uri);
  return Ask(call, account, "app.bsky.feed.getPosts" + query);
}

Answer BlueskyConnector::PutRecord(const Call& call, const Account& account, const char* collection,
                                   const std::string& rkey, const Json& record, const Json& swap) {
  const Json body = {{"repo", account.remote_id},
                     {"collection", collection},
                     {"rkey", rkey},
                     {"record", record},
                     {"swapRecord", swap}};
  return Ask(call, account, "com.atproto.repo.putRecord", &body);
}

Outcome BlueskyConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  switch (write.kind) {
    case WriteKind::kPost:
    case WriteKind::kReply:
      return Post(call, account, write);
    case WriteKind::kDelete:
      return Delete(call, account, write);
    case WriteKind::kHide:
    case WriteKind::kUnhide:
      return Hide(call, account, write);
    case WriteKind::kLock:
    case WriteKind::kUnlock:
      return Lock(call, account, write);
    case WriteKind::kBan:
      return Block(call, account, write);
    case WriteKind::kUnban:
      return Unblock(call, account, write);
    case WriteKind::kMute:
    case WriteKind::kUnmute:
      return Mute(call, account, write);
    case WriteKind::kReport:
      return Report(call, account, write);
    default:
      return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(write.kind));
  }
}

StatusOr<Identity> BlueskyConnector::WhoAmI(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "com.atproto.server.getSession");
  if (!answer.ok()) return FailedRead(answer, account);
  Identity me{Text(answer.json, "did"), Text(answer.json, "handle"), Text(answer.json, "handle"), ""};
  if (me.remote_id.empty()) return UnintelligibleRead();
  me.url = "https://bsky.app/profile/" + (me.handle.empty() ? me.remote_id : me.handle);
  return me;
}

}  // namespace parvis::networks
