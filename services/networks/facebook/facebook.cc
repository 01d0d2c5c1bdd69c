#include "networks/facebook/facebook.h"

#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

constexpr int kPostTextMax = 63206;    // facts 0.3
constexpr int kReplyTextMax = 8000;
const char kDocs[] = "https://developers.facebook.com/docs/graph-api/reference (SDK specification of 2026-04-15)";
constexpr int64_t kPhotoBytesMax = 4 << 20;

std::string Joined(const std::string& base, const std::string& path) {
  return (!base.empty() && base.back() == '/' ? base.substr(0, base.size() - 1) : base) + path;
}

}  // namespace

FacebookConnector::FacebookConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "facebook";
  c.display_name = "Facebook";
  using F = Feature;
  c.Allow({F::kText, F::kLink, F::kImage, F::kGallery, F::kWebhooks, F::kPolling, F::kReply, F::kPrivateReply, F::kHide, F::kUnhide,
           F::kDelete, F::kDeleteOwn, F::kBan, F::kPostCounts, F::kChannelCounts});
  c.Refuse(F::kTitle, "posts have no title", kDocs);
  c.Refuse(F::kDocument, "a Page's post takes pictures and videos", kDocs);
  c.Refuse(F::kPoll, "the API creates none", kDocs);
  c.Refuse(F::kThread, "posts do not continue each other", kDocs);
  c.Refuse(F::kTags, "hashtags stand in the text", kDocs);
  c.Refuse(F::kNewsletter, "there are none", kDocs);
  c.Refuse(F::kStream, "what happens is told by webhook", kDocs);
  c.Refuse(F::kApprove, "the Page API has no queue of held comments", kDocs);
  c.Refuse(F::kSpam, "the API takes no reports: hide the comment", kDocs);
  c.Refuse(F::kMute, "the API blocks people or does not", kDocs);
  c.Refuse(F::kReport, "the API takes no reports", kDocs);
  c.Refuse(F::kLock, "comments below a post cannot be closed", kDocs);
  c.Refuse(F::kImpressions, "impressions and reach were taken out of every version in 2025 and 2026",
           "https://developers.facebook.com/docs/platforminsights/page/deprecated-metrics");
  c.Leave(F::kVideo, "uploads in pieces are not built");
  c.Leave(F::kReel, "uploads of reels are not built");
  c.Leave(F::kStory, "uploads of stories are not built");
  c.Leave(F::kQuote, "sharing a post is done by its link");
  c.Leave(F::kThumbnail, "videos are not built");
  c.Leave(F::kNativeSchedule, "Parvis schedules: a change of plan never reaches the network");
  c.Leave(F::kMentions, "mentions elsewhere are not built");
  c.Leave(F::kMessages, "messages are not read");
  c.counters = {"likes", "comments", "shares", "followers"};
  c.post_text_max = kPostTextMax;
  c.reply_text_max = kReplyTextMax;
  c.text_unit = TextUnit::kCodePoints;
  c.media_max = 10;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "image/webp"};
  c.media_max_bytes = kPhotoBytesMax;
  c.credential_fields = {"access_token"};
}

int FacebookConnector::TextLength(std::string_view text) const { return text::CodePoints(text); }

std::vector<Violation> FacebookConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost && kind != WriteKind::kReply && kind != WriteKind::kPrivateReply) return out;
  const bool post = kind == WriteKind::kPost;
  // A post shows a link as a preview of its own, a post with pictures or a comment only in its text.
  const bool link_in_text = !post || !draft.media.empty();
  const std::string counted = link_in_text ? TextWithLink(draft) : draft.text;
  CheckText(draft, TextLength(counted), post ? kPostTextMax : kReplyTextMax, "characters", true, &out);
  CheckLink(draft, &out);
  CheckMedia(draft, capabilities_, &out);
  if (kind == WriteKind::kPrivateReply && !draft.media.empty()) out.push_back({"media", "a private reply takes no pictures", "TOO_MANY_MEDIA"});
  if (!post && draft.media.size() > 1) out.push_back({"media", "a comment takes one picture", "TOO_MANY_MEDIA"});
  for (size_t i = 0; i < draft.media.size(); ++i) {
    if (draft.media[i].url.empty()) {
      out.push_back({"media[" + std::to_string(i) + "].url", "is needed: Facebook fetches pictures from a public address", "MEDIA_URL"});
    }
  }
  return out;
}

