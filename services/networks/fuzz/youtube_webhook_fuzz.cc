#include "networks/fuzz/webhook_checks.h"
#include "networks/youtube/youtube.h"
#include "platform/net/http_client.h"

using namespace parvis;            // NOLINT: a program, not a header
using namespace parvis::networks;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static RealClock* const clock = new RealClock;
  static obs::Metrics* const metrics = new obs::Metrics;
  static net::HttpClient* const http = new net::HttpClient(net::HttpClientConfig(), *clock, *metrics);
  static YouTubeConnector* const connector = new YouTubeConnector(*http, *clock);
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  CheckContent(connector->ParseWebhook(body));
  (void)connector->Handshake({"GET", std::string(body), "", {}}, {}, Secret("token"));
  (void)ArrivedBytes({{"Range", std::string(body)}}, 1 << 20);
  return 0;
}
