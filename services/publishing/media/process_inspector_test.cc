#include "publishing/media/process_inspector.h"

#include "publishing/media/test_media.h"

namespace parvis::publishing {
namespace {

class InspectorTest : public MediaTest {
 public:
  StatusOr<MediaFacts> Inspect(const std::string& bytes) {
    return ProcessInspector(config_, clock_, metrics_).Inspect(call(), Content(bytes));
  }
  StatusOr<std::string> Convert(const std::string& bytes, const PictureTarget& target) {
    return ProcessInspector(config_, clock_, metrics_).Convert(call(), Content(bytes), target);
  }
};

MediaFacts Still(const std::string& type, int width, int height, int frames = 1) {
  return {.type = type, .width = width, .height = height, .frames = frames};
}

TEST_F(InspectorTest, KnowsPictures) {
  EXPECT_EQ(*Inspect(Picture("a.png", 40, 30)), Still("image/png", 40, 30));
  EXPECT_EQ(*Inspect(Picture("a.jpg", 40, 30)), Still("image/jpeg", 40, 30));
  EXPECT_EQ(*Inspect(Picture("a.webp", 40, 30)), Still("image/webp", 40, 30));
}

// Five frames in one second.
MediaFacts Moving(int width, int height) {
  MediaFacts facts = Still("image/gif", width, height, 5);
  facts.duration = absl::Seconds(1);
  return facts;
}

TEST_F(InspectorTest, OfAGifThatMovesItKnowsHowLong) {
  const std::string gif = Made("a.gif", "ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=5:duration=1 a.gif");
  EXPECT_EQ(*Inspect(gif), Moving(64, 48));
  EXPECT_EQ(*Inspect(Made("one.gif", "ffmpeg -v error -i a.gif -frames:v 1 one.gif")), Still("image/gif", 64, 48));
}

TEST_F(InspectorTest, APictureIsAsWideAsItIsShown) {
  Picture("a.jpg", 40, 30);
  std::string turned =
      ReadAll(folder_ + "/a.jpg");  // libvips writes an orientation of 1: the EXIF entry 0x0112 in little-endian
  const size_t entry = turned.find("\x12\x01", turned.find("Exif"));
  ASSERT_NE(entry, std::string::npos);
  turned[entry + 8] = 6;
  EXPECT_EQ(*Inspect(turned), Still("image/jpeg", 30, 40));
  const auto upright = Convert(turned, {.type = "image/png"});
  ASSERT_EQ(upright.status(), absl::OkStatus());
  EXPECT_EQ(*Inspect(*upright), Still("image/png", 30, 40));
}

TEST_F(InspectorTest, KnowsVideos) {
  const std::string mp4 =
      Made("a.mp4",
           "ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=5:duration=1 -f lavfi -i sine=duration=1 "
           "-pix_fmt yuv420p a.mp4");
  const auto facts = Inspect(mp4);
  ASSERT_EQ(facts.status(), absl::OkStatus());
  EXPECT_EQ(*facts, (MediaFacts{.type = "video/mp4",
                                .width = 64,
                                .height = 48,
                                .duration = absl::Seconds(1),
                                .video_codec = "h264",
                                .audio_codec = "aac",
                                .frame_rate = 5}));
  const auto silent = Inspect(Made("s.mov", "ffmpeg -v error -i a.mp4 -an -c copy -f mov s.mov"));
  ASSERT_EQ(silent.status(), absl::OkStatus());
  EXPECT_EQ(silent->type, "video/quicktime");
  EXPECT_EQ(silent->audio_codec, "");
  const auto turned = Inspect(Made("r.mp4", "ffmpeg -v error -i a.mp4 -metadata:s:v rotate=90 -c copy r.mp4"));
  ASSERT_EQ(turned.status(), absl::OkStatus());
  EXPECT_EQ(turned->width, 48);
  EXPECT_EQ(turned->height, 64);
  const auto webm = Inspect(Made("a.webm", "ffmpeg -v error -i a.mp4 -an -c:v libvpx -b:v 50k a.webm"));
  ASSERT_EQ(webm.status(), absl::OkStatus());
  EXPECT_EQ(webm->type, "video/webm");
  EXPECT_EQ(webm->video_codec, "vp8");
  EXPECT_EQ(webm->width, 64);
  const auto avi = Inspect(Made("a.avi", "ffmpeg -v error -i a.mp4 -an -c:v mpeg4 a.avi"));
  ASSERT_EQ(avi.status(), absl::OkStatus());
  EXPECT_EQ(avi->type, "video/x-msvideo");
}

TEST_F(InspectorTest, ADocumentIsKnownByItsFirstBytesAndNoToolSeesIt) {
  config_.tools_folder = "/nowhere";
  MediaFacts pdf;
  pdf.type = "application/pdf";
  EXPECT_EQ(*Inspect("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"), pdf);
}

TEST_F(InspectorTest, MakesPicturesSmaller) {
  const std::string big = Picture("a.png", 600, 400);
  const auto small = Convert(big, {.type = "image/jpeg", .side_max = 90});
  ASSERT_EQ(small.status(), absl::OkStatus());
  EXPECT_EQ(*Inspect(*small), Still("image/jpeg", 90, 60));
  const auto same = Convert(big, {.side_max = 5000});
  ASSERT_EQ(same.status(), absl::OkStatus());
  EXPECT_EQ(*Inspect(*same), Still("image/png", 600, 400));
}

TEST_F(InspectorTest, LowersTheQualityAsFarAsNeededAndNoFurther) {
  const std::string noise = Picture("a.png", 300, 300);
  const auto best = Convert(noise, {.type = "image/jpeg"});
  ASSERT_EQ(best.status(), absl::OkStatus());
  const auto bytes = static_cast<int64_t>(best->size());
  const auto tighter = Convert(noise, {.type = "image/jpeg", .bytes_max = bytes * 3 / 4});
  ASSERT_EQ(tighter.status(), absl::OkStatus());
  EXPECT_LE(static_cast<int64_t>(tighter->size()), bytes * 3 / 4);
  EXPECT_EQ(ReasonOf(Convert(noise, {.type = "image/jpeg", .bytes_max = 500}).status()), "MEDIA_CANNOT_FIT");
  EXPECT_EQ(ReasonOf(Convert(noise, {.bytes_max = 500}).status()), "MEDIA_CANNOT_FIT");
}

TEST_F(InspectorTest, WhatIsTransparentBecomesWhiteWhereThereIsNoTransparency) {
  const std::string clear = Made("c.png", "vips black c.v 20 20 --bands 4 && vips copy c.v c.png");
  const auto jpeg = Convert(clear, {.type = "image/jpeg"});
  ASSERT_EQ(jpeg.status(), absl::OkStatus());
  std::ofstream(folder_ + "/out.jpg", std::ios::binary) << *jpeg;
  Make("test $(vips avg out.jpg | cut -d. -f1) = 255");
}

TEST_F(InspectorTest, MetadataIsDropped) {
  const std::string tagged = Picture("a.jpg", 40, 30);
  ASSERT_NE(tagged.find("Exif"), std::string::npos);
  const auto plain = Convert(tagged, {.type = "image/jpeg"});
  ASSERT_EQ(plain.status(), absl::OkStatus());
  EXPECT_EQ(plain->find("ifd0"), std::string::npos);
  EXPECT_EQ(plain->find("Exif"), std::string::npos);
}

TEST_F(InspectorTest, AnAnimationKeepsItsFramesOrBecomesItsFirst) {
  const std::string gif = Made("a.gif", "ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=5:duration=1 a.gif");
  const auto smaller = Convert(gif, {.side_max = 32});
  ASSERT_EQ(smaller.status(), absl::OkStatus());
  EXPECT_EQ(*Inspect(*smaller), Moving(32, 24));
  const auto still = Convert(gif, {.type = "image/png"});
  ASSERT_EQ(still.status(), absl::OkStatus());
  EXPECT_EQ(*Inspect(*still), Still("image/png", 64, 48));
}

TEST_F(InspectorTest, ConvertsOnlyPicturesToWhatItKnows) {
  EXPECT_EQ(ReasonOf(Convert("%PDF-1.7\n", {.type = "image/png"}).status()), "MEDIA_NOT_A_PICTURE");
  EXPECT_EQ(ReasonOf(Convert(Picture("a.png", 4, 4), {.type = "image/heic"}).status()), "MEDIA_TYPE_UNKNOWN");
  EXPECT_EQ(ReasonOf(Convert(Picture("a.png", 4, 4), {.type = "../x"}).status()), "MEDIA_TYPE_UNKNOWN");
}

TEST_F(InspectorTest, AnErrorOfReadingTheContentIsGivenOn) {
  MediaBytes content = Content(Picture("a.png", 4, 4));
  content.size += 10'000;
  ProcessInspector inspector(config_, clock_, metrics_);
  EXPECT_EQ(ReasonOf(inspector.Inspect(call(), content).status()), "MEDIA_UNREADABLE");
  content.read = [](const Call&, int64_t, int64_t) -> StatusOr<std::string> {
    return MakeError(Code::kUnavailable, "BLOB_STORE_AWAY", "away");
  };
  EXPECT_EQ(ReasonOf(inspector.Inspect(call(), content).status()), "BLOB_STORE_AWAY");
}

TEST_F(InspectorTest, PingNamesTheToolThatIsMissing) {
  EXPECT_EQ(ProcessInspector(config_, clock_, metrics_).Ping(), absl::OkStatus());
  Script("vips", "exit 0");
  EXPECT_NE(ToError(ProcessInspector(config_, clock_, metrics_).Ping()).message.find("vipsheader"), std::string::npos);
}

}  // namespace
}  // namespace parvis::publishing
