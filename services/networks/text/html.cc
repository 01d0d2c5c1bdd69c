#include "networks/text/html.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>

namespace parvis::networks::text {
namespace {

struct Named {
  const char* name;
  const char* utf8;
};
// The references that WordPress and its editors write; others stay as they are.
constexpr Named kNamed[] = {
    {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}, {"hellip", "…"}, {"ndash", "–"},
    {"mdash", "—"}, {"lsquo", "‘"}, {"rsquo", "’"}, {"ldquo", "“"}, {"rdquo", "”"}, {"sbquo", "‚"}, {"bdquo", "„"},
    {"laquo", "«"}, {"raquo", "»"}, {"lsaquo", "‹"}, {"rsaquo", "›"}, {"bull", "•"}, {"middot", "·"}, {"times", "×"},
    {"euro", "€"}, {"pound", "£"}, {"copy", "©"}, {"reg", "®"}, {"trade", "™"}, {"deg", "°"}, {"eacute", "é"}, {"egrave", "è"},
    {"ecirc", "ê"}, {"agrave", "à"}, {"acirc", "â"}, {"ccedil", "ç"}, {"ugrave", "ù"}, {"ucirc", "û"}, {"ocirc", "ô"},
    {"icirc", "î"}, {"iuml", "ï"}, {"euml", "ë"}, {"ouml", "ö"}, {"uuml", "ü"}, {"auml", "ä"}, {"szlig", "ß"}, {"oelig", "œ"}};

void AppendCodePoint(uint32_t c, std::string* out) {
  if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = 0xFFFD;
  uint8_t bytes[U8_MAX_LENGTH];
  int length = 0;
  U8_APPEND_UNSAFE(bytes, length, c);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

// Reads a character reference at html[at] == '&'. Returns its end, or `at` when it is none.
size_t ReadReference(std::string_view html, size_t at, std::string* out) {
  const size_t end = html.substr(at, 34).find(';');
  if (end == std::string_view::npos || end < 2) return at;
  const std::string_view name = html.substr(at + 1, end - 1);
  if (name[0] == '#') {
    const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    uint32_t value = 0;
    size_t digits = 0;
    for (size_t i = hex ? 2 : 1; i < name.size(); ++i, ++digits) {
      const char c = name[i];
      int digit = c >= '0' && c <= '9' ? c - '0' : -1;
      if (hex && c >= 'a' && c <= 'f') digit = c - 'a' + 10;
      if (hex && c >= 'A' && c <= 'F') digit = c - 'A' + 10;
      if (digit < 0) return at;
      value = std::min<uint32_t>(value * (hex ? 16 : 10) + static_cast<uint32_t>(digit), 0x110000);
    }
    if (digits == 0) return at;
    AppendCodePoint(value, out);
    return at + end + 1;
  }
  for (const Named& named : kNamed) {
    if (name == named.name) {
      *out += named.utf8;
      return at + end + 1;
    }
  }
  return at;
}

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Puts at least `breaks` line breaks at the end, none at the start of the text.
void Break(int breaks, std::string* out) {
  while (!out->empty() && out->back() == ' ') out->pop_back();
  if (out->empty()) return;
  int have = 0;
  for (size_t i = out->size(); have < breaks && i > 0 && (*out)[i - 1] == '\n'; --i) ++have;
  for (; have < breaks; ++have) out->push_back('\n');
}

std::string TagName(std::string_view tag) {
  size_t start = !tag.empty() && tag[0] == '/' ? 1 : 0;
  std::string name;
  for (size_t i = start; i < tag.size() && name.size() < 16 && (IsLetter(tag[i]) || (tag[i] >= '0' && tag[i] <= '9')); ++i) {
    name.push_back(static_cast<char>(tag[i] | 0x20));
  }
  return name;
}

// Index after the tag, comment or hidden element at html[at] == '<'; `at` when the '<' is just a character.
size_t SkipTag(std::string_view html, size_t at, std::string* out) {
  const std::string_view rest = html.substr(at);
  if (rest.rfind("<!--", 0) == 0) {
    const size_t end = rest.find("-->", 4);
    return end == std::string_view::npos ? html.size() : at + end + 3;
  }
  if (rest.size() < 2 || !(IsLetter(rest[1]) || rest[1] == '/' || rest[1] == '!' || rest[1] == '?')) return at;
  size_t end = 1;
  for (char quote = 0; end < rest.size() && (quote != 0 || rest[end] != '>'); ++end) {
    if (quote != 0) {
      if (rest[end] == quote) quote = 0;
    } else if ((rest[end] == '"' || rest[end] == '\'') && rest[end - 1] == '=') {
      quote = rest[end];
    }
  }
  if (end >= rest.size()) return html.size();
  const std::string name = TagName(rest.substr(1, end - 1));
  if (rest[1] != '/' && (name == "script" || name == "style")) {
    size_t close = at + end;
    while ((close = html.find("</", close)) != std::string_view::npos && TagName(html.substr(close + 1, 16)) != name) ++close;
    if (close == std::string_view::npos) return html.size();
    const size_t after = html.find('>', close);
    return after == std::string_view::npos ? html.size() : after + 1;
  }
  if (name == "br") {
    while (!out->empty() && out->back() == ' ') out->pop_back();
    out->push_back('\n');
  } else if (name == "p" || name == "blockquote" || name == "pre" || name == "figure" || (name.size() == 2 && name[0] == 'h' && name[1] <= '6')) {
    Break(2, out);
  } else if (name == "div" || name == "li" || name == "ul" || name == "ol" || name == "tr") {
    Break(1, out);
  }
  return at + end + 1;
}

}  // namespace

std::string HtmlToText(std::string_view html, bool keep_line_breaks) {
  std::string out;
  out.reserve(html.size());
  for (size_t at = 0; at < html.size();) {
    const char c = html[at];
    if (c == '<') {
      const size_t next = SkipTag(html, at, &out);
      if (next != at) {
        at = next;
        continue;
      }
    } else if (c == '&') {
      const size_t next = ReadReference(html, at, &out);
      if (next != at) {
        at = next;
        continue;
      }
    } else if (c == '\r') {
      ++at;
      continue;
    } else if (c == '\n' && keep_line_breaks) {
      out.push_back('\n');
      ++at;
      continue;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (!out.empty() && out.back() != ' ' && out.back() != '\n') out.push_back(' ');
      ++at;
      continue;
    }
    out.push_back(c);
    ++at;
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) out.pop_back();
  return out;
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#039;"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

std::string TextToHtml(std::string_view text) {
  std::string out;
  bool open = false;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) {
      if (open) out += "</p>\n";
      open = false;
      continue;
    }
    out += open ? "<br>\n" : "<p>";
    open = true;
    out += EscapeHtml(line);
  }
  if (open) out += "</p>\n";
  return out;
}

}  // namespace parvis::networks::text
