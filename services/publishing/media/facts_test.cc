#include "publishing/media/facts.h"

#include <gtest/gtest.h>

namespace parvis::publishing {
namespace {

using namespace std::string_literals;

const Sniffed kJpeg{MediaKind::kPicture, "image/jpeg", "jpegload"};
const Sniffed kMp4{MediaKind::kVideo, "video/mp4", "mov", true};

TEST(SniffTest, KnowsWhatIsTaken) {
  const std::vector<std::pair<std::string, Sniffed>> cases = {
      {"\xFF\xD8\xFF\xE0"s, kJpeg},
      {"\x89PNG\r\n\x1A\n"s, {MediaKind::kPicture, "image/png", "pngload"}},
      {"GIF87a"s, {MediaKind::kPicture, "image/gif", "gifload"}},
      {"RIFF\x10\0\0\0WEBPVP8L"s, {MediaKind::kPicture, "image/webp", "webpload"}},
      {"RIFF\x10\0\0\0AVI LIST"s, {MediaKind::kVideo, "video/x-msvideo", "avi"}},
      {"\0\0\0\x14"
       "ftypmp42\0\0\0\0isom"s,
       kMp4},
      {"\0\0\0\x14"
       "ftypXYZW\0\0\0\0isom"s,
       kMp4},
      {"\0\0\0\x14"
       "ftypqt  \0\0\0\0qt  "s,
       {MediaKind::kVideo, "video/quicktime", "mov", true}},
      {"\0\0\x10\0moov\0\0\0\0mvhd"s, {MediaKind::kVideo, "video/quicktime", "mov", true}},
      {"\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\x82\x84webm"s, {MediaKind::kVideo, "video/webm", "matroska"}},
      {"\x1A\x45\xDF\xA3\xA3\x42\x86\x81\x01\x42\x82\x88matroska"s,
       {MediaKind::kVideo, "video/x-matroska", "matroska"}},
      {"\0\0\x01\xBA\x44"s, {MediaKind::kVideo, "video/mpeg", "mpeg"}},
      {"%PDF-1.4\n"s, {MediaKind::kDocument, "application/pdf", ""}},
  };
  for (const auto& [head, expected] : cases) {
    const auto sniffed = Sniff(head);
    ASSERT_EQ(sniffed.status(), absl::OkStatus()) << expected.type;
    EXPECT_EQ(*sniffed, expected) << sniffed->type;
  }
}

TEST(SniffTest, BoxSizes) {
  EXPECT_EQ(BoxBytes("\0\0\0\x08"
                     "free"s),
            8);
  EXPECT_EQ(BoxBytes("\0\0\0\0mdat"s), 0);
  EXPECT_EQ(BoxBytes("\0\0\0\x07"
                     "free"s),
            -1);
  EXPECT_EQ(BoxBytes("\0\0\0\x01mdat\0\0\0\x01\0\0\0\0"s), int64_t{1} << 32);
  EXPECT_EQ(BoxBytes("\0\0\0\x01mdat\xFF\0\0\x01\0\0\0\0"s), -1);
  EXPECT_EQ(BoxBytes("\0\0\0\x01mdat"s), -1);
  EXPECT_EQ(BoxBytes("\0\0"s), -1);
}

TEST(PictureFactsTest, OrientationTurnsTheSides) {
  for (int orientation = 0; orientation <= 9; ++orientation) {
    const auto facts =
        PictureFacts(kJpeg, "in: 40x30 uchar\nwidth: 40\nheight: 30\nvips-loader: jpegload\norientation: " +
                                std::to_string(orientation) + "\n");
    ASSERT_EQ(facts.status(), absl::OkStatus());
    EXPECT_EQ(facts->width, orientation >= 5 && orientation <= 8 ? 30 : 40) << orientation;
  }
}

TEST(PictureFactsTest, ATextInsideThatPretendsToBeAFieldIsSeen) {
  EXPECT_EQ(
      ReasonOf(PictureFacts(kJpeg, "width: 40\nheight: 30\nvips-loader: jpegload\nexif-ifd0-Artist: me\nwidth: 9\n")
                   .status()),
      "MEDIA_UNREADABLE");
}

TEST(VideoFactsTest, TakesTheFirstVideoThatIsNoCover) {
  const auto facts = VideoFacts(kMp4, R"({"streams":[
    {"codec_type":"audio","codec_name":"aac"},
    {"codec_type":"video","codec_name":"mjpeg","width":600,"height":600,"disposition":{"attached_pic":1}},
    {"codec_type":"video","codec_name":"h264","width":1920,"height":1080,"avg_frame_rate":"30000/1001","duration":"9.5",
     "side_data_list":[{},{"rotation":-90}]}],"format":{"duration":"10.000000"}})");
  ASSERT_EQ(facts.status(), absl::OkStatus());
  EXPECT_EQ(facts->width, 1080);
  EXPECT_EQ(facts->height, 1920);
  EXPECT_EQ(facts->video_codec, "h264");
  EXPECT_EQ(facts->audio_codec, "aac");
  EXPECT_EQ(facts->duration, absl::Seconds(10));
  EXPECT_NEAR(facts->frame_rate, 29.97, 0.01);
}

TEST(VideoFactsTest, OddAnswers) {
  for (const char* json :
       {"", "null", "[]", "{", "{\"streams\":7}", "{\"streams\":[]}", "{\"streams\":[1,null,{\"codec_type\":3}]}",
        R"({"streams":[{"codec_type":"audio","codec_name":"aac"}]})",
        R"({"streams":[{"codec_type":"video","width":-1,"height":5}]})",
        R"({"streams":[{"codec_type":"video","width":1e99,"height":5}]})",
        R"({"streams":[{"codec_type":"video","width":"9","height":5}]})"}) {
    EXPECT_EQ(ReasonOf(VideoFacts(kMp4, json).status()), "MEDIA_UNREADABLE") << json;
  }
  const auto facts = VideoFacts(
      kMp4, R"({"streams":[{"codec_type":"video","width":4,"height":5,"avg_frame_rate":"0/0","duration":"N/A",
    "side_data_list":[{"rotation":-9223372036854775808}],"disposition":[]}],"format":{"duration":"1e300"}})");
  ASSERT_EQ(facts.status(), absl::OkStatus());
  EXPECT_EQ(facts->duration, absl::ZeroDuration());
  EXPECT_EQ(facts->frame_rate, 0);
}

TEST(CheckPixelsTest, CountsFramesOfPicturesOnly) {
  MediaFacts facts{.width = 1000, .height = 1000, .frames = 10};
  EXPECT_TRUE(CheckPixels(kJpeg, facts, 10'000'000).ok());
  EXPECT_EQ(ReasonOf(CheckPixels(kJpeg, facts, 9'999'999)), "MEDIA_TOO_MANY_PIXELS");
  EXPECT_TRUE(CheckPixels(kMp4, facts, 1'000'000).ok());
  facts = {.width = 10'000'000, .height = 10'000'000, .frames = 1'000'000};
  EXPECT_EQ(ReasonOf(CheckPixels(kJpeg, facts, 2'000'000'000)), "MEDIA_TOO_MANY_PIXELS");
}

}  // namespace
}  // namespace parvis::publishing
