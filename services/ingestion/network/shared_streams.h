// The connectors' streams that many channels are heard by, and what is counted and logged of them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ingestion/domain/shared_stream.h"
#include "ingestion/network/adapters.h"
#include "platform/obs/metrics.h"

namespace parvis::ingestion {

// Opens shared streams with a connector. A channel's credentials come from accounts when something has come for it, and are
// forgotten at once.
class ConnectorNetworkStreams : public NetworkStreams {
 public:
  ConnectorNetworkStreams(const Connectors& connectors, ChannelDesk& desk) : connectors_(connectors), desk_(desk) {}
  // Networks whose streams are shared.
  std::vector<std::string> Networks() const;
  int ChannelsMax(const std::string& network) const override;
  StatusOr<NetworkOpening> Open(const Call& call, const std::string& network, const std::vector<SharedMember>& members,
                                const std::string& cursor) override;
  void ReportBroken(const Call& call, const std::string& network, const SharedMember& member, const Status& why) override;

 private:
  const Connectors& connectors_;
  ChannelDesk& desk_;
};

class SharedStreamMetrics {
 public:
  // Of `networks`, whose streams are shared.
  SharedStreamMetrics(const std::vector<std::string>& networks, obs::Metrics& metrics);
  // For the keeper; valid as long as this lives.
  SharedWatchers Watchers();

 private:
  struct Series {
    obs::Gauge *open, *heard, *left_out;
    obs::Counter *gaps, *activities, *lost;
    std::map<StreamEnding, obs::Counter*> ended;
    bool told = false;  // that there is no room for all; of the reader's thread
  };
  Series* Of(const std::string& network);
  void Counted(const std::string& network, int heard, int64_t wanted, int64_t left_out);
  void Ended(const std::string& network, const StreamLife& life);
  std::map<std::string, Series> series_;
  obs::Counter& store_failures_;
};

}  // namespace parvis::ingestion
