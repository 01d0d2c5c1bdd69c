#include "accounts/network/network_gate.h"

namespace parvis::accounts {

std::optional<NetworkGate::Network> ConnectorGate::Find(const std::string& network) const {
  auto it = connectors_.find(network);
  if (it == connectors_.end()) return std::nullopt;
  auto url = base_urls_.find(network);
  return Network{it->second->capabilities().credential_fields, url == base_urls_.end() ? "" : url->second};
}

std::vector<std::string> ConnectorGate::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, connector] : connectors_) names.push_back(name);
  return names;
}

StatusOr<NetworkGate::Identity> ConnectorGate::WhoAmI(const Call& call, const std::string& network,
                                                      const std::string& base_url,
                                                      const CredentialFields& credentials) {
  auto it = connectors_.find(network);
  if (it == connectors_.end()) return InvalidField("network", "NETWORK_UNKNOWN", "is not a network of this build");
  networks::Account account{
      .channel_id = "", .remote_id = "", .base_url = base_url, .credentials = networks::Credentials{credentials}};
  PARVIS_ASSIGN_OR_RETURN(networks::Identity identity, it->second->WhoAmI(call, account));
  return Identity{identity.remote_id, identity.name, identity.handle, identity.url};
}

Status ConnectorGate::Check() const {
  for (const auto& [network, url] : base_urls_) {
    if (!connectors_.contains(network)) {
      return MakeError(Code::kFailedPrecondition, "NETWORK_UNKNOWN",
                       "network_base_urls names \"" + network + "\", which this build does not have");
    }
  }
  return absl::OkStatus();
}

}  // namespace parvis::accounts
