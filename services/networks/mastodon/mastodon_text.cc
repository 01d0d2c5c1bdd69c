#include "networks/mastodon/mastodon_text.h"

#include <absl/strings/ascii.h>

#include "networks/text/unicode.h"
#include "networks/wire/check.h"

namespace parvis::networks {
namespace {

bool IsWord(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// The end of "user" or "host.example" from `at`; dots and hyphens only inside.
size_t NameEnd(const std::string& text, size_t at) {
  size_t end = at;
  for (size_t i = at; i < text.size() && (IsWord(text[i]) || text[i] == '.' || text[i] == '-'); ++i) {
    if (IsWord(text[i])) end = i + 1;
  }
  return end;
}

bool StartsMention(const std::string& text, size_t at) {
  return text[at] == '@' && (at == 0 || (!IsWord(text[at - 1]) && text[at - 1] != '/' && text[at - 1] != '@'));
}

}  // namespace

std::string MastodonOption(const Draft& draft, const std::string& name) {
  const auto it = draft.options.find(name);
  return it == draft.options.end() ? "" : it->second;
}

std::string MastodonDraftText(const Draft& draft) {
  std::string out = TextWithLink(draft);
  std::string tags;
  for (const std::string& tag : draft.tags) {
    const std::string written = "#" + tag;
    bool there = false;
    for (size_t at = out.find(written); at != std::string::npos && !there; at = out.find(written, at + 1)) {
      const size_t end = at + written.size();
      there = end == out.size() || (!IsWord(out[end]) && static_cast<unsigned char>(out[end]) < 0x80);
    }
    if (!there) tags += (tags.empty() ? "" : " ") + written;
  }
  if (!tags.empty()) out += (out.empty() ? "" : "\n\n") + tags;
  return out;
}

bool MentionsAcct(const std::string& text, const std::string& acct) {
  const std::string wanted = absl::AsciiStrToLower(acct);
  for (size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1)) {
    if (!StartsMention(text, at)) continue;
    size_t end = NameEnd(text, at + 1);
    if (end < text.size() && text[end] == '@' && NameEnd(text, end + 1) > end + 1) end = NameEnd(text, end + 1);
    if (absl::AsciiStrToLower(text.substr(at + 1, end - at - 1)) == wanted) return true;
  }
  return false;
}

std::string MastodonComparable(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = StartsMention(text, at) ? NameEnd(text, at + 1) : at;
    if (end <= at + 1) {
      out.push_back(text[at++]);
      continue;
    }
    out += absl::AsciiStrToLower(text.substr(at, end - at));
    at = end;
    if (at < text.size() && text[at] == '@') {
      const size_t host = NameEnd(text, at + 1);
      if (host > at + 1) at = host;
    }
  }
  return text::ForComparison(out);
}

}  // namespace parvis::networks