Answer FacebookConnector::Ask(const Call& call, const Account& account, const std::string& method, const std::string& path, Fields fields) {
  net::ClientRequest request;
  request.method = method;
  request.url = Joined(account.base_url, path);
  const Secret& token = account.credentials.Get("access_token");
  if (const Secret& app_secret = account.credentials.Get("app_secret"); !app_secret.empty()) {
    fields.emplace_back("appsecret_proof", ToHex(HmacSha256(app_secret.Reveal(), token.Reveal())));
  }
  const std::string encoded = net::FormEncode(fields);
  if (method == "POST") {
    request.headers["Content-Type"] = "application/x-www-form-urlencoded";
    request.body = encoded;
  } else if (!encoded.empty()) {
    request.url += "?" + encoded;
  }
  request.secret_parameter = "access_token";
  request.secret_value = token;
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyFacebook(answer.http, answer.json);
  answer.rate = FacebookRate(answer.http.headers, account.remote_id);
  return answer;
}

Outcome FacebookConnector::Created(const Answer& answer, const Account& account, const char* id_key) const {
  if (!answer.ok()) return FailedWrite(answer, account);
  Outcome out;
  out.remote_id = Text(answer.json, id_key);
  if (out.remote_id.empty()) out.remote_id = Text(answer.json, "id");
  if (out.remote_id.empty()) return UnclearWrite(answer);
  out.kind = OutcomeKind::kAccepted;
  out.permalink = Text(answer.json, "permalink_url");
  out.rate = answer.rate;
  return out;
}

Outcome FacebookConnector::Changed(const Answer& answer, const Account& account, const std::string& id) const {
  if (!answer.ok()) return FailedWrite(answer, account);
  const Json& success = Member(answer.json, "success");
  if (!success.is_boolean()) return UnclearWrite(answer);
  Outcome out;
  if (!success.get<bool>()) {
    out = RefusedBeforeSending(ErrorClass::kInvalid, "the network answered success: false");
  } else {
    out.kind = OutcomeKind::kAccepted;
    out.remote_id = id;
  }
  out.rate = answer.rate;
  return out;
}

Outcome FacebookConnector::PostPhotos(const Call& call, const Account& account, const Write& write, Fields fields) {
  const std::string path = "/" + net::UrlEncode(account.remote_id) + "/photos";
  const auto photo = [&](const Media& media) {
    Fields out = {{"url", media.url}};
    if (!media.alt_text.empty()) out.emplace_back("alt_text_custom", media.alt_text);
    return out;
  };
  const std::vector<Media>& media = write.draft.media;
  if (media.size() == 1) {
    Fields one = photo(media[0]);
    one.emplace_back("caption", TextWithLink(write.draft));
    return Created(Ask(call, account, "POST", path, std::move(one)), account, "post_id");
  }
  Json attached = Json::array();
  for (const Media& item : media) {
    Fields one = photo(item);
    one.emplace_back("published", "false");
    const Answer answer = Ask(call, account, "POST", path, std::move(one));
    // Nobody sees an unpublished photo: whatever happened to it, the post has not been made.
    if (!answer.ok()) return FailedWrite(answer, account, false);
    const std::string id = Text(answer.json, "id");
    if (id.empty()) {
      Outcome out = UnclearWrite(answer);
      out.kind = OutcomeKind::kNotSent;
      out.reason = ReasonName(ErrorClass::kTransient);
      return out;
    }
    attached.push_back({{"media_fbid", id}});
  }
  fields.emplace_back("attached_media", attached.dump());
  return Created(Ask(call, account, "POST", "/" + net::UrlEncode(account.remote_id) + "/feed", std::move(fields)), account, "id");
}

Outcome FacebookConnector::Post(const Call& call, const Account& account, const Write& write) {
  Fields fields = {{"fields", "id,permalink_url"}};
  const std::string text = write.draft.media.empty() ? write.draft.text : TextWithLink(write.draft);
  if (!text.empty()) fields.emplace_back("message", text);
  if (!write.draft.media.empty()) return PostPhotos(call, account, write, std::move(fields));
  if (!write.draft.link.empty()) fields.emplace_back("link", write.draft.link);
  return Created(Ask(call, account, "POST", "/" + net::UrlEncode(account.remote_id) + "/feed", std::move(fields)), account, "id");
}

