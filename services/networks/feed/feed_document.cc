// Which format a document has, and JSON Feed (https://www.jsonfeed.org/version/1.1/).
#include "networks/feed/feed_document.h"

#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

std::string AuthorOf(const Json& object) {
  const Json& authors = Member(object, "authors");
  const std::string name = authors.is_array() && !authors.empty() ? Text(authors[0], "name") : "";
  return text::CutBytes(name.empty() ? Text(Member(object, "author"), "name") : name, 1000);
}

FeedItem ItemOf(const Json& json, const std::string& url) {
  FeedItem item;
  item.id = Text(json, "id");  // version 1 had numbers
  item.link = ResolveUrl(url, Text(json, "url"));
  if (item.link.empty()) item.link = ResolveUrl(url, Text(json, "external_url"));
  item.title = text::CutBytes(Text(json, "title"), kFeedFieldMax);
  const std::string html = text::CutBytes(Text(json, "content_html"), kFeedFieldMax);
  item.text = html.empty() ? text::CutBytes(Text(json, "content_text"), kFeedFieldMax) : text::HtmlToText(html, false);
  if (item.text.empty()) item.text = text::CutBytes(Text(json, "summary"), kFeedFieldMax);
  item.author = AuthorOf(json);
  item.dated = Text(json, "date_published");
  item.published = ParseFeedTime(item.dated);
  item.updated = ParseFeedTime(Text(json, "date_modified"));
  if (const std::string image = ResolveUrl(url, Text(json, "image")); !image.empty())
    item.enclosures.emplace_back("image", image);
  const Json& attachments = Member(json, "attachments");
  for (size_t i = 0; attachments.is_array() && i < attachments.size() && i < kFeedEnclosuresMax; ++i) {
    std::string address = ResolveUrl(url, Text(attachments[i], "url"));
    if (!address.empty())
      item.enclosures.emplace_back(text::CutBytes(Text(attachments[i], "mime_type"), 200), std::move(address));
  }
  return item;
}

}  // namespace

StatusOr<Feed> ParseJsonFeed(const std::string& utf8, const std::string& url) {
  const Json json = ParseJson(utf8);
  const Json& items = Member(json, "items");
  if (Text(json, "version").rfind("https://jsonfeed.org/version/", 0) != 0 || !items.is_array()) {
    return MakeError(Code::kFailedPrecondition, "NOT_A_FEED", "this address answers with JSON that is no JSON Feed");
  }
  Feed feed;
  feed.title = text::CutBytes(Text(json, "title"), 1000);
  feed.link = ResolveUrl(url, Text(json, "home_page_url"));
  feed.self = ResolveUrl(url, Text(json, "feed_url"));
  const Json& hubs = Member(json, "hubs");
  for (size_t i = 0; hubs.is_array() && feed.hub.empty() && i < hubs.size(); ++i) {
    if (Text(hubs[i], "type") == "WebSub") feed.hub = ResolveUrl(url, Text(hubs[i], "url"));
  }
  for (const Json& item : items) {
    if (feed.items.size() >= kFeedItemsMax) break;
    feed.items.push_back(ItemOf(item, url));
    if (feed.items.back().author.empty()) feed.items.back().author = AuthorOf(json);
  }
  return feed;
}

StatusOr<Feed> ParseFeed(std::string_view body, std::string_view content_type, const std::string& url) {
  const std::string utf8 = FeedToUtf8(body, content_type);
  if (utf8.size() > kFeedBytesMax) {
    return MakeError(Code::kFailedPrecondition, "FEED_TOO_LARGE",
                     "the feed has more than " + std::to_string(kFeedBytesMax >> 20) + " MiB");
  }
  const size_t start = utf8.find_first_not_of(" \t\r\n");
  if (start == std::string::npos)
    return MakeError(Code::kUnavailable, "TRANSIENT", "the feed's address answered with nothing");
  if (utf8[start] == '{') return ParseJsonFeed(utf8, url);
  // Blank lines before the XML declaration are a common fault of templates.
  return ParseXmlFeed(start == 0 ? utf8 : utf8.substr(start), url);
}

}  // namespace parvis::networks
