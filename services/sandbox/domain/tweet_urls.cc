#include "sandbox/domain/tweet_urls.h"

#include <algorithm>
#include <string>

#include "sandbox/domain/tlds.h"

namespace parvis::sandbox {
namespace {

using View = std::u32string_view;

bool IsDigit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool IsAsciiAlnum(char32_t c) { return IsDigit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }
bool In(char32_t c, View set) { return set.find(c) != View::npos; }
bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || c == 0x180e ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}
bool IsMark(char32_t c) {  // directional marks and what X refuses
  return (c >= 0x202a && c <= 0x202e) || c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2066 && c <= 0x2069) ||
         c == 0xfffe || c == 0xfeff || c == 0xffff;
}
bool IsCyrillic(char32_t c) { return c >= 0x400 && c <= 0x4ff; }
bool IsLatinAccent(char32_t c) { return (c >= 0xc0 && c <= 0x24f && c != 0xd7 && c != 0xf7) || c == 0x1e00; }
// A letter of a host name that may be Unicode: no ASCII punctuation, no space, no mark, no general punctuation.
bool IsHostChar(char32_t c) {
  if (c < 0x80) return IsAsciiAlnum(c);
  return !IsSpace(c) && !IsMark(c) && !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x303f) &&
         !(c >= 0xff00 && c <= 0xff0f) && !(c >= 0x80 && c <= 0xbf);
}
// A URL without protocol: letters of the Latin alphabet with their accents ("ELPAÍS.com"), not those of others.
bool IsPlainHostChar(char32_t c) { return IsAsciiAlnum(c) || IsLatinAccent(c); }
bool IsPathChar(char32_t c) {
  return IsAsciiAlnum(c) || IsCyrillic(c) || IsLatinAccent(c) || In(c, U"!*';:=+,.$%#[]-_~@|&/\u2013");
}
bool IsPathEnd(char32_t c) { return IsAsciiAlnum(c) || IsCyrillic(c) || IsLatinAccent(c) || In(c, U"=_#/+-"); }
bool IsQueryChar(char32_t c) { return IsAsciiAlnum(c) || In(c, U"!?*'@();:&=+$/%#[]-_.,~|"); }
bool IsQueryEnd(char32_t c) { return IsAsciiAlnum(c) || In(c, U"-_&=#/"); }

bool MatchesAt(View text, size_t at, std::string_view word) {
  if (at + word.size() > text.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    char32_t c = text[at + i];
    if (c >= U'A' && c <= U'Z') c += 32;
    if (c != static_cast<unsigned char>(word[i])) return false;
  }
  return true;
}

// The end of a top-level domain that begins at `at`, or 0.
size_t TldEnd(View text, size_t at) {
  std::string run;
  size_t end = at;
  while (end < text.size() && end - at < 30 && IsAsciiAlnum(text[end])) {
    const char32_t c = text[end++];
    run.push_back(static_cast<char>(c >= U'A' && c <= U'Z' ? c + 32 : c));
  }
  const bool at_boundary = end >= text.size() || !In(text[end], U"@+-_");
  if (!run.empty() && at_boundary && std::ranges::binary_search(kTopLevelDomains, run)) return end;
  // Two internationalised domains that the conformance vectors use.
  for (View tld : {View(U"みんな"), View(U"рф")}) {
    if (text.substr(at, tld.size()) == tld) return at + tld.size();
  }
  return 0;
}

