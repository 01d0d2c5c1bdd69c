// Shared streams of a connector as ingestion reads them, and what is counted and logged.
#include "ingestion/network/shared_streams.h"

#include <gtest/gtest.h>

#include <absl/strings/match.h>

#include "ingestion/domain/fakes.h"
#include "ingestion/network/streams.h"
#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

// Tells each channel of one thing, with what its account is opened with; loses those that cannot be opened.
class ScriptedStream : public networks::SharedStream {
 public:
  ScriptedStream(std::vector<networks::Listener> listeners, networks::AccountOpener open)
      : listeners_(std::move(listeners)), open_(std::move(open)) {}
  StatusOr<std::map<std::string, Status>> Add(const Call&, const std::vector<networks::Listener>& listeners) override {
    listeners_.insert(listeners_.end(), listeners.begin(), listeners.end());
    return std::map<std::string, Status>();
  }
  void Remove(const Call&, const std::vector<std::string>& channel_ids) override {
    std::erase_if(listeners_, [&](const auto& one) { return one.channel_id == channel_ids.at(0); });
  }
  StatusOr<networks::SharedBatch> Next(const Call& call) override {
    networks::SharedBatch batch;
    for (const networks::Listener& one : listeners_) {
      const auto account = open_(call, one.channel_id);
      if (account.ok()) {
        batch.happenings.emplace_back(one.channel_id, networks::Happening()).second.remote_id = account->remote_id;
      } else {
        batch.lost[one.channel_id] = account.status();
      }
    }
    batch.unparsed.push_back({"junk", "UNKNOWN_SHAPE", "?"});
    batch.cursor = "42";
    batch.gap = true;
    return batch;
  }

 private:
  std::vector<networks::Listener> listeners_;
  const networks::AccountOpener open_;
};

class SharingConnector : public networks::Connector {
 public:
  explicit SharingConnector(const std::string& network, int channels_max) {
    capabilities_.network = network;
    capabilities_.Allow({networks::Feature::kStream});
    capabilities_.stream_channels_max = channels_max;
  }
  const networks::Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(networks::WriteKind, const networks::Draft&) const override { return {}; }
  int TextLength(std::string_view) const override { return 0; }
  StatusOr<networks::Identity> WhoAmI(const Call&, const networks::Account&) override { return networks::Identity{}; }
  StatusOr<std::vector<networks::OwnItem>> ReadBack(const Call&, const networks::Account&, const networks::Write&,
                                                    absl::Time, int) override {
    return std::vector<networks::OwnItem>();
  }
  bool Matches(const networks::Write&, const networks::OwnItem&) const override { return false; }
  StatusOr<networks::SharedOpening> OpenSharedStream(const Call&, const std::vector<networks::Listener>& listeners,
                                                     const std::string& cursor, networks::AccountOpener open) override {
    opened.push_back(std::to_string(listeners.size()) + " " + cursor);
    networks::SharedOpening opening;
    if (listeners.at(0).remote_id == "refused") {
      opening.refused[listeners[0].channel_id] = MakeError(Code::kFailedPrecondition, "STREAM_REFUSED", "no");
    } else {
      opening.stream = std::make_unique<ScriptedStream>(listeners, std::move(open));
    }
    return opening;
  }
  std::vector<std::string> opened;

 private:
  networks::Outcome CarryOut(const Call&, const networks::Account&, const networks::Write&) override { return {}; }
  networks::Capabilities capabilities_;
};

class SharedStreamsTest : public ::testing::Test {
 protected:
  SharedStreamsTest() {
    auto sharing = std::make_unique<SharingConnector>("sharing", 5);
    connector_ = sharing.get();
    connectors_["sharing"] = std::move(sharing);
    connectors_["single"] = std::make_unique<SharingConnector>("single", 0);
    for (int i = 1; i <= 3; ++i) {
      const std::string n = std::to_string(i);
      desk_.channels.push_back({{"w" + n, "c" + n}, "sharing", "r" + n, 1});
    }
    obs::SetLogSink([this](std::string_view line) { lines_.emplace_back(line); });
  }
  ~SharedStreamsTest() override { obs::SetLogSink(nullptr); }
  static SharedMember Member(const std::string& n) { return {{"w" + n, "c" + n}, "r" + n, 1, 0}; }
  double Value(const std::string& name) { return metrics_.counter(name, "", {{"network", "sharing"}}).Value(); }
  double Gauge(const std::string& name) { return metrics_.gauge(name, "", {{"network", "sharing"}}).Value(); }

