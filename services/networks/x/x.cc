#include "networks/x/x.h"

#include <algorithm>

#include "networks/text/tweet.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/media.h"
#include "networks/wire/request.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

constexpr int kTextMax = 280;
constexpr int64_t kImageBytesMax = 5 << 20, kGifBytesMax = 15 << 20, kVideoBytesMax = 512 << 20;
constexpr int kAltTextMax = 1000;
constexpr int kStreamRulesMax = 1000;   // facts 3.4; where the plan has fewer, X says so
const char kDocs[] = "https://docs.x.com/x-api (OpenAPI 2.167, 2026-08-22)";

// Whether X could mean this as a challenge. Its answer is made with the key that signs events, and for whoever asks: what can
// be a challenge must never be an event, or anybody could have a forged event signed by us.
bool IsChallenge(std::string_view token) {
  return !token.empty() && token.size() <= 1024 &&
         token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/=.") == std::string_view::npos;
}

// The text as X shows it back: links are t.co links (so a link equals any link), mentions may have been put before a reply,
// and a picture adds a link of its own at the end.
std::string Comparable(const std::string& text, bool reply) {
  std::string out = text::ForComparison(text::ReplaceUrls(text, "\x01"));
  while (!out.empty() && (out.back() == '\x01' || out.back() == ' ')) out.pop_back();
  while (reply && !out.empty() && out[0] == '@') {
    const size_t blank = out.find(' ');
    out = blank == std::string::npos ? "" : out.substr(blank + 1);
  }
  return out;
}

std::string Permalink(const std::string& id) { return "https://x.com/i/web/status/" + id; }

}  // namespace

XConnector::XConnector(net::HttpClient& http, const Clock& clock, const Streaming& streaming)
    : http_(http), clock_(clock), streaming_(streaming) {
  Capabilities& c = capabilities_;
  c.network = "x";
  c.display_name = "X";
  using F = Feature;
  c.Allow({F::kText, F::kLink, F::kImage, F::kGallery, F::kVideo, F::kPoll, F::kThread, F::kQuote, F::kWebhooks, F::kPolling,
           F::kMentions, F::kReply, F::kHide, F::kUnhide, F::kDeleteOwn, F::kMute, F::kPostCounts, F::kImpressions, F::kChannelCounts});
  c.Refuse(F::kTitle, "posts have no title", kDocs);
  c.Refuse(F::kReel, "videos are media of a post", kDocs);
  c.Refuse(F::kStory, "there are none", kDocs);
  c.Refuse(F::kDocument, "media are pictures, GIFs and videos", kDocs);
  c.Refuse(F::kTags, "hashtags stand in the text", kDocs);
  c.Refuse(F::kThumbnail, "the API takes none for a post", kDocs);
  c.Refuse(F::kNativeSchedule, "version 2 of the API has no scheduling", kDocs);
  c.Refuse(F::kNewsletter, "there are none", kDocs);
  c.Refuse(F::kApprove, "replies are not held for approval", kDocs);
  c.Refuse(F::kSpam, "the API takes no reports", kDocs);
  c.Refuse(F::kDelete, "only their author can delete posts: hide the reply", kDocs);
  c.Refuse(F::kBan, "blocking was taken out of the API in June 2023: mute the author", "https://docs.x.com/changelog");
  c.Refuse(F::kReport, "the API takes no reports", kDocs);
  c.Refuse(F::kLock, "who may reply is said when posting, not later", kDocs);
  if (streaming_.client != nullptr && !streaming_.x_bearer_token.empty()) {
    c.Allow({F::kStream});
    c.features[F::kStream].because = "mentions and replies, by one connection for all channels of the app";
    c.stream_channels_max = kStreamRulesMax;
    app_.credentials.fields["x_bearer_token"] = streaming_.x_bearer_token;
  } else {
    c.Leave(F::kStream, "it needs the app's own token, which is not named here; webhooks and polling tell the same");
  }
  c.Leave(F::kMessages, "direct messages are not built");
  c.Leave(F::kPrivateReply, "direct messages are not built");
  c.poll_options_max = 4;
  c.poll_option_text_max = 25;
  c.options = {{"reply_settings", "who may reply", {"following", "mentionedUsers", "subscribers", "verified"}}};
  c.webhooks_bring_comments = true;
  c.counters = {"likes", "comments", "shares", "quotes", "saves", "impressions", "followers", "posts"};
  c.post_text_max = c.reply_text_max = kTextMax;
  c.text_unit = TextUnit::kWeighted;
  c.media_max = 4;
  c.media_types = {"image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4", "video/quicktime"};
  c.media_max_bytes = kImageBytesMax;
  c.gif_max_bytes = kGifBytesMax;
  c.video_max_bytes = kVideoBytesMax;
  c.picture_side_max = 8192;   // ayrshare.com/docs/media-guidelines/x_twitter, 2026-11: not X's own
  c.video_codecs = {"h264"};
  c.audio_codecs = {"aac"};
  c.video_duration_min = absl::Seconds(0.5);   // facts 3.2
  c.video_duration_max = absl::Seconds(140);
  c.credential_fields = {"access_token"};
  // Every endpoint has its own window (facts 3.5): 100 posts and replies, 50 hides, 50 deletions in 15 minutes.
  c.budgets = {{WriteKind::kPost, "create"}, {WriteKind::kReply, "create"}, {WriteKind::kHide, "hide"},
               {WriteKind::kUnhide, "hide"}, {WriteKind::kDelete, "delete"}, {WriteKind::kMute, "mute"}, {WriteKind::kUnmute, "mute"}};
}

