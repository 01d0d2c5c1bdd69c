#include "moderation/domain/matcher.h"

#include <algorithm>

#include <hs/hs.h>

#include "moderation/domain/compiled_regexes.h"

namespace parvis::moderation {
namespace {

constexpr size_t kHitsMax = 20'000;  // of one text; a longer list tells nothing new
constexpr int kRegexSpansMax = 3;    // of one regex

bool SameLetter(char text, char literal) {
  if (text == literal) return true;
  const auto i_or_l = [](char c) { return c == 'i' || c == 'l'; };
  return (text == kIOrL && i_or_l(literal)) || (literal == kIOrL && i_or_l(text));
}

// Whether a letter that stands `text` times in a row can be meant where a literal has it `literal` times: as often,
// three times and more (nobody writes so by spelling), or doubled if the word is long enough to be told from others.
bool SameRun(char exact, uint32_t text, uint32_t literal, bool forgiving) {
  if (text == literal) return true;
  if (exact >= '0' && exact <= '9') return false;
  if (text > literal && text >= 3) return true;
  return forgiving && text == 2 && literal == 1;
}

}  // namespace

Matcher::~Matcher() {
  if (scratch_ != nullptr) hs_free_scratch(scratch_);
}

Clues Matcher::Search(std::string_view text, const CompiledPolicy& policy) {
  Forget();
  if (by_rule_.size() < policy.policy().rules.size()) by_rule_.resize(policy.policy().rules.size());
  normalizer_.Normalize(text, &normal_);
  Scan(policy);
  const Clues clues = TakeHits(policy);
  MaskedWords(policy);
  Regexes(text, policy);
  return clues;
}

void Matcher::Forget() {
  for (uint32_t rule : touched_) {
    by_rule_[rule].literals.clear();
    by_rule_[rule].regexes.clear();
    by_rule_[rule].exceptions.clear();
  }
  touched_.clear();
  normal_.Clear();
}

RuleHits& Matcher::Touch(uint32_t rule) {
  if (by_rule_[rule].empty()) touched_.push_back(rule);
  return by_rule_[rule];
}

int Matcher::OnMatch(unsigned id, unsigned long long, unsigned long long to, unsigned, void* raw) {
  Matcher& self = *static_cast<Matcher*>(raw);
  const Literal& literal = self.scanned_->literals()[id];
  const auto end = static_cast<uint32_t>(to);
  const auto begin = static_cast<uint32_t>(end - literal.words.size());
  if (self.Stands(literal, begin, end)) self.hits_.push_back({id, begin, end});
  return self.hits_.size() >= kHitsMax ? 1 : 0;
}

void Matcher::Scan(const CompiledPolicy& policy) {
  hits_.clear();
  if (scratch_of_ != policy.serial()) {
    if (hs_alloc_scratch(policy.database(), &scratch_) != HS_SUCCESS) return;
    scratch_of_ = policy.serial();
  }
  scanned_ = &policy;
  hs_scan(policy.database(), normal_.words.data(), static_cast<unsigned>(normal_.words.size()), 0, scratch_, OnMatch,
          this);
}

// Whether what was found is the literal: borders of words, i and l kept apart, letters repeated as they may be.
bool Matcher::Stands(const Literal& literal, uint32_t from, uint32_t to) const {
  if (!literal.open_left && !literal.no_border_left && normal_.words[from - 1] != ' ') return false;
  if (!literal.open_right && !literal.no_border_right && normal_.words[to] != ' ') return false;
  for (uint32_t i = from; i < to; ++i) {
    const Unit& u = normal_.units[i];
    const LiteralUnit& l = literal.units[i - from];
    if (!SameLetter(u.exact, l.exact)) return false;
    const bool open = (i == from && literal.open_left) || (i + 1 == to && literal.open_right);
    if (!(open && u.run >= l.run) && !SameRun(l.exact, u.run, l.run, literal.forgiving)) return false;
  }
  return true;
}

// Sorts the hits into rules, and counts the lexicon's.
Clues Matcher::TakeHits(const CompiledPolicy& policy) {
  const auto lexicon = Lexicon();
  seen_.resize(lexicon.size());
  Clues clues;
  for (const Hit& hit : hits_) {
    const Literal& literal = policy.literals()[hit.literal];
    if (literal.of == Literal::Of::kLexicon) {
      if (seen_[literal.owner]) continue;
      seen_[literal.owner] = 1;
      seen_list_.push_back(literal.owner);
      ++clues[lexicon[literal.owner].clue];
      continue;
    }
    // Of "encul*" the whole word is quoted.
    uint32_t from = hit.from, to = hit.to;
    while (literal.open_left && normal_.words[from - 1] != ' ') --from;
    while (literal.open_right && normal_.words[to] != ' ') ++to;
    const Stretch stretch{normal_.units[from].begin, normal_.units[to - 1].end};
    RuleHits& rule = Touch(literal.owner);
    (literal.of == Literal::Of::kRule ? rule.literals : rule.exceptions).push_back(stretch);
  }
  for (uint32_t entry : seen_list_) seen_[entry] = 0;
  seen_list_.clear();
  return clues;
}

// "c*nnard": as long as a literal, every letter shown is its, and half of them are shown.
void Matcher::MaskedWords(const CompiledPolicy& policy) {
  for (const MaskedWord& word : normal_.masked) {
    const std::vector<uint32_t>* candidates = policy.OfLength(word.shape.size());
    const auto shown =
        static_cast<size_t>(std::count_if(word.shape.begin(), word.shape.end(), [](char c) { return c != '*'; }));
    if (candidates == nullptr || shown < 2 || 2 * shown < word.shape.size()) continue;
    for (uint32_t id : *candidates) {
      const Literal& literal = policy.literals()[id];
      size_t at = 0;
      bool same = true;
      for (size_t i = 0; i < literal.words.size() && same; ++i) {
        for (uint32_t n = 0; n < literal.units[i].run && same; ++n, ++at) {
          same = word.shape[at] == '*' || word.shape[at] == literal.words[i];
        }
      }
      if (same) Touch(literal.owner).literals.push_back({word.begin, word.end});
    }
  }
}

void Matcher::Regexes(std::string_view original, const CompiledPolicy& policy) {
  const CompiledPolicy::Regexes* regexes = policy.regexes();
  if (regexes == nullptr) return;
  plain_.Set(original);
  const re2::StringPiece text(plain_.view().data(), plain_.view().size());
  regex_ids_.clear();
  re2::RE2::Set::ErrorInfo error{};
  if (!regexes->set->Match(text, &regex_ids_, &error)) {
    if (error.kind == re2::RE2::Set::kNoError) return;
    // The automaton of all together outgrew its memory on this text: one by one.
    regex_ids_.clear();
    for (size_t i = 0; i < regexes->all.size(); ++i) {
      if (re2::RE2::PartialMatch(text, *regexes->all[i])) regex_ids_.push_back(static_cast<int>(i));
    }
  }
  std::sort(regex_ids_.begin(), regex_ids_.end());
  for (int id : regex_ids_) RegexHits(policy, static_cast<size_t>(id));
}

void Matcher::RegexHits(const CompiledPolicy& policy, size_t id) {
  const CompiledPolicy::Regexes& regexes = *policy.regexes();
  const std::string_view view = plain_.view();
  const re2::StringPiece text(view.data(), view.size());
  size_t at = 0;
  for (int n = 0; n < kRegexSpansMax && at <= view.size(); ++n) {
    re2::StringPiece match;
    if (!regexes.all[id]->Match(text, at, view.size(), re2::RE2::UNANCHORED, &match, 1)) break;
    const auto begin = static_cast<uint32_t>(match.data() - view.data());
    const auto end = static_cast<uint32_t>(begin + match.size());
    Stretch stretch{};
    plain_.Original(begin, end, &stretch.begin, &stretch.end);
    Touch(regexes.rule[id]).regexes.push_back(stretch);
    at = match.empty() ? end + 1 : end;
    while (at < view.size() && (static_cast<uint8_t>(view[at]) & 0xC0) == 0x80) ++at;
  }
}

}  // namespace parvis::moderation
