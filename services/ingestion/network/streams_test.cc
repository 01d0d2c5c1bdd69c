// Streams of a connector as ingestion reads them, and what is counted and logged.
#include "ingestion/network/streams.h"

#include <gtest/gtest.h>

#include <absl/strings/match.h>

#include "ingestion/domain/fakes.h"
#include "platform/net/http_client.h"
#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

class ScriptedStream : public networks::Stream {
 public:
  StatusOr<networks::StreamBatch> Next(const Call&) override {
    networks::StreamBatch batch;
    batch.happenings.emplace_back().remote_id = "7";
    batch.unparsed.push_back({"junk", "UNKNOWN_SHAPE", "?"});
    batch.cursor = "42";
    batch.gap = true;
    return batch;
  }
};

// Has streams, and nothing else.
class StreamingConnector : public networks::Connector {
 public:
  StreamingConnector() {
    capabilities_.network = "streaming";
    capabilities_.Allow({networks::Feature::kStream});
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
  StatusOr<std::unique_ptr<networks::Stream>> OpenStream(const Call&, const networks::Account& account,
                                                         const std::string& cursor) override {
    opened.push_back(account.remote_id + " " + account.base_url + " " + cursor);
    return std::make_unique<ScriptedStream>();
  }
  std::vector<std::string> opened;

 private:
  networks::Outcome CarryOut(const Call&, const networks::Account&, const networks::Write&) override { return {}; }
  networks::Capabilities capabilities_;
};

class StreamsTest : public ::testing::Test {
 protected:
  StreamsTest() {
    auto streaming = std::make_unique<StreamingConnector>();
    connector_ = streaming.get();
    connectors_["streaming"] = std::move(streaming);
    desk_.channels.push_back({{"w1", "c1"}, "streaming", "r1", 1});
    source_.binding = {"w1", "c1"};
    source_.network = "streaming";
    obs::SetLogSink([this](std::string_view line) { lines_.emplace_back(line); });
  }
  ~StreamsTest() override { obs::SetLogSink(nullptr); }
  double Value(const std::string& name, const obs::Labels& labels = {{"network", "streaming"}}) {
    return metrics_.counter(name, "", labels).Value();
  }

  obs::Metrics metrics_;
  FakeDesk desk_;
  Connectors connectors_;
  StreamingConnector* connector_ = nullptr;
  ConnectorStreams streams_{connectors_, desk_};
  Source source_;
  std::vector<std::string> lines_;
};

TEST_F(StreamsTest, TheConnectorsStreamIsReadWithTheChannelsAccount) {
  EXPECT_EQ(streams_.Networks(), (std::vector<std::string>{"streaming"}));
  auto stream = streams_.Open(BackgroundCall("test"), source_, "41");
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(connector_->opened, (std::vector<std::string>{"r1 https://x.example 41"}));
  auto page = (*stream)->Next(BackgroundCall("test"));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->happenings.at(0).remote_id, "7");
  EXPECT_EQ(page->unparsed.at(0).raw, "junk");
  EXPECT_EQ(page->cursor, "42");
  EXPECT_TRUE(page->gap);
  source_.network = "unheard-of";
  EXPECT_EQ(ReasonOf(streams_.Open(BackgroundCall("test"), source_, "").status()), "NETWORK_UNKNOWN");
  source_.network = "streaming";
  source_.binding.channel_id = "c9";
  EXPECT_EQ(streams_.Open(BackgroundCall("test"), source_, "").status().code(), Code::kNotFound);
}

TEST_F(StreamsTest, WhatHappensToStreamsIsCountedAndLogged) {
  StreamMetrics stream_metrics(streams_.Networks(), metrics_);
  const StreamWatchers watchers = stream_metrics.Watchers();
  watchers.opened(source_);
  EXPECT_EQ(metrics_.gauge("parvis_ingestion_streams_open", "", {{"network", "streaming"}}).Value(), 1);
  watchers.brought(source_, 3, false);
  EXPECT_TRUE(lines_.empty());
  watchers.brought(source_, 2, true);
  EXPECT_EQ(Value("parvis_ingestion_streamed_activities_total"), 5);
  EXPECT_EQ(Value("parvis_ingestion_stream_gaps_total"), 1);
  StreamLife life;
  life.ending = StreamEnding::kLost;
  life.why = MakeError(Code::kUnavailable, "STREAM_LOST", "reset by peer");
  life.opened = true;
  watchers.ended(source_, life);
  EXPECT_EQ(metrics_.gauge("parvis_ingestion_streams_open", "", {{"network", "streaming"}}).Value(), 0);
  EXPECT_EQ(Value("parvis_ingestion_streams_ended_total", {{"network", "streaming"}, {"reason", "lost"}}), 1);
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_TRUE(absl::StrContains(lines_[1], "reset by peer")) << lines_[1];
  lines_.clear();
  for (int round = 0; round < 3; ++round) watchers.planned({.keepers = 2, .places = 128, .wanted = 200}, 64);
  EXPECT_EQ(metrics_.gauge("parvis_ingestion_streams_left_out", "").Value(), 72);
  ASSERT_EQ(lines_.size(), 1u) << "said once";
  EXPECT_TRUE(absl::StrContains(lines_[0], "streams_max")) << lines_[0];
}

}  // namespace
}  // namespace parvis::ingestion
