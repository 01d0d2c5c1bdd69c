#include "networks/text/facets.h"

#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "networks/text/tlds.h"
#include "networks/text/unicode.h"

namespace parvis::networks::text {
namespace {

constexpr size_t kTextBytesMax = 20000;
constexpr int32_t kTagUnitsMax = 64;
constexpr int32_t kRegexSteps = 500;   // ICU's unit: about a millisecond each

bool InList(std::string_view list, const std::string& tld) {
  while (!list.empty()) {
    const size_t bar = list.find('|');
    if (list.substr(0, bar) == tld) return true;
    if (bar == std::string_view::npos) break;
    list.remove_prefix(bar + 1);
  }
  return false;
}

bool EndsInTld(const std::string& domain) {
  const size_t dot = domain.rfind('.');
  if (dot == std::string::npos) return false;
  const std::string tld = domain.substr(dot + 1);
  return InList(kGenericTlds, tld) || InList(kCountryTlds, tld);
}

std::string Utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

// Calls `each` for every match of `pattern`.
void ForEachMatch(const char* pattern, uint32_t flags, const icu::UnicodeString& text,
                  const std::function<void(icu::RegexMatcher&)>& each) {
  UErrorCode error = U_ZERO_ERROR;
  icu::RegexMatcher matcher(icu::UnicodeString::fromUTF8(pattern), text, flags, error);
  if (U_FAILURE(error)) return;
  matcher.setTimeLimit(kRegexSteps, error);
  while (matcher.find(error) && U_SUCCESS(error)) each(matcher);
}

class Finder {
 public:
  explicit Finder(const icu::UnicodeString& text) : text_(text) {}

  void Mentions() {
    ForEachMatch(R"((^|\s|\()(@)([a-zA-Z0-9.-]+)(\b))", 0, text_, [&](icu::RegexMatcher& match) {
      UErrorCode error = U_ZERO_ERROR;
      const int32_t begin = match.start(2, error), end = match.end(3, error);
      const std::string handle = Utf8(text_.tempSubStringBetween(begin + 1, end));
      if (EndsInTld(handle) || handle.ends_with(".test")) Add(Facet::Kind::kMention, begin, end, handle);
    });
  }

  void Links() {
    const char pattern[] = R"((^|\s|\()((https?://\S+)|(([a-z][a-z0-9]*(\.[a-z0-9]+)+)\S*)))";
    ForEachMatch(pattern, UREGEX_CASE_INSENSITIVE | UREGEX_MULTILINE, text_, [&](icu::RegexMatcher& match) {
      UErrorCode error = U_ZERO_ERROR;
      const int32_t begin = match.start(2, error);
      int32_t end = match.end(2, error);
      std::string uri = Utf8(text_.tempSubStringBetween(begin, end));
      if (!uri.starts_with("http")) {
        if (match.start(5, error) < 0) return;
        if (!EndsInTld(Utf8(text_.tempSubStringBetween(match.start(5, error), match.end(5, error))))) return;
        uri = "https://" + uri;
      }
      const auto cut = [&] {
        uri.pop_back();
        --end;
      };
      if (std::string_view(".,;:!?").find(uri.back()) != std::string_view::npos) cut();
      if (uri.back() == ')' && uri.find('(') == std::string::npos) cut();
      Add(Facet::Kind::kLink, begin, end, uri);
    });
  }

  void Tags() {
    const char pattern[] =
        R"((^|\s)[#＃]((?!\ufe0f)[^\s\u00AD\u2060\u200A\u200B\u200C\u200D\u20e2]*)"
        R"([^\d\s\p{P}\u00AD\u2060\u200A\u200B\u200C\u200D\u20e2]+[^\s\u00AD\u2060\u200A\u200B\u200C\u200D\u20e2]*)?)";
    ForEachMatch(pattern, 0, text_, [&](icu::RegexMatcher& match) {
      UErrorCode error = U_ZERO_ERROR;
      const int32_t begin = match.start(2, error);
      if (begin < 0) return;
      int32_t end = match.end(2, error);
      while (end > begin && u_ispunct(text_.char32At(end - 1))) end = text_.moveIndex32(end, -1);
      if (end == begin || end - begin > kTagUnitsMax) return;
      Add(Facet::Kind::kTag, begin - 1, end, Utf8(text_.tempSubStringBetween(begin, end)));
    });
  }

  std::vector<Facet> Take() { return std::move(facets_); }

 private:
  void Add(Facet::Kind kind, int32_t begin, int32_t end, std::string value) {
    const size_t first = Utf8(text_.tempSubStringBetween(0, begin)).size();
    const Facet facet{kind, first, first + Utf8(text_.tempSubStringBetween(begin, end)).size(), std::move(value)};
    const bool taken = std::any_of(facets_.begin(), facets_.end(),
                                   [&](const Facet& f) { return facet.begin < f.end && f.begin < facet.end; });
    if (!taken) facets_.push_back(facet);
  }

  const icu::UnicodeString& text_;
  std::vector<Facet> facets_;
};

}  // namespace

std::vector<Facet> FindFacets(std::string_view text) {
  if (text.size() > kTextBytesMax || !IsUtf8(text)) return {};
  const auto wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  Finder finder(wide);
  finder.Mentions();
  finder.Links();
  finder.Tags();
  return finder.Take();
}

}  // namespace parvis::networks::text
