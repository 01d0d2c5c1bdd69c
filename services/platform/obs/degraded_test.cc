#include "platform/obs/degraded.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "platform/obs/log.h"
#include "platform/obs/metrics.h"

namespace parvis::obs {
namespace {

class DegradedTest : public ::testing::Test {
 protected:
  DegradedTest() {
    SetLogSink([this](std::string_view line) { lines_.emplace_back(line); });
  }
  ~DegradedTest() override { SetLogSink(nullptr); }
  double Shown(const char* mode) { return metrics_.gauge("parvis_degraded", "", {{"mode", mode}}).Value(); }
  FakeClock clock_;
  Metrics metrics_;
  Degraded degraded_{metrics_, clock_};
  std::vector<std::string> lines_;
};

TEST_F(DegradedTest, AStateLastsWhileAnyObserverSeesIt) {
  const Status away = MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "no connection");
  degraded_.Set(Mode::kDatabaseAway, "db_api", away);
  degraded_.Set(Mode::kDatabaseAway, "db_stream", away);
  degraded_.Set(Mode::kDatabaseAway, "db_stream", away);
  EXPECT_EQ(Shown("database_away"), 1);
  ASSERT_EQ(lines_.size(), 1u) << "told once";
  EXPECT_NE(lines_[0].find("DB_UNAVAILABLE: no connection"), std::string::npos) << lines_[0];
  EXPECT_NE(lines_[0].find("Look whether PostgreSQL runs"), std::string::npos) << "the line says what to do";
  EXPECT_NE(degraded_.Text().find("degraded: database_away: db_api: DB_UNAVAILABLE"), std::string::npos);
  degraded_.Set(Mode::kDatabaseAway, "db_api", absl::OkStatus());
  EXPECT_TRUE(degraded_.Is(Mode::kDatabaseAway));
  degraded_.Set(Mode::kDatabaseAway, "db_stream", absl::OkStatus());
  EXPECT_EQ(Shown("database_away"), 0);
  EXPECT_EQ(degraded_.Text(), "");
  EXPECT_EQ(lines_.size(), 2u);
}

TEST_F(DegradedTest, EventsLastUntilTheyCease) {
  degraded_.Declare(Mode::kWebhooksShed);
  EXPECT_EQ(Shown("webhooks_shed"), 0);
  degraded_.Note(Mode::kWebhooksShed, "TOO_MUCH_IN_FLIGHT");
  clock_.Advance(Degraded::kHold - absl::Seconds(1));
  degraded_.Note(Mode::kWebhooksShed, "WORKSPACE_OVER_SHARE");
  clock_.Advance(Degraded::kHold - absl::Seconds(1));
  degraded_.Tick();
  EXPECT_EQ(Shown("webhooks_shed"), 1);
  clock_.Advance(absl::Seconds(1));
  degraded_.Tick();
  EXPECT_EQ(Shown("webhooks_shed"), 0);
  EXPECT_EQ(lines_.size(), 2u) << "one when it began, one when it ended";
}

TEST(ModesTest, TheCatalogueIsComplete) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < Modes().size(); ++i) {
    const ModeInfo& info = Modes()[i];
    EXPECT_EQ(static_cast<size_t>(info.mode), i);
    EXPECT_TRUE(names.insert(info.name).second);
    EXPECT_FALSE(info.means.empty());
    EXPECT_FALSE(info.to_do.empty());
  }
}

}  // namespace
}  // namespace parvis::obs