  obs::Metrics metrics_;
  FakeDesk desk_;
  Connectors connectors_;
  SharingConnector* connector_ = nullptr;
  ConnectorNetworkStreams streams_{connectors_, desk_};
  std::vector<std::string> lines_;
};

TEST_F(SharedStreamsTest, ChannelsAreToldByOneStreamEachWithItsOwnAccount) {
  EXPECT_EQ(streams_.Networks(), (std::vector<std::string>{"sharing"}));
  EXPECT_EQ(ConnectorStreams(connectors_, desk_).Networks(), (std::vector<std::string>{"single"}));
  EXPECT_EQ(streams_.ChannelsMax("sharing"), 5);
  EXPECT_EQ(streams_.ChannelsMax("unheard-of"), 0);
  auto opening = streams_.Open(BackgroundCall("test"), "sharing", {Member("1"), Member("2")}, "41");
  ASSERT_TRUE(opening.ok()) << opening.status();
  EXPECT_EQ(connector_->opened, (std::vector<std::string>{"2 41"}));
  ASSERT_TRUE(opening->stream->Add(BackgroundCall("test"), {Member("3"), Member("9")}).ok());
  opening->stream->Remove(BackgroundCall("test"), {"c2"});
  auto page = opening->stream->Next(BackgroundCall("test"));
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->told.size(), 2u);
  EXPECT_EQ(page->told[0].channel_id + page->told[0].what.remote_id, "c1r1");
  EXPECT_EQ(page->told[1].channel_id + page->told[1].what.remote_id, "c3r3");
  EXPECT_EQ(page->lost.at("c9").code(), Code::kNotFound);
  EXPECT_EQ(page->unparsed.at(0).raw, "junk");
  EXPECT_EQ(page->cursor, "42");
  EXPECT_TRUE(page->gap);
  EXPECT_EQ(ReasonOf(streams_.Open(BackgroundCall("test"), "unheard-of", {Member("1")}, "").status()), "NETWORK_UNKNOWN");
  SharedMember refused = Member("1");
  refused.remote_id = "refused";
  opening = streams_.Open(BackgroundCall("test"), "sharing", {refused}, "");
  ASSERT_TRUE(opening.ok());
  EXPECT_EQ(opening->stream, nullptr);
  EXPECT_TRUE(opening->refused.contains("c1"));
}

TEST_F(SharedStreamsTest, WhatHappensIsCountedAndLogged) {
  SharedStreamMetrics shared(streams_.Networks(), metrics_);
  const SharedWatchers watchers = shared.Watchers();
  watchers.opened("sharing");
  watchers.brought("sharing", 3, false);
  watchers.counted("sharing", 5, 5, 0);
  EXPECT_TRUE(lines_.empty());
  EXPECT_EQ(Gauge("parvis_ingestion_streams_open"), 1);
  EXPECT_EQ(Gauge("parvis_ingestion_shared_stream_channels"), 5);
  EXPECT_EQ(Value("parvis_ingestion_streamed_activities_total"), 3);
  for (int look = 0; look < 3; ++look) watchers.counted("sharing", 5, 8, 3);
  EXPECT_EQ(Gauge("parvis_ingestion_shared_stream_left_out"), 3);
  ASSERT_EQ(lines_.size(), 1u) << "said once";
  EXPECT_TRUE(absl::StrContains(lines_[0], "shared_stream_channels_max")) << lines_[0];
  watchers.lost("sharing", {"w1", "c1"}, MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "expired"));
  EXPECT_EQ(Value("parvis_ingestion_shared_stream_channels_lost_total"), 1);
  StreamLife life;
  life.ending = StreamEnding::kLost;
  life.why = MakeError(Code::kUnavailable, "STREAM_LOST", "reset by peer");
  life.opened = true;
  watchers.ended("sharing", life);
  EXPECT_EQ(Gauge("parvis_ingestion_streams_open"), 0);
  EXPECT_EQ(Gauge("parvis_ingestion_shared_stream_channels"), 0);
  ASSERT_EQ(lines_.size(), 3u);
  EXPECT_TRUE(absl::StrContains(lines_[2], "reset by peer")) << lines_[2];
}

}  // namespace
}  // namespace parvis::ingestion
