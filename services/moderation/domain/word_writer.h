// Writes normalised words: the letters, where each came from, and runs of one letter as one. Part of normalize.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moderation/domain/normalize.h"

namespace parvis::moderation {

// One character of the original.
struct Cell {
  Folded folded;
  uint32_t begin, end;
  bool capital_after_small;  // "cuI": the I may be an l
};

inline bool IsWord(const Cell& c) { return c.folded.kind == CharClass::kLetter || c.folded.kind == CharClass::kDigit; }

// How an exact letter is written in NormalText::words.
inline char Searched(char exact) { return exact == 'l' || exact == kIOrL ? 'i' : exact; }

class WordWriter {
 public:
  WordWriter(std::string* words, std::vector<Unit>* units, TextFacts* facts)
      : words_(*words), units_(*units), facts_(*facts) {}

  // A small or capital ASCII letter at byte `at`. Something must have been written before.
  void Ascii(uint8_t c, uint32_t at) {
    const char exact = static_cast<char>(c | 0x20);
    Unit& last = units_.back();
    if (last.exact == exact) {
      last.end = at + 1;
      Again(&last);
      NoteRun(last);
      return;
    }
    words_.push_back(exact == 'l' ? 'i' : exact);
    units_.push_back({at, at + 1, 1, exact, false});
  }

  // As it is.
  void Plain(const Cell& c) { Write(c, c.folded.bytes, c.folded.exact, c.folded.disguised); }

  // A digit or symbol as the letter it stands for, everything else as it is.
  void Reading(const Cell& c) {
    if (c.folded.stand_in == 0) {
      Write(c, c.folded.bytes, c.capital_after_small ? kIOrL : c.folded.exact, c.folded.disguised);
      return;
    }
    const char letter = Searched(c.folded.stand_in);
    Write(c, std::string_view(&letter, 1), c.folded.stand_in, true);
  }

  void EndWord() {
    if (!words_.empty() && words_.back() != ' ') Mark(' ');
  }
  // ' ' or '\n', which come from nowhere.
  void Mark(char c) {
    const uint32_t at = units_.empty() ? 0 : units_.back().end;
    words_.push_back(c);
    units_.push_back({at, at, 1, c, false});
  }

 private:
  static void Again(Unit* u) {
    if (u->run < UINT16_MAX) ++u->run;
  }

  void NoteRun(const Unit& u) {
    if (u.run <= facts_.longest_run) return;
    facts_.longest_run = u.run;
    facts_.longest_run_begin = u.begin;
    facts_.longest_run_end = u.end;
  }

  void Write(const Cell& c, std::string_view bytes, char exact, bool disguised) {
    const size_t n = bytes.size();
    if (n == 0) return;
    facts_.disguised += disguised;
    const bool again = units_.size() >= n && (n > 1 || units_.back().exact == exact) &&
                       units_[units_.size() - n].begin == units_.back().begin &&
                       std::string_view(words_).substr(words_.size() - n) == bytes;
    if (again) {
      for (size_t k = units_.size() - n; k < units_.size(); ++k) {
        units_[k].end = c.end;
        Again(&units_[k]);
        units_[k].changed = units_[k].changed || disguised;
      }
      if (c.folded.kind == CharClass::kLetter) NoteRun(units_.back());
      return;
    }
    words_.append(bytes);
    for (size_t k = 0; k < n; ++k) {
      const char of_many = bytes[k] == 'i' ? kIOrL : bytes[k];
      units_.push_back({c.begin, c.end, 1, n == 1 ? exact : of_many, disguised});
    }
  }

  std::string& words_;
  std::vector<Unit>& units_;
  TextFacts& facts_;
};

}  // namespace parvis::moderation