// A message to the author of a comment: once, within seven days (facts 1.4).
Outcome FacebookConnector::PrivateReply(const Call& call, const Account& account, const Write& write) {
  const Json recipient = {{"comment_id", write.target_remote_id}};
  const Json message = {{"text", TextWithLink(write.draft)}};
  Fields fields = {{"recipient", recipient.dump()},
                   {"messaging_type", "RESPONSE"},
                   {"message", message.dump(-1, ' ', false, Json::error_handler_t::replace)}};
  return Created(Ask(call, account, "POST", "/" + net::UrlEncode(account.remote_id) + "/messages", std::move(fields)), account, "message_id");
}

// Whom: the person named, else the author of the target, who is asked for first.
Outcome FacebookConnector::Ban(const Call& call, const Account& account, const Write& write) {
  std::string whom = write.target_author_id;
  if (whom.empty() && !write.target_remote_id.empty()) {
    const Answer answer = Ask(call, account, "GET", "/" + net::UrlEncode(write.target_remote_id), {{"fields", "id,from{id}"}});
    if (!answer.ok()) return FailedWrite(answer, account, false);
    whom = Text(Member(answer.json, "from"), "id");
  }
  if (whom.empty()) return RefusedBeforeSending(ErrorClass::kInvalid, "nobody is named, and the target does not tell its author");
  const bool ban = write.kind == WriteKind::kBan;
  const Answer answer = Ask(call, account, ban ? "POST" : "DELETE", "/" + net::UrlEncode(account.remote_id) + "/blocked", {{"user", whom}});
  if (!answer.ok()) return FailedWrite(answer, account);
  // {"<person>": true} for a block, {"success": true} for its end; either is a yes.
  const auto yes = [&](const char* key) { return Member(answer.json, key) == Json(true); };
  if (!yes(whom.c_str()) && !yes("success")) return UnclearWrite(answer);
  Outcome out;
  out.kind = OutcomeKind::kAccepted;
  out.remote_id = whom;
  out.rate = answer.rate;
  return out;
}

Outcome FacebookConnector::Execute(const Call& call, const Account& account, const Write& write) {
  if (!capabilities_.Can(write.kind)) return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(FeatureOf(write.kind)));
  if (write.kind == WriteKind::kBan || write.kind == WriteKind::kUnban) return Ban(call, account, write);
  const std::string target = "/" + net::UrlEncode(write.target_remote_id);
  if (write.kind != WriteKind::kPost && write.target_remote_id.empty()) {
    return RefusedBeforeSending(ErrorClass::kInvalid, "no target is named");
  }
  switch (write.kind) {
    case WriteKind::kPost:
      return Post(call, account, write);
    case WriteKind::kReply: {
      Fields fields = {{"fields", "id,permalink_url"}, {"message", TextWithLink(write.draft)}};
      if (!write.draft.media.empty()) fields.emplace_back("attachment_url", write.draft.media[0].url);
      return Created(Ask(call, account, "POST", target + "/comments", std::move(fields)), account, "id");
    }
    case WriteKind::kPrivateReply:
      return PrivateReply(call, account, write);
    case WriteKind::kHide:
    case WriteKind::kUnhide: {
      const bool hide = write.kind == WriteKind::kHide;
      return Changed(Ask(call, account, "POST", target, {{"is_hidden", hide ? "true" : "false"}}), account, write.target_remote_id);
    }
    case WriteKind::kDelete:
      return Changed(Ask(call, account, "DELETE", target, {}), account, write.target_remote_id);
    default:
      break;
  }
  return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(FeatureOf(write.kind)));
}

bool FacebookConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost: {
      const std::string text = write.draft.media.empty() ? write.draft.text : TextWithLink(write.draft);
      return text::ForComparison(text) == text::ForComparison(item.text);
    }
    case WriteKind::kReply:
      return text::ForComparison(TextWithLink(write.draft)) == text::ForComparison(item.text);
    case WriteKind::kHide:
      return item.hidden;
    case WriteKind::kUnhide:
      return !item.hidden;
    default:
      return false;   // what is deleted and still there was not deleted
  }
}

}  // namespace parvis::networks
