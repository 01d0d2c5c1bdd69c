#include "publishing/domain/text_rules.h"

namespace parvis::publishing {

int CodePoints(std::string_view text) {
  int count = 0;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int length = lead == 0 ? 0 : lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3
                       : lead < 0xf5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return -1;
    for (int k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return -1;
    }
    if (length > 2) {
      // RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF.
      const auto second = static_cast<unsigned char>(text[i + 1]);
      if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
          (lead == 0xf4 && second > 0x8f)) {
        return -1;
      }
    }
    i += length;
    ++count;
  }
  return count;
}

void CheckName(const std::string& field, const std::string& text, int max, bool required,
               std::vector<Violation>& violations) {
  const int length = CodePoints(text);
  if (length < 0) {
    violations.push_back({field, "must be UTF-8 without NUL", "NOT_UTF8"});
  } else if (length > max) {
    violations.push_back({field, "has " + std::to_string(length) + " characters; at most " + std::to_string(max) +
                                     " are allowed", "TOO_LONG"});
  } else if (required && length == 0) {
    violations.push_back({field, "must not be empty", "REQUIRED"});
  }
}

Status CheckVersion(int64_t current, const std::optional<int64_t>& expected) {
  if (!expected || *expected == current) return absl::OkStatus();
  return MakeError(Code::kAborted, "ETAG_MISMATCH", "it was changed since it was read; read it again");
}

}  // namespace parvis::publishing
