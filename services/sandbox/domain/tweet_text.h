// How X counts and changes the text of a post (facts 0.3): NFC first; code points U+0000-10FF, 2000-200D, 2010-201F and
// 2032-2037 weigh 1, all others 2; an emoji sequence weighs 2; a URL weighs 23. At most 280.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parvis::sandbox {

inline constexpr int kTweetWeightMax = 280;
inline constexpr int kTweetUrlWeight = 23;

struct TweetCheck {
  int weight = 0;
  bool valid = false;  // 1..280 and no code point that X refuses (U+FFFE, U+FEFF, U+FFFF)
};
// `text` is UTF-8; bytes that are not count as U+FFFD.
TweetCheck CheckTweet(std::string_view text);

// The URLs of the text as twitter-text finds them, in order, as parts of the NFC form of the text.
std::vector<std::string> TweetUrls(std::string_view text);

// The text as X stores it: every URL replaced by https://t.co/<10 letters made from `salt`, the URL and its place>.
struct ShortenedTweet {
  std::string text;
  std::vector<std::pair<std::string, std::string>> urls;  // (t.co link, what was written)
};
ShortenedTweet ShortenUrls(std::string_view text, std::string_view salt);

// The longest beginning of `text` that X accepts, cut between words where there are any.
std::string FitTweet(std::string_view text);

}  // namespace parvis::sandbox
