#include "platform/blob/watched_store.h"

#include <memory>

#include "platform/blob/blob_contract.h"
#include "platform/obs/metrics.h"
#include "platform/testing/fake_blob_store.h"
#include "platform/testing/wait.h"

namespace parvis::blob {
namespace {

class WatchedStoreTest : public BlobContract {
 public:
  BlobStore& store() override { return watched_; }

 protected:
  double Shown() { return metrics_.gauge("parvis_degraded", "", {{"mode", "media_store_away"}}).Value(); }
  bool AwaitMode(bool on) {
    return testing::WaitFor([&] { return degraded_.Is(obs::Mode::kMediaStoreAway) == on; });
  }
  FakeClock clock_;
  obs::Metrics metrics_;
  obs::Degraded degraded_{metrics_, clock_};
  testing::FakeBlobStore kept_;
  WatchedStore watched_{kept_, degraded_, clock_, {.every = absl::Milliseconds(2), .again = absl::Milliseconds(1)}};
};

PARVIS_BLOB_CONTRACT(WatchedStoreTest);

TEST_F(WatchedStoreTest, PingsTellThatItIsAwayAndThatItIsBack) {
  EXPECT_EQ(Shown(), 0) << "the gauge is there before anything happens";
  watched_.Start();
  kept_.SetAway(true);
  EXPECT_TRUE(AwaitMode(true));
  EXPECT_EQ(Shown(), 1);
  EXPECT_NE(degraded_.Text().find("media_store_away: ping: BLOB_STORE_AWAY"), std::string::npos) << degraded_.Text();
  kept_.SetAway(false);
  EXPECT_TRUE(AwaitMode(false));
  kept_.SetFull(true);
  EXPECT_TRUE(AwaitMode(true)) << "a full disk takes no uploads";
  EXPECT_NE(degraded_.Text().find("BLOB_STORE_FULL"), std::string::npos) << degraded_.Text();
  kept_.SetFull(false);
  EXPECT_TRUE(AwaitMode(false));
  watched_.Stop();
}

TEST_F(WatchedStoreTest, NothingIsAskedOfAStoreThatIsAway) {
  WatchedStore seldom(kept_, degraded_, clock_, {.every = absl::Hours(1), .again = absl::Hours(1)});
  kept_.SetAway(true);
  seldom.Start();
  const auto reads = [&] { return ReasonOf(seldom.Read(call(), Key("none"), 0, 1).status()); };
  EXPECT_TRUE(AwaitMode(true));
  kept_.SetAway(false);
  EXPECT_TRUE(testing::WaitFor([&] { return reads() == "BLOB_STORE_AWAY"; })) << "it is not asked before the next ping";
  EXPECT_EQ(Reason(seldom.Put(call(), Key("a"), "x")), "BLOB_STORE_AWAY");
  EXPECT_EQ(Reason(seldom.Delete(call(), Key("a"))), "BLOB_STORE_AWAY");
  EXPECT_EQ(All(Key("a")), "BLOB_MISSING");
}

TEST_F(WatchedStoreTest, ACallThatFailsAsksForAPing) {
  WatchedStore seldom(kept_, degraded_, clock_, {.every = absl::Hours(1), .again = absl::Milliseconds(1)});
  seldom.Start();
  ASSERT_TRUE(testing::WaitFor([&] { return seldom.Put(call(), Key("a"), "x").ok(); }));
  kept_.SetAway(true);
  EXPECT_TRUE(testing::WaitFor([&] {
    (void)seldom.Read(call(), Key("a"), 0, 1);
    return degraded_.Text().find("media_store_away: ping") != std::string::npos;
  })) << degraded_.Text();
}

TEST_F(WatchedStoreTest, AFullStoreIsReadOn) {
  ASSERT_EQ(watched_.Put(call(), Key("a"), "x"), absl::OkStatus());
  kept_.SetFull(true);
  watched_.Start();
  EXPECT_TRUE(AwaitMode(true));
  EXPECT_EQ(All(Key("a")), "x") << "deliveries go on";
}

TEST_F(WatchedStoreTest, ACallThatFailsTellsBeforeTheNextPing) {
  ASSERT_EQ(watched_.Put(call(), Key("a"), "x"), absl::OkStatus());
  EXPECT_EQ(All(Key("none")), "BLOB_MISSING");
  EXPECT_FALSE(degraded_.Is(obs::Mode::kMediaStoreAway)) << "what is not there is no trouble of the store's";
  kept_.SetAway(true);
  EXPECT_EQ(All(Key("a")), "BLOB_STORE_AWAY");
  EXPECT_TRUE(degraded_.Is(obs::Mode::kMediaStoreAway));
  kept_.SetAway(false);
  clock_.Advance(obs::Degraded::kHold);
  degraded_.Tick();
  EXPECT_FALSE(degraded_.Is(obs::Mode::kMediaStoreAway)) << "no call has failed for a while";
  kept_.SetFull(true);
  EXPECT_EQ(Reason(watched_.Put(call(), Key("b"), "x")), "BLOB_STORE_FULL");
  EXPECT_TRUE(degraded_.Is(obs::Mode::kMediaStoreAway));
  EXPECT_EQ(All(Key("a")), "x") << "what is there can be read";
}

TEST_F(WatchedStoreTest, ACallWithoutTimeSaysNothingOfTheStore) {
  kept_.SetAway(true);
  Call late = call();
  late.deadline = clock_.Now();
  EXPECT_FALSE(watched_.Put(late, Key("a"), "x").ok());
  const auto given_up = std::make_shared<Cancellation>();
  given_up->Cancel();
  Call cancelled = call();
  cancelled.cancellation = given_up;
  EXPECT_FALSE(watched_.Delete(cancelled, Key("a")).ok());
  EXPECT_FALSE(degraded_.Is(obs::Mode::kMediaStoreAway));
}

}  // namespace
}  // namespace parvis::blob
