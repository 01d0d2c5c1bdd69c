#include "networks/text/facets.h"

namespace parvis::networks::text {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// Letters of any script, digits, "_".
bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The end of the address that begins at `at`, or `at`.
size_t LinkEnd(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  const size_t scheme = rest.starts_with("https://") ? 8 : rest.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return at;
  size_t end = at + scheme;
  bool opened = false;
  while (end < text.size() && !IsSpace(text[end]) && text[end] != '<' && text[end] != '"') opened |= text[end++] == '(';
  while (end > at + scheme && std::string_view(".,;:!?'").find(text[end - 1]) != std::string_view::npos) --end;
  if (end > at + scheme && text[end - 1] == ')' && !opened) --end;
  return end > at + scheme ? end : at;
}

// The end of the name behind "@": dots and hyphens only inside.
size_t NameEnd(std::string_view text, size_t at) {
  size_t end = at;
  for (size_t i = at; i < text.size() && (IsWord(text[i]) || text[i] == '.' || text[i] == '-'); ++i) {
    if (IsWord(text[i])) end = i + 1;
  }
  return end;
}

// The end of the tag behind "#", or `at` when it is only digits.
size_t TagEnd(std::string_view text, size_t at) {
  size_t end = at;
  bool digits = true;
  for (; end < text.size() && IsWord(text[end]); ++end) digits = digits && IsDigit(text[end]);
  return digits ? at : end;
}

}  // namespace

std::vector<Facet> FindPlainFacets(std::string_view text) {
  std::vector<Facet> out;
  for (size_t at = 0; at < text.size();) {
    const bool begins = at == 0 || !(IsWord(text[at - 1]) || text[at - 1] == '/' || text[at - 1] == '&');
    size_t end = at;
    Facet::Kind kind = Facet::Kind::kLink;
    if (begins && text[at] == 'h') {
      end = LinkEnd(text, at);
    } else if (begins && text[at] == '@') {
      kind = Facet::Kind::kMention;
      end = NameEnd(text, at + 1);
    } else if (begins && text[at] == '#') {
      kind = Facet::Kind::kTag;
      end = TagEnd(text, at + 1);
    }
    const size_t name = kind == Facet::Kind::kLink ? at : at + 1;
    if (end > name) {
      out.push_back({kind, at, end, std::string(text.substr(name, end - name))});
      at = end;
    } else {
      ++at;
    }
  }
  return out;
}

}  // namespace parvis::networks::text
