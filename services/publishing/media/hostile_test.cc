// What should not be read: each is refused with a word that fits, the next picture is read, and nothing stays in the
// scratch folder (MediaTest looks).
#include <optional>
#include "publishing/media/process_inspector.h"

#include "publishing/media/test_media.h"

namespace parvis::publishing {
namespace {

using namespace std::string_literals;

class HostileTest : public MediaTest {
 public:
  std::string Refusal(const std::string& bytes) {
    const auto facts = inspector().Inspect(call(), Content(bytes));
    EXPECT_FALSE(facts.ok());
    return ReasonOf(facts.status());
  }
  std::string Message(const std::string& bytes) {
    return ToError(inspector().Inspect(call(), Content(bytes)).status()).message;
  }
  ProcessInspector& inspector() {
    if (!inspector_) inspector_.emplace(config_, clock_, metrics_);
    return *inspector_;
  }

 private:
  std::optional<ProcessInspector> inspector_;
};

TEST_F(HostileTest, WhatWasCutOffIsNotTaken) {
  for (const char* name : {"a.png", "a.jpg", "a.webp"}) {
    const std::string whole = Picture(name, 200, 150);
    EXPECT_EQ(Refusal(whole.substr(0, whole.size() / 2)), "MEDIA_UNREADABLE") << name;
    EXPECT_EQ(Refusal(whole.substr(0, 40)), "MEDIA_UNREADABLE") << name;
  }
  const std::string gif = Made("a.gif", "ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=5:duration=1 a.gif");
  EXPECT_EQ(Refusal(gif.substr(0, 300)), "MEDIA_UNREADABLE");
  const std::string mp4 =
      Made("a.mp4", "ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=5:duration=1 -pix_fmt yuv420p a.mp4");
  EXPECT_EQ(Refusal(mp4.substr(0, mp4.size() / 2)), "MEDIA_UNREADABLE");
  const std::string fast =
      Made("f.mp4", "ffmpeg -v error -i a.mp4 -c copy -movflags +faststart f.mp4");  // its index comes first
  EXPECT_EQ(Refusal(fast.substr(0, fast.size() - 100)), "MEDIA_UNREADABLE");
  EXPECT_TRUE(inspector().Inspect(call(), Content(fast)).ok());
}

TEST_F(HostileTest, DamageInTheMiddleIsSeen) {
  std::string png = Picture("a.png", 200, 150);
  for (size_t i = png.size() / 2; i < png.size() / 2 + 20; ++i) png[i] = static_cast<char>(~png[i]);
  EXPECT_EQ(Refusal(png), "MEDIA_UNREADABLE");
}

TEST_F(HostileTest, APictureThatClaimsToBeHugeIsNeverDecoded) {
  const std::string head = BigEndian32(60'000) + BigEndian32(60'000) + "\x08\x02\0\0\0"s;
  const std::string png = "\x89PNG\r\n\x1A\n" + PngChunk("IHDR", head) + PngChunk("IDAT", "\x78\x9C\x03\0\0\0\0\x01"s) +
                          PngChunk("IEND", "");
  EXPECT_EQ(Refusal(png), "MEDIA_TOO_MANY_PIXELS");
  EXPECT_NE(Message(png).find("60000 × 60000"), std::string::npos);
  EXPECT_EQ(ReasonOf(inspector().Convert(call(), Content(png), {.type = "image/jpeg", .side_max = 100}).status()),
            "MEDIA_TOO_MANY_PIXELS");
}

// An interlaced PNG is decoded as a whole: 100 KB that want 100 MB.
TEST_F(HostileTest, APictureThatWantsMoreMemoryThanThereIs) {
  config_.memory_max_bytes = int64_t{256} << 20;
  const std::string png = Made("i.png", "vips black b.v 6000 6000 --bands 3 && vips pngsave b.v i.png --interlace");
  EXPECT_LT(png.size(), 200'000U);
  EXPECT_EQ(Refusal(png), "MEDIA_OVER_LIMIT");
  EXPECT_TRUE(inspector().Inspect(call(), Content(Picture("a.png", 20, 20))).ok());
}

TEST_F(HostileTest, FramesCountAsPixels) {
  EXPECT_EQ(Refusal(GifOf(65'535, 1)), "MEDIA_TOO_MANY_PIXELS");
  const std::string many = GifOf(3'000, 500);  // 4.5 gigapixels in 14 KB
  EXPECT_LT(many.size(), 20'000U);
  EXPECT_EQ(Refusal(many), "MEDIA_TOO_MANY_PIXELS");
}

TEST_F(HostileTest, WhatIsNotInTheListReachesNoTool) {
  config_.tools_folder = "/nowhere";
  const std::string svg =
      "<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><svg><image "
      "href=\"http://127.0.0.1/\"/>&x;</svg>";
  for (const std::string& bytes :
       {svg, "  \n<svg xmlns='http://www.w3.org/2000/svg'/>"s, "PK\x03\x04 rest of an archive"s,
        "this is a text that is called picture.png"s, ""s, "\x89PN"s, "<html><script>"s,
        "#EXTM3U\nfile:///etc/passwd\n"s, "ffconcat version 1.0\nfile /etc/passwd\n"s, "II*\0abcd"s,
        "\0\0\0\x18"
        "ftypheic\0\0\0\0mif1heic"s,
        "\0\0\0\x1C"
        "ftypavif\0\0\0\0avifmif1miaf"s,
        "\0\0\0\x20"
        "ftyp"s,
        "\xFF\xFF\xFF\xFF"
        "ftypzzzz"s,
        "\x1A\x45\xDF\xA3 no type of document"s, "RIFF\0\0\0\0WAVEfmt "s,
        "push graphic-context\nimage over 0,0 'https://x'"s}) {
    EXPECT_EQ(Refusal(bytes), "MEDIA_TYPE_UNKNOWN") << bytes.substr(0, 20);
  }
  EXPECT_NE(Message("\0\0\0\x18"
                    "ftypheic\0\0\0\0mif1heic"s)
                .find("HEIC"),
            std::string::npos);
  EXPECT_NE(Message(svg).find("SVG"), std::string::npos);
}

TEST_F(HostileTest, ATypeThatItOnlyBeginsWith) {
  const std::string jpeg = Picture("a.jpg", 20, 20), png = Picture("a.png", 20, 20);
  EXPECT_EQ(Refusal("\x89PNG\r\n\x1A\n" + jpeg), "MEDIA_UNREADABLE");
  EXPECT_EQ(Refusal("\xFF\xD8\xFF" + png), "MEDIA_UNREADABLE");
  EXPECT_EQ(Refusal("GIF89a" + std::string(500, '\0')), "MEDIA_UNREADABLE");
  EXPECT_EQ(Refusal("RIFF\x20\0\0\0WEBPVP8 "s + std::string(64, 'x')), "MEDIA_UNREADABLE");
  EXPECT_EQ(Refusal("\0\0\x01\xBA"s + std::string(64, 'x')), "MEDIA_UNREADABLE");
}

TEST_F(HostileTest, BoxesThatLie) {
  const std::string mp4 =
      Made("a.mp4", "ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=5:duration=1 -pix_fmt yuv420p a.mp4");
  std::string beyond = mp4;
  const size_t mdat = beyond.find("mdat");
  beyond.replace(mdat - 4, 4, BigEndian32(0x7FFFFFFF));
  EXPECT_EQ(Refusal(beyond), "MEDIA_UNREADABLE");
  std::string tiny = mp4;
  tiny.replace(mdat - 4, 4, BigEndian32(3));
  EXPECT_EQ(Refusal(tiny), "MEDIA_UNREADABLE");
  std::string empty =
      "\0\0\0\x10"
      "ftypisom\0\0\0\0"s;
  for (int i = 0; i < 11'000; ++i)
    empty +=
        "\0\0\0\x08"
        "free"s;
  EXPECT_EQ(Refusal(empty), "MEDIA_UNREADABLE");
  // Inner boxes: whatever ffprobe makes of them, it ends, and says a size that is possible or none.
  for (const char* box : {"trak", "mdia", "stbl", "stsd", "stts", "stsz", "mvhd", "tkhd"}) {
    std::string bad = mp4;
    const size_t at = bad.find(box);
    ASSERT_NE(at, std::string::npos) << box;
    bad.replace(at - 4, 4, BigEndian32(0xFFFFFFF0));
    const auto facts = inspector().Inspect(call(), Content(bad));
    if (facts.ok()) {
      EXPECT_EQ(facts->width, 64) << box;
    } else {
      EXPECT_EQ(ReasonOf(facts.status()), "MEDIA_UNREADABLE") << box;
    }
  }
}

TEST_F(HostileTest, NothingIsReadButTheFileItself) {
  // A QuickTime reference movie and an HLS playlist inside a box name another file; only the given demuxer and plain
  // files are opened.
  std::string playlist =
      "\0\0\0\x14"
      "ftypqt  \0\0\0\0qt  "s;
  playlist += "#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/passwd\n";
  EXPECT_EQ(Refusal(playlist), "MEDIA_UNREADABLE");
}

}  // namespace
}  // namespace parvis::publishing
