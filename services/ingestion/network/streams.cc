#include "ingestion/network/streams.h"

#include <algorithm>

#include "platform/base/ids.h"
#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

class ConnectorStream : public ChannelStream {
 public:
  explicit ConnectorStream(std::unique_ptr<networks::Stream> stream) : stream_(std::move(stream)) {}
  StatusOr<StreamPage> Next(const Call& call) override {
    PARVIS_ASSIGN_OR_RETURN(networks::StreamBatch batch, stream_->Next(call));
    return StreamPage{.happenings = FromNetwork(std::move(batch.happenings)),
                      .unparsed = FromNetwork(std::move(batch.unparsed)),
                      .cursor = std::move(batch.cursor),
                      .gap = batch.gap};
  }

 private:
  std::unique_ptr<networks::Stream> stream_;
};

}  // namespace

std::vector<std::string> ConnectorStreams::Networks() const {
  std::vector<std::string> networks;
  for (const auto& [network, connector] : connectors_) {
    const networks::Capabilities& can = connector->capabilities();
    if (can.Can(networks::Feature::kStream) && can.stream_channels_max == 0) networks.push_back(network);
  }
  return networks;
}

StatusOr<std::unique_ptr<ChannelStream>> ConnectorStreams::Open(const Call& call, const Source& source,
                                                                const std::string& cursor) {
  PARVIS_ASSIGN_OR_RETURN(networks::Connector * connector, ConnectorOf(connectors_, source.network));
  PARVIS_ASSIGN_OR_RETURN(const networks::Account account, OpenAccount(desk_, call, source.binding));
  PARVIS_ASSIGN_OR_RETURN(std::unique_ptr<networks::Stream> stream, connector->OpenStream(call, account, cursor));
  return std::make_unique<ConnectorStream>(std::move(stream));
}

void ConnectorStreams::ReportBroken(const Call& call, const Source& source, const Status& why) {
  TellBroken(desk_, call, source, why);
}

obs::Gauge& OpenStreams(obs::Metrics& metrics, const std::string& network) {
  return metrics.gauge("parvis_ingestion_streams_open", "Streams that this replica reads.", {{"network", network}});
}

obs::Counter& StreamGaps(obs::Metrics& metrics, const std::string& network) {
  return metrics.counter("parvis_ingestion_stream_gaps_total",
                         "Times that a stream missed something, or may have; a poll reads it back.",
                         {{"network", network}});
}

obs::Counter& StreamedActivities(obs::Metrics& metrics, const std::string& network) {
  return metrics.counter("parvis_ingestion_streamed_activities_total",
                         "Activities that streams have brought, repetitions included.", {{"network", network}});
}

std::map<StreamEnding, obs::Counter*> StreamsEnded(obs::Metrics& metrics, const std::string& network) {
  std::map<StreamEnding, obs::Counter*> ended;
  for (const StreamEnding ending : kStreamEndings) {
    ended[ending] = &metrics.counter(
        "parvis_ingestion_streams_ended_total",
        "Streams that ended, or could not be opened, by the reason; all but those given back are opened again.",
        {{"network", network}, {"reason", StreamEndingName(ending)}});
  }
  return ended;
}

obs::Counter& StreamStoreFailures(obs::Metrics& metrics) {
  return metrics.counter("parvis_ingestion_stream_store_failures_total",
                         "Times that the database could not be reached for the streams.");
}

StreamMetrics::StreamMetrics(const std::vector<std::string>& networks, obs::Metrics& metrics)
    : store_failures_(StreamStoreFailures(metrics)),
      wanted_(metrics.gauge("parvis_ingestion_streams_wanted",
                            "Channels, of all replicas, that could be heard by a stream of their own.")),
      left_out_(metrics.gauge("parvis_ingestion_streams_left_out",
                              "Of them, those for which all replicas together have no place; they are polled.")) {
  for (const std::string& network : networks) {
    Series& series = series_[network];
    series.open = &OpenStreams(metrics, network);
    series.gaps = &StreamGaps(metrics, network);
    series.activities = &StreamedActivities(metrics, network);
    series.ended = StreamsEnded(metrics, network);
  }
}

