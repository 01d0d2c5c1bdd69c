#include "sandbox/domain/tweet_text.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "sandbox/domain/random.h"
#include "sandbox/domain/tweet_urls.h"

namespace parvis::sandbox {
namespace {

std::u32string Normalised(std::string_view text) {
  icu::UnicodeString utf16 = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int>(text.size())));
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
  if (U_SUCCESS(error)) {
    icu::UnicodeString normal = nfc->normalize(utf16, error);
    if (U_SUCCESS(error)) utf16 = std::move(normal);
  }
  std::u32string out(static_cast<size_t>(utf16.countChar32()), U'\0');
  error = U_ZERO_ERROR;
  utf16.toUTF32(reinterpret_cast<UChar32*>(out.data()), static_cast<int>(out.size()), error);
  return out;
}

std::string Utf8(std::u32string_view text) {
  std::string out;
  icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()), static_cast<int>(text.size()))
      .toUTF8String(out);
  return out;
}

bool Is(char32_t c, UProperty property) { return u_hasBinaryProperty(static_cast<UChar32>(c), property); }

// The end of the emoji sequence (UTS #51) that begins at `at`, or `at` when there is none.
size_t EmojiEnd(std::u32string_view text, size_t at) {
  auto look = [&](size_t i) { return i < text.size() ? text[i] : U'\0'; };
  const char32_t c = text[at];
  if ((c >= U'0' && c <= U'9') || c == U'#' || c == U'*') {  // keycaps
    const size_t i = at + (look(at + 1) == 0xfe0f ? 2 : 1);
    return look(i) == 0x20e3 ? i + 1 : at;
  }
  if (Is(c, UCHAR_REGIONAL_INDICATOR)) return Is(look(at + 1), UCHAR_REGIONAL_INDICATOR) ? at + 2 : at;
  if (c < 0x80 || !Is(c, UCHAR_EMOJI)) return at;
  size_t i = at + 1;
  while (true) {
    if (look(i) == 0xfe0f) ++i;
    if (Is(look(i), UCHAR_EMOJI_MODIFIER)) ++i;
    while (look(i) >= 0xe0020 && look(i) <= 0xe007f) ++i;  // tags of a flag
    if (look(i) != 0x200d || !Is(look(i + 1), UCHAR_EMOJI) || look(i + 1) < 0x80) return i;
    i += 2;
  }
}

int WeightOf(char32_t c) {
  const bool light =
      c <= 0x10ff || (c >= 0x2000 && c <= 0x200d) || (c >= 0x2010 && c <= 0x201f) || (c >= 0x2032 && c <= 0x2037);
  return light ? 1 : 2;
}

TweetCheck Check(std::u32string_view text, const std::vector<std::pair<size_t, size_t>>& urls) {
  TweetCheck check;
  bool refused = false;
  size_t url = 0;
  for (size_t i = 0; i < text.size();) {
    if (url < urls.size() && i == urls[url].first) {
      check.weight += kTweetUrlWeight;
      i = urls[url++].second;
      continue;
    }
    refused |= text[i] == 0xfffe || text[i] == 0xfeff || text[i] == 0xffff;
    const size_t emoji = EmojiEnd(text, i);
    check.weight += emoji > i ? 2 : WeightOf(text[i]);
    i = emoji > i ? emoji : i + 1;
  }
  check.valid = !refused && check.weight >= 1 && check.weight <= kTweetWeightMax;
  return check;
}

}  // namespace

TweetCheck CheckTweet(std::string_view text) {
  const std::u32string normal = Normalised(text);
  return Check(normal, FindUrls(normal));
}

std::vector<std::string> TweetUrls(std::string_view text) {
  const std::u32string normal = Normalised(text);
  std::vector<std::string> out;
  for (const auto& [begin, end] : FindUrls(normal)) {
    out.push_back(Utf8(std::u32string_view(normal).substr(begin, end - begin)));
  }
  return out;
}

ShortenedTweet ShortenUrls(std::string_view text, std::string_view salt) {
  ShortenedTweet out;
  const std::u32string normal = Normalised(text);
  size_t done = 0;
  for (const auto& [begin, end] : FindUrls(normal)) {
    out.text += Utf8(std::u32string_view(normal).substr(done, begin - done));
    const std::string url = Utf8(std::u32string_view(normal).substr(begin, end - begin));
    uint64_t seed = 1469598103934665603ull + begin;
    for (std::string_view part : {salt, std::string_view(url)}) {
      for (unsigned char c : part) seed = (seed ^ c) * 1099511628211ull;
    }
    Rng rng(seed);
    std::string link = "https://t.co/";
    for (int i = 0; i < 10; ++i) {
      link.push_back("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[rng.Below(62)]);
    }
    out.text += link;
    out.urls.emplace_back(std::move(link), url);
    done = end;
  }
  out.text += Utf8(std::u32string_view(normal).substr(done));
  return out;
}

std::string FitTweet(std::string_view text) {
  std::u32string normal = Normalised(text);
  std::erase_if(normal, [](char32_t c) { return c == 0xfffe || c == 0xfeff || c == 0xffff; });
  if (Check(normal, FindUrls(normal)).weight <= kTweetWeightMax) return Utf8(normal);
  // No beginning of more than 280 code points can fit unless it holds URLs; halving finds the longest that does.
  size_t low = 0, high = normal.size();
  while (low < high) {
    const size_t middle = (low + high + 1) / 2;
    const std::u32string_view part = std::u32string_view(normal).substr(0, middle);
    if (Check(part, FindUrls(part)).weight <= kTweetWeightMax) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  const size_t space = normal.rfind(U' ', low);
  const size_t cut = space != std::u32string::npos && space > low / 2 ? space : low;
  return Utf8(std::u32string_view(normal).substr(0, cut));
}

}  // namespace parvis::sandbox
