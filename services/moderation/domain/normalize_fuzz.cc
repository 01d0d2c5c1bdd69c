// Whatever the bytes: normalising ends, and offsets stay inside the text and on borders of characters.
#include <cstdlib>

#include "moderation/domain/assess.h"

namespace parvis::moderation {
namespace {

// Where characters begin and where the last one ends; a byte that is not UTF-8 is a character of its own.
std::vector<bool> Borders(std::string_view text) {
  std::vector<bool> out(text.size() + 1, false);
  for (size_t at = 0; at < text.size(); NextCodePoint(text, &at)) out[at] = true;
  out[text.size()] = true;
  return out;
}

}  // namespace
}  // namespace parvis::moderation

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parvis::moderation;  // NOLINT: one function
  static const auto* const normalizer = new Normalizer;
  static const auto* const policy =
      new std::shared_ptr<const CompiledPolicy>(*CompiledPolicy::FromYaml(R"(
version: 1
rules:
  - {name: words, if: {text: {words: [con, "encul*", 🖕, "7"], phrases: [va te faire], except: [concert]}}, action: hold}
  - {name: regex, if: {text: {regex: ['c.', 'é+', '[^a-z ]{2}']}}, action: hold}
  - {name: rest, if: {text: {links: {min: 2}}}, action: hold}
  - {name: reps, if: {text: {repetition: {letters: 3, words: 2}}}, action: hold}
)",
                                                                          PolicyLimits{}, *normalizer, "source"));
  static auto* const assessor = new Assessor(*normalizer);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Subject subject;
  subject.text = text;
  const Verdict verdict = assessor->Assess(subject, **policy);
  const std::vector<bool> borders = Borders(text);
  const NormalText& normal = assessor->normal();
  if (normal.words.size() != normal.units.size()) abort();
  for (const Unit& u : normal.units) {
    if (u.begin > u.end || u.end > size || !borders[u.begin] || !borders[u.end]) abort();
  }
  for (const Reason& r : verdict.reasons) {
    for (const Span& s : r.spans) {
      if (s.begin >= s.end || s.end > size || text.substr(s.begin, s.end - s.begin) != s.text) abort();
    }
  }
  return 0;
}
