#include "sandbox/domain/texts.h"

#include <array>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/lexicon.h"

namespace parvis::sandbox {
namespace {

constexpr std::array<std::string_view, kTextKinds> kKindNames = {"question",   "thanks", "complaint", "insult",  "spam",
                                                                 "obfuscated", "emoji",  "long",      "reaction"};

constexpr std::string_view kHosts[] = {"gain-facile.example", "win-now.example",   "bonus.example",
                                       "promo-flash.example", "best-deal.example", "follow4u.example",
                                       "verif-compte.example"};
constexpr std::string_view kEmoji[] = {"😀",
                                       "😂",
                                       "🤣",
                                       "😍",
                                       "🥰",
                                       "😎",
                                       "🤔",
                                       "😡",
                                       "🤬",
                                       "😭",
                                       "🙏",
                                       "👏",
                                       "👍",
                                       "👎",
                                       "❤️",
                                       "💔",
                                       "🔥",
                                       "✨",
                                       "🎉",
                                       "🎁",
                                       "🚲",
                                       "☕",
                                       "🕯️",
                                       "👩‍👩‍👧",
                                       "👨‍👩‍👧‍👦",
                                       "🏳️‍🌈",
                                       "🇫🇷",
                                       "🇬🇧",
                                       "🧑🏽‍🚀",
                                       "🤷🏻‍♀️",
                                       "💯",
                                       "😴"};

// Replaces the slots of a template.
std::string Fill(std::string_view text, const Lexicon& lexicon, Rng& rng) {
  std::string out;
  out.reserve(text.size() + 32);
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '{') {
      out.push_back(text[i++]);
      continue;
    }
    const size_t close = text.find('}', i);
    const std::string_view slot = text.substr(i + 1, close - i - 1);
    if (slot == "product")
      out += rng.Pick(lexicon.products);
    else if (slot == "city")
      out += rng.Pick(lexicon.cities);
    else if (slot == "day")
      out += rng.Pick(lexicon.days);
    else if (slot == "number")
      Append(out, 2 + rng.Below(98'000));
    else if (slot == "price")
      Append(out, 3 + rng.Below(400), lexicon.language == "fr" ? " €" : " pounds");
    else if (slot == "hour")
      Append(out, 8 + rng.Below(13), lexicon.language == "fr" ? " h " : ":", 10 + rng.Below(50));
    else if (slot == "reason")
      out += rng.Pick(lexicon.reasons);
    else if (slot == "word")
      out += rng.Pick(lexicon.words);
    else if (slot == "host")
      out += rng.Pick(kHosts);
    else if (slot == "name")
      out += rng.Pick(lexicon.names);
    i = close + 1;
  }
  return out;
}

void Capitalise(std::string& text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
}

// Template with an opening and a closing some of the time.
std::string Sentence(std::span<const std::string_view> templates, const Lexicon& lexicon, Rng& rng) {
  std::string body = Fill(rng.Pick(templates), lexicon, rng);
  std::string out;
  if (rng.Chance(0.45)) {
    Append(out, rng.Pick(lexicon.openers), ", ", body);
  } else {
    Capitalise(body);
    out = std::move(body);
  }
  if (rng.Chance(0.35)) Append(out, " ", Fill(rng.Pick(lexicon.closers), lexicon, rng));
  if (rng.Chance(0.2)) Append(out, " ", rng.Pick(kEmoji));
  return out;
}

std::string Emoji(const Lexicon& lexicon, Rng& rng) {
  std::string out;
  if (rng.Chance(0.5)) Append(out, Fill(rng.Pick(lexicon.reactions), lexicon, rng), " ");
  const uint64_t n = 1 + rng.Below(8);
  for (uint64_t i = 0; i < n; ++i) out += rng.Pick(kEmoji);
  return out;
}

std::string Story(const Lexicon& lexicon, size_t bytes_max, Rng& rng) {
  const size_t wanted = bytes_max / 2 + rng.Below(bytes_max / 2);
  std::string out = Cat(rng.Pick(lexicon.openers), ". ");
  while (true) {
    const std::string next = Fill(rng.Pick(lexicon.stories), lexicon, rng);
    if (out.size() + next.size() + 2 > wanted) return out;
    Append(out, next, rng.Chance(0.1) ? "\n" : " ");
  }
}

std::string ObfuscatedInsult(const Lexicon& lexicon, Rng& rng) {
  const std::string_view pattern = rng.Pick(lexicon.insults);
  std::string with_word;
  for (size_t i = 0; i < pattern.size();) {
    if (pattern.substr(i, 6) == "{word}") {
      with_word += Obfuscate(rng.Pick(lexicon.words), rng);
      i += 6;
    } else {
      with_word.push_back(pattern[i++]);
    }
  }
  return Fill(with_word, lexicon, rng);
}

}  // namespace

std::string_view NameOf(TextKind kind) { return kKindNames[static_cast<int>(kind)]; }

std::optional<TextKind> TextKindOf(std::string_view name) {
  for (int i = 0; i < kTextKinds; ++i) {
    if (kKindNames[i] == name) return static_cast<TextKind>(i);
  }
  return std::nullopt;
}

std::string Obfuscate(std::string_view word, Rng& rng) {
  constexpr std::pair<char, std::string_view> kLeet[] = {{'a', "4"}, {'e', "3"}, {'i', "1"}, {'o', "0"},
                                                         {'s', "5"}, {'t', "7"}, {'b', "8"}, {'l', "1"}};
  // Cyrillic and Greek letters that look Latin.
  constexpr std::pair<char, std::string_view> kAlike[] = {{'a', "а"}, {'e', "е"}, {'o', "о"}, {'p', "р"}, {'c', "с"},
                                                          {'i', "і"}, {'s', "ѕ"}, {'u', "υ"}, {'n', "п"}};
  constexpr std::string_view kSeparators[] = {".", "-", "_", " ", "*"};
  const uint64_t way = rng.Below(5);
  const std::string_view separator = rng.Pick(kSeparators);
  std::string out;
  bool changed = false;
  auto replace = [&](char c, const auto& table) {
    for (const auto& [from, to] : table) {
      if (from == c) {
        changed = true;
        return std::string(to);
      }
    }
    return std::string(1, c);
  };
  for (size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    const bool letter_begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (i > 0 && letter_begins && (way == 1 || way == 2)) out += way == 1 ? separator : std::string_view("\u200b");
    if (way == 0)
      out += replace(c, kLeet);
    else if (way == 3)
      out += replace(c, kAlike);
    else
      out.push_back(c);
    if (way == 4 && i == word.size() / 2 && static_cast<unsigned char>(c) < 0x80) out.append(2 + rng.Below(4), c);
  }
  if ((way == 0 || way == 3) && !changed) out.insert(1, "\u200c");
  return out;
}

AudienceText WriteText(TextKind kind, bool french, int chars_max, Rng& rng) {
  const Lexicon& lexicon = french ? French() : English();
  AudienceText out{"", kind, lexicon.language};
  switch (kind) {
    case TextKind::kQuestion:
      out.text = Sentence(lexicon.questions, lexicon, rng);
      break;
    case TextKind::kThanks:
      out.text = Sentence(lexicon.thanks, lexicon, rng);
      break;
    case TextKind::kComplaint:
      out.text = Sentence(lexicon.complaints, lexicon, rng);
      break;
    case TextKind::kInsult:
      out.text = Sentence(lexicon.insults, lexicon, rng);
      break;
    case TextKind::kSpam:
      out.text = Fill(rng.Pick(lexicon.spam), lexicon, rng);
      break;
    case TextKind::kObfuscated:
      out.text = ObfuscatedInsult(lexicon, rng);
      break;
    case TextKind::kEmoji:
      out.text = Emoji(lexicon, rng);
      break;
    case TextKind::kLong:
      out.text = Story(lexicon, static_cast<size_t>(chars_max), rng);
      break;
    case TextKind::kReaction:
      out.text = Sentence(lexicon.reactions, lexicon, rng);
      break;
  }
  return out;
}

AudienceText WriteText(const TextMix& mix, int chars_max, Rng& rng) {
  double sum = 0;
  for (double weight : mix.weights) sum += weight;
  double at = rng.Unit() * sum;
  int kind = 0;
  while (kind < kTextKinds - 1 && (at -= mix.weights[kind]) >= 0) ++kind;
  return WriteText(static_cast<TextKind>(kind), rng.Chance(mix.french), chars_max, rng);
}

Person PersonOf(uint64_t number) {
  const Lexicon& lexicon = number % 2 == 0 ? French() : English();
  Rng rng(number * 7919 + 13);
  const std::string_view first = rng.Pick(lexicon.names);
  const char initial = static_cast<char>('A' + rng.Below(26));
  Person person;
  person.id = std::to_string(7'200'000'000'000'000 + number);
  person.name = Cat(first, " ", std::string(1, initial), ".");
  person.handle = Cat("fan", number);
  return person;
}

}  // namespace parvis::sandbox
