// The sandbox's one HTTP port: /facebook, /x, /blog and /control.
#pragma once

#include <memory>
#include <string>

#include "platform/net/http_server.h"
#include "sandbox/transport/blog.h"
#include "sandbox/transport/control.h"
#include "sandbox/transport/facebook.h"
#include "sandbox/transport/later.h"
#include "sandbox/transport/x.h"

namespace parvis::sandbox {

class SandboxServer {
 public:
  SandboxServer(const net::HttpServerConfig& config, obs::Metrics& metrics, Context context, Journal& journal,
                Webhooks& webhooks, AudienceRuns& audiences);
  Status Start();
  void Stop(absl::Duration limit);
  std::string address() const { return server_.address(); }

 private:
  void Handle(net::HttpRequest request, net::Responder responder);
  Context context_;
  Facebook facebook_;
  X x_;
  Blog blog_;
  Control control_;
  obs::Metrics& metrics_;
  Later later_;
  net::HttpServer server_;  // last: its handlers use all of the above
};

}  // namespace parvis::sandbox
