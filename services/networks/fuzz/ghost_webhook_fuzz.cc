#include "networks/fuzz/webhook_checks.h"
#include "networks/ghost/ghost.h"
#include "platform/net/http_client.h"

using namespace parvis;            // NOLINT: a program, not a header
using namespace parvis::networks;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static RealClock* const clock = new RealClock;
  static obs::Metrics* const metrics = new obs::Metrics;
  static net::HttpClient* const http = new net::HttpClient(net::HttpClientConfig(), *clock, *metrics);
  static GhostConnector* const connector = new GhostConnector(*http, *clock);
  // The first line is the signature's header, the rest the body: both come from outside.
  const std::string all(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(all.find('\n'), all.size());
  WebhookCall call;
  call.headers["X-Ghost-Signature"] = all.substr(0, line);
  call.body = all.substr(std::min(line + 1, all.size()));
  CheckContent(connector->ParseCall(call));
  CheckContent(connector->ParseWebhook(all));
  (void)connector->VerifySignature(call, {Secret("webhook-secret-0001")});
  return 0;
}
