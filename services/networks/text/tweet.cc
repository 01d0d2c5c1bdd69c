#include "networks/text/tweet.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "networks/text/tweet_urls.h"

namespace parvis::networks::text {
namespace {

constexpr int kUrlWeight = 23;
constexpr UChar32 kJoiner = 0x200D, kTextStyle = 0xFE0E, kEmojiStyle = 0xFE0F, kKeycap = 0x20E3;

icu::UnicodeString Normalized(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::UnicodeString wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
  if (U_FAILURE(error)) return wide;
  icu::UnicodeString out = nfc->normalize(wide, error);
  return U_SUCCESS(error) ? out : wide;
}

bool Is(UChar32 c, UProperty property) { return u_hasBinaryProperty(c, property); }
UChar32 At(const icu::UnicodeString& text, int32_t at) { return at < text.length() ? text.char32At(at) : 0; }

// End of one emoji without joiners that begins at `at`, or `at` if there is none.
int32_t SimpleEmojiEnd(const icu::UnicodeString& text, int32_t at) {
  const UChar32 first = At(text, at);
  int32_t next = at + U16_LENGTH(first);
  if (Is(first, UCHAR_REGIONAL_INDICATOR)) {
    const UChar32 second = At(text, next);
    return Is(second, UCHAR_REGIONAL_INDICATOR) ? next + U16_LENGTH(second) : next;
  }
  if ((first >= '0' && first <= '9') || first == '#' || first == '*') {
    if (At(text, next) == kEmojiStyle) ++next;
    return At(text, next) == kKeycap ? next + 1 : at;
  }
  if (!Is(first, UCHAR_EMOJI)) return at;
  const UChar32 second = At(text, next);
  if (second == kTextStyle) return at;
  if (second == kEmojiStyle) {
    ++next;
  } else if (Is(first, UCHAR_EMOJI_MODIFIER_BASE) && Is(second, UCHAR_EMOJI_MODIFIER)) {
    next += U16_LENGTH(second);
  } else if (first <= 0xFF) {
    return at;   // the signs for copyright and trade mark are text unless told otherwise
  }
  if (At(text, next) == kKeycap) ++next;
  // Flags of regions: tags, then the end tag.
  int32_t tag = next;
  while (At(text, tag) >= 0xE0020 && At(text, tag) <= 0xE007E) tag += 2;
  return tag > next && At(text, tag) == 0xE007F ? tag + 2 : next;
}

// End of the longest emoji that begins at `at`: joined ones only as far as Unicode recommends them for interchange, as X
// draws no others.
int32_t EmojiEnd(const icu::UnicodeString& text, int32_t at) {
  const int32_t simple = SimpleEmojiEnd(text, at);
  int32_t best = simple;
  int32_t end = simple;
  while (end > at && At(text, end) == kJoiner) {
    const int32_t more = SimpleEmojiEnd(text, end + 1);
    if (more == end + 1) break;
    end = more;
    if (u_stringHasBinaryProperty(text.getBuffer() + at, end - at, UCHAR_RGI_EMOJI)) best = end;
  }
  return best;
}

int WeightOf(UChar32 c) {
  const bool light = c <= 0x10FF || (c >= 0x2000 && c <= 0x200D) || (c >= 0x2010 && c <= 0x201F) || (c >= 0x2032 && c <= 0x2037);
  return light ? 1 : 2;
}

}  // namespace

int WeightedLength(std::string_view text) {
  const icu::UnicodeString wide = Normalized(text);
  const std::vector<Span> urls = FindUrls(wide);
  size_t next_url = 0;
  int length = 0;
  for (int32_t at = 0; at < wide.length();) {
    if (next_url < urls.size() && urls[next_url].begin == at) {
      length += kUrlWeight;
      at = urls[next_url++].end;
      continue;
    }
    if (const int32_t end = EmojiEnd(wide, at); end > at) {
      length += 2;
      at = end;
      continue;
    }
    const UChar32 c = wide.char32At(at);
    length += WeightOf(c);
    at += U16_LENGTH(c);
  }
  return length;
}

std::vector<std::string> ExtractUrls(std::string_view text) {
  const icu::UnicodeString wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  std::vector<std::string> out;
  for (const Span& span : FindUrls(wide)) {
    out.emplace_back();
    wide.tempSubStringBetween(span.begin, span.end).toUTF8String(out.back());
  }
  return out;
}

std::string ReplaceUrls(std::string_view text, std::string_view replacement) {
  const icu::UnicodeString wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  std::string out;
  int32_t at = 0;
  for (const Span& span : FindUrls(wide)) {
    wide.tempSubStringBetween(at, span.begin).toUTF8String(out);
    out += replacement;
    at = span.end;
  }
  wide.tempSubString(at).toUTF8String(out);
  return out;
}

}  // namespace parvis::networks::text
