// A feed is whatever a stranger's server sends: everything that comes out is UTF-8, bounded, and leads nowhere but to
// the web.
#include <cstdlib>

#include "networks/feed/feed.h"
#include "networks/text/unicode.h"

using namespace parvis;            // NOLINT: a program, not a header
using namespace parvis::networks;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static constexpr const char* kTypes[] = {"",
                                           "text/xml; charset=windows-1252",
                                           "application/rss+xml; charset=shift_jis",
                                           "text/xml; charset=utf-7",
                                           "text/xml; charset=iso-2022-kr",
                                           "x; charset=gb18030"};
  const std::string type = kTypes[size == 0 ? 0 : data[size - 1] % std::size(kTypes)];
  if (!text::IsUtf8(FeedToUtf8(input, type))) abort();
  const auto feed = ParseFeed(input, type, "https://site.example/a/b?c#d");
  (void)ParseFeedTime(input);
  const std::string url = ResolveUrl("https://site.example/a/b?c#d", input);
  if (!url.empty() && (url.rfind("http://", 0) != 0 && url.rfind("https://", 0) != 0)) abort();
  if (!feed.ok()) return 0;
  if (feed->items.size() > kFeedItemsMax) abort();
  for (const FeedItem& item : feed->items) {
    const std::string id = FeedItemId(item);
    if (id.empty() || id.size() > 500 || !text::IsUtf8(id)) abort();
    if (!text::IsUtf8(item.title) || !text::IsUtf8(item.text) || !text::IsUtf8(item.author)) abort();
    if (!item.link.empty() && item.link.rfind("http", 0) != 0) abort();
  }
  return 0;
}
