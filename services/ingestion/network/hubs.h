// WebSub hubs (https://www.w3.org/TR/websub/) as ingestion speaks with them: asking them, and being called by them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ingestion/domain/hub_keeper.h"
#include "ingestion/domain/receive.h"
#include "ingestion/network/adapters.h"
#include "ingestion/network/hub_keys.h"
#include "platform/base/executor.h"
#include "platform/net/http_client.h"
#include "platform/net/http_server.h"
#include "platform/obs/metrics.h"

namespace parvis::ingestion {

// Asks hubs, which the connectors find.
class HubCaller : public HubDesk {
 public:
  HubCaller(const Connectors& connectors, ChannelDesk& desk, const HubKeys& keys, net::HttpClient& http)
      : connectors_(connectors), desk_(desk), keys_(keys), http_(http) {}
  // Networks whose webhooks come from hubs; none without keys.
  std::vector<std::string> Networks() const;
  StatusOr<HubChoice> Find(const Call& call, const Source& source) override;
  // UNAVAILABLE HUB_UNAVAILABLE, RESOURCE_EXHAUSTED RATE_LIMITED, FAILED_PRECONDITION HUB_REFUSED.
  Status Ask(const Call& call, const Source& source, const HubChoice& hub, bool subscribe,
             absl::Duration lease) override;

 private:
  const Connectors& connectors_;
  ChannelDesk& desk_;
  const HubKeys& keys_;
  net::HttpClient& http_;
};

// What hubs call: /websub/<network>/<workspace>/<channel>/<mac>. GET is the question whether we want a subscription,
// answered with the challenge only if we asked for just that; POST is a delivery. A wrong signature is answered 202 and
// ignored (WebSub 7.1 does not want the sender to learn of it). What cannot be taken now is answered 503, and comes
// again.
class HubCallbacks {
 public:
  // All outlive it; the server has stopped before it ends.
  HubCallbacks(const Connectors& connectors, const HubKeys& keys, HubStore& hubs, SourceStore& sources,
               Receiver& receiver, Executor& executor, obs::Metrics& metrics, std::function<double()> uniform);
  // A net::HttpServer::Handler, for HubKeys::IsCallback.
  void Handle(net::HttpRequest request, net::Responder responder);
  // For the keeper; valid as long as this lives.
  HubKeeper::Watchers Watchers();

 private:
  struct Series {
    std::map<std::string, obs::Counter*> requests, questions, deliveries;  // by outcome
  };
  void Question(const Series& series, const HubKeys::Callback& callback, const networks::WebhookCall& call,
                const net::Responder& responder);
  Status Answer(const HubKeys::Callback& callback, const std::string& mode, const HubConfirmation& confirmation,
                const std::string& why);
  void Delivery(const Series& series, const HubKeys::Callback& callback, const networks::WebhookCall& call,
                const net::Responder& responder);

  const Connectors& connectors_;
  const HubKeys& keys_;
  HubStore& hubs_;
  SourceStore& sources_;
  Receiver& receiver_;
  Executor& executor_;
  const std::function<double()> uniform_;
  std::map<std::string, Series> series_;
};

// All that main.cc needs of hubs.
class HubListener {
 public:
  // All but `options` outlive it; the server that calls Handle has stopped before Stop.
  HubListener(const Connectors& connectors, ChannelDesk& desk, const HubKeys& keys, net::HttpClient& http,
              HubStore& store, SourceStore& sources, Receiver& receiver, const Clock& clock,
              const HubKeeper::Options& options, obs::Metrics& metrics, std::function<double()> uniform);
  void Handle(net::HttpRequest request, net::Responder responder) {
    callbacks_.Handle(std::move(request), std::move(responder));
  }
  Status Start() { return keeper_.Start(); }
  void Stop();

 private:
  Executor executor_;
  HubCaller caller_;
  HubCallbacks callbacks_;
  HubKeeper keeper_;
};

}  // namespace parvis::ingestion
