// From the bytes of a feed to UTF-8.
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "networks/feed/feed_document.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

// The name behind `key` and '=', with or without quotes: "text/xml; charset=\"utf-8\"".
std::string NameBehind(std::string_view text, std::string_view key) {
  const std::string lower = Lower(text);
  size_t at = lower.find(key);
  if (at == std::string::npos) return "";
  at += key.size();
  while (at < lower.size() && (lower[at] == ' ' || lower[at] == '=')) ++at;
  if (at < lower.size() && (lower[at] == '"' || lower[at] == '\'')) ++at;
  const size_t end = lower.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.:", at);
  std::string name = lower.substr(at, end == std::string::npos ? end : end - at);
  return name.size() > 40 ? "" : name;
}

std::string CharsetOf(std::string_view body, std::string_view content_type) {
  if (body.substr(0, 3) == "\xEF\xBB\xBF") return "utf-8";
  if (body.substr(0, 2) == "\xFE\xFF") return "utf-16be";
  if (body.substr(0, 2) == "\xFF\xFE") return "utf-16le";
  if (std::string name = NameBehind(content_type, "charset"); !name.empty()) return name;
  const size_t start = body.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || body.substr(start, 5) != "<?xml") return "utf-8";
  const std::string_view head = body.substr(start, 200);
  std::string name = NameBehind(head.substr(0, head.find("?>")), "encoding");
  // Whoever declares it in single bytes has not written it in two.
  return name.empty() || name.rfind("utf-16", 0) == 0 || name.rfind("utf-32", 0) == 0 ? "utf-8" : name;
}

std::string Converted(std::string_view body, const std::string& charset) {
  // What calls itself by these two names uses the signs of windows-1252, as browsers know (WHATWG Encoding).
  const bool western = charset == "iso-8859-1" || charset == "us-ascii" || charset == "latin1";
  UErrorCode error = U_ZERO_ERROR;
  UConverter* converter = ucnv_open(western ? "windows-1252" : charset.c_str(), &error);
  if (U_FAILURE(error)) return std::string(body);  // nobody knows it: as UTF-8
  const icu::UnicodeString wide(body.data(), static_cast<int32_t>(body.size()), converter, error);
  ucnv_close(converter);
  if (U_FAILURE(error)) return std::string(body);
  std::string out;
  wide.toUTF8String(out);
  return out;
}

}  // namespace

std::string FeedToUtf8(std::string_view body, std::string_view content_type) {
  body = body.substr(0, kFeedBytesMax + 1);
  const std::string charset = CharsetOf(body, content_type);
  std::string out =
      text::ToUtf8(charset == "utf-8" || charset == "utf8" ? std::string(body) : Converted(body, charset));
  if (out.rfind("\xEF\xBB\xBF", 0) == 0) out.erase(0, 3);
  if (out.size() > kFeedBytesMax + 1) out = text::CutBytes(out, kFeedBytesMax + 1);
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r'; }, ' ');
  for (const char* none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {  // U+FFFE and U+FFFF are no characters
    for (size_t at = 0; (at = out.find(none, at)) != std::string::npos; at += 3) out.replace(at, 3, "\xEF\xBF\xBD");
  }
  return out;
}

}  // namespace parvis::networks
