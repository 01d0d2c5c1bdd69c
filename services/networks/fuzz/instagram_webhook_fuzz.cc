#include "networks/fuzz/webhook_checks.h"
#include "networks/instagram/instagram.h"
#include "platform/net/http_client.h"

using namespace parvis;             // NOLINT: a program, not a header
using namespace parvis::networks;   // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static RealClock* const clock = new RealClock;
  static obs::Metrics* const metrics = new obs::Metrics;
  static net::HttpClient* const http = new net::HttpClient(net::HttpClientConfig(), *clock, *metrics);
  static InstagramConnector* const connector = new InstagramConnector(*http, *clock);
  CheckContent(connector->ParseWebhook(std::string_view(reinterpret_cast<const char*>(data), size)));
  return 0;
}