// X finds links by rules of its own, without "https://" too; the rest is as elsewhere.
Appearance XConnector::Show(const Draft& draft) const {
  Appearance out = ShowText(TextWithLink(draft), draft, capabilities_);
  std::erase_if(out.facets, [](const text::Facet& facet) { return facet.kind == text::Facet::Kind::kLink; });
  size_t from = 0;
  for (const std::string& url : text::ExtractUrls(out.text)) {
    const size_t at = out.text.find(url, from);
    if (at == std::string::npos) continue;   // it was normalised before it was found
    from = at + url.size();
    std::erase_if(out.facets, [&](const text::Facet& facet) { return facet.begin < from && at < facet.end; });
    out.facets.push_back({text::Facet::Kind::kLink, at, from, url});
  }
  std::sort(out.facets.begin(), out.facets.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  if (from > 0) out.remarks.push_back("links are shown shortened and lead over t.co; each counts 23 characters");
  return out;
}

int XConnector::TextLength(std::string_view text) const { return text::WeightedLength(text); }

std::vector<Violation> XConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost && kind != WriteKind::kReply) return out;
  CheckText(draft, TextLength(TextWithLink(draft)), kTextMax, "weighted characters (a link counts 23, an emoji or a CJK character 2)", true, &out);
  for (const char* invalid : {"\xEF\xBF\xBE", "\xEF\xBB\xBF", "\xEF\xBF\xBF"}) {   // U+FFFE, U+FEFF, U+FFFF (twitter-text)
    if (draft.text.find(invalid) != std::string::npos) {
      out.push_back({"text", "contains U+FFFE, U+FEFF or U+FFFF, which X refuses", "TEXT_INVALID_CHARACTER"});
      break;
    }
  }
  CheckLink(draft, &out);
  CheckMedia(draft, capabilities_, &out);
  if (draft.poll && (draft.poll->open_for < absl::Minutes(5) || draft.poll->open_for > absl::Minutes(10080))) {
    out.push_back({"poll.open_for", "must be 5 minutes to 7 days", "POLL_DURATION"});
  }
  if ((draft.poll ? 1 : 0) + (draft.media.empty() ? 0 : 1) + (draft.quote_remote_id.empty() ? 0 : 1) > 1) {
    out.push_back({"poll", "a post has pictures, a poll or a quoted post, one of them", "EXCLUSIVE"});
  }
  for (size_t i = 0; i < draft.media.size(); ++i) {
    const std::string field = "media[" + std::to_string(i) + "]";
    if (InPieces(draft.media[i]) && draft.media.size() > 1) {
      out.push_back({field, "a GIF or a video must be the only media", "MEDIA_MIX"});
    }
    if (text::CodePoints(draft.media[i].alt_text) > kAltTextMax) {
      out.push_back({field + ".alt_text", "has more than " + std::to_string(kAltTextMax) + " characters", "TEXT_TOO_LONG"});
    }
  }
  return out;
}

