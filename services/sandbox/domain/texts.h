// What the audience writes: seeded texts in French and English, so varied that thousands differ.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sandbox/domain/random.h"

namespace parvis::sandbox {

enum class TextKind { kQuestion, kThanks, kComplaint, kInsult, kSpam, kObfuscated, kEmoji, kLong, kReaction };
inline constexpr int kTextKinds = 9;
std::string_view NameOf(TextKind kind);  // "question", ...
std::optional<TextKind> TextKindOf(std::string_view name);

// How often each kind comes, as weights; the defaults are what a campaign of a large brand gets on a bad day.
struct TextMix {
  double weights[kTextKinds] = {26, 18, 14, 7, 6, 5, 12, 2, 10};
  double french = 0.5;  // share of French texts
};

struct AudienceText {
  std::string text;
  TextKind kind = TextKind::kQuestion;
  std::string_view language;  // "fr", "en"
};

// `chars_max`: longest text in bytes (only kLong comes near it).
AudienceText WriteText(const TextMix& mix, int chars_max, Rng& rng);
AudienceText WriteText(TextKind kind, bool french, int chars_max, Rng& rng);

// Makes `word` hard to read for a filter and easy for a person: leet, separators, zero-width characters, look-alikes
// from other alphabets, stretched letters.
std::string Obfuscate(std::string_view word, Rng& rng);

// A person's name: one of `people` stable persons, the same for the same number.
struct Person {
  std::string id, name, handle;
};
Person PersonOf(uint64_t number);

}  // namespace parvis::sandbox
