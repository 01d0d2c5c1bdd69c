// The database's clock against a real PostgreSQL.
#include "platform/db/server_clock.h"

#include <gtest/gtest.h>

#include "platform/testing/postgres.h"

namespace parvis::db {
namespace {

TEST(ServerClockTest, TheServersClockDoesNotStepWithTheMachines) {
  testing::ServiceDatabase sample("sample", "services/platform/db/testdata/schema");
  FakeClock machine(absl::Now() + absl::Minutes(10));
  obs::Metrics metrics;
  Pool pool(sample.StreamConfig(), machine, metrics);
  ServerClock clock(machine, pool, metrics);
  EXPECT_EQ(clock.WallNow(), machine.WallNow()) << "not measured yet";
  const absl::Time before = absl::Now();
  ASSERT_TRUE(clock.Measure().ok());
  const absl::Time measured = clock.WallNow();
  EXPECT_GE(measured, before);
  EXPECT_LE(measured, absl::Now());
  machine.StepWall(-absl::Hours(2));
  EXPECT_EQ(clock.WallNow(), measured);
  machine.Advance(absl::Seconds(3));
  EXPECT_EQ(clock.WallNow(), measured + absl::Seconds(3));
}

}  // namespace
}  // namespace parvis::db
