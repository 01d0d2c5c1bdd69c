// The sandbox's one HTTP port: the faces of all networks, and /control.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/net/http_server.h"
#include "sandbox/transport/control.h"
#include "sandbox/transport/later.h"
#include "sandbox/transport/streams.h"

namespace parvis::sandbox {

class SandboxServer {
 public:
  SandboxServer(const net::HttpServerConfig& config, obs::Metrics& metrics, Context context, Journal& journal,
                Webhooks& webhooks, AudienceRuns& audiences, net::HttpClient& client);
  Status Start();
  void Stop(absl::Duration limit);
  std::string address() const { return server_.address(); }

 private:
  void Handle(net::HttpRequest request, net::Responder responder);
  void Answer(const std::string& network, const Reply& reply, const net::Responder& responder);
  Context context_;
  OAuth oauth_;
  const std::vector<Served> faces_;
  Control control_;
  obs::Metrics& metrics_;
  Later later_;
  Streams streams_;
  Fetcher fetcher_;
  net::HttpServer server_;  // last: its handlers use all of the above
};

}  // namespace parvis::sandbox
