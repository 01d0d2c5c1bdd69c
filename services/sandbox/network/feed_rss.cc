#include "sandbox/network/feed_rss.h"

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {

std::string Xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c);
    }
  }
  return out;
}

std::string Html(std::string_view text) {
  std::string out = "<p>";
  for (const char c : Xml(text)) out += c == '\n' ? std::string("<br/>") : std::string(1, c);
  return out + "</p>";
}

std::string FeedTime(const char* format, absl::Time time) { return absl::FormatTime(format, time, absl::UTCTimeZone()); }

std::string FeedShown::LinkOf(const Item& item) const {
  return Cat(page, "/items/", item.id.substr(item.id.rfind(':') + 1));
}

std::string Rss(const FeedShown& shown) {
  std::string out = Cat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
      "xmlns:atom=\"http://www.w3.org/2005/Atom\">\n<channel>\n<title>",
      Xml(shown.site->name), "</title>\n<link>", shown.page, "</link>\n<atom:link href=\"", shown.url,
      "\" rel=\"self\" type=\"application/rss+xml\"/>\n<atom:link href=\"", shown.hub,
      "\" rel=\"hub\"/>\n<description>All about ", Xml(shown.site->name), "</description>\n<lastBuildDate>",
      FeedTime(kHttpTime, shown.changed), "</lastBuildDate>\n");
  for (const ItemPtr& item : shown.items) {
    Append(out, "<item>\n");
    if (!item->title.empty()) Append(out, "<title>", Xml(item->title), "</title>\n");
    Append(out, "<link>", shown.LinkOf(*item), "</link>\n<guid isPermaLink=\"false\">", Xml(item->id),
           "</guid>\n<dc:creator>", Xml(item->author_name), "</dc:creator>\n<pubDate>",
           FeedTime(kHttpTime, item->created), "</pubDate>\n<description>", Xml(Html(item->text)),
           "</description>\n</item>\n");
  }
  return out + "</channel>\n</rss>\n";
}

}  // namespace parvis::sandbox
