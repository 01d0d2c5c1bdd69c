// What readers will see, network by network: the text with what is added to it, and what of it can be clicked.
#include <gtest/gtest.h>

#include "networks/connector.h"

namespace parvis::networks {
namespace {

// "link https://a.fr" ... as the stretches stand in the text.
std::vector<std::string> Clickable(const Appearance& shown) {
  constexpr const char* kNames[] = {"mention ", "link ", "tag "};
  std::vector<std::string> out;
  for (const text::Facet& facet : shown.facets) {
    out.push_back(kNames[static_cast<int>(facet.kind)] + shown.text.substr(facet.begin, facet.end - facet.begin));
  }
  return out;
}
using List = std::vector<std::string>;

class AppearanceTest : public ::testing::Test {
 protected:
  Appearance Show(const std::string& network, const Draft& draft) { return connectors_.at(network)->Show(draft); }

  RealClock clock_;
  obs::Metrics metrics_;
  net::HttpClient http_{{}, clock_, metrics_};
  std::map<std::string, std::unique_ptr<Connector>> connectors_ = MakeConnectors(http_, clock_);
  const Draft draft_ = {.text = "Soldes d'été ! @lumen #été", .title = "Soldes", .link = "https://lumen.fr/s"};
};

TEST_F(AppearanceTest, TheLinkStandsBelowTheTextOrAsACard) {
  const Appearance x = Show("x", draft_);
  EXPECT_EQ(x.text, "Soldes d'été ! @lumen #été\nhttps://lumen.fr/s");
  EXPECT_EQ(Clickable(x), (List{"mention @lumen", "tag #été", "link https://lumen.fr/s"}));
  EXPECT_EQ(x.title, "") << "X has no titles";
  EXPECT_EQ(x.remarks.size(), 1u);
  for (const char* network : {"facebook", "linkedin"}) {
    const Appearance card = Show(network, draft_);
    EXPECT_EQ(card.text, draft_.text) << network;
    EXPECT_EQ(card.card, draft_.link) << network;
    EXPECT_EQ(Clickable(card), (List{"tag #été"})) << network;
  }
  Draft pictured = draft_;
  pictured.media.push_back({.url = "https://lumen.fr/a.jpg", .type = "image/jpeg"});
  EXPECT_EQ(Show("facebook", pictured).card, "") << "a picture takes the card's place";
  EXPECT_EQ(Clickable(Show("facebook", pictured)), (List{"tag #été", "link https://lumen.fr/s"}));
}

TEST_F(AppearanceTest, EachNetworkFindsWhatItFinds) {
  Draft draft = {.text = "see lumen.fr and (https://a.fr/b). #1 #été2 me@b.fr"};
  EXPECT_EQ(Clickable(Show("x", draft)), (List{"link lumen.fr", "link https://a.fr/b", "tag #été2"}));
  EXPECT_EQ(Clickable(Show("mastodon", draft)), (List{"link https://a.fr/b", "tag #été2"}));
  EXPECT_EQ(Clickable(Show("bluesky", draft)), (List{"link lumen.fr", "link https://a.fr/b", "tag #été2"}));
  EXPECT_EQ(Clickable(Show("instagram", draft)), (List{"tag #été2"}));
  EXPECT_TRUE(Clickable(Show("wordpress", draft)).empty()) << "a blog makes no links by itself";
}

TEST_F(AppearanceTest, TagsAreShownWhereTheNetworkPutsThem) {
  const Draft draft = {.text = "Bonjour", .tags = {"soldes"}};
  EXPECT_EQ(Show("mastodon", draft).text, "Bonjour\n\n#soldes");
  EXPECT_EQ(Show("linkedin", draft).text, "Bonjour\n\n#soldes");
  EXPECT_EQ(Show("bluesky", draft).text, "Bonjour");
  EXPECT_FALSE(Show("bluesky", draft).remarks.empty()) << "that they are not seen is said";
}

TEST_F(AppearanceTest, AMentionOnLinkedInIsTheName) {
  EXPECT_EQ(Show("linkedin", {.text = "with @[Maison Lumen](urn:li:organization:1) (new)"}).text, "with Maison Lumen (new)");
}

TEST_F(AppearanceTest, AStoryShowsNoText) {
  Draft story = draft_;
  story.format = PostFormat::kStory;
  EXPECT_EQ(Show("facebook", story).text, "");
  EXPECT_EQ(Show("instagram", story).text, "");
}

TEST_F(AppearanceTest, ABlogHasATitleAndTheLinkInAParagraphOfItsOwn) {
  for (const char* network : {"wordpress", "ghost"}) {
    const Appearance page = Show(network, draft_);
    EXPECT_EQ(page.title, "Soldes");
    EXPECT_EQ(page.text, draft_.text + "\n\n" + draft_.link);
    EXPECT_EQ(Clickable(page), (List{"link https://lumen.fr/s"}));
  }
}

TEST_F(AppearanceTest, OddTextsAreShownAndFacetsLieInside) {
  for (const std::string text : {std::string("\xff\xfe @\xff #\xc3"), std::string("@"), std::string("#"), std::string("https://"),
                                 std::string("((https://a.fr/(b)))"), std::string(30000, '#'), std::string("h@#h@#")}) {
    for (const auto& [network, connector] : connectors_) {
      const Appearance shown = connector->Show({.text = text, .link = "https://b.fr"});
      size_t at = 0;
      for (const text::Facet& facet : shown.facets) {
        EXPECT_LE(at, facet.begin) << network;
        EXPECT_LT(facet.begin, facet.end) << network;
        at = facet.end;
      }
      EXPECT_LE(at, shown.text.size()) << network;
    }
  }
}

}  // namespace
}  // namespace parvis::networks
