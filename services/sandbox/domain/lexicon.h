// The words that the audience's texts are made of, per language. Slots in templates: {product} {city} {day} {number}
// {price} {hour} {reason} {word} (a mild insult) {host} {name}.
#pragma once

#include <span>
#include <string_view>

namespace parvis::sandbox {

struct Lexicon {
  std::string_view language;
  std::span<const std::string_view> openers, closers, products, cities, days, reasons, names, words;
  std::span<const std::string_view> questions, thanks, complaints, insults, spam, stories, reactions;
};

const Lexicon& French();
const Lexicon& English();

}  // namespace parvis::sandbox
