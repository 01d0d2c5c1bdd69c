// Ingestion's keeper of subscriptions and what hubs call, against the hub of the sandbox's YouTube: one asks, the other asks
// back, and what happens on the channel arrives.
#include <gtest/gtest.h>

#include "ingestion/domain/hub_fakes.h"
#include "ingestion/network/hubs.h"
#include "networks/wire/answer.h"
#include "platform/net/http_server.h"
#include "tests/contract/sandbox_test.h"

namespace parvis::ingestion {
namespace {

using networks::Json;
using networks::OutcomeKind;
using networks::Text;
using parvis::testing::WaitFor;

// Has accounts' answer for the one channel.
class OneDesk : public FakeDesk {
 public:
  StatusOr<OpenedChannel> Open(const Call&, const Binding&) override { return channel; }
  OpenedChannel channel;
};

class HubSandboxTest : public networks::SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    Control("DELETE", "webhooks", Json());
    ASSERT_TRUE(ours_.Start().ok());
    keys_ = HubKeys("http://" + ours_.address(), {Secret("key")});
    desk_.channel = {GetParam(), account.remote_id, account.base_url, account.credentials.fields, 1};
    intake_.finder.Bind(GetParam(), account.remote_id, binding_);
    ASSERT_TRUE(
        sources_.Sync({{binding_, GetParam(), account.remote_id, 1, true, absl::Seconds(5)}}, clock.WallNow()).ok());
    callbacks_ = std::make_unique<HubCallbacks>(connectors, keys_, store_, sources_, intake_.receiver, executor_, metrics,
                                                [] { return 0.5; });
    caller_ = std::make_unique<HubCaller>(connectors, desk_, keys_, *http);
    keeper_ = std::make_unique<HubKeeper>(store_, *caller_, clock, HubKeeper::Options{.failure_first = absl::Milliseconds(1)},
                                          caller_->Networks(), [] { return 0.5; }, callbacks_->Watchers());
  }
  void TearDown() override {
    Control("DELETE", "webhooks", Json());
    ours_.Stop(absl::Seconds(5));
    executor_.Stop();
    intake_.executor.Stop();
    SandboxTest::TearDown();
  }
  double Count(const std::string& what, const std::string& outcome) {
    return metrics.counter("parvis_ingestion_hub_" + what + "_total", "", {{"network", GetParam()}, {"outcome", outcome}}).Value();
  }
  // Until the counter stands there: what a hub does, it does when it likes.
  bool Counted(const std::string& what, const std::string& outcome, double times) {
    return WaitFor([&] { return Count(what, outcome) >= times; });
  }
  // Asks for what is due, until the hub has taken it.
  bool Asked() {
    return WaitFor([&] { return keeper_->Round().value_or(0) == 1; });
  }
  size_t Subscribers() { return networks::Member(Control("GET", "webhooks", Json()), "webhooks").size(); }
  std::string Upload() {
    networks::Write write;
    write.kind = networks::WriteKind::kPost;
    write.draft.title = "A lamp";
    write.draft.text = "It shines.";
    write.draft.media = {networks::Media{.type = "video/mp4", .bytes = "moving pictures"}};
    write.idempotency_key = "key-of-the-video";
    const networks::Outcome out = connector().Execute(call(), account, write);
    EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
    return out.remote_id;
  }

  const Binding binding_{"0190a0b1-0000-7000-8000-000000000001", "0190a0b1-0000-7000-8000-000000000002"};
  FakeSourceStore sources_{clock};
  FakeHubStore store_{sources_, clock};
  OneDesk desk_;
  HubKeys keys_{"", {Secret("until it is known where we are")}};
  FakeIntake intake_{clock};
  Executor executor_{{.name = "hubs", .threads = 1, .queue_max = 10}};
  std::unique_ptr<HubCallbacks> callbacks_;
  std::unique_ptr<HubCaller> caller_;
  std::unique_ptr<HubKeeper> keeper_;
  net::HttpServer ours_{{}, "ours", metrics, [this](net::HttpRequest request, net::Responder responder) {
                          callbacks_->Handle(std::move(request), std::move(responder));
                        }};
};

TEST_P(HubSandboxTest, WhatHappensOnTheChannelIsTold) {
  ASSERT_TRUE(Asked());
  ASSERT_TRUE(Counted("questions", "confirmed", 1));
  ASSERT_TRUE(WaitFor([&] { return Subscribers() == 1; }));
  const std::string video = Upload();
  ASSERT_TRUE(Counted("deliveries", "accepted", 1));
  EXPECT_TRUE(intake_.sink.activities().empty()) << "a video of our own is no message";
  networks::Write gone;
  gone.kind = networks::WriteKind::kDelete;
  gone.target_remote_id = video;
  EXPECT_EQ(connector().Execute(call(), account, gone).kind, OutcomeKind::kAccepted);
  ASSERT_TRUE(Counted("deliveries", "accepted", 2));
  ASSERT_EQ(intake_.sink.activities().size(), 1u);
  EXPECT_EQ(intake_.sink.activities()[0].what.kind, Kind::kRemoval);
  EXPECT_EQ(intake_.sink.activities()[0].what.remote_id, video);
  EXPECT_TRUE(intake_.sink.parts().empty());
  EXPECT_EQ(Count("deliveries", "unsigned"), 0);
  // A channel that is disconnected: the hub asks once more, and is silent.
  ASSERT_TRUE(sources_.Detach("", "", {}).ok());
  ASSERT_TRUE(Asked());
  ASSERT_TRUE(Counted("questions", "confirmed", 2));
  EXPECT_TRUE(WaitFor([&] { return Subscribers() == 0; }));
}

TEST_P(HubSandboxTest, AHubThatFailsIsAskedAgain) {
  for (const char* fault : {"server_error", "reset_before_accept", "limit"}) {
    Control("POST", "faults", {{"kind", fault}, {"network", GetParam()}, {"operation", "subscribe"}, {"count", 1}});
  }
  for (int failures = 1; failures <= 3; ++failures) {
    ASSERT_TRUE(Asked());
    EXPECT_EQ(Count("requests", "failed"), failures);
  }
  ASSERT_TRUE(Asked());
  EXPECT_TRUE(Counted("questions", "confirmed", 1));
}

// The hub has taken it, and its answer is lost: its question is answered all the same.
TEST_P(HubSandboxTest, AnAnswerThatIsLostIsNoLoss) {
  Control("POST", "faults", {{"kind", "accept_then_reset"}, {"network", GetParam()}, {"operation", "subscribe"}, {"count", 1}});
  ASSERT_TRUE(Asked());
  EXPECT_TRUE(Counted("questions", "confirmed", 1));
  EXPECT_TRUE(WaitFor([&] { return Subscribers() == 1; }));
}

INSTANTIATE_TEST_SUITE_P(Networks, HubSandboxTest, ::testing::Values("youtube"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace parvis::ingestion
