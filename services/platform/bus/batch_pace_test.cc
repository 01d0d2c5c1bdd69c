#include "platform/bus/batch_pace.h"

#include <gtest/gtest.h>

#include "platform/testing/kafka.h"

namespace parvis::bus {
namespace {

using absl::Milliseconds;
using testing::Kafka;

TEST(Stretched, WaitsForAsManyRecordsAsTheOwnerOfAllWouldHave) {
  EXPECT_EQ(Stretched(Milliseconds(50), Milliseconds(200), 12, 12), Milliseconds(50));
  EXPECT_EQ(Stretched(Milliseconds(50), Milliseconds(200), 6, 12), Milliseconds(100));
  EXPECT_EQ(Stretched(Milliseconds(50), Milliseconds(200), 4, 12), Milliseconds(150));
}

TEST(Stretched, IsBounded) {
  EXPECT_EQ(Stretched(Milliseconds(50), Milliseconds(200), 1, 96), Milliseconds(200));
  EXPECT_EQ(Stretched(Milliseconds(50), Milliseconds(20), 1, 96), Milliseconds(50)) << "a wait is never made shorter";
  EXPECT_EQ(Stretched(absl::ZeroDuration(), Milliseconds(200), 1, 96), absl::ZeroDuration());
}

TEST(Stretched, WithoutPartitionsOrWhenFewerAreKnownItStays) {
  EXPECT_EQ(Stretched(Milliseconds(50), Milliseconds(200), 0, 12), Milliseconds(50));
  EXPECT_EQ(Stretched(Milliseconds(50), Milliseconds(200), 12, 6), Milliseconds(50));
}

TEST(BatchPace, FollowsWhatIsOwnedOfAllTopics) {
  const std::string one = Kafka::Unique("paced"), two = Kafka::Unique("paced");
  Kafka::Shared().MakeTopic(one, 4);
  Kafka::Shared().MakeTopic(two, 2);
  BusConfig config = Kafka::Shared().Config();
  config.batch_wait = Milliseconds(50);
  config.batch_wait_max = Milliseconds(200);
  const auto made = MakeHandle(RD_KAFKA_PRODUCER, MakeConf({{"bootstrap.servers", config.brokers}}, nullptr));
  ASSERT_TRUE(made.ok());
  const HandlePtr rk(*made);
  BatchPace pace(config);
  EXPECT_EQ(pace.apart(), Milliseconds(50));
  // The broker is given several tries: each waits for its answer for a moment only.
  for (int i = 0; i < 50 && pace.apart() != Milliseconds(100); ++i) pace.Update(rk.get(), {one, two}, 3);
  EXPECT_EQ(pace.apart(), Milliseconds(100));
  for (int i = 0; i < 50 && pace.apart() != Milliseconds(50); ++i) pace.Update(rk.get(), {one, two}, 6);
  EXPECT_EQ(pace.apart(), Milliseconds(50));
}

TEST(BatchPace, WithoutABrokerThePaceStays) {
  BusConfig config;
  config.brokers = "127.0.0.1:1";
  const auto made = MakeHandle(RD_KAFKA_PRODUCER, MakeConf({{"bootstrap.servers", config.brokers}}, nullptr));
  ASSERT_TRUE(made.ok());
  const HandlePtr rk(*made);
  BatchPace pace(config);
  pace.Update(rk.get(), {"nowhere"}, 1);
  EXPECT_EQ(pace.apart(), config.batch_wait);
}

}  // namespace
}  // namespace parvis::bus
