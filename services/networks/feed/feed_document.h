// A feed as a document: RSS 2.0 (and 0.9x, 1.0), Atom (RFC 4287) and JSON Feed 1.1 read into one shape. Pure and
// bounded for any input: a feed is whatever a stranger's server sends.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/time/time.h>

#include "platform/base/error.h"

namespace parvis::networks {

inline constexpr size_t kFeedBytesMax = 4 << 20;        // of the document, as UTF-8
inline constexpr size_t kFeedItemsMax = 500;            // items behind these are not looked at
inline constexpr int kFeedDepthMax = 100;               // elements within each other
inline constexpr size_t kFeedFieldMax = 256 << 10;      // of one element's text; the rest is left out
inline constexpr size_t kFeedAttributesMax = 64 << 10;  // of one element, all together
inline constexpr size_t kFeedEnclosuresMax = 20;        // of one item

struct FeedItem {
  std::string id;     // Atom's id, RSS's guid, JSON Feed's id; "" when it has none
  std::string link;   // absolute http(s), or ""
  std::string title;  // plain text, like `text`
  std::string text;   // the content, or else the summary
  std::string author;
  std::string dated;  // the date as it stands there
  std::optional<absl::Time> published, updated;
  std::vector<std::pair<std::string, std::string>> enclosures;  // (type, address)
};

struct Feed {
  std::string title, link;            // link: the site's page
  std::string hub, self;              // WebSub: who tells of news, and the address to name there; "" = not said
  std::optional<absl::Time> updated;  // of the feed as a whole
  std::vector<FeedItem> items;        // in the document's order
  // Not empty: the document ends, or breaks, behind these items: "not well-formed (invalid token) in line 7".
  std::string broken;
};

// `url`: where it came from; `content_type`: the header. FAILED_PRECONDITION NOT_A_FEED (another document, or broken
// before anything of a feed was seen), FEED_DOCTYPE (it declares its own entities, which are never expanded),
// FEED_TOO_LARGE.
StatusOr<Feed> ParseFeed(std::string_view body, std::string_view content_type, const std::string& url);

// The body as UTF-8: by its byte order mark, else the header's charset, else its XML declaration, else UTF-8 (RFC 7303
// §3). What cannot be read in that charset becomes U+FFFD; characters that XML does not allow become blanks. At most
// kFeedBytesMax + 1 bytes.
std::string FeedToUtf8(std::string_view body, std::string_view content_type);

// RFC 822 with its two-digit years and zone names, as RSS has it, or RFC 3339 (also with the date alone). nullopt
// outside of the years 1970 to 2200.
std::optional<absl::Time> ParseFeedTime(std::string_view text);

// RFC 3986 §5: `reference` against `base`. "" unless the result is an http(s) address without blanks, of at most 2000
// bytes.
std::string ResolveUrl(const std::string& base, std::string_view reference);

// ---- parts of ParseFeed; `utf8` is UTF-8 ----
StatusOr<Feed> ParseXmlFeed(const std::string& utf8, const std::string& url);
StatusOr<Feed> ParseJsonFeed(const std::string& utf8, const std::string& url);

}  // namespace parvis::networks
