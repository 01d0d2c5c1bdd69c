#include "networks/wire/check.h"

#include <algorithm>

#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

bool IsWebUrl(const std::string& url) {
  const bool scheme = url.rfind("https://", 0) == 0 || url.rfind("http://", 0) == 0;
  if (!scheme || url.size() > 2000 || !text::IsUtf8(url)) return false;
  const size_t host = url.find("//") + 2;
  if (host >= url.size() || url[host] == '/' || url[host] == '?' || url[host] == '#') return false;
  return std::none_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '<' || c == '>'; });
}

std::string Join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

}  // namespace

void CheckText(const Draft& draft, int length, int max, const char* unit, bool media_suffices, std::vector<Violation>* out) {
  if (!text::IsUtf8(draft.text) || draft.text.find('\0') != std::string::npos) {
    out->push_back({"text", "must be UTF-8 without NUL", "TEXT_NOT_UTF8"});
    return;
  }
  if (text::ForComparison(draft.text).empty() && draft.link.empty() && (draft.media.empty() || !media_suffices)) {
    out->push_back({"text", "must not be empty", "TEXT_MISSING"});
  }
  if (max > 0 && length > max) {
    out->push_back({"text",
                    "counts " + std::to_string(length) + " " + unit + ", at most " + std::to_string(max) + " are allowed; take out " +
                        std::to_string(length - max),
                    "TEXT_TOO_LONG"});
  }
}

void CheckMedia(const Draft& draft, const Capabilities& capabilities, std::vector<Violation>* out) {
  if (static_cast<int>(draft.media.size()) > capabilities.media_max) {
    out->push_back({"media", "has " + std::to_string(draft.media.size()) + " items, at most " + std::to_string(capabilities.media_max) + " are allowed",
                    "TOO_MANY_MEDIA"});
  }
  for (size_t i = 0; i < draft.media.size(); ++i) {
    const Media& media = draft.media[i];
    const std::string field = "media[" + std::to_string(i) + "]";
    if (std::find(capabilities.media_types.begin(), capabilities.media_types.end(), media.type) == capabilities.media_types.end()) {
      out->push_back({field + ".type", "\"" + media.type + "\" is not taken; allowed are " + Join(capabilities.media_types), "MEDIA_TYPE"});
    }
    const int64_t size = std::max<int64_t>(media.size_bytes, static_cast<int64_t>(media.bytes.size()));
    if (capabilities.media_max_bytes > 0 && size > capabilities.media_max_bytes) {
      out->push_back({field + ".size_bytes", "has " + std::to_string(size) + " bytes, at most " + std::to_string(capabilities.media_max_bytes) + " are allowed",
                      "MEDIA_TOO_LARGE"});
    }
    if (media.bytes.empty() && !IsWebUrl(media.url)) {
      out->push_back({field + ".url", "must be an http or https address", "MEDIA_URL"});
    }
    if (!text::IsUtf8(media.alt_text)) out->push_back({field + ".alt_text", "must be UTF-8", "TEXT_NOT_UTF8"});
  }
}

void CheckLink(const Draft& draft, std::vector<Violation>* out) {
  if (!draft.link.empty() && !IsWebUrl(draft.link)) out->push_back({"link", "must be an http or https address without blanks", "LINK_INVALID"});
}

std::string TextWithLink(const Draft& draft) {
  if (draft.link.empty() || draft.text.find(draft.link) != std::string::npos) return draft.text;
  return draft.text.empty() ? draft.link : draft.text + "\n" + draft.link;
}

}  // namespace parvis::networks
