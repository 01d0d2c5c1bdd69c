// RSS and Atom, by expat. No document type is read: the parser is stopped at the first one, before any entity is
// declared. References to others than the five of XML are then not well-formed, and nothing is ever loaded.
#include <expat.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "networks/feed/feed_document.h"
#include "networks/text/html.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

constexpr char kMark = '\n';  // between a namespace and a name; stands in neither

struct Known {
  std::string_view space, prefix;
};
constexpr Known kSpaces[] = {{"http://www.w3.org/2005/Atom", "atom:"},
                             {"http://purl.org/rss/1.0/", ""},
                             {"http://backend.userland.com/rss2", ""},
                             {"http://my.netscape.com/rdf/simple/0.9/", ""},
                             {"http://purl.org/rss/1.0/modules/content/", "content:"},
                             {"http://purl.org/dc/elements/1.1/", "dc:"},
                             {"http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf:"},
                             {"http://www.w3.org/1999/xhtml", "xhtml:"},
                             {"http://www.w3.org/XML/1998/namespace", "xml:"}};

// "http://www.w3.org/2005/Atom" and "entry" -> "atom:entry"; "other:entry" for a vocabulary that is not known.
std::string NameOf(const char* expanded) {
  const std::string_view name(expanded);
  const size_t mark = name.find(kMark);
  if (mark == std::string_view::npos) return std::string(name.substr(0, 64));
  const std::string local(name.substr(mark + 1).substr(0, 64));
  for (const Known& known : kSpaces) {
    if (name.substr(0, mark) == known.space) return std::string(known.prefix) + local;
  }
  return "other:" + local;
}

std::string Trimmed(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "";
  return std::string(text.substr(start, text.find_last_not_of(" \t\r\n") - start + 1));
}

class Reader {
 public:
  explicit Reader(const std::string& url) : url_(url), parser_(XML_ParserCreateNS("UTF-8", kMark), XML_ParserFree) {}

