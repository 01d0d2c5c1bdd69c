// The patterns are twitter-text's (js/src/regexp/*.js at version 3.1.0, Copyright 2018 Twitter, Inc., Apache-2.0),
// written for ICU's regular expressions.
#include "networks/text/tweet_urls.h"

#include <unicode/regex.h>

#include <memory>
#include <string>

#include "networks/text/tlds.h"

namespace parvis::networks::text {
namespace {

constexpr int32_t kTextUnitsMax = 20000;
constexpr int32_t kUrlUnitsMax = 4096;
constexpr int kLabelMax = 63;      // RFC 1035 §2.3.4
constexpr int kTcoSlugMax = 40;
constexpr int32_t kRegexSteps = 500;   // ICU's unit: about a millisecond each

const char kLatin[] =
    "\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u00FF\\u0100-\\u024F\\u0253\\u0254\\u0256\\u0257\\u0259\\u025B\\u0263\\u0268"
    "\\u026F\\u0272\\u0289\\u028B\\u02BB\\u0300-\\u036F\\u1E00-\\u1EFF";
const char kInvalid[] = "\\uFFFE\\uFEFF\\uFFFF";
const char kDirectional[] = "\\u202A-\\u202E\\u061C\\u200E\\u200F\\u2066\\u2067\\u2068\\u2069";
const char kSpaces[] = "\\u0009-\\u000D\\u0020\\u0085\\u00A0\\u1680\\u180E\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000";
const char kPunctuation[] = "!'#%\\&()*+,\\\\\\-./:;<=>?@\\[\\]\\^_\\{|\\}~\\$";

struct Patterns {
  std::unique_ptr<icu::RegexPattern> url, ascii_domain, tco;
};

std::unique_ptr<icu::RegexPattern> Compile(const std::string& pattern) {
  UErrorCode error = U_ZERO_ERROR;
  UParseError where;
  std::unique_ptr<icu::RegexPattern> compiled(
      icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(pattern), UREGEX_CASE_INSENSITIVE, where, error));
  return U_SUCCESS(error) ? std::move(compiled) : nullptr;
}

Patterns MakePatterns() {
  const std::string domain_char = std::string("[^") + kPunctuation + kSpaces + kInvalid + kDirectional + "]";
  const std::string subdomain = "(?:(?:" + domain_char + "(?:[_\\-]|" + domain_char + ")*)?" + domain_char + "\\.)";
  const std::string name = "(?:(?:" + domain_char + "(?:-|" + domain_char + ")*)?" + domain_char + "\\.)";
  const std::string end = ")(?=[^0-9a-zA-Z@+\\-]|\\z))";
  const std::string tld = std::string("(?:(?:(?:") + kGenericTlds + end + "|(?:(?:" + kCountryTlds + end + "|(?:xn--[\\-0-9a-z]+))";
  const std::string path_set =
      std::string("[a-z\\u0400-\\u04FF0-9!\\*';:=\\+,\\.\\$/%\\#\\[\\]\\-\\u2013_~@|\\&") + kLatin + "]";
  const std::string parens = "\\((?:" + path_set + "+|(?:" + path_set + "*\\(" + path_set + "+\\)" + path_set + "*))\\)";
  const std::string path_end = std::string("(?:[\\+\\-a-z\\u0400-\\u04FF0-9=_\\#/") + kLatin + "]|(?:" + parens + "))";
  const std::string path = "(?:(?:" + path_set + "*(?:" + parens + path_set + "*)*" + path_end + ")|(?:@" + path_set + "+/))";
  const std::string query = "[a-z0-9!?\\*'@\\(\\);:\\&=\\+\\$/%\\#\\[\\]\\-_\\.,~|]";
  const std::string query_end = "[a-z0-9\\-_\\&=\\#/]";
  const std::string before = std::string("(?:[^A-Za-z0-9@\\uFF20\\$\\#\\uFF03") + kInvalid + "]|[" + kDirectional + "]|^)";
  Patterns out;
  // Groups: 1 the character before, 2 the link, 3 protocol, 4 domain, 5 port, 6 path, 7 query.
  out.url = Compile("(" + before + ")((https?://)?(" + subdomain + "*" + name + tld + ")(?::([0-9]+))?(/" + path + "*)?(\\?" + query + "*" +
                    query_end + ")?)");
  out.ascii_domain = Compile(std::string("(?:(?:[\\-a-z0-9") + kLatin + "]+)\\.)+" + tld);
  out.tco = Compile("https?://t\\.co/([a-z0-9]+)(?:\\?" + query + "*" + query_end + ")?");
  return out;
}

const Patterns& AllPatterns() {
  static const Patterns* const patterns = new Patterns(MakePatterns());
  return *patterns;
}

// Length of the label's ASCII form (RFC 3492, with "xn--" before it when anything had to be encoded).
int AsciiLabelLength(const icu::UnicodeString& label) {
  int basic = 0;
  std::vector<UChar32> points;
  for (int32_t at = 0; at < label.length(); at = label.moveIndex32(at, 1)) {
    points.push_back(label.char32At(at));
    if (points.back() < 0x80) ++basic;
  }
  if (basic == static_cast<int>(points.size())) return basic;
  uint32_t n = 128, delta = 0, bias = 72;
  int handled = basic, length = 4 + basic + (basic > 0 ? 1 : 0);
  while (handled < static_cast<int>(points.size()) && length <= kLabelMax) {
    UChar32 next = 0x10FFFF;
    for (const UChar32 c : points) {
      if (c >= static_cast<UChar32>(n) && c < next) next = c;
    }
    delta += (static_cast<uint32_t>(next) - n) * static_cast<uint32_t>(handled + 1);
    n = static_cast<uint32_t>(next);
    for (const UChar32 c : points) {
      if (c < static_cast<UChar32>(n)) ++delta;
      if (c != static_cast<UChar32>(n)) continue;
      uint32_t q = delta;
      for (uint32_t k = 36;; k += 36) {
        const uint32_t t = k <= bias ? 1 : (k >= bias + 26 ? 26 : k - bias);
        ++length;
        if (q < t) break;
        q = (q - t) / (36 - t);
      }
      uint32_t d = handled == basic ? delta / 700 : delta / 2;
      d += d / static_cast<uint32_t>(handled + 1);
      uint32_t k = 0;
      for (; d > 455; k += 36) d /= 35;
      bias = k + 36 * d / (d + 38);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++n;
  }
  return length;
}

// What the domain grows by in its ASCII form does not matter to us; whether every label fits DNS does.
bool ValidDomain(const icu::UnicodeString& domain) {
  if (domain.startsWith(icu::UnicodeString("xn--"))) {  // an encoded domain holds ASCII only
    for (int32_t at = 0; at < domain.length(); ++at) {
      if (domain.charAt(at) >= 0x80) return false;
    }
  }
  int32_t start = 0;
  while (start <= domain.length()) {
    int32_t dot = domain.indexOf(static_cast<UChar>('.'), start);
    if (dot < 0) dot = domain.length();
    const int length = AsciiLabelLength(domain.tempSubStringBetween(start, dot));
    if (length < 1 || length > kLabelMax) return false;
    start = dot + 1;
  }
  return true;
}

std::unique_ptr<icu::RegexMatcher> MatcherOf(const icu::RegexPattern& pattern, const icu::UnicodeString& text) {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<icu::RegexMatcher> matcher(pattern.matcher(text, error));
  if (U_SUCCESS(error)) matcher->setTimeLimit(kRegexSteps, error);
  return U_SUCCESS(error) ? std::move(matcher) : nullptr;
}

// A link without protocol: the ASCII domains inside `domain` are links; path and query belong to the last one.
void AddBareUrls(const icu::UnicodeString& text, Span domain, int32_t url_end, bool has_path, std::vector<Span>* out) {
  const icu::UnicodeString part = text.tempSubStringBetween(domain.begin, domain.end);
  auto matcher = MatcherOf(*AllPatterns().ascii_domain, part);
  if (!matcher) return;
  UErrorCode error = U_ZERO_ERROR;
  bool any = false;
  while (matcher->find(error) && U_SUCCESS(error)) {
    out->push_back({domain.begin + matcher->start(error), domain.begin + matcher->end(error)});
    any = true;
  }
  if (any && has_path) out->back().end = url_end;
}

}  // namespace

std::vector<Span> FindUrls(const icu::UnicodeString& text) {
  std::vector<Span> out;
  const Patterns& patterns = AllPatterns();
  if (text.indexOf(static_cast<UChar>('.')) < 0 || text.length() > kTextUnitsMax || !patterns.url) return out;
  auto matcher = MatcherOf(*patterns.url, text);
  UErrorCode error = U_ZERO_ERROR;
  while (matcher && matcher->find(error) && U_SUCCESS(error)) {
    const Span url{matcher->start(2, error), matcher->end(2, error)};
    const bool has_protocol = matcher->start(3, error) >= 0;
    const Span domain{matcher->start(4, error), matcher->end(4, error)};
    const bool has_path = matcher->start(6, error) >= 0;
    if (!ValidDomain(text.tempSubStringBetween(domain.begin, domain.end)) || url.end - url.begin > kUrlUnitsMax) continue;
    if (!has_protocol) {
      const icu::UnicodeString before = text.tempSubStringBetween(matcher->start(1, error), matcher->end(1, error));
      if (before.length() > 0 && icu::UnicodeString("-_./").indexOf(before) >= 0) continue;
      AddBareUrls(text, domain, url.end, has_path, &out);
      continue;
    }
    Span found = url;
    const icu::UnicodeString whole = text.tempSubStringBetween(url.begin, url.end);
    if (auto tco = MatcherOf(*patterns.tco, whole); tco && tco->lookingAt(error)) {
      if (tco->end(1, error) - tco->start(1, error) > kTcoSlugMax) continue;
      found.end = url.begin + tco->end(error);
    }
    out.push_back(found);
  }
  return out;
}

}  // namespace parvis::networks::text
