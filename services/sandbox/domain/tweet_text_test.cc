#include "sandbox/domain/tweet_text.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace parvis::sandbox {
namespace {

// Vectors of twitter-text (Apache-2.0), as in the fact sheet.
nlohmann::json Vectors() {
  std::ifstream file("services/sandbox/testdata/x_text.json");
  return nlohmann::json::parse(file);
}

TEST(TweetText, WeightsAgreeWithThePublishedVectors) {
  const nlohmann::json vectors = Vectors();
  for (const auto& test : vectors.at("weighted")) {
    const TweetCheck check = CheckTweet(test.at("text").get<std::string>());
    EXPECT_EQ(check.weight, test.at("expected").at("weightedLength").get<int>()) << test.at("description");
    EXPECT_EQ(check.valid, test.at("expected").at("valid").get<bool>()) << test.at("description");
  }
}

TEST(TweetText, UrlsAgreeWithThePublishedVectors) {
  int wrong = 0;
  const nlohmann::json vectors = Vectors();
  for (const auto& test : vectors.at("urls")) {
    const auto found = TweetUrls(test.at("text").get<std::string>());
    if (found == test.at("expected").get<std::vector<std::string>>()) continue;
    ++wrong;
    std::string shown;
    for (const std::string& url : found) shown += " [" + url + "]";
    ADD_FAILURE() << test.at("description") << " " << test.at("text") << " expected " << test.at("expected") << " found"
                  << shown;
  }
  EXPECT_EQ(wrong, 0);
}

TEST(TweetText, ShortensUrlsAndRemembersThem) {
  const ShortenedTweet tweet = ShortenUrls("Voir https://example.com/a?b=1 et example.org.", "7");
  ASSERT_EQ(tweet.urls.size(), 2u);
  EXPECT_EQ(tweet.urls[0].second, "https://example.com/a?b=1");
  EXPECT_EQ(tweet.text, "Voir " + tweet.urls[0].first + " et " + tweet.urls[1].first + ".");
  EXPECT_EQ(tweet.urls[0].first.size(), 23u);
}

TEST(TweetText, FitsLongTexts) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "mot ";
  const std::string fit = FitTweet(text);
  EXPECT_TRUE(CheckTweet(fit).valid);
  EXPECT_GT(CheckTweet(fit).weight, 270);
}

}  // namespace
}  // namespace parvis::sandbox
