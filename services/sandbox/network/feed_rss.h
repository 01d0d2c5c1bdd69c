// RSS 2.0 as /feed shows it and its hub sends it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "sandbox/domain/model.h"

namespace parvis::sandbox {

inline constexpr char kFeedHub[] = "/feed/hub";                          // where the hub of these feeds is
inline constexpr char kHttpTime[] = "%a, %d %b %Y %H:%M:%S GMT";  // also RFC 822's, as RSS has it

// Text for XML 1.0, which has no control characters but three.
std::string Xml(std::string_view text);
std::string Html(std::string_view text);
std::string FeedTime(const char* format, absl::Time time);   // in UTC

struct FeedShown {
  const AccountPtr& site;
  std::string url, page, hub;  // of the feed, of the site, and of who tells of its news
  std::vector<ItemPtr> items;
  absl::Time changed;
  std::string LinkOf(const Item& item) const;
};
std::string Rss(const FeedShown& shown);

}  // namespace parvis::sandbox
