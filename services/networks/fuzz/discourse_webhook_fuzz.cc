#include "networks/discourse/discourse.h"
#include "networks/fuzz/webhook_checks.h"
#include "platform/net/http_client.h"

using namespace parvis;            // NOLINT: a program, not a header
using namespace parvis::networks;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static RealClock* const clock = new RealClock;
  static obs::Metrics* const metrics = new obs::Metrics;
  static net::HttpClient* const http = new net::HttpClient(net::HttpClientConfig(), *clock, *metrics);
  static DiscourseConnector* const connector = new DiscourseConnector(*http, *clock);
  WebhookCall call;
  call.query = "us=brand";
  call.headers["X-Discourse-Instance"] = "https://forum.example";
  call.body = std::string(reinterpret_cast<const char*>(data), size);
  CheckContent(connector->ParseCall(call));
  CheckContent(connector->ParseWebhook(call.body));
  return 0;
}
