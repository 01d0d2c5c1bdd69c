// What every code point becomes when a text is made comparable: letters lose case, width, accents and disguise.
//
// The table is computed once from ICU's data (NFKC_Casefold, NFD, and the confusables behind uspoof's skeletons, UTS
// #39) in about 30 ms; afterwards a look-up is two array reads, where uspoof itself manages 24 MB/s. ICU is used here
// although this is a domain layer: it is a table of facts about text, not a way to the outside.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parvis::moderation {

enum class CharClass : uint8_t {
  kSeparator,  // punctuation; may stand for a letter inside a word, see Folded::stand_in
  kLetter,
  kDigit,       // its stand_in is the letter it resembles
  kSpace,       // also control characters
  kApostrophe,  // ends a word, also for people: l'ami
  kEmoji,       // a word of its own
  kIgnorable,   // zero-width, combining marks, variation selectors, skin tones
  kMask,        // '*': hides a letter
};

// The letter that cannot be told: 'i' or 'l' ("1", "|", a Cyrillic capital I).
inline constexpr char kIOrL = '?';

struct Folded {
  std::string_view bytes;  // what is compared; 'l' is written 'i', `exact` keeps them apart. Empty if nothing is
  char exact = 0;          // the ASCII letter or digit itself, kIOrL, or 0 for everything beyond ASCII
  char stand_in = 0;       // for digits and separators: the letter they may stand for inside a word, kIOrL for i or l
  CharClass kind = CharClass::kSeparator;
  bool disguised = false;  // not the letter itself: a look-alike of another script or a styled form
};

// Immutable after construction; thread-safe.
class TextTables {
 public:
  TextTables();
  Folded Of(uint32_t code_point) const {
    if (code_point >= kCodePoints) return Folded{};
    const Entry& e = entries_[pages_[code_point >> 8] * 256u + (code_point & 255u)];
    return {std::string_view(pool_).substr(e.offset, e.length), e.exact, e.stand_in, e.kind, e.disguised};
  }

 private:
  static constexpr uint32_t kCodePoints = 0x110000;
  struct Entry {
    uint32_t offset = 0;
    uint8_t length = 0;
    char exact = 0;
    char stand_in = 0;
    CharClass kind = CharClass::kSeparator;
    bool disguised = false;
    bool operator==(const Entry&) const = default;
  };
  class Builder;
  std::array<uint16_t, kCodePoints / 256> pages_;
  std::vector<Entry> entries_;  // pages of 256, equal pages stored once
  std::string pool_;
};

// The letter a digit resembles in "c0nnard": 0 → o, 1 → kIOrL, 3 → e ...; 0 when none.
char StandInOfDigit(char digit);

// Decodes one code point of UTF-8 at `at` and moves it on. A byte that is not UTF-8 gives U+FFFD and moves on by one.
uint32_t NextCodePoint(std::string_view text, size_t* at);
// Appends `code_point` as UTF-8.
void AppendUtf8(uint32_t code_point, std::string* out);
// How many code points `text` has.
size_t CountCodePoints(std::string_view text);
// With ASCII's letters in lower case; the rest as it is.
std::string AsciiLower(std::string_view text);

}  // namespace parvis::moderation
