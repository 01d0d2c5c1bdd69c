// A policy as people write it, parsed and checked but not yet compiled.
//
// Rules are looked at all together. Of those whose conditions hold, the one with the highest priority decides; among
// equal priorities, the one that stands first in the file. All others that hold are listed as further reasons.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moderation/domain/assessment.h"
#include "platform/base/error.h"

namespace parvis::moderation {

// Where something stands in the source, both from 1.
struct Position {
  int line = 1, column = 1;
};

// What a policy may cost at most. Every limit has an error of its own.
struct PolicyLimits {
  size_t source_bytes = 256 << 10;
  size_t rules = 500;
  size_t literals = 20'000;  // words, phrases and exceptions of all rules together
  size_t literal_bytes = 200;
  size_t regexes = 200;
  size_t regex_bytes = 1'000;
  int64_t regex_memory_bytes = 1 << 20;  // RE2's max_mem for each, and eight times that for all together
  size_t list_items = 1'000;             // of one list: handles, ids, channels, networks, domains, languages
  size_t reason_bytes = 500;
  int depth = 12;          // of YAML
  size_t nodes = 100'000;  // of YAML
  size_t problems = 100;   // reported at once
};

struct Sourced {
  std::string text;
  Position position;
};

struct LinkCondition {
  int min = 1;                       // so many links, or more
  std::vector<std::string> domains;  // if not empty, only links to these count
  std::vector<std::string> allow;    // links to these do not count
};

struct RepetitionCondition {
  int letters = 0;  // one letter so often in a row, or more; 0 = not asked for
  int words = 0;    // one word so often in a row, or more; 0 = not asked for
};

struct LengthCondition {
  int64_t min = 0;
  int64_t max = INT64_MAX;  // in characters (code points)
};

struct CapitalsCondition {
  double share = 0.7;  // of all letters
  int letters = 12;    // and at least so many letters
};

// All that are present must hold; words, phrases and regexes are together one condition, of which one hit is enough.
struct Rule {
  std::string name;
  Position position;
  Action action = Action::kUnspecified;
  std::string reason;  // may be empty
  int64_t priority = 0;

  std::vector<Sourced> words, phrases, except, regexes;
  std::optional<LinkCondition> links;
  std::optional<LengthCondition> length;
  std::optional<RepetitionCondition> repetition;
  std::optional<CapitalsCondition> capitals;
  std::vector<std::string> languages;
  std::vector<std::string> author_handles, author_ids;  // one condition: either matches
  std::vector<std::string> channels;
  std::vector<std::string> networks;
};

struct Policy {
  std::vector<Rule> rules;
};

// Collects what is wrong with a source, in order of appearance.
class Problems {
 public:
  explicit Problems(size_t max) : max_(max) {}
  void Add(Position at, std::string_view reason, std::string_view message);
  bool empty() const { return found_.empty(); }
  // OK, or INVALID_ARGUMENT with one violation of `field` each: "line 3, column 7: ..."; metadata "line", "column" of
  // the first.
  Status ToStatus(std::string_view field) const;

 private:
  struct Problem {
    Position at;
    std::string reason, message;
  };
  size_t max_;
  size_t more_ = 0;
  std::vector<Problem> found_;
};

}  // namespace parvis::moderation
