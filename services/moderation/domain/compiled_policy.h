// A policy made ready for the hot path: all literals (and the built-in lexicon) in one Vectorscan database, regexes in
// one RE2::Set. Immutable and thread-safe once compiled; compile off the hot path (milliseconds to seconds) and swap
// pointers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "moderation/domain/lexicon.h"
#include "moderation/domain/normalize.h"
#include "moderation/domain/policy.h"

struct hs_database;
namespace re2 {
class RE2;
}

namespace parvis::moderation {

// One letter of a literal: what Unit is for a text.
struct LiteralUnit {
  char exact = 0;
  uint16_t run = 1;
};

struct Literal {
  enum class Of : uint8_t { kLexicon, kRule, kException };
  std::string words;               // as in NormalText::words, without the outer spaces
  std::vector<LiteralUnit> units;  // one for each byte of `words`
  Of of = Of::kLexicon;
  uint32_t owner = 0;           // index of the rule, or of the entry in the lexicon
  bool open_left = false;       // "*naze": the word may begin earlier
  bool open_right = false;      // "encul*"
  bool no_border_left = false;  // begins in a script that is written without spaces
  bool no_border_right = false;
  bool forgiving = false;  // long enough to allow a doubled letter
};

class CompiledPolicy {
 public:
  // Compiles what was read. Adds to `problems`: LITERAL_EMPTY, REGEX_INVALID, REGEX_TOO_COMPLEX, LITERALS_TOO_MANY.
  // Null exactly if `problems` is not empty afterwards.
  static std::shared_ptr<const CompiledPolicy> Compile(Policy policy, const PolicyLimits& limits,
                                                       const Normalizer& normalizer, Problems* problems);
  // Reads and compiles; every error of both at once, as INVALID_ARGUMENT about `field`.
  static StatusOr<std::shared_ptr<const CompiledPolicy>> FromYaml(std::string_view source, const PolicyLimits& limits,
                                                                  const Normalizer& normalizer, std::string_view field);
  // What moderates a workspace without a policy: no rules, the lexicon only.
  static std::shared_ptr<const CompiledPolicy> Empty(const Normalizer& normalizer);
  ~CompiledPolicy();

  const Policy& policy() const { return policy_; }
  const std::vector<Literal>& literals() const { return literals_; }
  hs_database* database() const { return database_; }
  struct Regexes;
  const Regexes* regexes() const { return regexes_.get(); }  // null when there are none
  // Rules that may hold without a literal or regex hit, ascending.
  const std::vector<uint32_t>& always() const { return always_; }
  // Literals that a masked word of `length` letters may be; null when none.
  const std::vector<uint32_t>* OfLength(size_t length) const;
  // Unique in the process: the same number is the same database.
  uint64_t serial() const { return serial_; }
  size_t memory_bytes() const { return memory_bytes_; }

 private:
  CompiledPolicy() = default;
  void AddLiteral(const Sourced& source, Literal::Of of, uint32_t owner, const Normalizer& normalizer,
                  Problems* problems);
  void CompileDatabase(Problems* problems);
  void CompileRegexes(const PolicyLimits& limits, Problems* problems);

  Policy policy_;
  std::vector<Literal> literals_;
  std::vector<uint32_t> always_;
  std::unordered_map<size_t, std::vector<uint32_t>> by_length_;
  hs_database* database_ = nullptr;
  std::unique_ptr<Regexes> regexes_;
  uint64_t serial_ = 0;
  size_t memory_bytes_ = 0;
};

}  // namespace parvis::moderation
