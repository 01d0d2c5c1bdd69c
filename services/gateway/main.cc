// parvis-gateway: the door for people and tools: the Connect protocol in front of every service's gRPC.
#include "gateway/config.h"
#include "gateway/transport/backends.h"
#include "gateway/transport/gateway.h"
#include "gateway/transport/method_table.h"
#include "platform/app/process.h"
#include "platform/obs/log.h"

namespace parvis::gateway {
namespace {

// A package that nobody serves is worth a warning (its methods answer UNIMPLEMENTED); an address for a package that
// does not exist is a mistake.
Status CheckConfig(const GatewayConfig& config, const MethodTable& methods) {
  PARVIS_RETURN_IF_ERROR(config.Check());
  const std::vector<std::string> packages = methods.packages();
  for (const std::string& package : packages) {
    if (config.backends.count(package) == 0) obs::Warn("no backend for this package", {{"package", package}});
  }
  for (const auto& [package, address] : config.backends) {
    if (std::find(packages.begin(), packages.end(), package) == packages.end()) {
      return InvalidField("backends", "BACKEND_UNKNOWN", package + " is not a package of this release");
    }
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  const auto config = app::Load<GatewayConfig>("gateway", argc, argv);
  app::Process process("gateway", config.process);
  RealClock clock;
  const MethodTable methods(ServiceProtoFiles());
  rpc::ClientConfig client;
  client.tls = config.backends_tls;
  client.tls_name = config.backends_tls_name;
  const Backends backends(config.backends, client, clock, process.metrics());
  Gateway gateway(config.Limits(), methods, backends, clock, process.metrics());
  net::HttpServer server(config.http, "gateway", process.metrics(),
                         [&](net::HttpRequest request, net::Responder responder) {
                           gateway.Handle(std::move(request), std::move(responder));
                         });
  return process.RunUntilSignal({
      {"config", [&] { return CheckConfig(config, methods); }, {}},
      {"http",
       [&] {
         PARVIS_RETURN_IF_ERROR(server.Start());
         process.Announce("http", server.address());
         return absl::OkStatus();
       },
       [&](absl::Duration limit) {
         const Instant deadline = clock.Now() + limit;
         gateway.EndStreams();
         server.Stop(limit * 0.8);
         gateway.WaitIdle(deadline - clock.Now());
       }},
  });
}

}  // namespace
}  // namespace parvis::gateway

int main(int argc, char** argv) { return parvis::gateway::Main(argc, argv); }
