#include "networks/text/facets.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace parvis::networks::text {
namespace {

nlohmann::json Vectors() {
  std::ifstream in("services/networks/testdata/bluesky_facets.json");
  return nlohmann::json::parse(in);
}

TEST(Facets, TagsAreThoseOfTheNetworksOwnLibrary) {
  const nlohmann::json vectors = Vectors();
  for (const auto& test : vectors["tags"]) {
    std::vector<std::string> tags;
    nlohmann::json indices = nlohmann::json::array();
    for (const Facet& facet : FindFacets(test["text"].get<std::string>())) {
      if (facet.kind != Facet::Kind::kTag) continue;
      tags.push_back(facet.value);
      indices.push_back({{"byteStart", facet.begin}, {"byteEnd", facet.end}});
    }
    EXPECT_EQ(tags, test["tags"].get<std::vector<std::string>>()) << test["text"];
    EXPECT_EQ(indices, test["indices"]) << test["text"];
  }
}

TEST(Facets, MentionsAndLinksAreThoseOfTheNetworksOwnLibrary) {
  const nlohmann::json vectors = Vectors();
  for (const auto& test : vectors["mentions_links"]) {
    std::vector<Facet> found;
    for (Facet& facet : FindFacets(test["text"].get<std::string>())) {
      if (facet.kind != Facet::Kind::kTag) found.push_back(std::move(facet));
    }
    ASSERT_EQ(found.size(), test["facets"].size()) << test["text"];
    for (size_t i = 0; i < found.size(); ++i) {
      const auto& expected = test["facets"][i];
      const auto& feature = expected["features"][0];
      EXPECT_EQ(found[i].begin, expected["index"]["byteStart"].get<size_t>()) << test["text"];
      EXPECT_EQ(found[i].end, expected["index"]["byteEnd"].get<size_t>()) << test["text"];
      EXPECT_EQ(found[i].value, feature.contains("did") ? feature["did"] : feature["uri"]) << test["text"];
    }
  }
}

TEST(Facets, HostileTextsAreReadInTime) {
  EXPECT_TRUE(FindFacets("\xff #a").empty());
  EXPECT_TRUE(FindFacets(std::string(20001, 'a')).empty());
  std::string dots;
  for (int i = 0; i < 9000; ++i) dots += "a.";
  FindFacets(dots);
  FindFacets("#" + std::string(19000, '.'));
}

}  // namespace
}  // namespace parvis::networks::text
