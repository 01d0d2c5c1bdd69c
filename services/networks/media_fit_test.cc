#include "networks/media_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "networks/connector.h"
#include "networks/wire/check.h"

namespace parvis::networks {
namespace {

Capabilities Network() {
  Capabilities c;
  c.display_name = "Somewhere";
  c.Allow({Feature::kImage, Feature::kVideo});
  c.media_max = 4;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "video/mp4"};
  c.media_max_bytes = 1'000'000;
  c.gif_max_bytes = 3'000'000;
  c.video_max_bytes = 50'000'000;
  c.picture_side_max = 2048;
  c.video_duration_min = absl::Seconds(1);
  c.video_duration_max = absl::Seconds(140);
  c.video_pixels_max = 1280 * 1024;
  return c;
}

struct Case {
  const char* what;
  Media media;
  std::vector<std::string> reasons;  // of the violations
  std::optional<FitTarget> target;
  std::vector<std::string> changes;  // without the last one, which is always the same
};

void Try(const Capabilities& capabilities, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const MediaFit fit = FitMedia(capabilities, one.media);
    std::vector<std::string> reasons;
    for (const Violation& violation : fit.violations) reasons.push_back(violation.reason);
    EXPECT_EQ(reasons, one.reasons) << one.what;
    EXPECT_EQ(fit.fits, one.reasons.empty()) << one.what;
    EXPECT_EQ(fit.target, one.target) << one.what;
    std::vector<std::string> changes = fit.changes;
    if (!changes.empty()) changes.pop_back();
    EXPECT_EQ(changes, one.changes) << one.what;
    EXPECT_EQ(fit.target.has_value(), !fit.changes.empty()) << one.what;
  }
}

