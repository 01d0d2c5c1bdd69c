// The connectors of services/networks as ingestion sees them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "ingestion/domain/channel_desk.h"
#include "ingestion/domain/poll.h"
#include "networks/connector.h"

namespace parvis::ingestion {

using Connectors = std::map<std::string, std::unique_ptr<networks::Connector>>;

Happening FromNetwork(networks::Happening&& happening);
std::vector<Happening> FromNetwork(std::vector<networks::Happening>&& happenings);
std::vector<RawPart> FromNetwork(std::vector<networks::Unparsed>&& parts);

// The host and port of an address, in lower case, at most 255 bytes: "blog.example:8443"; "" if it has none.
std::string HostOf(std::string_view url);

// The channel as its connector wants it, with credentials from accounts: for the call, or the stream that it opens.
StatusOr<networks::Account> OpenAccount(ChannelDesk& desk, const Call& call, const Binding& binding);
// FAILED_PRECONDITION NETWORK_UNKNOWN when this build does not have it.
StatusOr<networks::Connector*> ConnectorOf(const Connectors& connectors, const std::string& network);
// Tells accounts that the credentials are refused; what becomes of that is only logged.
void TellBroken(ChannelDesk& desk, const Call& call, const Source& source, const Status& why);

// Reads with a connector, with credentials from accounts that are opened for the call and forgotten.
class ConnectorReader : public ChannelReader {
 public:
  ConnectorReader(const Connectors& connectors, ChannelDesk& desk) : connectors_(connectors), desk_(desk) {}
  // Whether the network can be read back at all.
  bool CanRead(const std::string& network) const;
  // Whether its webhooks, where they are taken, bring what polling would find.
  bool HearsByWebhook(const std::string& network) const;
  // Whether all channels of one host draw on one budget there.
  bool SharesBudget(const std::string& network) const;
  StatusOr<ReadPage> Read(const Call& call, const Source& source, const std::string& cursor, absl::Time since,
                          int limit) override;
  void ReportBroken(const Call& call, const Source& source, const Status& why) override;

 private:
  const Connectors& connectors_;
  ChannelDesk& desk_;
};

}  // namespace parvis::ingestion
