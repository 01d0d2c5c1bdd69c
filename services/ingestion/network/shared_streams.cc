#include "ingestion/network/shared_streams.h"

#include <algorithm>

#include "ingestion/network/streams.h"
#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

// Which channels of ours the connector's channel ids stand for.
using Bindings = std::map<std::string, Binding>;

std::vector<networks::Listener> Listeners(const std::vector<SharedMember>& members) {
  std::vector<networks::Listener> out;
  out.reserve(members.size());
  for (const SharedMember& member : members) out.push_back({member.binding.channel_id, member.remote_id});
  return out;
}

class ConnectorNetworkStream : public NetworkStream {
 public:
  ConnectorNetworkStream(std::unique_ptr<networks::SharedStream> stream, std::shared_ptr<Bindings> bindings)
      : stream_(std::move(stream)), bindings_(std::move(bindings)) {}

  StatusOr<std::map<std::string, Status>> Add(const Call& call, const std::vector<SharedMember>& members) override {
    for (const SharedMember& member : members) (*bindings_)[member.binding.channel_id] = member.binding;
    return stream_->Add(call, Listeners(members));
  }

  void Remove(const Call& call, const std::vector<std::string>& channel_ids) override {
    for (const std::string& channel : channel_ids) bindings_->erase(channel);
    stream_->Remove(call, channel_ids);
  }

  StatusOr<SharedPage> Next(const Call& call) override {
    PARVIS_ASSIGN_OR_RETURN(networks::SharedBatch batch, stream_->Next(call));
    SharedPage page;
    page.told.reserve(batch.happenings.size());
    for (auto& [channel, happening] : batch.happenings) {
      page.told.push_back({channel, FromNetwork(std::move(happening))});
    }
    page.unparsed = FromNetwork(std::move(batch.unparsed));
    page.lost = std::move(batch.lost);
    page.cursor = std::move(batch.cursor);
    page.gap = batch.gap;
    return page;
  }

 private:
  const std::unique_ptr<networks::SharedStream> stream_;
  const std::shared_ptr<Bindings> bindings_;  // of the thread that reads
};

}  // namespace

std::vector<std::string> ConnectorNetworkStreams::Networks() const {
  std::vector<std::string> networks;
  for (const auto& [network, connector] : connectors_) {
    const networks::Capabilities& can = connector->capabilities();
    if (can.Can(networks::Feature::kStream) && can.stream_channels_max > 0) networks.push_back(network);
  }
  return networks;
}

int ConnectorNetworkStreams::ChannelsMax(const std::string& network) const {
  const auto connector = ConnectorOf(connectors_, network);
  return connector.ok() ? (*connector)->capabilities().stream_channels_max : 0;
}

StatusOr<NetworkOpening> ConnectorNetworkStreams::Open(const Call& call, const std::string& network,
                                                       const std::vector<SharedMember>& members,
                                                       const std::string& cursor) {
  PARVIS_ASSIGN_OR_RETURN(networks::Connector * connector, ConnectorOf(connectors_, network));
  auto bindings = std::make_shared<Bindings>();
  for (const SharedMember& member : members) (*bindings)[member.binding.channel_id] = member.binding;
  auto open = [this, bindings](const Call& asking, const std::string& channel) -> StatusOr<networks::Account> {
    const auto binding = bindings->find(channel);
    if (binding == bindings->end()) return MakeError(Code::kNotFound, "NOT_FOUND", "no channel of the stream");
    Call as_channel = asking;
    as_channel.workspace_id = binding->second.workspace_id;
    return OpenAccount(desk_, as_channel, binding->second);
  };
  PARVIS_ASSIGN_OR_RETURN(networks::SharedOpening opened,
                          connector->OpenSharedStream(call, Listeners(members), cursor, std::move(open)));
  NetworkOpening opening;
  opening.refused = std::move(opened.refused);
  if (opened.stream != nullptr) {
    opening.stream = std::make_unique<ConnectorNetworkStream>(std::move(opened.stream), std::move(bindings));
  }
  return opening;
}

void ConnectorNetworkStreams::ReportBroken(const Call& call, const std::string& network, const SharedMember& member,
                                           const Status& why) {
  Source source;
  source.binding = member.binding;
  source.network = network;
  source.remote_id = member.remote_id;
  source.credentials_version = member.credentials_version;
  TellBroken(desk_, call, source, why);
}

