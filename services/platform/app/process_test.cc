#include "platform/app/process.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "platform/obs/log.h"
#include "platform/testing/wait.h"

namespace parvis::app {
namespace {

using std::chrono::milliseconds;

std::string TempPath(const std::string& name) {
  return (std::filesystem::path(::testing::TempDir()) / (name + std::to_string(getpid()))).string();
}

std::string Read(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Runs `body` in a child, because signals and _exit concern the whole process. Returns its exit status, -1 on a signal.
int InChild(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ProcessTest, LeavesNoCoreFileUnlessItMay) {
  const auto limit_with = [](bool core_dumps) {
    return InChild([core_dumps] {
      obs::SetLogSink([](std::string_view) {});
      const rlimit some{1 << 20, 1 << 20};
      setrlimit(RLIMIT_CORE, &some);
      ProcessConfig config;
      config.core_dumps = core_dumps;
      Process process("test", config);
      rlimit now{};
      getrlimit(RLIMIT_CORE, &now);
      return now.rlim_cur == 0 && now.rlim_max == 0 ? 7 : 8;
    });
  };
  EXPECT_EQ(limit_with(false), 7);
  EXPECT_EQ(limit_with(true), 8);
}

TEST(ProcessTest, StartsInOrderAndStopsInReverse) {
  const std::string journal = TempPath("journal"), ready = TempPath("ready");
  const int status = InChild([&] {
    obs::SetLogSink([](std::string_view) {});
    ProcessConfig config;
    config.ready_file = ready;
    Process process("test", config);
    const auto note = [&](const std::string& what) { std::ofstream(journal, std::ios::app) << what << " "; };
    std::vector<Part> parts;
    parts.push_back({"a",
                     [&] {
                       note("+a");
                       process.Announce("http", "127.0.0.1:1");
                       return absl::OkStatus();
                     },
                     [&](absl::Duration) { note("-a"); }});
    parts.push_back({"b",
                     [&] {
                       note("+b");
                       return absl::OkStatus();
                     },
                     [&](absl::Duration limit) { note(limit > absl::ZeroDuration() ? "-b" : "-?"); }});
    parts.push_back({"c",
                     [&] {
                       std::thread([&] {
                         parvis::testing::WaitFor([&] { return std::filesystem::exists(ready); });
                         note(Read(ready).find("http=127.0.0.1:1\n") != std::string::npos ? "ready" : "wrong");
                         kill(getpid(), SIGTERM);
                       }).detach();
                       return absl::OkStatus();
                     },
                     {}});
    return process.RunUntilSignal(std::move(parts));
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Read(journal), "+a +b ready -b -a ");
  EXPECT_FALSE(std::filesystem::exists(ready));
  std::filesystem::remove(journal);
}

TEST(ProcessTest, APartThatDoesNotStartStopsTheOthers) {
  const std::string journal = TempPath("journal2");
  const int status = InChild([&] {
    obs::SetLogSink([](std::string_view) {});
    Process process("test", {});
    return process.RunUntilSignal({{"a", {}, [&](absl::Duration) { std::ofstream(journal) << "-a"; }},
                                   {"b", [] { return MakeError(Code::kUnavailable, "NO", "no"); },
                                    [&](absl::Duration) { std::ofstream(journal) << "-b"; }}});
  });
  EXPECT_EQ(status, 1);
  EXPECT_EQ(Read(journal), "-a");
  std::filesystem::remove(journal);
}

TEST(ProcessTest, FailEndsWithStatusFour) {
  EXPECT_EQ(InChild([] {
              obs::SetLogSink([](std::string_view) {});
              Process process("test", {});
              return process.RunUntilSignal({{"a",
                                              [&] {
                                                process.Fail("because");
                                                return absl::OkStatus();
                                              },
                                              {}}});
            }),
            4);
}

TEST(ProcessTest, AStopThatHangsEndsAnyway) {
  EXPECT_EQ(InChild([] {
              obs::SetLogSink([](std::string_view) {});
              ProcessConfig config;
              config.stop_deadline = absl::Milliseconds(100);
              Process process("test", config);
              return process.RunUntilSignal({{"a",
                                              [&] {
                                                process.Fail("stop");
                                                return absl::OkStatus();
                                              },
                                              [](absl::Duration) {
                                                for (;;) pause();
                                              }}});
            }),
            3);
}

TEST(ProcessTest, ReadyChecksAreLoggedOncePerChange) {
  EXPECT_EQ(InChild([] {
              std::mutex mutex;
              std::vector<std::string> lines;
              obs::SetLogSink([&](std::string_view line) {
                std::lock_guard lock(mutex);
                lines.emplace_back(line);
              });
              Process process("test", {});
              std::atomic<int> runs{0};
              process.AddReadyCheck("db", [&] {
                if (++runs < 4) return MakeError(Code::kUnavailable, "DOWN", "not there");
                process.Fail("seen enough");
                return absl::OkStatus();
              });
              process.RunUntilSignal({});
              int fails = 0, passes = 0;
              for (const std::string& line : lines) {
                fails += line.find("ready check fails") != std::string::npos;
                passes += line.find("ready check passes") != std::string::npos;
              }
              const bool gauge = process.metrics().Expose().find("parvis_ready{check=\"db\"} 1") != std::string::npos;
              obs::SetLogSink(nullptr);
              return fails == 1 && passes == 1 && gauge ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace parvis::app
