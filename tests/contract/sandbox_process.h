// The sandbox's process of this build, for as long as the tests of one binary run. PARVIS_BUILD names the build folder.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "platform/testing/wait.h"

extern char** environ;

namespace parvis::networks {

class SandboxProcess : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* build = getenv("PARVIS_BUILD");
    std::string binary = std::string(build == nullptr ? "build/dev" : build) + "/bin/parvis-sandbox";
    ASSERT_TRUE(std::filesystem::exists(binary)) << binary << " is needed: build the target parvis-sandbox";
    char name[] = "/tmp/parvis-contract-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    std::string ready = folder_ + "/ready", f1 = "--ready_file=" + ready, f2 = "--http_address=127.0.0.1:0",
                f3 = "--journal_file=" + folder_ + "/journal", f4 = "--log_level=error";
    char* arguments[] = {binary.data(), f1.data(), f2.data(), f3.data(), f4.data(), nullptr};
    ASSERT_EQ(posix_spawn(&pid_, binary.c_str(), nullptr, nullptr, arguments, environ), 0);
    ASSERT_TRUE(parvis::testing::WaitFor([&] { return std::filesystem::exists(ready); }, absl::Seconds(20)));
    std::ifstream in(ready);
    for (std::string line; std::getline(in, line);) {
      if (line.rfind("http=", 0) == 0) url = "http://" + line.substr(5);
    }
    ASSERT_FALSE(url.empty());
  }
  void TearDown() override {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      waitpid(pid_, nullptr, 0);
    }
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  std::string url;

 private:
  std::string folder_;
  pid_t pid_ = -1;
};

}  // namespace parvis::networks
