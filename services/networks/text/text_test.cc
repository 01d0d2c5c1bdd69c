#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "networks/text/html.h"
#include "networks/text/tweet.h"
#include "networks/text/unicode.h"

namespace parvis::networks::text {
namespace {

nlohmann::json Vectors(const std::string& file) {
  std::ifstream in("services/networks/testdata/" + file);
  return nlohmann::json::parse(in);
}

// JSON strings may hold what is no Unicode text (lone surrogates, U+FFFF); nlohmann keeps what it can.
TEST(TweetText, CountsAsTwitterTextDoes) {
  const auto vectors = Vectors("twitter_text.json");
  int cases = 0;
  for (const char* group : {"weighted_v3", "directional_markers"}) {
    for (const auto& test : vectors[group]) {
      EXPECT_EQ(WeightedLength(test["text"].get<std::string>()), test["expected"]["weightedLength"].get<int>())
          << test["description"];
      ++cases;
    }
  }
  EXPECT_EQ(cases, 24);
}

TEST(TweetText, FindsTheLinksThatTwitterTextFinds) {
  const auto vectors = Vectors("twitter_text.json");
  for (const auto& test : vectors["extract_urls"]) {
    EXPECT_EQ(ExtractUrls(test["text"].get<std::string>()), test["expected"].get<std::vector<std::string>>()) << test["description"];
  }
  for (const auto& test : vectors["tco_urls_with_params"]) {
    EXPECT_EQ(ExtractUrls(test["text"].get<std::string>()), test["expected"].get<std::vector<std::string>>()) << test["description"];
  }
  for (const auto& test : vectors["urls_with_directional_markers"]) {
    std::vector<std::string> expected;
    for (const auto& url : test["expected"]) expected.push_back(url["url"]);
    EXPECT_EQ(ExtractUrls(test["text"].get<std::string>()), expected) << test["description"];
  }
}

TEST(TweetText, CountsEmoji) {
  EXPECT_EQ(WeightedLength("©"), 1);
  EXPECT_EQ(WeightedLength("©️"), 2);
  EXPECT_EQ(WeightedLength("1️⃣"), 2);
  EXPECT_EQ(WeightedLength("123#*"), 5);
  EXPECT_EQ(WeightedLength("🇫🇷🇬🇧"), 4);
  EXPECT_EQ(WeightedLength("🏴󠁧󠁢󠁳󠁣󠁴󠁿"), 2);
  EXPECT_EQ(WeightedLength("👨‍👩‍👧‍👦"), 2);
  EXPECT_EQ(WeightedLength("👍🏽"), 2);
  EXPECT_EQ(WeightedLength(""), 0);
}

// Texts that make a careless pattern run for ever.
TEST(TweetText, HostileTextsAreCountedInTime) {
  EXPECT_GT(WeightedLength(std::string(9000, 'a') + "."), 0);
  std::string dots, labels;
  for (int i = 0; i < 3000; ++i) dots += "a.";
  for (int i = 0; i < 1500; ++i) labels += "a_-a_-";
  EXPECT_GT(WeightedLength(dots), 0);
  EXPECT_GT(WeightedLength(labels + ".x"), 0);
  EXPECT_GT(WeightedLength("http://a.com/" + std::string(3000, '(') + std::string(3000, ')')), 0);
  EXPECT_GT(WeightedLength("\xff\xfe\xc3(.com"), 0);
}

TEST(Unicode, CountsGraphemes) {
  int wrong = 0;
  const auto vectors = Vectors("graphemes.json");
  for (const auto& test : vectors["cases"]) {
    if (Graphemes(test[0].get<std::string>()) != static_cast<int>(test[1].size())) ++wrong;
  }
  // The vectors are Unicode 17's; ICU 72 knows Unicode 15: only newer rules may differ.
  EXPECT_LT(wrong, static_cast<int>(vectors["cases"].size()) / 20);
  EXPECT_EQ(Graphemes("e\u0301a"), 2);
}

TEST(Unicode, AgreesOnLengths) {
  const auto vectors = Vectors("lengths.json");
  for (const auto& test : vectors["cases"]) {
    const std::string text = test["text"];
    EXPECT_EQ(Graphemes(text), test["graphemes"].get<int>());
    EXPECT_EQ(CodePoints(text), test["code_points"].get<int>());
    EXPECT_EQ(WeightedLength(text), test["x_weight"].get<int>());
  }
}

TEST(Unicode, RepairsAndCuts) {
  EXPECT_TRUE(IsUtf8("é😀"));
  EXPECT_FALSE(IsUtf8("\xc3("));
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));
  EXPECT_EQ(ToUtf8(std::string("a\0b\xff", 4)), "ab\xEF\xBF\xBD");
  EXPECT_EQ(CutBytes("aéb", 2), "a");
  EXPECT_EQ(CutBytes("aéb", 3), "aé");
  EXPECT_EQ(ForComparison("  e\u0301\n\n b\u00a0c "), "\u00e9 b c");
}

TEST(Html, BecomesText) {
  EXPECT_EQ(HtmlToText("<p>Hi &amp; bye<br />\nnow &#8217;&#x1F600;</p>\n<p>Two</p>\n", false), "Hi & bye\nnow ’😀\n\nTwo");
  EXPECT_EQ(HtmlToText("a < b & c &unknown; &#xZZ; 1<2", false), "a < b & c &unknown; &#xZZ; 1<2");
  EXPECT_EQ(HtmlToText("x<script>alert('</p>')</script>y<!-- <b> -->z<style>p{}</style>", false), "xyz");
  EXPECT_EQ(HtmlToText("<a href=\"x>y\">link</a> <img alt='>' src=x>", false), "link");
  EXPECT_EQ(HtmlToText("one\ntwo\r\n\r\nthree <b>bold", true), "one\ntwo\n\nthree bold");
  EXPECT_EQ(HtmlToText("one\n  two", false), "one two");
  EXPECT_EQ(HtmlToText("<", false), "<");
  EXPECT_EQ(HtmlToText("<b", false), "");
  EXPECT_EQ(HtmlToText("&#0;&#1114112;", false), "��");
}

TEST(Html, TextRoundTrips) {
  const std::string text = "One <b> & \"two\"\nline\n\nthree 'x'";
  EXPECT_EQ(HtmlToText(TextToHtml(text), false), text);
  EXPECT_EQ(TextToHtml("a\n\n\nb"), "<p>a</p>\n<p>b</p>\n");
}

}  // namespace
}  // namespace parvis::networks::text
