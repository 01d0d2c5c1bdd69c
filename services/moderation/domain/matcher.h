// Finds a policy's words, phrases and regexes, and the lexicon's, in a text. Part of assess.cc.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "moderation/domain/compiled_policy.h"
#include "moderation/domain/lexicon.h"
#include "moderation/domain/normalize.h"
#include "moderation/domain/plain_text.h"

struct hs_scratch;

namespace parvis::moderation {

// Bytes of the original text.
struct Stretch {
  uint32_t begin, end;
  auto operator<=>(const Stretch&) const = default;
};

// What was found of one rule.
struct RuleHits {
  std::vector<Stretch> literals, regexes, exceptions;
  bool empty() const { return literals.empty() && regexes.empty() && exceptions.empty(); }
};

// One for each thread: has buffers and the scratch space of the search.
class Matcher {
 public:
  explicit Matcher(const Normalizer& normalizer) : normalizer_(normalizer) {}
  ~Matcher();
  Matcher(const Matcher&) = delete;

  // Searches `text`; what was found stays until the next search. Returns the lexicon's part.
  Clues Search(std::string_view text, const CompiledPolicy& policy);
  const NormalText& normal() const { return normal_; }
  const RuleHits& of(uint32_t rule) const { return by_rule_[rule]; }
  const std::vector<uint32_t>& rules() const { return touched_; }  // those with any hit, in no order
  void Forget();                                                   // as if nothing had been searched

 private:
  struct Hit {
    uint32_t literal, from, to;
  };
  static int OnMatch(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void* self);
  void Scan(const CompiledPolicy& policy);
  bool Stands(const Literal& literal, uint32_t from, uint32_t to) const;
  Clues TakeHits(const CompiledPolicy& policy);
  void MaskedWords(const CompiledPolicy& policy);
  void Regexes(std::string_view text, const CompiledPolicy& policy);
  void RegexHits(const CompiledPolicy& policy, size_t id);
  RuleHits& Touch(uint32_t rule);

  const Normalizer& normalizer_;
  NormalText normal_;
  PlainText plain_;
  hs_scratch* scratch_ = nullptr;
  uint64_t scratch_of_ = 0;  // serial of the policy it fits
  const CompiledPolicy* scanned_ = nullptr;
  std::vector<Hit> hits_;
  std::vector<RuleHits> by_rule_;
  std::vector<uint32_t> touched_;
  std::vector<uint8_t> seen_;  // lexicon entries
  std::vector<uint32_t> seen_list_;
  std::vector<int> regex_ids_;
};

}  // namespace parvis::moderation
