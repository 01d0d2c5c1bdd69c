// Conversions of videos by the real ffmpeg, on clips of a few small frames; and what is hostile about them.
#include <signal.h>

#include <thread>

#include "platform/testing/wait.h"
#include "publishing/media/process_inspector.h"
#include "publishing/media/test_media.h"
#include "publishing/media/video_command.h"

namespace parvis::publishing {
namespace {

using namespace std::string_literals;
using testing::WaitFor;

constexpr VideoTarget kEncoded = {.video_kbps = 300, .audio_kbps = 64, .bytes_max = 1'000'000};
constexpr VideoTarget kCopied = {.copy_video = true, .copy_audio = true, .bytes_max = 1'000'000};

class ConvertVideoTest : public MediaTest {
 public:
  // What comes of it; `made` and `facts` are what was taken.
  Status Convert(const std::string& bytes, const VideoTarget& target) {
    ProcessInspector inspector(config_, clock_, metrics_);
    return inspector.ConvertVideo(call(), Content(bytes), target,
                                  {[] { return true; },
                                   [this](const MediaBytes& content, const MediaFacts& f) {
                                     made = *content.read(call(), 0, content.size);
                                     facts = f;
                                     return absl::OkStatus();
                                   }});
  }
  // 12 frames of 64 × 48 with a tone, as H.264 and AAC; `more` stands before the output's name.
  std::string Clip(const std::string& name, const std::string& more = "") const {
    return Made(name,
                "ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=4:duration=3 -f lavfi -i sine=duration=3 -pix_fmt "
                "yuv420p " +
                    more + " " + name);
  }

