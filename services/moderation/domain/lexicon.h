// The built-in words from which language and intent are told. Searched together with a policy's own literals, in one
// scan. Transparent on purpose: anybody can read why a text counts as a complaint. Learned scores come beside it, not
// instead.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "moderation/domain/assessment.h"

namespace parvis::moderation {

enum class Clue : uint8_t {
  kFrench,  // a word that is French and hardly anything else
  kEnglish,
  kAsks,       // how questions begin; counts without a question mark
  kComplains,  // enough alone
  kGrumbles,   // two of these, or one with a negation near, make a complaint
  kThanks,
  kPraises,  // thanks, unless it complains as well
};

struct LexiconEntry {
  std::string_view words;  // as in a policy's phrases; may end in '*'
  Clue clue;
};
std::span<const LexiconEntry> Lexicon();

// What was found of the lexicon in one text; every entry counts once.
struct Clues {
  int count[7] = {};
  int& operator[](Clue c) { return count[static_cast<int>(c)]; }
  int operator[](Clue c) const { return count[static_cast<int>(c)]; }
};

// Complaint before question before thanks: an unhappy person who asks politely is unhappy. `text` is looked at for "?".
Intent TellIntent(const Clues& clues, std::string_view text);

// ISO 639-1, or "und": by function words where they are clear, by CLD2 otherwise. Thread-safe.
std::string TellLanguage(const Clues& clues, std::string_view text, uint32_t letters);

}  // namespace parvis::moderation
