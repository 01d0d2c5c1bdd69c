#include "platform/obs/log.h"

#include <gtest/gtest.h>

namespace parvis::obs {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ConfigureLog("inbox", Level::kInfo);
    SetLogSink([this](std::string_view line) { lines_.emplace_back(line); });
  }
  void TearDown() override { SetLogSink(nullptr); }
  std::vector<std::string> lines_;
};

TEST_F(LogTest, OneJsonObjectALine) {
  Info("started", {{"port", 8443}, {"ratio", 0.5}, {"tls", false}, {"where", "here"}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].find('\n'), std::string::npos);
  EXPECT_NE(
      lines_[0].find(
          R"("level":"info","service":"inbox","message":"started","port":8443,"ratio":0.5,"tls":false,"where":"here"})"),
      std::string::npos)
      << lines_[0];
  EXPECT_EQ(lines_[0].rfind(R"({"time":"20)", 0), 0u);
}

TEST_F(LogTest, BelowTheThresholdIsSilent) {
  Log(Level::kDebug, "noise");
  EXPECT_TRUE(lines_.empty());
}

TEST_F(LogTest, CarriesTheCall) {
  Call call;
  call.trace = {std::string(32, 'a'), std::string(16, 'b')};
  call.workspace_id = "w";
  call.principal.member_id = "m";
  call.principal.key_id = "k";
  Log(Level::kError, call, "failed", {{"error", MakeError(Code::kNotFound, "NOT_FOUND", "no \"x\"")}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_NE(
      lines_[0].find(
          R"("trace_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","span_id":"bbbbbbbbbbbbbbbb","workspace":"w","member":"m","key":"k")"),
      std::string::npos)
      << lines_[0];
  EXPECT_NE(lines_[0].find(R"("error":"NOT_FOUND NOT_FOUND: no \"x\"")"), std::string::npos) << lines_[0];
}

TEST_F(LogTest, EscapesWhatIsNotJson) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    AppendJsonString(text, out);
    return out;
  };
  EXPECT_EQ(escaped("a\"b\\c\n\t\x01"), R"("a\"b\\c\n\t\u0001")");
  EXPECT_EQ(escaped("né 🙂"), "\"né 🙂\"");
  EXPECT_EQ(escaped(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(escaped("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // surrogate
  EXPECT_EQ(escaped("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // cut short
}

TEST_F(LogTest, NotANumberIsNull) {
  Info("x", {{"v", 0.0 / 0.0}});
  EXPECT_NE(lines_.at(0).find("\"v\":null"), std::string::npos);
}

}  // namespace
}  // namespace parvis::obs
