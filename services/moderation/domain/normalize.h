// The normaliser: makes a text comparable however it was disguised, and keeps the way back to the original bytes.
//
// What it undoes: case, width and styled letters (NFKC), accents, look-alikes of other scripts, zero-width characters,
// combining marks, letters replaced by digits and symbols (c0nn@rd), separators inside words (c.o.n, c o n), repeated
// letters (connnnard).
//
// The result is one string of words. First the words as anybody would read them, a single space before and after each.
// Then, each after a line feed, further readings of single words: parts joined ("c.o.n" → "con"), symbols read as
// letters. So a literal is found by searching for it, and stands as a word if a space is on both sides; a phrase is
// searched with single spaces. Runs of one letter are written once; Unit::run remembers how many there were. 'i' and
// 'l' are both written 'i'; Unit::exact remembers which.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "moderation/domain/text_tables.h"

namespace parvis::moderation {

// One byte of NormalText::words.
struct Unit {
  uint32_t begin = 0;  // of the stretch of the original that became this, in bytes
  uint32_t end = 0;
  uint16_t run = 1;      // how often the character stood there in a row
  char exact = 0;        // see Folded
  bool changed = false;  // read from a look-alike, a digit or a symbol
};

struct TextFacts {
  uint32_t code_points = 0;
  uint32_t letters = 0;
  uint32_t capitals = 0;
  uint32_t longest_run = 0;        // of one letter
  uint32_t longest_run_begin = 0;  // in bytes of the original
  uint32_t longest_run_end = 0;
  uint32_t readings = 0;   // of the words after the line feeds
  uint32_t disguised = 0;  // letters that were look-alikes, digits or symbols
};

// A word in which '*' hides letters: "c*nnard". Kept aside; `shape` has '*' where a letter is hidden.
struct MaskedWord {
  uint32_t begin = 0, end = 0;
  std::string shape;  // letters as in NormalText::words but not run together
};

// Reused from text to text so that nothing is allocated per text. Not thread-safe.
struct NormalText {
  std::string words;
  std::vector<Unit> units;  // one for each byte of `words`
  size_t read_end = 0;      // words[0, read_end) is the plain reading, before the first line feed
  std::vector<MaskedWord> masked;
  TextFacts facts;
  void Clear();
};

// Immutable; thread-safe.
class Normalizer {
 public:
  Normalizer() = default;
  // Bytes that are not UTF-8 count as separators. Offsets always lie on character borders of valid UTF-8.
  void Normalize(std::string_view text, NormalText* out) const;
  const TextTables& tables() const { return tables_; }

 private:
  TextTables tables_;
};

// `words` as people would write them ('l' where an l was read), one line per reading; for explanations.
std::string ReadableWords(const NormalText& text);

}  // namespace parvis::moderation