  StatusOr<Feed> Read(const std::string& utf8) {
    XML_Parser parser = parser_.get();
    if (parser == nullptr) return MakeError(Code::kResourceExhausted, "NO_MEMORY", "no memory for reading a feed");
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, OnStart, OnEnd);
    XML_SetCharacterDataHandler(parser, OnText);
    XML_SetStartDoctypeDeclHandler(parser, OnDoctype);
    const bool whole = XML_Parse(parser, utf8.data(), static_cast<int>(utf8.size()), 1) == XML_STATUS_OK;
    if (doctype_) {
      return MakeError(
          Code::kFailedPrecondition, "FEED_DOCTYPE",
          "the feed has a document type declaration, which is not read: its entities could grow without end");
    }
    if (!whole && !full_) {
      feed_.broken = too_deep_.empty()
                         ? std::string("not well-formed (") + XML_ErrorString(XML_GetErrorCode(parser)) + ")"
                         : too_deep_;
      feed_.broken += " in line " + std::to_string(XML_GetCurrentLineNumber(parser));
    }
    if (!known_) {
      const bool page = root_ == "html" || root_ == "xhtml:html" || root_ == "HTML";
      return MakeError(Code::kFailedPrecondition, "NOT_A_FEED",
                       page            ? "this address answers with an HTML page, not with a feed"
                       : root_.empty() ? "this address answers with something that is not XML"
                                       : "this address answers with XML that is neither RSS nor Atom");
    }
    if (!feed_.broken.empty() && feed_.items.empty()) {
      return MakeError(Code::kFailedPrecondition, "NOT_A_FEED",
                       "the feed breaks before its first item: " + feed_.broken);
    }
    return std::move(feed_);
  }

 private:
  struct Level {
    std::string name, base;
  };
  using Attributes = const XML_Char**;

  static void OnStart(void* self, const XML_Char* name, Attributes attributes) {
    static_cast<Reader*>(self)->Start(name, attributes);
  }
  static void OnEnd(void* self, const XML_Char*) { static_cast<Reader*>(self)->End(); }
  static void OnText(void* self, const XML_Char* text, int length) {
    static_cast<Reader*>(self)->Characters(std::string_view(text, static_cast<size_t>(length)));
  }
  static void OnDoctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    Reader* reader = static_cast<Reader*>(self);
    reader->doctype_ = true;
    reader->Stop();
  }
  void Stop() {
    stopped_ = true;
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  static std::string Attribute(Attributes attributes, std::string_view name) {
    for (; *attributes != nullptr; attributes += 2) {
      if (NameOf(attributes[0]) == name) return text::CutBytes(attributes[1], 4096);
    }
    return "";
  }

  void Start(const char* expanded, Attributes attributes) {
    if (stopped_) return;
    size_t size = 0;
    for (Attributes at = attributes; *at != nullptr; ++at) size += std::string_view(*at).size();
    if (size > kFeedAttributesMax || levels_.size() >= static_cast<size_t>(kFeedDepthMax)) {
      too_deep_ = size > kFeedAttributesMax ? "its attributes are too large" : "its elements are nested too deeply";
      return Stop();
    }
    Level level{NameOf(expanded), levels_.empty() ? url_ : levels_.back().base};
    if (const std::string base = Attribute(attributes, "xml:base"); !base.empty()) {
      if (std::string resolved = ResolveUrl(level.base, base); !resolved.empty()) level.base = std::move(resolved);
    }
    if (levels_.empty()) {
      root_ = level.name;
      known_ = root_ == "rss" || root_ == "rdf:RDF" || root_ == "atom:feed";
      if (!known_) return Stop();
    }
    levels_.push_back(std::move(level));
    if (capture_ > 0) {  // markup within an element: XHTML, or HTML that nobody escaped
      if (markup_) Append("<" + Local(levels_.back().name) + ">");
      return;
    }
    Enter(levels_.back().name, attributes);
  }

  static std::string Local(const std::string& name) { return name.substr(name.find(':') + 1); }

  void Enter(const std::string& name, Attributes attributes) {
    const size_t depth = levels_.size();
    if (item_ == 0 && (name == "item" || name == "atom:entry") && depth <= 3) {
      if (feed_.items.size() >= kFeedItemsMax) {
        full_ = true;
        return Stop();
      }
      item_ = depth;
      now_ = FeedItem();
      content_.clear();
      summary_.clear();
      guid_is_link_ = false;
      return;
    }
    const bool of_item = item_ > 0 && depth == item_ + 1;
    const bool of_feed = item_ == 0 && (depth == 2 || (depth == 3 && levels_[1].name == "channel"));
    const bool of_author = item_ > 0 && depth == item_ + 2 && levels_[depth - 2].name == "atom:author";
    if (!of_item && !of_feed && !(of_author && name == "atom:name")) return;
    if (name == "atom:link" || name == "enclosure") return Link(name, attributes);
    if (name == "atom:author" || name == "channel") return;
    capture_ = depth;
    captured_.clear();
    type_ = Attribute(attributes, "type");
    source_ = Attribute(attributes, "src");
    const bool rss_text = name == "title" || name == "description" || name == "content:encoded";
    markup_ = rss_text || type_ == "xhtml";
    raw_markup_ = type_ == "xhtml";
    if (name == "guid") guid_is_link_ = Attribute(attributes, "isPermaLink") != "false";
  }

  void Link(const std::string& name, Attributes attributes) {
    const std::string& base = levels_.back().base;
    const std::string url = ResolveUrl(base, Attribute(attributes, name == "enclosure" ? "url" : "href"));
    const std::string rel = Attribute(attributes, "rel");
    if (url.empty()) return;
    if (name == "enclosure" || rel == "enclosure") {
      if (item_ > 0 && now_.enclosures.size() < kFeedEnclosuresMax)
        now_.enclosures.emplace_back(Attribute(attributes, "type"), url);
    } else if (item_ == 0 && (rel == "hub" || rel == "self")) {
      std::string& link = rel == "hub" ? feed_.hub : feed_.self;
      if (link.empty()) link = url;
    } else if (rel.empty() || rel == "alternate") {
      std::string& link = item_ > 0 ? now_.link : feed_.link;
      if (link.empty()) link = url;
    }
  }

  void Append(std::string_view text) {
    if (captured_.size() < kFeedFieldMax) captured_ += text::CutBytes(text, kFeedFieldMax - captured_.size());
  }

  void Characters(std::string_view text) {
    if (stopped_ || capture_ == 0) return;
    raw_markup_ ? Append(text::EscapeHtml(text)) : Append(text);
  }

  void End() {
    if (stopped_ || levels_.empty()) return;
    const size_t depth = levels_.size();
    if (capture_ == depth) {
      capture_ = 0;
      const Level level = levels_.back();
      item_ > 0 ? TakeOfItem(level) : TakeOfFeed(level);
    } else if (capture_ > 0 && markup_) {
      Append("</" + Local(levels_.back().name) + ">");
    } else if (item_ == depth) {
      item_ = 0;
      TakeItem();
    }
    levels_.pop_back();
  }

  // Plain text of what was captured: RSS's texts are HTML (mostly), Atom says what they are.
  std::string Plain(const std::string& name) const {
    const bool atom = name.rfind("atom:", 0) == 0;
    const bool html = !atom || type_ == "html" || type_ == "xhtml" || type_ == "text/html";
    return html ? text::HtmlToText(Trimmed(captured_), false) : Trimmed(captured_);
  }

  void TakeOfFeed(const Level& level) {
    const std::string& name = level.name;
    if (name == "title" || name == "atom:title") {
      if (feed_.title.empty()) feed_.title = text::CutBytes(Plain(name), 1000);
    } else if (name == "link") {
      if (feed_.link.empty()) feed_.link = ResolveUrl(level.base, captured_);
    } else if (name == "lastBuildDate" || name == "pubDate" || name == "atom:updated" || name == "dc:date") {
      if (!feed_.updated) feed_.updated = ParseFeedTime(captured_);
    }
  }

  void TakeOfItem(const Level& level) {
    const std::string& name = level.name;
    if (name == "guid" || name == "atom:id") {
      now_.id = Trimmed(captured_);
      if (name == "guid" && guid_is_link_) guid_link_ = ResolveUrl(level.base, captured_);
    } else if (name == "title" || name == "atom:title") {
      now_.title = Plain(name);
    } else if (name == "link") {
      now_.link = ResolveUrl(level.base, captured_);
    } else if (name == "description" || name == "atom:summary") {
      summary_ = Plain(name);
    } else if (name == "content:encoded" || name == "atom:content") {
      const bool text =
          type_.empty() || type_ == "text" || type_ == "html" || type_ == "xhtml" || type_.rfind("text/", 0) == 0;
      if (text && source_.empty()) content_ = Plain(name);
    } else if (name == "pubDate" || name == "atom:published" || name == "dc:date") {
      now_.published = ParseFeedTime(captured_);
      now_.dated = Trimmed(captured_);
    } else if (name == "atom:updated") {
      now_.updated = ParseFeedTime(captured_);
      if (now_.dated.empty()) now_.dated = Trimmed(captured_);
    } else if (name == "author" || name == "dc:creator" || name == "atom:name") {
      if (now_.author.empty()) now_.author = text::CutBytes(text::HtmlToText(Trimmed(captured_), false), 1000);
    }
  }

  void TakeItem() {
    now_.text = content_.empty() ? summary_ : content_;
    if (now_.link.empty()) now_.link = guid_link_;
    guid_link_.clear();
    feed_.items.push_back(std::move(now_));
  }

  const std::string url_;
  const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser_;
  Feed feed_;
  std::vector<Level> levels_;
  std::string root_, too_deep_;
  bool known_ = false, doctype_ = false, full_ = false, stopped_ = false;
  size_t item_ = 0, capture_ = 0;  // the depth of the open item, of the element whose text is taken; 0 = none
  bool markup_ = false;            // elements within it are kept as tags
  bool raw_markup_ = false;        // its characters are text, not escaped HTML
  bool guid_is_link_ = false;
  FeedItem now_;
  std::string captured_, type_, source_, content_, summary_, guid_link_;
};

}  // namespace

StatusOr<Feed> ParseXmlFeed(const std::string& utf8, const std::string& url) { return Reader(url).Read(utf8); }

}  // namespace parvis::networks