TEST(MediaFitTest, Pictures) {
  Try(Network(),
      {
          {"fits", {.type = "image/jpeg", .size_bytes = 1'000'000, .width = 2048, .height = 1024}, {}, {}, {}},
          {"nothing known but the type", {.type = "image/png"}, {}, {}, {}},
          {"too wide",
           {.type = "image/jpeg", .size_bytes = 900'000, .width = 3000, .height = 2000},
           {"MEDIA_DIMENSIONS"},
           FitTarget{"", 2048, 1'000'000},
           {"3000 × 2000 becomes 2048 × 1365"}},
          {"too high",
           {.type = "image/png", .size_bytes = 9'000, .width = 10, .height = 5000},
           {"MEDIA_DIMENSIONS"},
           FitTarget{"", 2048, 1'000'000},
           {"10 × 5000 becomes 4 × 2048"}},
          {"too many bytes",
           {.type = "image/jpeg", .size_bytes = 2'500'000, .width = 800, .height = 600},
           {"MEDIA_TOO_LARGE"},
           FitTarget{"", 0, 1'000'000},
           {"at most 1 MB: quality goes down"}},
          {"a PNG of too many bytes",
           {.type = "image/png", .size_bytes = 2'500'000, .width = 800, .height = 600},
           {"MEDIA_TOO_LARGE"},
           FitTarget{"image/jpeg", 0, 1'000'000},
           {"PNG becomes JPEG: transparency is lost", "at most 1 MB: quality goes down"}},
          {"a type that is not taken",
           {.type = "image/webp", .size_bytes = 900, .width = 3000, .height = 1500},
           {"MEDIA_TYPE", "MEDIA_DIMENSIONS"},
           FitTarget{"image/jpeg", 2048, 1'000'000},
           {"3000 × 1500 becomes 2048 × 1024", "WebP becomes JPEG: transparency and movement are lost"}},
          {"a GIF may have more bytes",
           {.type = "image/gif", .size_bytes = 2'900'000, .width = 400, .height = 300},
           {},
           {},
           {}},
          {"a GIF of too many",
           {.type = "image/gif", .size_bytes = 3'900'000, .width = 400, .height = 300},
           {"MEDIA_TOO_LARGE"},
           FitTarget{"image/jpeg", 0, 1'000'000},
           {"GIF becomes JPEG: it moves no more, only the first frame is kept", "at most 1 MB: quality goes down"}},
      });
}

TEST(MediaFitTest, VideosAndDocumentsAreJudged) {
  Try(Network(),
      {
          {"fits",
           {.type = "video/mp4",
            .size_bytes = 50'000'000,
            .width = 1280,
            .height = 1024,
            .duration = absl::Seconds(140)},
           {},
           {},
           {}},
          {"everything wrong",
           {.type = "video/webm",
            .size_bytes = 60'000'000,
            .width = 1920,
            .height = 1080,
            .duration = absl::Seconds(141)},
           {"MEDIA_TYPE", "MEDIA_TOO_LARGE", "MEDIA_DIMENSIONS", "MEDIA_DURATION"},
           {},
           {}},
          {"too short", {.type = "video/mp4", .duration = absl::Milliseconds(500)}, {"MEDIA_DURATION"}, {}, {}},
          {"no documents here", {.type = "application/pdf"}, {"NOT_POSSIBLE"}, {}, {}},
      });
}

TEST(MediaFitTest, PixelsInAll) {
  Capabilities c = Network();
  c.picture_side_max = 0;
  c.picture_pixels_max = 33'177'600;
  for (const auto& [width, height] :
       std::vector<std::pair<int, int>>{{8000, 8000}, {5761, 5760}, {100'000, 400}, {12'345, 6'789}, {3, 20'000'000}}) {
    const MediaFit fit = FitMedia(c, {.type = "image/jpeg", .width = width, .height = height});
    ASSERT_TRUE(fit.target.has_value()) << width;
    const double factor = static_cast<double>(fit.target->side_max) / std::max(width, height);
    EXPECT_LE(std::round(width * factor) * std::round(height * factor), 33'177'600) << width << "x" << height;
    EXPECT_GT(width * factor * height * factor, 33'177'600 * 0.99 - std::max(width, height))
        << "no smaller than needed";
  }
  EXPECT_TRUE(FitMedia(c, {.type = "image/jpeg", .width = 5760, .height = 5760}).fits);
}

TEST(MediaFitTest, WhereNoPictureOfOursIsTaken) {
  Capabilities c = Network();
  c.media_types = {"image/avif"};
  EXPECT_EQ(FitMedia(c, {.type = "image/jpeg"}).target, std::nullopt);
  c.media_types = {"image/png"};
  EXPECT_EQ(FitMedia(c, {.type = "image/jpeg"}).target, (FitTarget{"image/png", 0, 1'000'000}));
  c = Capabilities{};
  c.display_name = "Nowhere";
  const MediaFit fit = FitMedia(c, {.type = "image/jpeg"});
  ASSERT_EQ(fit.violations.size(), 1U);
  EXPECT_EQ(fit.violations[0].reason, "NOT_POSSIBLE");
  EXPECT_NE(fit.violations[0].description.find("Nowhere"), std::string::npos);
}

TEST(MediaFitTest, DraftsAreCheckedByTheSameRules) {
  Draft draft;
  draft.media = {{.url = "https://a.example/a.jpg", .type = "image/jpeg", .width = 4000, .height = 10},
                 {.url = "https://a.example/a.mp4", .type = "video/mp4", .duration = absl::Minutes(3)}};
  std::vector<Violation> violations;
  CheckMedia(draft, Network(), &violations);
  ASSERT_EQ(violations.size(), 2U);
  EXPECT_EQ(violations[0].field, "media[0].width");
  EXPECT_EQ(violations[1].field, "media[1].duration");
}

// Only who says that it fetches media is given addresses of what is kept here.
TEST(FetchedMediaTest, WhoMissesAnAddressOfKeptMediaSaysThatItFetches) {
  RealClock clock;
  obs::Metrics metrics;
  net::HttpClient http({}, clock, metrics);
  std::set<std::string> missing;
  for (const auto& [network, connector] : MakeConnectors(http, clock)) {
    for (const std::string& type : connector->capabilities().media_types) {
      for (const WriteKind kind : {WriteKind::kPost, WriteKind::kReply}) {
        for (const PostFormat format : {PostFormat::kPost, PostFormat::kReel, PostFormat::kStory}) {
          Draft draft{.text = "A lamp", .title = "A lamp"};
          draft.media = {{.type = type, .bytes = "kept", .size_bytes = int64_t{1} << 40}};
          draft.format = format;
          draft.thumbnail = Media{.type = "image/jpeg", .bytes = "kept"};
          for (const Violation& violation : connector->Check(kind, draft)) {
            if (violation.reason == "MEDIA_URL") missing.insert(network);
          }
        }
      }
    }
    EXPECT_EQ(missing.contains(network), connector->capabilities().fetches_media) << network;
  }
  EXPECT_EQ(missing, (std::set<std::string>{"facebook", "instagram"}));
}

}  // namespace
}  // namespace parvis::networks