Answer XConnector::SendRequest(const Call& call, const Account& account, net::ClientRequest request) {
  request.bearer = account.credentials.Get("access_token");
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyX(answer.http, answer.json);
  answer.rate = XRate(answer.http.headers, clock_.WallNow());
  return answer;
}

Answer XConnector::Ask(const Call& call, const Account& account, const std::string& method, const std::string& path, const Json* body) {
  net::ClientRequest request;
  request.method = method;
  request.url = BaseOf(account) + path;
  if (body != nullptr) SetJson(*body, &request);
  return SendRequest(call, account, std::move(request));
}

std::optional<Outcome> XConnector::Describe(const Call& call, const Account& account, const Media& media, const std::string& id) {
  if (media.alt_text.empty()) return std::nullopt;
  const Json alt = {{"id", id}, {"metadata", {{"alt_text", {{"text", media.alt_text}}}}}};
  const Answer answer = Ask(call, account, "POST", "/2/media/metadata", &alt);
  if (answer.ok()) return std::nullopt;
  return FailedWrite(answer, account, false);
}

// One-shot image upload (facts 3.2); videos and GIFs go in pieces. Nobody sees an uploaded image before the post that carries it.
XConnector::Upload XConnector::UploadMedia(const Call& call, const Account& account, const Draft& draft) {
  Upload upload;
  const auto failed = [&](Outcome outcome) {
    outcome.budget = "media";   // its headers say nothing of the posts' window
    upload.failed = std::move(outcome);
    return upload;
  };
  for (size_t i = 0; i < draft.media.size(); ++i) {
    const Media& media = draft.media[i];
    if (InPieces(media)) {
      std::optional<Outcome> ended;
      const auto id = UploadInPieces(call, account, media, &ended);
      if (!id.ok()) return failed(MediaFailed(id.status()));
      if (ended) return failed(*std::move(ended));
      if (auto refused = Describe(call, account, media, *id)) return failed(*std::move(refused));
      upload.ids.push_back(*id);
      continue;
    }
    const auto bytes = MediaBytes(http_, call, media, kImageBytesMax);
    if (!bytes.ok()) return failed(MediaFailed(bytes.status()));
    net::ClientRequest request;
    request.method = "POST";
    request.url = BaseOf(account) + "/2/media/upload";
    FormData form;
    form.AddField("media_category", "tweet_image");
    form.AddField("media_type", media.type);
    form.AddFile("media", MediaFileName(media, i), media.type, *bytes);
    form.MoveTo(&request);
    Answer answer = SendRequest(call, account, std::move(request));
    const std::string id = answer.ok() ? Text(Member(answer.json, "data"), "id") : "";
    if (id.empty()) return failed(FailedWrite(answer, account, false));
    if (auto refused = Describe(call, account, media, id)) return failed(*std::move(refused));
    upload.ids.push_back(id);
  }
  return upload;
}

Outcome XConnector::Tweet(const Call& call, const Account& account, const Write& write) {
  Json body = Json::object();
  if (const std::string text = TextWithLink(write.draft); !text.empty()) body["text"] = text;
  if (!write.draft.media.empty()) {
    const Upload upload = UploadMedia(call, account, write.draft);
    if (upload.failed) return *upload.failed;
    body["media"] = {{"media_ids", upload.ids}};
  }
  if (const auto& poll = write.draft.poll) {
    body["poll"] = {{"options", poll->options}, {"duration_minutes", absl::ToInt64Minutes(poll->open_for)}};
  }
  if (!write.draft.quote_remote_id.empty()) body["quote_tweet_id"] = write.draft.quote_remote_id;
  for (const auto& [name, value] : write.draft.options) body[name] = value;   // Check lets only the known ones through
  // A thread is posts of which each answers the one before.
  if (!write.target_remote_id.empty()) body["reply"] = {{"in_reply_to_tweet_id", write.target_remote_id}};
  const Answer answer = Ask(call, account, "POST", "/2/tweets", &body);
  if (!answer.ok()) return WithPermissionHint(FailedWrite(answer, account), write);
  Outcome out;
  out.remote_id = Text(Member(answer.json, "data"), "id");
  if (out.remote_id.empty()) return UnclearWrite(answer);
  out.kind = OutcomeKind::kAccepted;
  out.permalink = Permalink(out.remote_id);
  out.rate = answer.rate;
  return out;
}

