#include <gtest/gtest.h>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "moderation/domain/compiled_policy.h"
#include "moderation/domain/policy_yaml.h"

namespace parvis::moderation {
namespace {

const Normalizer& TheNormalizer() {
  static const Normalizer* const n = new Normalizer;
  return *n;
}

// "REASON 3:7" for each error, in order.
std::vector<std::string> Errors(std::string_view yaml, const PolicyLimits& limits = {}) {
  auto policy = CompiledPolicy::FromYaml(yaml, limits, TheNormalizer(), "policy.source");
  std::vector<std::string> out;
  if (policy.ok()) return out;
  const Error error = ToError(policy.status());
  EXPECT_EQ(error.code, Code::kInvalidArgument);
  for (const Violation& v : error.violations) {
    EXPECT_EQ(v.field, "policy.source");
    int line = 0, column = 0;
    EXPECT_EQ(std::sscanf(v.description.c_str(), "line %d, column %d: ", &line, &column), 2) << v.description;
    out.push_back(absl::StrCat(v.reason, " ", line, ":", column));
  }
  return out;
}

using E = std::vector<std::string>;

// One rule, its condition or its keys given.
std::string Rule(std::string_view condition) {
  return absl::StrCat("version: 1\nrules:\n- name: a\n  action: hold\n  if:\n    ", std::string(condition), "\n");
}

TEST(Policy, Good) {
  EXPECT_EQ(Errors("version: 1\nrules:\n- {name: a, action: hide, if: {text: {words: connard}}}\n"), E{});
  EXPECT_EQ(
      Errors(Rule(
          "text: {words: [a, \"7\"], except: [b], regex: ['c+'], links: {min: 2, domains: [a.fr], allow: [b.fr]}}")),
      E{});
  EXPECT_EQ(Errors(Rule("channel: [018f0000-0000-7000-8000-000000000000]")), E{});
}

TEST(Policy, Structure) {
  EXPECT_EQ(Errors(""), E{"WRONG_TYPE 1:1"});
  EXPECT_EQ(Errors("hello"), E{"WRONG_TYPE 1:1"});
  EXPECT_EQ(Errors("{}"), (E{"MISSING_KEY 1:1", "MISSING_KEY 1:1"}));
  EXPECT_EQ(Errors("version: 2\nrules: []"), (E{"OUT_OF_RANGE 1:10", "EMPTY 2:8"}));
  EXPECT_EQ(Errors("version: one\nrules: 3"), (E{"WRONG_TYPE 1:10", "WRONG_TYPE 2:8"}));
  EXPECT_EQ(Errors("version: 1\nrules:\n- 5\n- {}"),
            (E{"WRONG_TYPE 3:3", "MISSING_KEY 4:3", "MISSING_KEY 4:3", "MISSING_KEY 4:3"}));
  EXPECT_EQ(Errors("version: 1\nruels: []\nrules:\n- {name: a, action: hide, if: {text: {words: x}}}"),
            E{"UNKNOWN_KEY 2:1"});
}

TEST(Policy, RuleKeys) {
  EXPECT_EQ(Errors("version: 1\nrules:\n- {name: A b, action: burn, if: {text: {words: x}}, priority: 1001}"),
            (E{"WRONG_VALUE 3:10", "WRONG_VALUE 3:23", "OUT_OF_RANGE 3:63"}));
  EXPECT_EQ(
      Errors(
          "version: 1\nrules:\n- {name: a, action: hide, if: {text: {words: x}}}\n- {name: a, action: hide, if: {}}"),
      (E{"DUPLICATE_NAME 4:10", "NO_CONDITION 4:31"}));
  EXPECT_EQ(Errors("version: 1\nrules:\n- {name: a, action: hide, if: {text: {words: x}}, reason: " +
                   std::string(501, 'x') + "}"),
            E{"TOO_LONG 3:59"});
}

TEST(Policy, Conditions) {
  EXPECT_EQ(Errors(Rule("text: {}")), E{"NO_CONDITION 6:11"});
  EXPECT_EQ(Errors(Rule("text: [a]")), E{"WRONG_TYPE 6:11"});
  EXPECT_EQ(Errors(Rule("text: {wrods: [a]}")), E{"UNKNOWN_KEY 6:12"});
  EXPECT_EQ(Errors(Rule("text: {words: []}")), E{"EMPTY 6:19"});
  EXPECT_EQ(Errors(Rule("text: {words: [[a]]}")), E{"WRONG_TYPE 6:20"});
  EXPECT_EQ(Errors(Rule("text: {words: [a, '...']}")), E{"LITERAL_EMPTY 6:23"});
  EXPECT_EQ(Errors(Rule("text: {words: ['co*']}")), E{"WRONG_VALUE 6:20"});
  EXPECT_EQ(Errors(Rule("text: {except: [a]}")), E{"NO_CONDITION 6:20"});
  EXPECT_EQ(Errors(Rule("text: {words: [" + std::string(201, 'x') + "]}")), E{"TOO_LONG 6:20"});
  EXPECT_EQ(Errors(Rule("text: {links: {min: 0, domains: [http://a]}}")), (E{"OUT_OF_RANGE 6:25", "WRONG_VALUE 6:38"}));
  EXPECT_EQ(Errors(Rule("text: {length: {min: 5, max: 4}}")), E{"OUT_OF_RANGE 6:34"});
  EXPECT_EQ(Errors(Rule("text: {length: {}}")), E{"NO_CONDITION 6:20"});
  EXPECT_EQ(Errors(Rule("text: {repetition: {letters: 2}}")), E{"OUT_OF_RANGE 6:34"});
  EXPECT_EQ(Errors(Rule("text: {capitals: {percent: 101}}")), E{"OUT_OF_RANGE 6:32"});
  EXPECT_EQ(Errors(Rule("text: {language: [french]}")), E{"WRONG_VALUE 6:23"});
  EXPECT_EQ(Errors(Rule("author: {}")), E{"NO_CONDITION 6:13"});
  EXPECT_EQ(Errors(Rule("channel: [page]")), E{"WRONG_VALUE 6:15"});
}

TEST(Policy, Regexes) {
  EXPECT_EQ(Errors(Rule("text: {regex: ['a(', 'ok', '(?=b)', 'x*']}")),
            (E{"REGEX_INVALID 6:20", "REGEX_INVALID 6:32", "REGEX_MATCHES_NOTHING 6:41"}));
  EXPECT_EQ(Errors(Rule("text: {regex: ['((a{100}){100}){100}']}")).size(), 1u);
  EXPECT_EQ(Errors(Rule("text: {regex: ['" + std::string(1001, 'x') + "']}")), E{"TOO_LONG 6:20"});
}

TEST(Policy, YamlItself) {
  EXPECT_EQ(Errors("version: 1\nrules:\n  - name: [a\n"), E{"YAML_SYNTAX 4:1"});
  EXPECT_EQ(Errors("version: 1\nversion: 1\nrules: &a [x]"), (E{"YAML_DUPLICATE_KEY 2:1", "YAML_ALIAS 3:8"}));
  EXPECT_EQ(Errors("a: &x [1]\nb: *x"), E{"YAML_ALIAS 1:4"});
  EXPECT_EQ(Errors("a: !!binary x"), E{"YAML_TAG 1:4"});
  EXPECT_EQ(Errors("a: 1\n---\nb: 2"), E{"YAML_DOCUMENTS 2:1"});
  EXPECT_EQ(Errors("a: " + std::string(2000, '[')).size(), 1u);
  EXPECT_EQ(Errors("version: 1\nrules: \xFF"), E{"SOURCE_NOT_UTF8 2:8"});
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += absl::StrCat(std::string(1, c), ": &", std::string(1, c), " [");
    for (int i = 0; i < 9; ++i) bomb += absl::StrCat(i ? "," : "", "*", std::string(1, c - 1));
    bomb += "]\n";
  }
  EXPECT_EQ(Errors(bomb), E{"YAML_ALIAS 1:4"});
}

TEST(Policy, Limits) {
  PolicyLimits small;
  small.rules = 1, small.literals = 2, small.regexes = 1, small.source_bytes = 300, small.list_items = 2;
  EXPECT_EQ(Errors(std::string(301, ' '), small), E{"SOURCE_TOO_LARGE 1:1"});
  EXPECT_EQ(Errors(Rule("text: {words: [a, b], phrases: [c], regex: [d, e]}"), small),
            (E{"TOO_MANY 6:36", "TOO_MANY 6:48"}));
  EXPECT_EQ(Errors("version: 1\nrules:\n- {name: a, action: hide, if: {text: {words: x}}}\n- {name: b}", small),
            E{"TOO_MANY 4:3"});
  // Every list of a rule has its bound; the error stands at the first item too many.
  EXPECT_EQ(Errors(Rule("author: {handles: [a, b], ids: ['1', '2']}"), small), E{});
  EXPECT_EQ(Errors(Rule("author: {handles: [a, b, c], ids: ['1', '2', '3']}"), small),
            (E{"TOO_MANY 6:30", "TOO_MANY 6:50"}));
  EXPECT_EQ(Errors(Rule("network: [a, b, c, d]"), small), E{"TOO_MANY 6:21"});
  EXPECT_EQ(Errors(Rule("text: {language: [fr, en, de]}"), small), E{"TOO_MANY 6:31"});
  EXPECT_EQ(Errors(Rule("text: {links: {domains: [a.fr, b.fr, c.fr], allow: [d.fr, e.fr, f.fr]}}"), small),
            (E{"TOO_MANY 6:42", "TOO_MANY 6:69"}));
  const std::string id = "018f0000-0000-7000-8000-00000000000";
  EXPECT_EQ(Errors(Rule(absl::StrCat("channel: [", id, "1, ", id, "2, ", id, "3]")), small), E{"TOO_MANY 6:91"});
}

TEST(Policy, AllErrorsAtOnceAndNoMoreThanReported) {
  std::string many = "version: 1\nrules:\n";
  for (int i = 0; i < 200; ++i) many += absl::StrCat("- {name: r", i, ", action: burn, if: {text: {words: x}}}\n");
  EXPECT_EQ(Errors(many).size(), PolicyLimits{}.problems);
}

}  // namespace
}  // namespace parvis::moderation
