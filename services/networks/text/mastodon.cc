#include "networks/text/mastodon.h"

#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <string>

#include "networks/text/tweet_urls.h"
#include "networks/text/unicode.h"

namespace parvis::networks::text {
namespace {

constexpr int kUrlLength = 23;
constexpr int32_t kRegexSteps = 500;   // ICU's unit: about a millisecond each

// "@user@host" becomes "@user".
icu::UnicodeString WithoutHosts(const icu::UnicodeString& text) {
  const char pattern[] = R"((?<![/\w])(@[a-z0-9_]+(?:[a-z0-9_.-]*[a-z0-9_])?)@[\w.-]+\w)";
  UErrorCode error = U_ZERO_ERROR;
  icu::RegexMatcher matcher(icu::UnicodeString::fromUTF8(pattern), text, UREGEX_CASE_INSENSITIVE, error);
  if (U_FAILURE(error)) return text;
  matcher.setTimeLimit(kRegexSteps, error);
  icu::UnicodeString out = matcher.replaceAll(icu::UnicodeString("$1"), error);
  return U_SUCCESS(error) ? out : text;
}

}  // namespace

int MastodonLength(std::string_view text) {
  const auto wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  icu::UnicodeString counted;
  int32_t at = 0;
  for (const Span& url : FindUrls(wide)) {
    const icu::UnicodeString found = wide.tempSubStringBetween(url.begin, url.end);
    if (found.indexOf("://") < 0) continue;   // a bare domain is text
    counted.append(wide.tempSubStringBetween(at, url.begin));
    for (int i = 0; i < kUrlLength; ++i) counted.append(static_cast<UChar32>('x'));
    at = url.end;
  }
  counted.append(wide.tempSubString(at));
  std::string utf8;
  WithoutHosts(counted).toUTF8String(utf8);
  return Graphemes(utf8);
}

}  // namespace parvis::networks::text