void StreamMetrics::Ended(const Source& source, const StreamLife& life) {
  auto it = series_.find(source.network);
  if (it == series_.end()) return;
  if (life.opened) it->second.open->Add(-1);
  it->second.ended.at(life.ending)->Add();
  if (life.ending == StreamEnding::kGivenBack) return;
  obs::Log(obs::Level::kWarning, BackgroundCall("ingestion", source.binding.workspace_id), "a stream ended",
           {{"network", source.network},
            {"channel", source.binding.channel_id},
            {"reason", StreamEndingName(life.ending)},
            {"lived", absl::FormatDuration(absl::Trunc(life.lived, absl::Seconds(1)))},
            {"failures", life.end.failures},
            {"error", life.why}});
}

void StreamMetrics::Planned(const StreamPlan& plan) {
  const int64_t left_out = std::max<int64_t>(0, plan.wanted - plan.places);
  wanted_.Set(static_cast<double>(plan.wanted));
  left_out_.Set(static_cast<double>(left_out));
  if (left_out > 0 && !told_) {
    obs::Warn(
        "there are more channels with streams than places for them; the others are polled: raise streams_max or "
        "add replicas",
        {{"channels", plan.wanted}, {"places", plan.places}, {"replicas", plan.keepers}});
  }
  told_ = left_out > 0;
}

StreamWatchers StreamMetrics::Watchers() {
  StreamWatchers watchers;
  watchers.opened = [this](const Source& source) {
    if (auto it = series_.find(source.network); it != series_.end()) it->second.open->Add(1);
  };
  watchers.brought = [this](const Source& source, int activities, bool gap) {
    auto it = series_.find(source.network);
    if (it == series_.end()) return;
    it->second.activities->Add(activities);
    if (!gap) return;
    it->second.gaps->Add();
    obs::Log(obs::Level::kInfo, BackgroundCall("ingestion", source.binding.workspace_id),
             "a stream may have missed something; a poll reads it back",
             {{"network", source.network}, {"channel", source.binding.channel_id}});
  };
  watchers.ended = [this](const Source& source, const StreamLife& life) { Ended(source, life); };
  watchers.store_failed = [this](const Status& why) {
    store_failures_.Add();
    obs::Warn("the database could not be reached for the streams", {{"error", why}});
  };
  watchers.planned = [this](const StreamPlan& plan, int) { Planned(plan); };
  return watchers;
}

namespace {

SharedStreamKeeper::Options SharedOf(const StreamKeeper::Options& options, int channels_max) {
  SharedStreamKeeper::Options out;
  out.round = options.round;
  out.lease = options.lease;
  out.shared.stream = options.stream;
  out.shared.turnout_every = options.round;
  out.shared.channels_max = channels_max;
  return out;
}

}  // namespace

StreamListener::StreamListener(const Connectors& connectors, ChannelDesk& desk, StreamStore& store,
                               SharedStreamStore& shared_store, ActivitySink& sink, const Clock& clock,
                               const StreamKeeper::Options& options, int channels_max, obs::Metrics& metrics,
                               std::function<double()> uniform)
    : streams_(connectors, desk),
      metrics_(streams_.Networks(), metrics),
      keeper_(store, streams_, sink, clock, options, streams_.Networks(), RandomHex(16), uniform, metrics_.Watchers()),
      shared_streams_(connectors, desk),
      shared_metrics_(shared_streams_.Networks(), metrics),
      shared_keeper_(shared_store, shared_streams_, sink, clock, SharedOf(options, channels_max),
                     channels_max == 0 ? std::vector<std::string>() : shared_streams_.Networks(), std::move(uniform),
                     shared_metrics_.Watchers()) {}

Status StreamListener::Start() {
  PARVIS_RETURN_IF_ERROR(keeper_.Start());
  return shared_keeper_.Start();
}

void StreamListener::Stop() {
  keeper_.Stop();
  shared_keeper_.Stop();
}

}  // namespace parvis::ingestion
