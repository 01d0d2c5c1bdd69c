// NetworkWriter and NetworkRules over the connectors: translates the ledger's words into the networks' and back.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "networks/connector.h"
#include "publishing/domain/channels.h"
#include "publishing/domain/media.h"
#include "publishing/domain/media_address.h"
#include "publishing/domain/network_writer.h"

namespace parvis::publishing {

using Connectors = std::map<std::string, std::unique_ptr<networks::Connector>>;

// What there is of kept media. Null: none are kept, and a delivery that names one is refused; no addresses, so that networks
// that fetch media themselves take only those with an address of their own. All outlives who gets it.
struct KeptForNetworks {
  MediaSource* source = nullptr;
  const MediaAddresses* addresses = nullptr;
};

// Thread-safe; everything given outlives it.
class ConnectorWriter : public NetworkWriter {
 public:
  // `dedupe_networks`: networks that refuse the same content again, so that one second try after an unknown is safe.
  ConnectorWriter(const Connectors& connectors, ChannelAccessSource& access, std::set<std::string> dedupe_networks,
                  const KeptForNetworks& kept = {});
  WriteOutcome Write(const Call& call, const Delivery& delivery) override;
  StatusOr<std::vector<FoundItem>> ReadBack(const Call& call, const Delivery& delivery, absl::Time since) override;
  NetworkTraits Traits(const std::string& network) const override;
  std::string BudgetOf(const std::string& network, DeliveryKind kind) const override;
  StatusOr<std::string> CredentialsVersion(const Call& call, const std::string& workspace_id,
                                           const std::string& channel_id) override;

 private:
  // The content of the media that the delivery names, in place of their sizes. A byte of each is read: a network that has been
  // told of a medium, and then cannot have it, may refuse the post for good.
  Status OpenMedia(const Call& call, const Delivery& delivery, networks::Draft& draft);
  Status OpenOne(const Call& call, const Delivery& delivery, const Media& from, networks::Media& to);
  const Connectors& connectors_;
  ChannelAccessSource& access_;
  const std::set<std::string> dedupe_networks_;
  const KeptForNetworks kept_;
};

class ConnectorRules : public NetworkRules, public MediaRules {
 public:
  explicit ConnectorRules(const Connectors& connectors, const KeptForNetworks& kept = {}) : connectors_(connectors), kept_(kept) {}
  bool Knows(const std::string& network) const override { return connectors_.contains(network); }
  std::vector<Violation> Check(const std::string& network, DeliveryKind kind, const Content& content) const override;
  bool AuthorIsEnough(const std::string& network, DeliveryKind kind) const override;
  std::string WhyNoThread(const std::string& network) const override;
  Length TextLength(const std::string& network, const std::string& text) const override;
  Preview Show(const std::string& network, const Content& content) const override;
  MediaFit Fit(const std::string& network, const MediaItem& item) const override;

 private:
  const Connectors& connectors_;
  const KeptForNetworks kept_;
};

}  // namespace parvis::publishing
