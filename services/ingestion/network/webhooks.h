// The webhook endpoint: /webhooks/<network>. GET is the network's handshake, POST a call. A call is answered 200 only
// when everything in it is safe; 401 unsigned or wrongly signed, 403 replayed, 404 unknown network, 405 other methods,
// 429 and 503 with Retry-After when it cannot be taken now. Sizes and times are limited by the server (413, 408, 431).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ingestion/domain/fair_share.h"
#include "ingestion/domain/receive.h"
#include "ingestion/network/adapters.h"
#include "platform/net/http_server.h"
#include "platform/obs/degraded.h"
#include "platform/obs/metrics.h"

namespace parvis::ingestion {

class Webhooks {
 public:
  // Of one network. The first app secret is current, the second (if any) the previous one, during rotation.
  struct Secrets {
    std::vector<Secret> app_secrets;
    Secret verify_token;
  };
  struct Options {
    // Of calls that wait for their acknowledgement; beyond: 503, and 429 for the workspace that has more than is left.
    int64_t inflight_max_bytes = 64 << 20;
    absl::Duration retry_after = absl::Seconds(5);
    // A refusal for want of room is sent so much later: who does not heed retry_after then costs little.
    absl::Duration refusal_hold = absl::Milliseconds(100);
  };
  // Networks without `secrets` are unknown here. All must outlive it, and the server must have stopped before it ends.
  Webhooks(const Connectors& connectors, std::map<std::string, Secrets> secrets, Receiver& receiver, const Clock& clock,
           obs::Metrics& metrics, const Options& options);
  // Whether webhooks of this network are taken here.
  bool Takes(const std::string& network) const { return endpoints_.contains(network); }
  // A net::HttpServer::Handler.
  void Handle(net::HttpRequest request, net::Responder responder);

 private:
  struct Endpoint {
    networks::Connector* connector;
    Secrets secrets;
    std::map<std::string, obs::Counter*> calls, happenings;  // by outcome
    obs::Histogram* duration;
  };
  void Handshake(Endpoint& endpoint, const networks::WebhookCall& call, const net::Responder& responder);
  void Accept(Endpoint& endpoint, const std::string& network, networks::WebhookCall call, const Trace& trace,
              const net::Responder& responder);
  void Refuse(Endpoint& endpoint, FairShare::Taken taken, const net::Responder& responder);
  // Asks to come again, after a while.
  void SendLater(net::HttpResponse refusal, const net::Responder& responder) const;
  void Answer(Endpoint& endpoint, const ReceiveOutcome& outcome, const net::Responder& responder);

  Receiver& receiver_;
  const Clock& clock_;
  const Options options_;
  std::map<std::string, Endpoint> endpoints_;
  obs::Counter& unknown_network_;
  obs::Gauge& inflight_gauge_;
  obs::Degraded& degraded_;
  FairShare inflight_;
};

}  // namespace parvis::ingestion
