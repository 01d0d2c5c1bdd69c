// WebSub notifications of new, changed and deleted videos (facts 4.4): Atom, read by expat, which stops at a document
// type declaration: there are no entities but XML's own, so nothing grows and nothing is fetched.
#include <expat.h>

#include <cstring>
#include <memory>

#include "networks/text/unicode.h"
#include "networks/wire/request.h"
#include "networks/wire/webhook_json.h"
#include "networks/wire/websub.h"
#include "networks/youtube/youtube.h"

namespace parvis::networks {
namespace {

constexpr size_t kBodyMax = 4 << 20;
constexpr int kDepthMax = 32;
constexpr size_t kIdMax = 256, kNameMax = 4096;
constexpr std::string_view kGoogle = "https://www.googleapis.com";

// Names as expat gives them: namespace, blank, local name.
constexpr std::string_view kEntry = "http://www.w3.org/2005/Atom entry";
constexpr std::string_view kAuthorName = "http://www.w3.org/2005/Atom name";
constexpr std::string_view kAuthorUri = "http://www.w3.org/2005/Atom uri";
constexpr std::string_view kFeed = "http://www.w3.org/2005/Atom feed";
constexpr std::string_view kVideoId = "http://www.youtube.com/xml/schemas/2015 videoId";
constexpr std::string_view kChannelId = "http://www.youtube.com/xml/schemas/2015 channelId";
constexpr std::string_view kDeleted = "http://purl.org/atompub/tombstones/1.0 deleted-entry";
constexpr std::string_view kByUri = "http://purl.org/atompub/tombstones/1.0 uri";

struct Entry {
  bool deleted = false;
  std::string video, channel, author, uri, when;
};

struct Reading {
  XML_Parser parser = nullptr;
  WebhookContent* content = nullptr;
  Entry entry;
  bool in_entry = false, feed = false;
  int depth = 0, entry_depth = 0;
  size_t entries = 0;
  std::string* text = nullptr;  // of the element being read
  size_t text_max = 0;
  const char* stopped = nullptr;  // why we stopped
};

void Stop(Reading* r, const char* why) {
  if (r->stopped == nullptr) r->stopped = why;
  XML_StopParser(r->parser, XML_FALSE);
}

std::string Attribute(const XML_Char** attributes, std::string_view name) {
  for (; *attributes != nullptr; attributes += 2) {
    if (attributes[0] == name) return text::CutBytes(attributes[1], kIdMax);
  }
  return "";
}

void Collect(Reading* r, std::string* into, size_t max) {
  into->clear();
  r->text = into;
  r->text_max = max;
}

void XMLCALL OnStart(void* data, const XML_Char* name, const XML_Char** attributes) {
  auto* r = static_cast<Reading*>(data);
  if (++r->depth > kDepthMax) return Stop(r, "TOO_DEEP");
  r->text = nullptr;
  const std::string_view element = name;
  if (r->depth == 1) r->feed = element == kFeed;
  if (!r->in_entry) {
    if (element != kEntry && element != kDeleted) return;
    if (++r->entries > kPageItemsMax) return Stop(r, "UNKNOWN_SHAPE");
    r->in_entry = true;
    r->entry_depth = r->depth;
    r->entry = Entry();
    if (element == kDeleted) {
      r->entry.deleted = true;
      constexpr std::string_view kRef = "yt:video:";
      const std::string ref = Attribute(attributes, "ref");
      if (ref.rfind(kRef, 0) == 0) r->entry.video = ref.substr(kRef.size());
      r->entry.when = Attribute(attributes, "when");
    }
    return;
  }
  if (element == kVideoId) return Collect(r, &r->entry.video, kIdMax);
  if (element == kChannelId) return Collect(r, &r->entry.channel, kIdMax);
  if (element == kAuthorName) return Collect(r, &r->entry.author, kNameMax);
  if (element == kAuthorUri || element == kByUri) return Collect(r, &r->entry.uri, kIdMax);
}

void XMLCALL OnText(void* data, const XML_Char* text, int length) {
  auto* r = static_cast<Reading*>(data);
  if (r->text == nullptr || r->text->size() >= r->text_max) return;
  r->text->append(text, static_cast<size_t>(length));
}

std::string Trimmed(const std::string& value) {
  const size_t first = value.find_first_not_of(" \t\r\n"), last = value.find_last_not_of(" \t\r\n");
  return first == std::string::npos ? "" : value.substr(first, last - first + 1);
}

// The channel's id in "http://www.youtube.com/channel/UC...".
std::string ChannelIn(const std::string& uri) {
  constexpr std::string_view kPath = "/channel/";
  const size_t at = uri.rfind(kPath);
  return at == std::string::npos ? "" : uri.substr(at + kPath.size());
}

// An own post is no message: a new or changed video is understood and passed over, as other networks' own posts are.
// That one is gone is told.
void Finish(Reading* r) {
  const Entry& entry = r->entry;
  const std::string channel = Trimmed(entry.channel).empty() ? ChannelIn(Trimmed(entry.uri)) : Trimmed(entry.channel);
  const auto miss = [&](const char* what) {
    r->content->unparsed.push_back({"video " + text::CutBytes(entry.video, kIdMax), "MISSING_FIELD", what});
  };
  if (Trimmed(entry.video).empty() || entry.video.size() > kIdMax) return miss("yt:videoId");
  if (channel.empty() || channel.size() > kIdMax) return miss(entry.deleted ? "at:by" : "yt:channelId");
  if (!entry.deleted) {
    ++r->content->ignored;
    return;
  }
  const auto when = ParseIsoTime(Trimmed(entry.when));
  if (!when || *when < absl::UnixEpoch()) return miss("when");
  Happening h;
  h.kind = Happening::Kind::kRemoval;
  h.account_remote_id = h.author_remote_id = channel;
  h.remote_id = h.thread = h.conversation = h.post_remote_id = Trimmed(entry.video);
  h.author_name = text::CutBytes(Trimmed(entry.author), kNameMax);
  h.by_us = true;  // a subscription is to the feed of the account's own channel
  h.occurred_at = *when;
  h.revision = RevisionOf(*when);
  h.permalink = "https://www.youtube.com/watch?v=" + net::UrlEncode(h.remote_id);
  r->content->happenings.push_back(std::move(h));
}

void XMLCALL OnEnd(void* data, const XML_Char*) {
  auto* r = static_cast<Reading*>(data);
  r->text = nullptr;
  if (r->in_entry && r->depth == r->entry_depth) {
    Finish(r);
    r->in_entry = false;
  }
  --r->depth;
}

void XMLCALL OnDoctype(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
  Stop(static_cast<Reading*>(data), "DTD_REFUSED");
}

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

}  // namespace

WebhookContent YouTubeConnector::ParseWebhook(std::string_view body) const {
  WebhookContent content;
  const auto refuse = [&](const char* reason, const std::string& detail) {
    content.unparsed.push_back({std::string(body), reason, detail});
    return content;
  };
  if (body.size() > kBodyMax) return refuse("UNKNOWN_SHAPE", "more than 4 MiB");
  const std::unique_ptr<XML_ParserStruct, FreeParser> parser(XML_ParserCreateNS(nullptr, ' '));
  if (parser == nullptr) return refuse("NOT_XML", "no memory");
  Reading reading;
  reading.parser = parser.get();
  reading.content = &content;
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), OnStart, OnEnd);
  XML_SetCharacterDataHandler(parser.get(), OnText);
  XML_SetStartDoctypeDeclHandler(parser.get(), OnDoctype);
  XML_SetParamEntityParsing(parser.get(), XML_PARAM_ENTITY_PARSING_NEVER);
  if (XML_Parse(parser.get(), body.data(), static_cast<int>(body.size()), XML_TRUE) != XML_STATUS_OK) {
    // What came before the fault is not trusted either: the notification comes again, or the next one does.
    content = WebhookContent();
    if (reading.stopped != nullptr) return refuse(reading.stopped, "the parser was stopped");
    return refuse("NOT_XML", XML_ErrorString(XML_GetErrorCode(parser.get())));
  }
  if (!reading.feed) return refuse("UNKNOWN_SHAPE", "no Atom feed");
  if (content.happenings.empty() && content.unparsed.empty() && content.ignored == 0) ++content.ignored;
  return content;
}

