#include "networks/text/unicode.h"

#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <memory>

namespace parvis::networks::text {
namespace {

// Calls `each(code point, start, end)`; the code point is negative for a malformed sequence.
template <class Each>
void ForEachCodePoint(std::string_view text, Each each) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const size_t size = text.size();
  for (size_t at = 0; at < size;) {
    const size_t start = at;
    UChar32 c;
    U8_NEXT(bytes, at, size, c);
    each(c, start, at);
  }
}

}  // namespace

bool IsUtf8(std::string_view text) {
  bool ok = true;
  ForEachCodePoint(text, [&](UChar32 c, size_t, size_t) { ok = ok && c >= 0; });
  return ok;
}

std::string ToUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  ForEachCodePoint(text, [&](UChar32 c, size_t start, size_t end) {
    if (c < 0) {
      out += "\xEF\xBF\xBD";
    } else if (c != 0) {
      out += text.substr(start, end - start);
    }
  });
  return out;
}

int CodePoints(std::string_view text) {
  int count = 0;
  ForEachCodePoint(text, [&](UChar32, size_t, size_t) { ++count; });
  return count;
}

int Graphemes(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> characters(icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error));
  if (U_FAILURE(error)) return CodePoints(text);
  const icu::UnicodeString wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  characters->setText(wide);
  int count = 0;
  while (characters->next() != icu::BreakIterator::DONE) ++count;
  return count;
}

std::string CutBytes(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

std::string ForComparison(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
  icu::UnicodeString wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  if (U_SUCCESS(error)) wide = nfc->normalize(wide, error);
  icu::UnicodeString out;
  bool blank = false;
  for (int32_t at = 0; at < wide.length(); at = wide.moveIndex32(at, 1)) {
    const UChar32 c = wide.char32At(at);
    if (u_isUWhiteSpace(c)) {
      blank = !out.isEmpty();
      continue;
    }
    if (blank) out.append(static_cast<UChar32>(' '));
    blank = false;
    out.append(c);
  }
  std::string utf8;
  out.toUTF8String(utf8);
  return utf8;
}

}  // namespace parvis::networks::text