SharedStreamMetrics::SharedStreamMetrics(const std::vector<std::string>& networks, obs::Metrics& metrics)
    : store_failures_(StreamStoreFailures(metrics)) {
  for (const std::string& network : networks) {
    Series& series = series_[network];
    series.open = &OpenStreams(metrics, network);
    series.gaps = &StreamGaps(metrics, network);
    series.activities = &StreamedActivities(metrics, network);
    series.ended = StreamsEnded(metrics, network);
    series.heard = &metrics.gauge("parvis_ingestion_shared_stream_channels",
                                  "Channels that are heard by the network's shared stream, where this replica reads it.",
                                  {{"network", network}});
    series.left_out = &metrics.gauge("parvis_ingestion_shared_stream_left_out",
                                     "Channels for which the shared stream that this replica reads has no room; they "
                                     "are polled.",
                                     {{"network", network}});
    series.lost = &metrics.counter("parvis_ingestion_shared_stream_channels_lost_total",
                                   "Times that a channel could not be heard by the shared stream, or not any more; it "
                                   "is polled, and tried again.",
                                   {{"network", network}});
  }
}

SharedStreamMetrics::Series* SharedStreamMetrics::Of(const std::string& network) {
  auto it = series_.find(network);
  return it == series_.end() ? nullptr : &it->second;
}

void SharedStreamMetrics::Counted(const std::string& network, int heard, int64_t wanted, int64_t left_out) {
  Series* series = Of(network);
  if (series == nullptr) return;
  series->heard->Set(heard);
  series->left_out->Set(static_cast<double>(left_out));
  if (left_out > 0 && !series->told) {
    obs::Warn(
        "there are more channels than the network's shared stream has room for; the others are polled: see "
        "shared_stream_channels_max, and what the network allows",
        {{"network", network}, {"channels", wanted}, {"left_out", left_out}});
  }
  series->told = left_out > 0;
}

void SharedStreamMetrics::Ended(const std::string& network, const StreamLife& life) {
  Series* series = Of(network);
  if (series == nullptr) return;
  if (life.opened) series->open->Add(-1);
  series->heard->Set(0);
  series->left_out->Set(0);
  series->ended.at(life.ending)->Add();
  if (life.ending == StreamEnding::kGivenBack) return;
  obs::Warn("a shared stream ended; its channels are polled until it is back",
            {{"network", network},
             {"reason", StreamEndingName(life.ending)},
             {"lived", absl::FormatDuration(absl::Trunc(life.lived, absl::Seconds(1)))},
             {"failures", life.end.failures},
             {"error", life.why}});
}

SharedWatchers SharedStreamMetrics::Watchers() {
  SharedWatchers watchers;
  watchers.opened = [this](const std::string& network) {
    if (Series* series = Of(network)) series->open->Add(1);
  };
  watchers.brought = [this](const std::string& network, int activities, bool gap) {
    Series* series = Of(network);
    if (series == nullptr) return;
    series->activities->Add(activities);
    if (!gap) return;
    series->gaps->Add();
    obs::Info("a shared stream may have missed something; polls of its channels read it back", {{"network", network}});
  };
  watchers.counted = [this](const std::string& network, int heard, int64_t wanted, int64_t left_out) {
    Counted(network, heard, wanted, left_out);
  };
  watchers.lost = [this](const std::string& network, const Binding& binding, const Status& why) {
    if (Series* series = Of(network)) series->lost->Add();
    obs::Log(obs::Level::kWarning, BackgroundCall("ingestion", binding.workspace_id),
             "a channel is not heard by its network's stream",
             {{"network", network}, {"channel", binding.channel_id}, {"error", why}});
  };
  watchers.not_joined = [](const std::string& network, const Status& why) {
    obs::Warn("a shared stream takes in no more channels for now; they are polled",
              {{"network", network}, {"error", why}});
  };
  watchers.ended = [this](const std::string& network, const StreamLife& life) { Ended(network, life); };
  watchers.store_failed = [this](const Status& why) {
    store_failures_.Add();
    obs::Warn("the database could not be reached for the shared streams", {{"error", why}});
  };
  return watchers;
}

}  // namespace parvis::ingestion