StatusOr<Hub> YouTubeConnector::FindHub(const Call&, const Account& account) {
  const std::string base = BaseOf(account);
  return Hub{.url = (base == kGoogle ? "https://pubsubhubbub.appspot.com" : base) + "/subscribe",
             .topic = "https://www.youtube.com/xml/feeds/videos.xml?channel_id=" + net::UrlEncode(account.remote_id),
             .tells_all = false};  // of videos, never of comments
}

StatusOr<HandshakeAnswer> YouTubeConnector::Handshake(const WebhookCall& call, const std::vector<Secret>&,
                                                      const Secret& verify_token) const {
  PARVIS_ASSIGN_OR_RETURN(const HubQuestion question, ParseHubQuestion(call));
  // Two forms of the topic are in use (facts 4.4): the channel is what counts.
  const size_t mark = question.topic.find('?');
  const auto query = net::ParseQuery(mark == std::string::npos ? std::string_view()
                                                               : std::string_view(question.topic).substr(mark + 1));
  const auto channel = query.find("channel_id");
  if (channel == query.end() || channel->second.empty()) {
    return MakeError(Code::kInvalidArgument, "HANDSHAKE_MALFORMED", "the topic is no feed of a YouTube channel");
  }
  return AnswerHub(question, verify_token);
}

Status YouTubeConnector::VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const {
  return CheckHubSignature(net::HeaderOf(call.headers, "X-Hub-Signature"), call.body, app_secrets);
}

}  // namespace parvis::networks
