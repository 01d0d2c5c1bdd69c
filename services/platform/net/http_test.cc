#include "platform/net/http.h"

#include <gtest/gtest.h>

namespace parvis::net {
namespace {

TEST(Http, HeaderNamesCompareWithoutCase) {
  Headers headers = {{"Content-Type", "a"}};
  headers["content-TYPE"] = "b";
  EXPECT_EQ(headers.size(), 1u);
  EXPECT_EQ(headers.find(std::string_view("CONTENT-TYPE"))->second, "b");
}

TEST(Http, AHeaderThatIsNotThereIsEmpty) {
  const Headers headers = {{"Content-Type", "a"}, {"X-Empty", ""}};
  EXPECT_EQ(HeaderOf(headers, "content-type"), "a");
  EXPECT_EQ(HeaderOf(headers, "x-empty"), "");
  EXPECT_EQ(HeaderOf(headers, "Content"), "");
  EXPECT_EQ(HeaderOf({}, "content-type"), "");
}

TEST(Http, UrlEncodingRoundTripsAllBytes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  EXPECT_EQ(*UrlDecode(UrlEncode(all), false), all);
  EXPECT_EQ(*UrlDecode(UrlEncode(all), true), all);
  EXPECT_EQ(UrlEncode("a b/é~"), "a%20b%2F%C3%A9~");
}

TEST(Http, BadEscapesAreErrors) {
  for (const char* bad : {"%", "%4", "a%4g", "%%41", "%-1"}) {
    EXPECT_EQ(ReasonOf(UrlDecode(bad, false).status()), "BAD_ESCAPE") << bad;
  }
  EXPECT_EQ(*UrlDecode("%41", false), "A");
}

TEST(Http, QueriesAreParsedAndMalformedPartsLeftOut) {
  const auto query = ParseQuery("a=1&b=x%20y+z&c&d=%zz&a=2&=e&&hub.mode=subscribe");
  EXPECT_EQ(query.at("a"), "2");
  EXPECT_EQ(query.at("b"), "x y z");
  EXPECT_EQ(query.at("c"), "");
  EXPECT_EQ(query.count("d"), 0u);
  EXPECT_EQ(query.at("hub.mode"), "subscribe");
}

TEST(Http, FormsAreEncoded) { EXPECT_EQ(FormEncode({{"a", "1&2"}, {"b", ""}}), "a=1%262&b="); }

}  // namespace
}  // namespace parvis::net
