// The networks as accounts sees them, on the connectors of services/networks.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "accounts/domain/channels.h"
#include "networks/connector.h"

namespace parvis::accounts {

class ConnectorGate : public NetworkGate {
 public:
  // `base_urls`: address of the API of networks that have one for all accounts ("facebook" -> "https://graph...").
  ConnectorGate(std::map<std::string, std::unique_ptr<networks::Connector>> connectors,
                std::map<std::string, std::string> base_urls)
      : connectors_(std::move(connectors)), base_urls_(std::move(base_urls)) {}
  std::optional<Network> Find(const std::string& network) const override;
  std::vector<std::string> Names() const override;
  StatusOr<Identity> WhoAmI(const Call& call, const std::string& network, const std::string& base_url,
                            const CredentialFields& credentials) override;
  const std::map<std::string, std::unique_ptr<networks::Connector>>& connectors() const { return connectors_; }
  // FAILED_PRECONDITION NETWORK_UNKNOWN when an address is configured for a network that this build does not have.
  Status Check() const;

 private:
  const std::map<std::string, std::unique_ptr<networks::Connector>> connectors_;
  const std::map<std::string, std::string> base_urls_;
};

}  // namespace parvis::accounts
