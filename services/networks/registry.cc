#include "networks/connector.h"
#include "networks/facebook/facebook.h"
#include "networks/wordpress/wordpress.h"
#include "networks/x/x.h"

namespace parvis::networks {

const Secret& Credentials::Get(std::string_view key) const {
  static const Secret* const none = new Secret;
  const auto it = fields.find(std::string(key));
  return it == fields.end() ? *none : it->second;
}

const std::string& Capabilities::BudgetOf(WriteKind kind) const {
  static const std::string* const channel = new std::string;
  const auto it = budgets.find(kind);
  return it == budgets.end() ? *channel : it->second;
}

std::map<std::string, std::unique_ptr<Connector>> MakeConnectors(net::HttpClient& http, const Clock& clock) {
  std::map<std::string, std::unique_ptr<Connector>> out;
  const auto add = [&](std::unique_ptr<Connector> connector) {
    std::string name = connector->capabilities().network;
    out.emplace(std::move(name), std::move(connector));
  };
  add(std::make_unique<FacebookConnector>(http, clock));
  add(std::make_unique<XConnector>(http, clock));
  add(std::make_unique<WordPressConnector>(http, clock));
  return out;
}

}  // namespace parvis::networks
