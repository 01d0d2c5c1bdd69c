// The text as regular expressions see it: NFKC_Casefold (small letters, one form for each character, nothing
// invisible), accents, punctuation and spaces kept; with the way back to the original bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parvis::moderation {

class PlainText {
 public:
  PlainText();
  ~PlainText();
  PlainText(const PlainText&) = delete;
  // Reuses its buffers. `text` need not be valid UTF-8: what is not becomes U+FFFD.
  void Set(std::string_view text);
  std::string_view view() const { return plain_; }
  // The stretch of the original that became view()[begin, end).
  void Original(uint32_t begin, uint32_t end, uint32_t* original_begin, uint32_t* original_end) const;

 private:
  std::string plain_;
  bool identity_ = true;  // byte for byte
  struct Map;
  Map* map_;
};

}  // namespace parvis::moderation
