#include "publishing/media/tool_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "platform/testing/wait.h"
#include "publishing/media/process_inspector.h"
#include "publishing/media/test_media.h"

namespace parvis::publishing {
namespace {

using testing::WaitFor;

constexpr char kPng[] = "\x89PNG\r\n\x1A\n and whatever";

class ToolRunnerTest : public MediaTest {
 public:
  // The outcome of looking at a picture when vipsheader is this script.
  std::string Outcome(const std::string& script) {
    Script("vipsheader", script);
    return ReasonOf(ProcessInspector(config_, clock_, metrics_).Inspect(call(), Content(kPng)).status());
  }
  std::string Told(const std::string& name) const { return ReadAll(folder_ + "/" + name); }
};

TEST_F(ToolRunnerTest, AToolThatTakesItsTimeIsEnded) {
  config_.tool_max = absl::Milliseconds(300);
  const Instant began = clock_.Now();
  EXPECT_EQ(Outcome("sleep 100"), "MEDIA_OVER_LIMIT");
  EXPECT_LT(clock_.Now() - began, absl::Seconds(20));
}

TEST_F(ToolRunnerTest, WhatAToolHasStartedEndsWithIt) {
  config_.tool_max = absl::Milliseconds(500);
  EXPECT_EQ(Outcome("sleep 1000 & echo $! >" + folder_ + "/pid; wait"), "MEDIA_OVER_LIMIT");
  const int pid = std::atoi(Told("pid").c_str());
  ASSERT_GT(pid, 1);
  // The killed grandchild is reaped by init: until then it is a zombie, which runs no more.
  EXPECT_TRUE(WaitFor([&] {
    const std::string about = ReadAll("/proc/" + std::to_string(pid) + "/stat");
    return about.empty() || about.find(") Z ") != std::string::npos;
  }));
  EXPECT_EQ(Outcome("sleep 1000 & echo $! >" + folder_ + "/pid2; exit 1"),
            "MEDIA_UNREADABLE");  // its output stays open for long
}

TEST_F(ToolRunnerTest, AToolThatLoopsUsesUpItsProcessorTime) {
  config_.cpu_max = absl::Seconds(1);
  EXPECT_EQ(Outcome("while :; do :; done"), "MEDIA_OVER_LIMIT");
}

TEST_F(ToolRunnerTest, AToolThatWantsTooMuchMemory) {
  config_.memory_max_bytes = int64_t{256} << 20;
  EXPECT_EQ(Outcome("exec tail /dev/zero"), "MEDIA_OVER_LIMIT");
}

TEST_F(ToolRunnerTest, AToolThatWritesTooMuch) {
  config_.file_max_bytes = 1 << 20;
  EXPECT_EQ(Outcome("exec dd if=/dev/zero of=large bs=65536 count=1000"), "MEDIA_OVER_LIMIT");
  EXPECT_EQ(Outcome("exec yes"), "MEDIA_OVER_LIMIT");
  EXPECT_EQ(Outcome("yes >&2 & sleep 0.1; exit 1"), "MEDIA_UNREADABLE");
}

TEST_F(ToolRunnerTest, AToolThatCrashes) {
  EXPECT_EQ(Outcome("kill -SEGV $$"), "MEDIA_UNREADABLE");
  EXPECT_EQ(Outcome("exit 3"), "MEDIA_UNREADABLE");
  EXPECT_EQ(Outcome("echo 'GLib-ERROR: failed to allocate 99 bytes' >&2; kill -TRAP $$"), "MEDIA_OVER_LIMIT");
}

TEST_F(ToolRunnerTest, AToolThatTalksNonsense) {
  for (const char* said :
       {"", "width: 10", "width: -1\\nheight: 5\\nvips-loader: pngload",
        "width: 1e9\\nheight: 5\\nvips-loader: pngload", "width: 10\\nheight: 10\\nvips-loader: svgload",
        "width: 10\\nwidth: 10\\nheight: 10\\nvips-loader: pngload"}) {
    EXPECT_EQ(Outcome(std::string("printf '") + said + "'"), "MEDIA_UNREADABLE") << said;
  }
}

TEST_F(ToolRunnerTest, AToolThatIsMissing) {
  config_.tools_folder = folder_ + "/none";
  EXPECT_EQ(ReasonOf(ProcessInspector(config_, clock_, metrics_).Inspect(call(), Content(kPng)).status()),
            "MEDIA_TOOLS_MISSING");
  EXPECT_EQ(Outcome("exec /nowhere/vips"), "MEDIA_TOOLS_MISSING");
}

TEST_F(ToolRunnerTest, TheCallersDeadlineHolds) {
  Script("vipsheader", "sleep 100");
  ProcessInspector inspector(config_, clock_, metrics_);
  Call soon = call();
  soon.deadline = clock_.Now() + absl::Milliseconds(300);
  EXPECT_EQ(inspector.Inspect(soon, Content(kPng)).status().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(inspector.Inspect(soon, Content(kPng)).status().code(), Code::kDeadlineExceeded);  // over before it begins
}

TEST_F(ToolRunnerTest, AToolLearnsNothingOfThisProcess) {
  setenv("PARVIS_TEST_SECRET", "canary", 1);
  const int leaked = open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a library might
  EXPECT_EQ(
      Outcome("env >" + folder_ + "/env; ls /proc/self/fd >" + folder_ + "/fds; pwd >" + folder_ + "/pwd; exit 1"),
      "MEDIA_UNREADABLE");
  close(leaked);
  unsetenv("PARVIS_TEST_SECRET");
  EXPECT_EQ(Told("env").find("canary"), std::string::npos);
  EXPECT_NE(Told("env").find("VIPS_BLOCK_UNTRUSTED=1"), std::string::npos);
  EXPECT_EQ(Told("pwd").rfind(config_.scratch_folder + "/parvis-media-", 0), 0U);
  EXPECT_LE(std::atoi(Told("fds").substr(Told("fds").size() - 2).c_str()), 4) << Told("fds");
}

TEST_F(ToolRunnerTest, AToolHasNoNetwork) {
  if (!ToolRunner(config_, clock_, metrics_).cut_off()) GTEST_SKIP() << "user namespaces are not allowed here";
  EXPECT_EQ(Outcome("cat /proc/net/dev >" + folder_ + "/dev; exit 1"), "MEDIA_UNREADABLE");
  const std::string devices = Told("dev");
  EXPECT_NE(devices.find("lo:"), std::string::npos);
  EXPECT_EQ(std::count(devices.begin(), devices.end(), ':'), 1) << devices;
}

TEST_F(ToolRunnerTest, SoManyAtOnceAndNoMore) {
  config_.processes_max = 1;
  config_.wait_max = absl::ZeroDuration();
  Script("vipsheader", "touch " + folder_ + "/begun; while [ ! -e " + folder_ + "/go ]; do sleep 0.05; done; exit 1");
  ProcessInspector inspector(config_, clock_, metrics_);
  std::string first;
  std::thread one([&] { first = ReasonOf(inspector.Inspect(call(), Content(kPng)).status()); });
  EXPECT_TRUE(WaitFor([&] { return std::filesystem::exists(folder_ + "/begun"); }));
  EXPECT_EQ(ReasonOf(inspector.Inspect(call(), Content(kPng)).status()), "MEDIA_TOOLS_BUSY");
  std::ofstream(folder_ + "/go") << "x";
  one.join();
  EXPECT_EQ(first, "MEDIA_UNREADABLE");
  EXPECT_EQ(ReasonOf(inspector.Inspect(call(), Content(kPng)).status()), "MEDIA_UNREADABLE");
}

TEST_F(ToolRunnerTest, OthersWaitForTheirTurn) {
  config_.processes_max = 2;
  Script("vipsheader", "sleep 0.05; exit 1");
  ProcessInspector inspector(config_, clock_, metrics_);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back(
        [&] { EXPECT_EQ(ReasonOf(inspector.Inspect(call(), Content(kPng)).status()), "MEDIA_UNREADABLE"); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ToolRunnerTest, OldScratchFoldersAreSwept) {
  const std::string old = config_.scratch_folder + "/parvis-media-old",
                    other = config_.scratch_folder + "/somebody-elses";
  std::filesystem::create_directory(old);
  std::filesystem::create_directory(other);
  SweepScratch(config_.scratch_folder, clock_.WallNow() - absl::Hours(1));
  EXPECT_TRUE(std::filesystem::exists(old));
  SweepScratch(config_.scratch_folder, clock_.WallNow() + absl::Hours(1));
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(other));
  std::filesystem::remove(other);
}

}  // namespace
}  // namespace parvis::publishing