// Length of a label in the ASCII form of internationalised names (RFC 3492): what limits a host's labels to 63.
size_t AsciiLength(View label) {
  size_t basic = 0, wide = 0;
  for (char32_t c : label) (c < 0x80 ? basic : wide) += 1;
  if (wide == 0) return basic;
  if (label.substr(0, 4) == U"xn--") return label.size() + 64;  // the ASCII form of a name is ASCII: this is none
  uint32_t n = 128, delta = 0, bias = 72;
  size_t handled = basic, out = 4 + basic + (basic > 0 ? 1 : 0);
  bool first = true;
  while (handled < label.size()) {
    char32_t next = 0x110000;
    for (char32_t c : label) {
      if (c >= n && c < next) next = c;
    }
    delta += static_cast<uint32_t>(next - n) * static_cast<uint32_t>(handled + 1);
    n = next;
    for (char32_t c : label) {
      if (c < n) ++delta;
      if (c != n) continue;
      uint32_t q = delta;
      for (uint32_t k = 36;; k += 36) {
        const uint32_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        ++out;
        if (q < t) break;
        q = (q - t) / (36 - t);
      }
      uint32_t d = first ? delta / 700 : delta / 2;
      first = false;
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
  return out;
}

// The end of the host that begins at `at`, or 0. `ascii`: only Latin labels count (a URL without protocol).
size_t HostEnd(View text, size_t at, bool ascii) {
  size_t end = 0, label = at;
  int labels = 0;
  while (label < text.size() && label - at < 2048) {
    if (labels > 0) {
      const size_t tld = TldEnd(text, label);
      // The label before a top-level domain is the domain: no underscore in it.
      size_t before = label - 1;
      bool underscore = false;
      while (before > at && text[before - 1] != U'.') underscore |= text[--before] == U'_';
      if (before == at) underscore |= text[at] == U'_';
      if (tld > 0 && !underscore) end = tld;
    }
    size_t stop = label;
    auto in_label = [&](char32_t c) { return c == U'-' || c == U'_' || (ascii ? IsPlainHostChar(c) : IsHostChar(c)); };
    while (stop < text.size() && stop - label < 256 && in_label(text[stop])) ++stop;
    const bool sound = stop > label && !In(text[label], U"-_") && !In(text[stop - 1], U"-_") &&
                       AsciiLength(text.substr(label, stop - label)) <= 63;
    if (!sound || stop >= text.size() || text[stop] != U'.') break;
    label = stop + 1;
    ++labels;
  }
  return end;
}

// The end of a balanced "(...)" (one more level inside allowed) of path characters that begins at `at`, or `at`.
size_t ParenEnd(View text, size_t at) {
  int depth = 0;
  for (size_t i = at; i < text.size() && i - at < 1024; ++i) {
    if (text[i] == U'(') {
      if (++depth > 2) return at;
    } else if (text[i] == U')') {
      if (--depth == 0) return i > at + 1 ? i + 1 : at;
    } else if (!IsPathChar(text[i])) {
      return at;
    }
  }
  return at;
}

size_t PathEnd(View text, size_t at) {
  size_t end = at;
  for (size_t i = at; i < text.size();) {
    if (text[i] == U'(') {
      const size_t after = ParenEnd(text, i);
      if (after == i) break;
      end = i = after;
      continue;
    }
    if (!IsPathChar(text[i])) break;
    if (IsPathEnd(text[i])) end = i + 1;
    ++i;
  }
  return end;
}

size_t QueryEnd(View text, size_t at) {
  if (at >= text.size() || text[at] != U'?') return at;
  size_t end = at;
  for (size_t i = at + 1; i < text.size() && IsQueryChar(text[i]); ++i) {
    if (IsQueryEnd(text[i])) end = i + 1;
  }
  return end;
}

size_t AfterHost(View text, size_t begin, size_t host_begin, size_t end) {
  const bool tco = end - host_begin == 4 && MatchesAt(text, host_begin, "t.co");
  if (end + 1 < text.size() && text[end] == U':' && IsDigit(text[end + 1])) {
    ++end;
    while (end < text.size() && IsDigit(text[end])) ++end;
  }
  if (end < text.size() && text[end] == U'/') {
    if (tco) {  // a t.co link has one part of letters and digits, at most 40
      size_t slug = end + 1;
      while (slug < text.size() && IsAsciiAlnum(text[slug])) ++slug;
      if (slug - end - 1 > 40) return begin;
      end = slug;
    } else {
      end = std::max(end + 1, PathEnd(text, end));
    }
  }
  return QueryEnd(text, end);
}

}  // namespace

std::vector<std::pair<size_t, size_t>> FindUrls(View text) {
  std::vector<std::pair<size_t, size_t>> out;
  for (size_t i = 0; i < text.size();) {
    const char32_t before = i == 0 ? U' ' : text[i - 1];
    const bool may_begin = !IsAsciiAlnum(before) && !In(before, U"@＠$#＃") && before != 0xfffe && before != 0xfeff;
    size_t end = i;
    if (may_begin && (MatchesAt(text, i, "http://") || MatchesAt(text, i, "https://"))) {
      const size_t host_begin = i + (MatchesAt(text, i, "https://") ? 8 : 7);
      const size_t host = HostEnd(text, host_begin, false);
      if (host > 0) end = AfterHost(text, i, host_begin, host);
      if (end == i) {  // a protocol without a host: nothing of this word is a URL
        i = host_begin;
        while (i < text.size() && (IsHostChar(text[i]) || In(text[i], U"-_."))) ++i;
        continue;
      }
    } else if (may_begin && !In(before, U"-_./") && IsPlainHostChar(text[i])) {
      const size_t host = HostEnd(text, i, true);
      if (host > 0) end = AfterHost(text, i, i, host);
      if (end == i) {  // go on behind this word
        while (i < text.size() && (IsPlainHostChar(text[i]) || In(text[i], U"-_.@+"))) ++i;
        continue;
      }
    }
    if (end > i) {
      out.emplace_back(i, end);
      i = end;
    } else {
      ++i;
    }
  }
  return out;
}

}  // namespace parvis::sandbox
