// The streams of the connectors, and what is counted and logged of them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ingestion/domain/shared_stream_keeper.h"
#include "ingestion/domain/stream_keeper.h"
#include "ingestion/network/adapters.h"
#include "ingestion/network/shared_streams.h"
#include "platform/obs/metrics.h"

namespace parvis::ingestion {

// Opens streams with a connector. Credentials come from accounts for each opening and live as long as the stream does:
// when they change, the keeper has it opened again.
class ConnectorStreams : public ChannelStreams {
 public:
  ConnectorStreams(const Connectors& connectors, ChannelDesk& desk) : connectors_(connectors), desk_(desk) {}
  // Networks where each channel has a stream of its own.
  std::vector<std::string> Networks() const;
  StatusOr<std::unique_ptr<ChannelStream>> Open(const Call& call, const Source& source,
                                                const std::string& cursor) override;
  void ReportBroken(const Call& call, const Source& source, const Status& why) override;

 private:
  const Connectors& connectors_;
  ChannelDesk& desk_;
};

// What is counted alike of both kinds of streams.
obs::Gauge& OpenStreams(obs::Metrics& metrics, const std::string& network);
obs::Counter& StreamGaps(obs::Metrics& metrics, const std::string& network);
obs::Counter& StreamedActivities(obs::Metrics& metrics, const std::string& network);
std::map<StreamEnding, obs::Counter*> StreamsEnded(obs::Metrics& metrics, const std::string& network);
obs::Counter& StreamStoreFailures(obs::Metrics& metrics);

class StreamMetrics {
 public:
  // Of `networks`, which have streams.
  StreamMetrics(const std::vector<std::string>& networks, obs::Metrics& metrics);
  // For the keeper; valid as long as this lives.
  StreamWatchers Watchers();

 private:
  struct Series {
    obs::Gauge* open;
    obs::Counter *gaps, *activities;
    std::map<StreamEnding, obs::Counter*> ended;
  };
  void Ended(const Source& source, const StreamLife& life);
  void Planned(const StreamPlan& plan);
  std::map<std::string, Series> series_;
  obs::Counter& store_failures_;
  obs::Gauge &wanted_, &left_out_;
  bool told_ = false;  // that there are too few places; one thread
};

// All that main.cc needs of streams.
class StreamListener {
 public:
  // All but `options` outlive it. `channels_max`: of a stream that is shared.
  StreamListener(const Connectors& connectors, ChannelDesk& desk, StreamStore& store, SharedStreamStore& shared_store,
                 ActivitySink& sink, const Clock& clock, const StreamKeeper::Options& options, int channels_max,
                 obs::Metrics& metrics, std::function<double()> uniform);
  Status Start();
  void Stop();

 private:
  ConnectorStreams streams_;
  StreamMetrics metrics_;
  StreamKeeper keeper_;
  ConnectorNetworkStreams shared_streams_;
  SharedStreamMetrics shared_metrics_;
  SharedStreamKeeper shared_keeper_;
};

}  // namespace parvis::ingestion
