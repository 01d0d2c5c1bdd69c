// Pictures and videos for tests: made by the tools, or by hand where no tool would make them.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "platform/base/clock.h"
#include "platform/obs/metrics.h"
#include "publishing/domain/media_inspector.h"
#include "publishing/media/media_tools_config.h"

namespace parvis::publishing {

inline MediaBytes Content(std::string bytes) {
  MediaBytes content;
  content.size = static_cast<int64_t>(bytes.size());
  content.read = [bytes = std::move(bytes)](const Call&, int64_t offset, int64_t length) -> StatusOr<std::string> {
    return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
  };
  return content;
}

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline uint32_t Crc32(std::string_view bytes) {  // PNG §D
  uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

inline std::string BigEndian32(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}
inline std::string LittleEndian16(uint32_t value) { return {static_cast<char>(value), static_cast<char>(value >> 8)}; }

inline std::string PngChunk(const std::string& type, const std::string& data) {
  return BigEndian32(static_cast<uint32_t>(data.size())) + type + data + BigEndian32(Crc32(type + data));
}

// `frames` frames that say to be `side` × `side` and have no pixels to speak of (GIF89a §20, §22).
inline std::string GifOf(uint32_t side, int frames) {
  using std::literals::string_literals::operator""s;
  std::string gif = "GIF89a" + LittleEndian16(side) + LittleEndian16(side) + "\x80\0\0\0\0\0\xFF\xFF\xFF"s;
  for (int i = 0; i < frames; ++i) {
    gif += "\x21\xF9\x04\0\x05\0\0\0"s;
    gif += ","s + LittleEndian16(0) + LittleEndian16(0) + LittleEndian16(side) + LittleEndian16(side) + "\0"s;
    gif += "\x02\x02\x44\x01\0"s;
  }
  return gif + ";";
}

class MediaTest : public ::testing::Test {
 public:
  MediaTest() {
    std::string pattern = "/tmp/parvis-mediatest-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    config_.scratch_folder = folder_ + "/scratch";
    std::filesystem::create_directory(config_.scratch_folder);
    config_.tool_max = absl::Minutes(2);  // a machine that does much else besides
  }
  ~MediaTest() override {
    EXPECT_TRUE(std::filesystem::is_empty(config_.scratch_folder)) << "a scratch folder was left behind";
    std::filesystem::remove_all(folder_);
  }
  // Runs a command line in the test's folder.
  void Make(const std::string& command) const {
    ASSERT_EQ(system(("cd " + folder_ + " && " + command + " >make.log 2>&1").c_str()), 0)
        << command << ReadAll(folder_ + "/make.log");
  }
  // What `vips` or ffmpeg makes of a command whose output is the file `name`.
  std::string Made(const std::string& name, const std::string& command) const {
    Make(command);
    return ReadAll(folder_ + "/" + name);
  }
  // A picture of `side` pixels a side with something to see in it.
  std::string Picture(const std::string& name, int width, int height) const {
    const std::string size = std::to_string(width) + " " + std::to_string(height);
    return Made(name, "vips gaussnoise n.v " + size +
                          " --sigma 40 --mean 128 && vips cast n.v c.v uchar && vips copy c.v '" + name + "'");
  }
  // A tool of that name that is a shell script, and a tools folder with nothing else in it.
  void Script(const std::string& tool, const std::string& body) {
    config_.tools_folder = folder_ + "/tools";
    std::filesystem::create_directory(config_.tools_folder);
    std::ofstream(config_.tools_folder + "/" + tool) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(config_.tools_folder + "/" + tool, std::filesystem::perms::owner_all);
  }
  Call call() const { return BackgroundCall("test"); }

 protected:
  RealClock clock_;
  obs::Metrics metrics_;
  std::string folder_;
  MediaToolsConfig config_;
};

}  // namespace parvis::publishing
