#include "moderation/domain/links.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "moderation/domain/text_tables.h"

namespace parvis::moderation {
namespace {

// Endings after which a bare name counts as a link. Sorted.
constexpr std::array<std::string_view, 62> kEndings = {
    "ai",  "app", "at",   "au", "be",  "biz", "br",   "ca",    "cc",    "ch",  "click", "club", "cn",
    "co",  "com", "cz",   "de", "dev", "dk",  "es",   "eu",    "fi",    "fr",  "gg",    "gl",   "gouv",
    "ie",  "in",  "info", "io", "it",  "jp",  "ly",   "me",    "mobi",  "net", "nl",    "no",   "nu",
    "org", "pl",  "pro",  "pt", "ru",  "se",  "shop", "site",  "store", "su",  "tech",  "tk",   "to",
    "top", "tv",  "ua",   "uk", "us",  "vip", "win",  "world", "ws",    "xyz"};

bool IsHostChar(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c >= 0x80;
}
bool IsPathChar(uint8_t c) { return c > 0x20 && c != '<' && c != '>' && c != '"' && c != 0x7F; }

bool StartsWithNoCase(std::string_view s, std::string_view lower) {
  if (s.size() < lower.size()) return false;
  for (size_t i = 0; i < lower.size(); ++i) {
    const char c = s[i] >= 'A' && s[i] <= 'Z' ? static_cast<char>(s[i] | 0x20) : s[i];
    if (c != lower[i]) return false;
  }
  return true;
}

// The length of "http://" and its relatives at the beginning of `s`, or 0.
size_t SchemeLength(std::string_view s) {
  for (std::string_view scheme : {"https://", "http://", "hxxps://", "hxxp://", "ftp://"}) {
    if (StartsWithNoCase(s, scheme)) return scheme.size();
  }
  return 0;
}

// The end of path, query and fragment, without the punctuation that ends a sentence.
size_t PathEnd(std::string_view text, size_t at) {
  const size_t start = at;
  while (at < text.size() && IsPathChar(static_cast<uint8_t>(text[at]))) ++at;
  while (at > start && std::strchr(".,;:!?)]}'", text[at - 1]) != nullptr) --at;
  return at;
}

bool KnownEnding(std::string_view host) {
  const size_t dot = host.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string ending = AsciiLower(host.substr(dot + 1));
  return std::binary_search(kEndings.begin(), kEndings.end(), std::string_view(ending));
}

// An unknown ending followed by a path: "gain.example/x".
bool EndsBeforePath(std::string_view text, size_t host_begin, size_t host_end) {
  const std::string_view host = text.substr(host_begin, host_end - host_begin);
  const size_t dot = host.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || host.size() - dot < 3 || host_end + 1 >= text.size()) return false;
  for (char c : AsciiLower(host.substr(dot + 1))) {
    if (c < 'a' || c > 'z') return false;
  }
  return text[host_end] == '/' && IsHostChar(static_cast<uint8_t>(text[host_end + 1])) && text[host_end + 1] != '.';
}

std::string CleanHost(std::string_view host) {
  if (const size_t user = host.rfind('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
  if (const size_t port = host.find(':'); port != std::string_view::npos) host = host.substr(0, port);
  while (!host.empty() && host.back() == '.') host.remove_suffix(1);
  std::string out = AsciiLower(host);
  if (out.starts_with("www.")) out.erase(0, 4);
  return out;
}

}  // namespace

void FindLinks(std::string_view text, size_t max, std::vector<Link>* links) {
  links->clear();
  size_t at = 0;
  while (links->size() < max) {
    // A link needs a dot, or "//" before a host without one.
    const size_t dot = text.find_first_of("./", at);
    if (dot == std::string_view::npos) return;
    if (text[dot] == '/') {
      if (text.compare(dot, 2, "//") != 0 || dot < 4) {
        at = dot + 1;
        continue;
      }
      const size_t from = dot >= 6 ? dot - 6 : 0;
      size_t begin = std::string_view::npos, length = 0;
      for (size_t b = std::max(from, at); b < dot && length == 0; ++b) {
        if ((length = SchemeLength(text.substr(b))) != 0) begin = b;
      }
      if (begin == std::string_view::npos) {
        at = dot + 2;
        continue;
      }
      const size_t host = begin + length;
      size_t host_end = host;
      while (host_end < text.size() &&
             (IsHostChar(static_cast<uint8_t>(text[host_end])) || text[host_end] == '@' || text[host_end] == ':'))
        ++host_end;
      const size_t end = PathEnd(text, host_end) > host_end ? PathEnd(text, host_end) : host_end;
      const std::string clean = CleanHost(text.substr(host, host_end - host));
      if (!clean.empty()) {
        size_t trimmed = end;
        while (trimmed > host + 1 && (text[trimmed - 1] == '.' || text[trimmed - 1] == ':')) --trimmed;
        links->push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(trimmed), clean});
      }
      at = std::max(end, dot + 2);
      continue;
    }
    size_t begin = dot;
    while (begin > at && IsHostChar(static_cast<uint8_t>(text[begin - 1])) && text[begin - 1] != '.') --begin;
    size_t host_end = dot;
    while (host_end < text.size() && IsHostChar(static_cast<uint8_t>(text[host_end]))) ++host_end;
    std::string_view host = text.substr(begin, host_end - begin);
    while (!host.empty() && host.back() == '.') host.remove_suffix(1);
    const bool mail = begin > 0 && text[begin - 1] == '@';
    const bool www = StartsWithNoCase(host, "www.") && host.size() > 6;
    if (begin == dot || mail || host.find("..") != std::string_view::npos ||
        !(www || KnownEnding(host) || EndsBeforePath(text, begin, begin + host.size()))) {
      at = std::max(dot + 1, mail ? host_end : dot + 1);
      continue;
    }
    size_t end = begin + host.size();
    if (end < text.size() && (text[end] == '/' || text[end] == '?' || text[end] == ':')) {
      end = std::max(end, PathEnd(text, end));
    }
    links->push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), CleanHost(host)});
    at = std::max(end, dot + 1);
  }
}

bool HostIsWithin(std::string_view host, std::string_view domain) {
  if (host.size() < domain.size() || !host.ends_with(domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

}  // namespace parvis::moderation