  std::string made;
  MediaFacts facts;
};

TEST_F(ConvertVideoTest, AnotherContainerIsAllThatChanges) {
  for (const char* name : {"a.mov", "a.mkv"}) {
    ASSERT_EQ(Convert(Clip(name, "-metadata title=canary -metadata location=+48.8577+002.295/ -c:v libx264 -c:a aac"),
                      kCopied),
              absl::OkStatus())
        << name;
    EXPECT_EQ(facts.type, "video/mp4");
    EXPECT_EQ(facts.video_codec, "h264");
    EXPECT_EQ(facts.audio_codec, "aac");
    EXPECT_EQ(facts.width, 64);
    EXPECT_EQ(made.substr(4, 4), "ftyp");
    EXPECT_LT(made.find("moov"), made.find("mdat")) << "its index comes first";
    EXPECT_EQ(made.find("canary"), std::string::npos);
    EXPECT_EQ(made.find("+48.8577"), std::string::npos);
  }
}

TEST_F(ConvertVideoTest, OtherCodecsBecomeH264AndAac) {
  ASSERT_EQ(Convert(Clip("a.webm", "-c:v libvpx -deadline realtime -c:a libopus"), kEncoded), absl::OkStatus());
  EXPECT_EQ(facts.type, "video/mp4");
  EXPECT_EQ(facts.video_codec, "h264");
  EXPECT_EQ(facts.audio_codec, "aac");
  EXPECT_EQ(facts.frame_rate, 4);
  EXPECT_NEAR(absl::ToDoubleSeconds(facts.duration), 3, 0.3);
  ASSERT_EQ(Convert(Clip("a.avi", "-c:v mpeg4 -an"), kEncoded), absl::OkStatus());
  EXPECT_EQ(facts.audio_codec, "");
}

TEST_F(ConvertVideoTest, ItIsMadeSmallerAndStaysUpright) {
  Clip("a.mp4");
  const std::string turned = Made("r.mp4", "ffmpeg -v error -i a.mp4 -metadata:s:v rotate=90 -c copy r.mp4");
  VideoTarget smaller = kEncoded;
  smaller.width = 24, smaller.height = 32;
  ASSERT_EQ(Convert(turned, smaller), absl::OkStatus());
  EXPECT_EQ(facts.width, 24);
  EXPECT_EQ(facts.height, 32);
  ASSERT_EQ(Convert(turned, kCopied), absl::OkStatus());
  EXPECT_EQ(facts.width, 48) << "what is copied is turned by whoever shows it";
  EXPECT_EQ(facts.height, 64);
  ASSERT_EQ(
      Convert(Made("odd.mov", "ffmpeg -v error -f lavfi -i testsrc=size=65x49:rate=4:duration=1 -c:v mjpeg odd.mov"),
              kEncoded),
      absl::OkStatus());
  EXPECT_EQ(facts.width, 64);
  EXPECT_EQ(facts.height, 48);
}

TEST_F(ConvertVideoTest, AGifThatMovesBecomesAVideoThatLastsAsLong) {
  const std::string gif = Made("a.gif", "ffmpeg -v error -f lavfi -i testsrc=size=65x49:rate=5:duration=3 a.gif");
  ASSERT_EQ(Convert(gif, {.width = 64, .height = 48, .video_kbps = 300, .bytes_max = 1'000'000}), absl::OkStatus());
  EXPECT_EQ(facts.type, "video/mp4");
  EXPECT_EQ(facts.video_codec, "h264");
  EXPECT_EQ(facts.audio_codec, "");
  EXPECT_EQ(facts.width, 64);
  EXPECT_EQ(facts.height, 48);
  EXPECT_NEAR(absl::ToDoubleSeconds(facts.duration), 3, 0.3);
}

TEST_F(ConvertVideoTest, OnlyPicturesAndSoundAreKept) {
  std::ofstream(folder_ + "/s.srt") << "1\n00:00:00,000 --> 00:00:01,000\ncanary\n";
  Clip("a.mkv");
  const std::string more = Made("b.mkv",
                                "ffmpeg -v error -i a.mkv -i s.srt -map 0 -map 0:a -map 1 -c copy -attach s.srt "
                                "-metadata:s:t mimetype=text/plain b.mkv");
  ASSERT_NE(more.find("canary"), std::string::npos);
  ASSERT_EQ(Convert(more, kCopied), absl::OkStatus());
  EXPECT_EQ(made.find("canary"), std::string::npos);
}

TEST_F(ConvertVideoTest, WhatDoesNotFitIsSaid) {
  const std::string clip = Clip("a.mov");
  VideoTarget tight = kCopied;
  tight.bytes_max = 1000;
  EXPECT_EQ(ReasonOf(Convert(clip, tight)), "MEDIA_CANNOT_FIT");
  tight.copy_video = tight.copy_audio = false, tight.video_kbps = 100;
  EXPECT_EQ(ReasonOf(Convert(clip, tight)), "MEDIA_CANNOT_FIT");
  EXPECT_TRUE(made.empty());
  EXPECT_EQ(ReasonOf(Convert(Picture("a.png", 4, 4), kEncoded)), "MEDIA_NOT_A_VIDEO");
  VideoTarget odd = kEncoded;
  odd.width = 33, odd.height = 24;
  EXPECT_EQ(Convert(clip, odd).code(), Code::kInvalidArgument);
}

TEST_F(ConvertVideoTest, WhatTheTakerFailsWithItFailsWith) {
  ProcessInspector inspector(config_, clock_, metrics_);
  const auto away = [](const MediaBytes&, const MediaFacts&) {
    return MakeError(Code::kUnavailable, "BLOB_STORE_AWAY", "away");
  };
  EXPECT_EQ(ReasonOf(inspector.ConvertVideo(call(), Content(Clip("a.mov")), kCopied, {[] { return true; }, away})),
            "BLOB_STORE_AWAY");
}

// ---- hostile -------------------------------------------------------------------------------------------------------

TEST_F(ConvertVideoTest, WhatWasCutOffIsNotPassedOnAsWhole) {
  const std::string whole = Clip("a.webm", "-c:v libvpx -deadline realtime -c:a libopus");
  EXPECT_EQ(ReasonOf(Convert(whole.substr(0, whole.size() / 2), kEncoded)), "MEDIA_UNREADABLE");
  const std::string mp4 = Clip("a.mp4");
  EXPECT_EQ(ReasonOf(Convert(mp4.substr(0, mp4.size() / 2), kEncoded)), "MEDIA_UNREADABLE");
  EXPECT_TRUE(made.empty());
}

TEST_F(ConvertVideoTest, ALengthThatIsOnlyClaimedIsNotBelieved) {
  std::string mp4 = Clip("a.mp4", "-an");
  // The duration in the movie's header (ISO/IEC 14496-12 §8.2.2): some 24 days.
  const size_t header = mp4.find("mvhd");
  ASSERT_NE(header, std::string::npos);
  mp4.replace(header + 20, 4, BigEndian32(0x7FFFFFFF));
  const Status status = Convert(mp4, kEncoded);
  if (status.ok())
    EXPECT_LT(facts.duration, absl::Seconds(10));
  else
    EXPECT_EQ(ReasonOf(status), "MEDIA_UNREADABLE");
}

TEST_F(ConvertVideoTest, APlaylistOpensNoOtherFile) {
  std::ofstream(folder_ + "/canary.txt") << "canary";
  const std::string secret = folder_ + "/canary.txt", line = "file://" + secret + "\n";
  const std::string box =
      "\0\0\0\x14"
      "ftypisom\0\0\0\0isom"s;
  for (const std::string& bytes : {box + "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + line,
                                   box + "ffconcat version 1.0\nfile " + secret + "\n", "#EXTM3U\n#EXTINF:1,\n" + line,
                                   "ffconcat version 1.0\nfile /etc/passwd\n"s}) {
    const Status status = Convert(bytes, kCopied);
    EXPECT_TRUE(ReasonOf(status) == "MEDIA_UNREADABLE" || ReasonOf(status) == "MEDIA_TYPE_UNKNOWN") << status;
  }
  const auto words = VideoCommand("mov", "in", "out.mp4", kCopied, 100, 1);
  const auto listed = std::find(words.begin(), words.end(), "-protocol_whitelist");
  ASSERT_NE(listed, words.end());
  EXPECT_EQ(*(listed + 1), "file");
  EXPECT_NE(std::find(words.begin(), words.end(), "-nostdin"), words.end());
}

TEST_F(ConvertVideoTest, ItsLimitsAreItsOwn) {
  const std::string clip = Clip("a.mov");
  config_.video_cpu_max = absl::Seconds(1);
  Script("ffmpeg", "while :; do :; done");
  std::filesystem::create_symlink("/usr/bin/ffprobe", config_.tools_folder + "/ffprobe");
  EXPECT_EQ(ReasonOf(Convert(clip, kCopied)), "MEDIA_OVER_LIMIT");
  config_.video_max = absl::Milliseconds(300);
  Script("ffmpeg", "sleep 100");
  EXPECT_EQ(ReasonOf(Convert(clip, kCopied)), "MEDIA_OVER_LIMIT");
  config_.video_max = absl::Minutes(1);
  Script("ffmpeg", "exec dd if=/dev/zero of=out.mp4 bs=65536 count=1000");
  EXPECT_EQ(ReasonOf(Convert(clip, kCopied)), "MEDIA_OVER_LIMIT") << "more than its target by far";
  Script("ffmpeg", "nice >" + folder_ + "/nice; exit 1");
  EXPECT_EQ(ReasonOf(Convert(clip, kCopied)), "MEDIA_UNREADABLE");
  EXPECT_GE(std::atoi(ReadAll(folder_ + "/nice").c_str()), 15);
  Script("ffmpeg", "exit 0");
  EXPECT_EQ(ReasonOf(Convert(clip, kCopied)), "MEDIA_UNREADABLE") << "it says that all is well, and made nothing";
}

TEST_F(ConvertVideoTest, ItEndsWhenItIsTold) {
  const std::string clip = Clip("a.mov");
  Script("ffmpeg", "touch " + folder_ + "/begun; sleep 1000");
  std::filesystem::create_symlink("/usr/bin/ffprobe", config_.tools_folder + "/ffprobe");
  ProcessInspector inspector(config_, clock_, metrics_);
  const auto go_on = [this] { return !std::filesystem::exists(folder_ + "/begun"); };
  const auto taken = [](const MediaBytes&, const MediaFacts&) { return absl::OkStatus(); };
  EXPECT_EQ(ReasonOf(inspector.ConvertVideo(call(), Content(clip), kCopied, {go_on, taken})), "MEDIA_STOPPED");
}

TEST_F(ConvertVideoTest, OneThatIsKilledLeavesNothing) {
  const std::string clip = Clip("a.mov");
  Script("ffmpeg", "echo half >out.mp4; echo $$ >" + folder_ + "/pid.part; mv " + folder_ + "/pid.part " + folder_ +
                       "/pid; sleep 1000");
  std::filesystem::create_symlink("/usr/bin/ffprobe", config_.tools_folder + "/ffprobe");
  std::thread killer([this] {
    ASSERT_TRUE(WaitFor([&] { return std::filesystem::exists(folder_ + "/pid"); }, absl::Minutes(1)));
    kill(std::atoi(ReadAll(folder_ + "/pid").c_str()), SIGKILL);
  });
  EXPECT_EQ(ReasonOf(Convert(clip, kCopied)), "MEDIA_OVER_LIMIT") << "as the kernel ends what wants too much memory";
  killer.join();
  EXPECT_TRUE(made.empty());
}

TEST_F(ConvertVideoTest, LookingAtPicturesDoesNotWaitForIt) {
  config_.processes_max = 1;
  config_.wait_max = absl::ZeroDuration();
  const std::string clip = Clip("a.mov"), picture = Picture("a.png", 4, 4);
  Script("ffmpeg", "touch " + folder_ + "/begun; while [ ! -e " + folder_ + "/go ]; do sleep 0.05; done; exit 1");
  for (const char* tool : {"ffprobe", "vips", "vipsheader"}) {
    std::filesystem::create_symlink("/usr/bin/"s + tool, config_.tools_folder + "/" + tool);
  }
  ProcessInspector inspector(config_, clock_, metrics_);
  const VideoWork work = {[] { return true; }, [](const MediaBytes&, const MediaFacts&) { return absl::OkStatus(); }};
  std::string first;
  std::thread one([&] { first = ReasonOf(inspector.ConvertVideo(call(), Content(clip), kCopied, work)); });
  EXPECT_TRUE(WaitFor([&] { return std::filesystem::exists(folder_ + "/begun"); }, absl::Minutes(1)));
  EXPECT_TRUE(inspector.Inspect(call(), Content(picture)).ok());
  EXPECT_EQ(ReasonOf(inspector.ConvertVideo(call(), Content(clip), kCopied, work)), "MEDIA_TOOLS_BUSY");
  std::ofstream(folder_ + "/go") << "x";
  one.join();
  EXPECT_EQ(first, "MEDIA_UNREADABLE");
}

}  // namespace
}  // namespace parvis::publishing
