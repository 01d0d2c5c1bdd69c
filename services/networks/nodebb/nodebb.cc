#include "networks/nodebb/nodebb.h"

#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr int kTextMax = 32767;  // as shipped (install/data/defaults.json)
constexpr int kTagsMax = 5, kTagMax = 15;
constexpr int64_t kUploadBytesMax = 2 << 20;  // maximumFileSize as shipped
const char kOpenApi[] = "https://github.com/NodeBB/NodeBB/tree/master/public/openapi (v4.15.1)";

}  // namespace

NodeBbConnector::NodeBbConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "nodebb";
  c.display_name = "NodeBB";
  using F = Feature;
  c.Allow({F::kText,   F::kTitle,   F::kLink,    F::kImage,      F::kGallery,      F::kDocument,
           F::kThread, F::kTags,    F::kPolling, F::kReply,      F::kPrivateReply, F::kHide,
           F::kUnhide, F::kApprove, F::kSpam,    F::kDelete,     F::kDeleteOwn,    F::kBan,
           F::kMute,   F::kReport,  F::kLock,    F::kPostCounts, F::kImpressions,  F::kChannelCounts});
  c.features[F::kHide].because = "a post is deleted so that moderators still see it and can bring it back";
  c.Refuse(F::kReel, "forums have one kind of post", kOpenApi);
  c.Refuse(F::kStory, "forums have one kind of post", kOpenApi);
  c.Refuse(F::kThumbnail, "videos have no pictures of their own", kOpenApi);
  c.Refuse(F::kPoll, "polls are a plugin's, with no interface of the core", kOpenApi);
  c.Refuse(F::kNewsletter, "the forum's digest is its own", kOpenApi);
  c.Refuse(F::kWebhooks, "its core calls nobody; posts are read instead", kOpenApi);
  c.Leave(F::kVideo, "a forum shows an uploaded video as a link; put a link to it into the text");
  c.Leave(F::kQuote, "quote in the text, with \"> \" before each line");
  c.Leave(F::kNativeSchedule, "it needs a right that few accounts have; Parvis keeps the time itself");
  c.Leave(F::kStream, "its socket is what its own pages use, and is not described as an interface");
  c.Leave(F::kMentions, "every post comes in, with a mention of us or without");
  c.Leave(F::kMessages, "chats are written to, not read");
  c.needs_title = true;
  c.post_text_max = c.reply_text_max = kTextMax;
  c.title_max = 255;           // as shipped
  c.media_max = 10;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf"};
  c.media_max_bytes = kUploadBytesMax;
  c.settle = absl::Seconds(1);
  c.credential_fields = {"access_token"};
  c.options = {{"category", "the number of the category (cid) that a topic goes into; without, category 1", {}}};
  c.linked = {text::Facet::Kind::kLink, text::Facet::Kind::kMention};
  c.counters = {"likes", "dislikes", "comments", "views", "posts", "topics"};
}

int NodeBbConnector::TextLength(std::string_view text) const { return text::CodePoints(text); }

std::vector<Violation> NodeBbConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost && kind != WriteKind::kReply && kind != WriteKind::kPrivateReply) return out;
  CheckText(draft, TextLength(TextWithLink(draft)), kTextMax, "characters", true, &out);
  CheckTitle(kind, draft, capabilities_, "a topic", &out);
  CheckMedia(draft, capabilities_, &out);
  CheckLink(draft, &out);
  if (draft.tags.size() > kTagsMax)
    out.push_back({"tags", "at most " + std::to_string(kTagsMax) + " are allowed", "TOO_MANY_TAGS"});
  for (size_t i = 0; i < draft.tags.size(); ++i) {
    const int length = text::CodePoints(draft.tags[i]);
    if (!text::IsUtf8(draft.tags[i]) || length < 1 || length > kTagMax) {
      out.push_back({"tags[" + std::to_string(i) + "]", "must have 1 to " + std::to_string(kTagMax) + " characters",
                     "TAG_INVALID"});
    }
  }
  const auto category = draft.options.find("category");
  if (category != draft.options.end() && !IsNumber(category->second)) {
    out.push_back({"options[category]", "must be the number of a category", "OPTION_VALUE"});
  }
  return out;
}

Answer NodeBbConnector::SendRequest(const Call& call, const Account& account, const std::string& path,
                                    net::ClientRequest request) {
  request.url = BaseOf(account) + path;
  const Secret& uid = account.credentials.Get("uid");
  if (!uid.empty()) {  // whom a master token acts for
    request.url += (path.find('?') == std::string::npos ? "?_uid=" : "&_uid=") + net::UrlEncode(uid.Reveal());
  }
  request.bearer = account.credentials.Get("access_token");
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyNodeBb(answer.http, answer.json);
  answer.rate = NodeBbRate(answer.http, answer.json);
  return answer;
}

Answer NodeBbConnector::Ask(const Call& call, const Account& account, const std::string& method,
                            const std::string& path, const Json* body) {
  net::ClientRequest request;
  request.method = method;
  if (body != nullptr) SetJson(*body, &request);
  return SendRequest(call, account, path, std::move(request));
}

Answer NodeBbConnector::AskPost(const Call& call, const Account& account, const std::string& pid) {
  return Ask(call, account, "GET", "/api/v3/posts/" + net::UrlEncode(pid));
}

StatusOr<Identity> NodeBbConnector::WhoAmI(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "GET", "/api/self");
  if (!answer.ok()) return FailedRead(answer, account);
  const std::string uid = Text(answer.json, "uid");
  if (uid.empty()) return UnintelligibleRead();
  // A token that is none makes us a guest, who may read.
  if (uid == "0") return MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "the forum takes us for a guest");
  Identity identity;
  identity.remote_id = BaseOf(account);
  identity.name = text::ToUtf8(Text(answer.json, "username"));
  identity.handle = Text(answer.json, "userslug");
  identity.url = identity.remote_id + "/user/" + net::UrlEncode(identity.handle);
  return identity;
}

bool NodeBbConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost:
    case WriteKind::kReply: {
      // The text as it was written, with what uploads added after it.
      const std::string wanted = text::ForComparison(TextWithLink(write.draft)), is = text::ForComparison(item.text);
      const bool same = write.draft.media.empty() ? is == wanted : is.compare(0, wanted.size(), wanted) == 0;
      const bool there = write.kind != WriteKind::kReply || item.parent_remote_id.empty() ||
                         item.parent_remote_id == write.target_remote_id;
      return same && there;
    }
    case WriteKind::kHide:
    case WriteKind::kLock:
    case WriteKind::kBan:
    case WriteKind::kMute:
      return item.hidden;
    case WriteKind::kUnhide:
    case WriteKind::kUnlock:
    case WriteKind::kUnban:
    case WriteKind::kUnmute:
      return !item.hidden;
    default:
      return false;  // what is deleted and still there was not deleted
  }
}

}  // namespace parvis::networks
