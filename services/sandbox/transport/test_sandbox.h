// A whole sandbox on a real port, a client for it, and a receiver of webhooks. For tests.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

#include "platform/net/http_client.h"
#include "platform/testing/wait.h"
#include "sandbox/network/signature.h"
#include "sandbox/transport/sandbox_server.h"

namespace parvis::sandbox {

struct Answered {
  int status = 0;  // 0: the connection was closed without an answer
  net::Headers headers;
  std::string body;
  Json json;
};

class TestSandbox {
 public:
  TestSandbox()
      : client_(ClientConfig(), clock, metrics),
        journal(100'000, nullptr),
        world({}, clock, journal),
        webhooks({}, client_, clock),
        faults(50),
        audiences(4, world, clock, [this] { return webhooks.MayWrite(); }) {
    world.Listen([this](const Notice& notice) { webhooks.Notify(notice); });
    net::HttpServerConfig config;
    config.body_max_bytes = 8 << 20;
    server_ = std::make_unique<SandboxServer>(config, metrics, Context{world, faults, limits, clock}, journal, webhooks,
                                              audiences, client_);
    EXPECT_TRUE(server_->Start().ok());
    base = "http://" + server_->address();
  }
  ~TestSandbox() {
    audiences.StopAll();
    webhooks.Stop();
    server_->Stop(absl::Seconds(5));
  }

  Answered Send(const std::string& method, const std::string& url, const std::string& body = "",
                const net::Headers& headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = url.rfind("http", 0) == 0 ? url : base + url;
    request.headers = headers;
    request.body = body;
    Call call = BackgroundCall("test");
    call.deadline = clock.Now() + absl::Seconds(20);
    const net::ClientResult result = client_.Send(call, std::move(request));
    Answered out{result.sent == net::Sent::kAnswered ? result.http_status : 0, result.headers, result.body, Json()};
    out.json = Json::parse(out.body, nullptr, false);
    return out;
  }
  static net::Headers JsonType() { return {{"Content-Type", "application/json"}}; }
  static net::Headers FormType() { return {{"Content-Type", "application/x-www-form-urlencoded"}}; }
  Json Control(const std::string& method, const std::string& path, const Json& body = Json()) {
    const Answered answer = Send(method, "/control" + path, body.is_null() ? "" : body.dump(), JsonType());
    EXPECT_EQ(answer.status, 200) << path << " " << answer.body;
    return answer.json;
  }
  Json Account(const std::string& network, const Json& more = Json::object()) {
    Json body = {{"network", network}, {"name", "Maison Lumen"}};
    body.update(more);
    return Control("POST", "/accounts", body);
  }
  std::vector<Json> JournalLines() {
    std::vector<Json> out;
    const std::string all = journal.Read(0, 100'000, 1 << 30);
    for (size_t at = 0; at < all.size();) {
      const size_t end = all.find('\n', at);
      out.push_back(Json::parse(all.substr(at, end - at)));
      at = end + 1;
    }
    return out;
  }
  bool WaitFor(const std::function<bool()>& condition, absl::Duration limit = absl::Seconds(20)) {
    return parvis::testing::WaitFor(condition, limit);
  }

  RealClock clock;
  obs::Metrics metrics;
  net::HttpClient client_;
  Journal journal;
  World world;
  Webhooks webhooks;
  Faults faults;
  Limits limits;
  AudienceRuns audiences;
  std::string base;

 private:
  static net::HttpClientConfig ClientConfig() {
    net::HttpClientConfig config;
    config.allowed_networks = {"127.0.0.0/8"};
    return config;
  }
  std::unique_ptr<SandboxServer> server_;
};

// Answers challenges and takes webhooks; `refuse` makes it answer 500 that many times.
class Receiver {
 public:
  Receiver(obs::Metrics& metrics, std::string secret) : secret_(std::move(secret)) {
    server_ = std::make_unique<net::HttpServer>(
        net::HttpServerConfig{}, "receiver", metrics,
        [this](net::HttpRequest request, net::Responder responder) { responder.Send(Take(request)); });
    EXPECT_TRUE(server_->Start().ok());
  }
  ~Receiver() { server_->Stop(absl::Seconds(2)); }
  std::string url() const { return "http://" + server_->address() + "/webhooks"; }
  std::vector<net::HttpRequest> taken() {
    std::lock_guard lock(mutex_);
    return taken_;
  }
  std::atomic<int> refuse{0};
  std::atomic<int> challenges{0};

 private:
  net::HttpResponse Take(const net::HttpRequest& request) {
    if (request.method == "GET") {
      ++challenges;
      auto query = net::ParseQuery(request.query);
      if (query.contains("hub.challenge"))
        return {query["hub.verify_token"] == "verify" ? 200 : 403, {}, query["hub.challenge"]};
      if (query.contains("challengeCode")) {   // LinkedIn
        const std::string code = query["challengeCode"];
        return {200, {}, Json{{"challengeCode", code}, {"challengeResponse", HmacHex(Secret(secret_), code)}}.dump()};
      }
      return {200, {}, Json{{"response_token", "sha256=" + HmacBase64(Secret(secret_), query["crc_token"])}}.dump()};
    }
    if (refuse > 0) {
      --refuse;
      return {500, {}, "no"};
    }
    std::lock_guard lock(mutex_);
    taken_.push_back(request);
    return {200, {}, ""};
  }
  const std::string secret_;
  std::mutex mutex_;
  std::vector<net::HttpRequest> taken_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace parvis::sandbox
