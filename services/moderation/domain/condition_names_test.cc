// What Reason.condition may be, here and in the API's own words.
#include <fstream>
#include <set>
#include <sstream>

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include "moderation/domain/assess.h"
#include "moderation/domain/compiled_policy.h"

namespace parvis::moderation {
namespace {

// The quoted words of the comment above the field.
std::set<std::string> ListedInTheProto() {
  std::ifstream file("protos/parvis/moderation/v1/assessment.proto");
  std::stringstream text;
  text << file.rdbuf();
  std::string comment = text.str();
  comment.resize(comment.find("string condition = "));
  comment = comment.substr(comment.rfind(';'));  // the end of the field before
  std::set<std::string> names;
  for (size_t at = 0; (at = comment.find('"', at)) != std::string::npos;) {
    const size_t end = comment.find('"', at + 1);
    names.insert(comment.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return names;
}

TEST(ConditionNames, EveryOneIsListedAndEveryListedOneIsGiven) {
  const Normalizer normalizer;
  std::set<std::string> given;
  for (const char* condition :
       {"text: {words: [hello]}", "text: {phrases: [hello there]}", "text: {regex: ['hell+o']}",
        "text: {links: {min: 1}}", "text: {length: {min: 1}}", "text: {repetition: {letters: 5}}",
        "text: {repetition: {words: 2}}", "text: {capitals: {percent: 10, letters: 5}}", "text: {language: [en, und]}",
        "author: {handles: [zoe]}", "author: {ids: ['42']}", "channel: [018f0000-0000-7000-8000-0000000000c1]",
        "network: [facebook]"}) {
    const auto policy =
        CompiledPolicy::FromYaml(absl::StrCat("version: 1\nrules:\n- {name: r, action: hold, if: {", condition, "}}\n"),
                                 {}, normalizer, "source");
    ASSERT_TRUE(policy.ok()) << condition << ": " << policy.status();
    Subject subject;
    subject.text = "hello there you you you NOOOOOOOO look at https://a.example/b";
    subject.network = "facebook";
    subject.channel_id = "018f0000-0000-7000-8000-0000000000c1";
    subject.author_id = "42", subject.author_handle = "zoe";
    const Verdict verdict = Assessor(normalizer).Assess(subject, **policy);
    ASSERT_EQ(verdict.reasons.size(), 1u) << condition;
    given.insert(verdict.reasons[0].condition);
  }
  EXPECT_EQ(given, ListedInTheProto());
}

}  // namespace
}  // namespace parvis::moderation
