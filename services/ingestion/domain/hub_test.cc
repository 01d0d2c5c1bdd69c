// Subscriptions at hubs, on fakes.
#include <gtest/gtest.h>

#include "ingestion/domain/hub_contract.h"
#include "ingestion/domain/hub_fakes.h"
#include "ingestion/domain/poll.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

struct FakeHubBackend {
  FakeClock clock;
  FakeSourceStore fake_sources{clock};
  FakeHubStore fake{fake_sources, clock};
  SourceStore& sources() { return fake_sources; }
  HubStore& hubs() { return fake; }
  void Pass(absl::Duration d) { clock.Advance(d); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, HubContract, FakeHubBackend);

TEST(HeardByHubTest, ShowsNoSecretOfTheHubsAddress) {
  const auto shown = [](const char* url) { return AsHeard({.url = url, .reason = {}, .lease_end = absl::Now()}).url; };
  EXPECT_EQ(shown("https://hub.example/"), "https://hub.example/");
  EXPECT_EQ(shown("https://me:s3cret@hub.example:8443/push?key=s3cret#s3cret"), "https://hub.example:8443/push");
  EXPECT_EQ(shown("https://me@s3cret@hub.example"), "https://hub.example");
  EXPECT_EQ(shown("https://hub.example?key=a@b/"), "https://hub.example");
  EXPECT_EQ(shown("https://hub.example/of/@lumen"), "https://hub.example/of/@lumen");
  EXPECT_EQ(shown("s3cret"), "");
}

class HubKeeperTest : public ::testing::Test {
 protected:
  HubKeeperTest() {
    EXPECT_TRUE(sources_.Sync({feed_}, clock_.WallNow()).ok());
    desk_.hubs["c1"] = {"https://hub.example/", "https://blog.example/feed", true};
    desk_.on_ask = [this](const Source& source, const HubChoice& hub, bool subscribe) {
      const absl::Duration lease = absl::Hours(100);
      if (asks_back_)
        confirmed_ += store_.Confirm(source.binding, {subscribe, hub.topic, lease, RenewIn(lease, 0.5)}).ok();
    };
  }
  int Round() {
    auto claimed = keeper_.Round();
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    return claimed.value_or(-1);
  }
  HeardByHub Hub() { return sources_.GetSource(BackgroundCall("test", "w1"), "c1")->hub; }
  bool Told() { return sources_.GetSource(BackgroundCall("test", "w1"), "c1")->hub.tells_all; }

  FakeClock clock_;
  FakeSourceStore sources_{clock_};
  FakeHubStore store_{sources_, clock_};
  FakeHubDesk desk_;
  const KnownChannel feed_{{"w1", "c1"}, "feed", "r", 1, true, absl::Seconds(10)};
  bool asks_back_ = true;
  int confirmed_ = 0;
  HubKeeper keeper_{store_, desk_, clock_, {}, {"feed"}, [] { return 1.0; }, {}};
};

TEST_F(HubKeeperTest, ASubscriptionIsRenewedAheadOfItsEndAndGivenUpWithTheChannel) {
  EXPECT_EQ(Round(), 1);
  EXPECT_TRUE(Told());
  EXPECT_EQ(Round(), 0);
  clock_.Advance(absl::Hours(69));
  EXPECT_EQ(Round(), 0);
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Round(), 1) << "70 of 100 hours";
  EXPECT_EQ(confirmed_, 2);
  clock_.Advance(absl::Hours(69));
  EXPECT_TRUE(Told());
  ASSERT_TRUE(sources_.Detach("", "", {}).ok());
  EXPECT_EQ(Round(), 1);
  EXPECT_EQ(desk_.asked, (std::vector<std::string>{"subscribe c1", "subscribe c1", "unsubscribe c1"}));
  EXPECT_EQ(confirmed_, 3);
  EXPECT_EQ(Round(), 0);
}

TEST_F(HubKeeperTest, AHubThatFailsOrIsSilentIsAskedEverMoreRarely) {
  desk_.refusal = MakeError(Code::kUnavailable, "HUB_UNAVAILABLE", "HTTP 503");
  EXPECT_EQ(Round(), 1);
  EXPECT_EQ(Hub().state, HubState::kFailing);
  EXPECT_EQ(Hub().reason, "HUB_UNAVAILABLE");
  EXPECT_EQ(Round(), 0);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Round(), 1);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Round(), 0) << "two minutes now";
  clock_.Advance(absl::Minutes(1));
  desk_.refusal = absl::OkStatus();
  asks_back_ = false;
  EXPECT_EQ(Round(), 1);
  EXPECT_FALSE(Told());
  clock_.Advance(absl::Minutes(9));
  EXPECT_EQ(Round(), 0) << "it may still ask";
  clock_.Advance(absl::Minutes(1));
  asks_back_ = true;
  EXPECT_EQ(Round(), 1);
  EXPECT_TRUE(Told());
}

TEST_F(HubKeeperTest, AFeedWithoutAHubIsLookedAtTheNextDay) {
  desk_.hubs.clear();
  EXPECT_EQ(Round(), 1);
  EXPECT_TRUE(desk_.asked.empty());
  EXPECT_EQ(Hub().state, HubState::kNone);
  EXPECT_EQ(Hub().reason, "HUB_NONE");
  clock_.Advance(absl::Hours(23));
  EXPECT_EQ(Round(), 0);
  clock_.Advance(absl::Hours(1));
  desk_.hubs["c1"] = {"https://hub.example/", "https://blog.example/feed", true};
  EXPECT_EQ(Round(), 1);
  EXPECT_TRUE(Told());
}

TEST_F(HubKeeperTest, WhileAHubTellsPollingIsTheSecondWay) {
  FakeReader reader;
  FakeSink sink;
  Poller poller(sources_, reader, sink, clock_, {}, [](const std::string&) { return false; }, [] { return 0.5; });
  EXPECT_EQ(Round(), 1);
  auto claimed = sources_.Claim({feed_.binding}, absl::Minutes(1));
  ASSERT_EQ(claimed->size(), 1u);
  ASSERT_TRUE(poller.Poll(claimed->front()).ok());
  EXPECT_EQ(sources_.GetSource(BackgroundCall("test", "w1"), "c1")->interval, PollOptions().second_way_min);
}

TEST_F(HubKeeperTest, RunsByItself) {
  RealClock clock;
  FakeSourceStore sources(clock);
  FakeHubStore store(sources, clock);
  ASSERT_TRUE(sources.Sync({feed_}, clock.WallNow()).ok());
  std::atomic<int> asked = 0;
  HubKeeper::Options options;
  options.round = absl::Milliseconds(10);
  asks_back_ = false;
  HubKeeper keeper(
      store, desk_, clock, options, {"feed"}, [] { return 0.5; },
      {.asked = [&](const Source&, bool, const Status& status) { asked += status.ok(); }, .store_failed = {}});
  ASSERT_TRUE(keeper.Start().ok());
  EXPECT_TRUE(testing::WaitFor([&] { return asked == 1; }));
  keeper.Stop();
}

}  // namespace
}  // namespace parvis::ingestion
