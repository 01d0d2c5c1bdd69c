#include "networks/video_fit.h"

#include <gtest/gtest.h>

#include "networks/media_fit.h"

namespace parvis::networks {
namespace {

Capabilities Network() {
  Capabilities c;
  c.display_name = "Somewhere";
  c.Allow({Feature::kImage, Feature::kVideo});
  c.media_types = {"image/jpeg", "video/mp4"};
  c.video_max_bytes = 50'000'000;
  c.video_duration_min = absl::Seconds(1);
  c.video_duration_max = absl::Seconds(1000);
  c.video_pixels_max = 1280 * 1024;
  c.video_codecs = {"h264"};
  c.audio_codecs = {"aac"};
  return c;
}

Media Video(const std::string& type, int64_t bytes, int width, int height, int seconds) {
  Media media;
  media.type = type;
  media.size_bytes = bytes;
  media.width = width;
  media.height = height;
  media.duration = absl::Seconds(seconds);
  media.video_codec = "h264";
  media.audio_codec = "aac";
  media.frame_rate = 30;
  return media;
}

// Without the last two, which are always the same.
std::vector<std::string> Changes(const MediaFit& fit) {
  if (fit.changes.size() < 2) return fit.changes;
  return {fit.changes.begin(), fit.changes.end() - 2};
}
using Said = std::vector<std::string>;

TEST(VideoFitTest, WhatFitsIsOfferedNothing) {
  const MediaFit fit = FitMedia(Network(), Video("video/mp4", 9'000'000, 1280, 720, 30));
  EXPECT_TRUE(fit.fits);
  EXPECT_EQ(fit.video, std::nullopt);
  EXPECT_TRUE(fit.changes.empty());
}

TEST(VideoFitTest, WhereOnlyTheContainerIsWrongNothingIsEncodedAgain) {
  for (const auto& [type, name] : std::vector<std::pair<std::string, std::string>>{{"video/quicktime", "QuickTime"},
                                                                                   {"video/x-matroska", "Matroska"}}) {
    const MediaFit fit = FitMedia(Network(), Video(type, 9'000'000, 1280, 720, 30));
    ASSERT_TRUE(fit.video.has_value()) << type;
    EXPECT_TRUE(fit.video->copy_video && fit.video->copy_audio);
    EXPECT_EQ(fit.video->width, 0);
    EXPECT_EQ(Changes(fit), (Said{name + " becomes MP4: picture and sound stay as they are"}));
  }
  // Its packets do not tell their times.
  EXPECT_FALSE(FitMedia(Network(), Video("video/x-msvideo", 9'000'000, 1280, 720, 30)).video->copy_video);
}

TEST(VideoFitTest, CodecsThatAreNotTakenAreEncodedAgain) {
  Media media = Video("video/webm", 9'000'000, 1280, 720, 30);
  media.video_codec = "vp9", media.audio_codec = "opus";
  MediaFit fit = FitMedia(Network(), media);
  ASSERT_TRUE(fit.video.has_value());
  EXPECT_EQ(fit.violations.size(), 3U);
  EXPECT_EQ(fit.violations[1].field, "video_codec");
  EXPECT_EQ(fit.violations[1].reason, "MEDIA_CODEC");
  EXPECT_EQ(Changes(fit), (Said{"WebM becomes MP4", "the picture is encoded again: VP9 becomes H.264",
                                "the sound is encoded again: Opus becomes AAC"}));
  EXPECT_EQ(fit.video->audio_kbps, 128);
  EXPECT_GT(fit.video->video_kbps, 3000);

  media = Video("video/mp4", 9'000'000, 1280, 720, 30);
  media.video_codec = "hevc", media.frame_rate = 120;
  fit = FitMedia(Network(), media);
  ASSERT_TRUE(fit.video.has_value());
  EXPECT_TRUE(fit.video->copy_audio);
  EXPECT_EQ(Changes(fit),
            (Said{"the picture is encoded again: HEVC becomes H.264", "at most 60 pictures a second are kept"}));

  media = Video("video/mp4", 9'000'000, 1280, 720, 30);
  media.audio_codec = "opus";
  fit = FitMedia(Network(), media);
  ASSERT_TRUE(fit.video.has_value());
  EXPECT_TRUE(fit.video->copy_video);
  EXPECT_EQ(Changes(fit), (Said{"the sound is encoded again: Opus becomes AAC"}));
}

TEST(VideoFitTest, TooManyPixelsAreMadeFewerInTheSameShape) {
  for (const auto& [width, height] :
       std::vector<std::pair<int, int>>{{3840, 2160}, {2160, 3840}, {1281, 1025}, {20'000, 200}}) {
    const MediaFit fit = FitMedia(Network(), Video("video/mp4", 9'000'000, width, height, 30));
    ASSERT_TRUE(fit.video.has_value()) << width;
    EXPECT_EQ(fit.video->width % 2 + fit.video->height % 2, 0) << width;
    EXPECT_LE(int64_t{fit.video->width} * fit.video->height, 1280 * 1024);
    EXPECT_NEAR(static_cast<double>(fit.video->width) / fit.video->height, static_cast<double>(width) / height,
                width / 50.0 / height + 0.01);
    EXPECT_FALSE(fit.video->copy_video);
    EXPECT_EQ(Changes(fit).front(), std::to_string(width) + " × " + std::to_string(height) + " becomes " +
                                        std::to_string(fit.video->width) + " × " + std::to_string(fit.video->height));
  }
  Capabilities narrow = Network();
  narrow.video_pixels_max = 0;
  narrow.video_width_max = 1920;
  const MediaFit fit = FitMedia(narrow, Video("video/mp4", 9'000'000, 3840, 2160, 30));
  EXPECT_EQ(fit.video->width, 1920);
  EXPECT_EQ(fit.video->height, 1080);
  EXPECT_TRUE(FitMedia(narrow, Video("video/mp4", 9'000'000, 1080, 3840, 30)).fits) << "only the width counts";
}

TEST(VideoFitTest, TooManyBytesLowerTheRateByTheLength) {
  const MediaFit fit = FitMedia(Network(), Video("video/mp4", 90'000'000, 1280, 720, 200));
  ASSERT_TRUE(fit.video.has_value());
  EXPECT_EQ(fit.video->width, 0);
  EXPECT_EQ(fit.video->bytes_max, 50'000'000);
  EXPECT_EQ(fit.video->audio_kbps, 128);
  EXPECT_EQ(fit.video->video_kbps, 1900 - 128) << "50 MB in 200 s are 2000 kbit/s, a twentieth of it for the container";
  EXPECT_EQ(Changes(fit), (Said{"the picture is encoded again", "the sound is encoded again",
                                "at most 50 MB: quality falls to about 1900 kbit/s"}));
}

TEST(VideoFitTest, BelowTheFloorItGetsFewerPixelsAndThenNoOffer) {
  // 600 s: 633 kbit/s, 569 of them for the picture; 720p needs 829.
  const MediaFit fit = FitMedia(Network(), Video("video/mp4", 90'000'000, 1280, 720, 600));
  ASSERT_TRUE(fit.video.has_value());
  EXPECT_EQ(fit.video->audio_kbps, 64);
  EXPECT_LT(fit.video->width, 1280);
  EXPECT_GE(fit.video->height, kVideoSideMin);
  EXPECT_GE(fit.video->video_kbps * 1000.0, fit.video->width * fit.video->height * 30 * kVideoBitsPerPixelMin);
  Capabilities c = Network();
  c.video_max_bytes = 20'000'000;
  const MediaFit none = FitMedia(c, Video("video/mp4", 90'000'000, 1280, 720, 900));
  EXPECT_EQ(none.video, std::nullopt);
  EXPECT_TRUE(none.changes.empty());
  ASSERT_EQ(none.violations.size(), 1U);
  EXPECT_EQ(none.violations[0].reason, "MEDIA_TOO_LARGE");
  c.video_max_bytes = 9'000'000;  // not even for the sound and 100 kbit/s
  EXPECT_EQ(FitMedia(c, Video("video/mp4", 90'000'000, 64, 64, 900)).video, std::nullopt);
}

TEST(VideoFitTest, NothingIsCutOrMadeLonger) {
  MediaFit fit = FitMedia(Network(), Video("video/quicktime", 9'000'000, 1280, 720, 1001));
  EXPECT_EQ(fit.video, std::nullopt);
  EXPECT_EQ(fit.violations.back().reason, "MEDIA_DURATION");
  Media brief = Video("video/quicktime", 9'000'000, 1280, 720, 1);
  brief.duration = absl::Milliseconds(500);
  EXPECT_EQ(FitMedia(Network(), brief).video, std::nullopt);
}

TEST(VideoFitTest, WhatIsNotKnownOrNotTakenIsNotOffered) {
  for (int without = 0; without < 4; ++without) {
    Media media = Video("video/webm", 9'000'000, 1280, 720, 30);
    if (without == 0) media.width = 0;
    if (without == 1) media.duration = absl::ZeroDuration();
    if (without == 2) media.video_codec.clear();
    Capabilities c = Network();
    if (without == 3) c.media_types = {"image/jpeg", "video/quicktime"};
    EXPECT_EQ(FitMedia(c, media).video, std::nullopt) << without;
  }
  Media silent = Video("video/webm", 9'000'000, 1280, 720, 30);
  silent.audio_codec.clear();
  const MediaFit fit = FitMedia(Network(), silent);
  ASSERT_TRUE(fit.video.has_value());
  EXPECT_EQ(fit.video->audio_kbps, 0);
}

Media Gif(int64_t bytes, int frames, int seconds) {
  Media media = Video("image/gif", bytes, 400, 301, seconds);
  media.video_codec.clear(), media.audio_codec.clear();
  media.frame_rate = 0;
  media.frames = frames;
  return media;
}

TEST(VideoFitTest, AGifThatMovesBecomesAVideoWhereItIsNotTaken) {
  const MediaFit fit = FitMedia(Network(), Gif(900'000, 50, 5));
  EXPECT_FALSE(fit.fits);
  EXPECT_FALSE(fit.target.has_value()) << "its first frame is the worse offer";
  ASSERT_TRUE(fit.video.has_value());
  EXPECT_FALSE(fit.video->copy_video);
  EXPECT_EQ(fit.video->width, 400);
  EXPECT_EQ(fit.video->height, 300);
  EXPECT_EQ(fit.video->audio_kbps, 0);
  EXPECT_GE(fit.video->video_kbps, kVideoKbpsMin);
  EXPECT_EQ(fit.changes[0], "400 × 301 becomes 400 × 300");
  EXPECT_EQ(fit.changes.size(), 4u);
  Capabilities videos_only = Network();
  videos_only.Refuse(Feature::kImage, "posts are videos", "https://net.example/docs");
  const MediaFit alone = FitMedia(videos_only, Gif(900'000, 50, 5));
  EXPECT_EQ(alone.violations[0].reason, "NOT_POSSIBLE");
  EXPECT_TRUE(alone.video.has_value());
}

TEST(VideoFitTest, AGifStaysOneWhereItIsTaken) {
  Capabilities c = Network();
  c.media_types.push_back("image/gif");
  c.media_max_bytes = 1'000'000;
  c.gif_max_bytes = 3'000'000;
  EXPECT_TRUE(FitMedia(c, Gif(2'900'000, 50, 5)).fits);
  EXPECT_TRUE(FitMedia(c, Gif(3'100'000, 50, 5)).video.has_value()) << "too large for a GIF there";
  c.picture_side_max = 200;
  const MediaFit smaller = FitMedia(c, Gif(900'000, 50, 5));
  EXPECT_FALSE(smaller.video.has_value());
  EXPECT_EQ(smaller.target->type, "") << "it goes on moving";
}

TEST(VideoFitTest, WhatDoesNotMoveOrLastsTooLongBecomesAPicture) {
  EXPECT_FALSE(FitMedia(Network(), Gif(900'000, 1, 5)).video.has_value());
  EXPECT_FALSE(FitMedia(Network(), Gif(900'000, 50, 0)).video.has_value()) << "how long it lasts is not known";
  EXPECT_FALSE(FitMedia(Network(), Gif(900'000, 5000, 1001)).video.has_value());
  EXPECT_EQ(FitMedia(Network(), Gif(900'000, 50, 0)).target->type, "image/jpeg");
  Capabilities no_videos = Network();
  no_videos.Refuse(Feature::kVideo, "there are none", "https://net.example/docs");
  EXPECT_FALSE(FitMedia(no_videos, Gif(900'000, 50, 5)).video.has_value());
}

TEST(VideoFitTest, WithoutALimitTheRateIsWhatIsSeen) {
  Capabilities c = Network();
  c.video_max_bytes = 0;
  c.video_duration_max = absl::ZeroDuration();
  const MediaFit fit = FitMedia(c, Video("video/x-msvideo", 9'000'000, 1280, 720, 100));
  ASSERT_TRUE(fit.video.has_value());
  EXPECT_NEAR(fit.video->video_kbps, 3317, 2);
  EXPECT_LT(fit.video->bytes_max, 50'000'000);
  const MediaFit hours = FitMedia(c, Video("video/x-msvideo", 9'000'000'000, 1280, 720, 12 * 3600));
  EXPECT_EQ(hours.video, std::nullopt) << "twelve hours in a gigabyte are too little";
}

}  // namespace
}  // namespace parvis::networks