Outcome XConnector::Changed(const Answer& answer, const Account& account, const char* key, const std::string& id) const {
  if (!answer.ok()) return FailedWrite(answer, account);
  const Json& state = Member(Member(answer.json, "data"), key);
  if (!state.is_boolean()) return UnclearWrite(answer);
  Outcome out;
  out.kind = OutcomeKind::kAccepted;
  out.remote_id = id;
  out.rate = answer.rate;
  return out;
}

// Whom: the person named, else the author of the target, who is asked for first.
Outcome XConnector::Mute(const Call& call, const Account& account, const Write& write) {
  std::string whom = write.target_author_id;
  if (whom.empty()) {
    const Answer answer = Ask(call, account, "GET", "/2/tweets/" + net::UrlEncode(write.target_remote_id) + "?tweet.fields=author_id");
    if (!answer.ok()) return FailedWrite(answer, account, false);
    whom = Text(Member(answer.json, "data"), "author_id");
  }
  if (whom.empty()) return RefusedBeforeSending(ErrorClass::kInvalid, "the target does not tell its author");
  const std::string path = "/2/users/" + net::UrlEncode(account.remote_id) + "/muting";
  if (write.kind == WriteKind::kUnmute) return Changed(Ask(call, account, "DELETE", path + "/" + net::UrlEncode(whom)), account, "muting", whom);
  const Json body = {{"target_user_id", whom}};
  return Changed(Ask(call, account, "POST", path, &body), account, "muting", whom);
}

Outcome XConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  if (write.kind == WriteKind::kMute || write.kind == WriteKind::kUnmute) return Mute(call, account, write);
  const std::string path = "/2/tweets/" + net::UrlEncode(write.target_remote_id);
  switch (write.kind) {
    case WriteKind::kPost:
    case WriteKind::kReply:
      return Tweet(call, account, write);
    case WriteKind::kHide:
    case WriteKind::kUnhide: {
      const Json body = {{"hidden", write.kind == WriteKind::kHide}};
      return Changed(Ask(call, account, "PUT", path + "/hidden", &body), account, "hidden", write.target_remote_id);
    }
    case WriteKind::kDelete:
      return Changed(Ask(call, account, "DELETE", path), account, "deleted", write.target_remote_id);
    default:
      break;
  }
  return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(write.kind));
}

bool XConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost:
      return item.parent_remote_id == write.target_remote_id && Comparable(TextWithLink(write.draft), false) == Comparable(item.text, false);
    case WriteKind::kReply:
      return item.parent_remote_id == write.target_remote_id && Comparable(TextWithLink(write.draft), true) == Comparable(item.text, true);
    case WriteKind::kHide:
      return item.hidden;
    case WriteKind::kUnhide:
      return !item.hidden;
    default:
      return false;   // what is deleted and still there was not deleted
  }
}

StatusOr<HandshakeAnswer> XConnector::Handshake(const WebhookCall& call, const std::vector<Secret>& app_secrets, const Secret&) const {
  const auto query = net::ParseQuery(call.query);
  const auto token = query.find("crc_token");
  if (call.method != "GET" || token == query.end() || !IsChallenge(token->second)) {
    return MakeError(Code::kInvalidArgument, "HANDSHAKE_MALFORMED", "crc_token is needed, a plain word of at most 1024 characters");
  }
  if (app_secrets.empty() || app_secrets.front().empty()) {
    return MakeError(Code::kFailedPrecondition, "APP_SECRET_MISSING", "no consumer secret is known to answer with");
  }
  const Json body = {{"response_token", "sha256=" + ToBase64(HmacSha256(app_secrets.front().Reveal(), token->second))}};
  return HandshakeAnswer{200, "application/json", body.dump()};
}

Status XConnector::VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const {
  if (IsChallenge(call.body)) {
    return MakeError(Code::kUnauthenticated, "SIGNATURE_WRONG", "an event is a JSON object; this could be the answer to a challenge");
  }
  return CheckSha256Signature(net::HeaderOf(call.headers, "x-twitter-webhooks-signature"), Encoding::kBase64, call.body,
                              app_secrets);
}

}  // namespace parvis::networks
