// What the tests of connectors against the sandbox begin with: its process, for as long as the tests of one binary run, and
// for each test an account of the parameter's network. PARVIS_BUILD names the build folder. Where PARVIS_SERVERS names their
// address, real servers stand in the sandbox's place (real_servers.py).
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "networks/connector.h"
#include "networks/wire/request.h"
#include "platform/net/stream_client.h"
#include "platform/testing/wait.h"

extern char** environ;

namespace parvis::networks {

class SandboxProcess : public ::testing::Environment {
 public:
  void SetUp() override {
    if (const char* servers = getenv("PARVIS_SERVERS")) {
      url = servers;
      real = true;
      return;
    }
    const char* build = getenv("PARVIS_BUILD");
    std::string binary = std::string(build == nullptr ? "build/dev" : build) + "/bin/parvis-sandbox";
    ASSERT_TRUE(std::filesystem::exists(binary)) << binary << " is needed: build the target parvis-sandbox";
    char name[] = "/tmp/parvis-contract-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    std::string ready = folder_ + "/ready", f1 = "--ready_file=" + ready, f2 = "--http_address=127.0.0.1:0",
                f3 = "--journal_file=" + folder_ + "/journal", f4 = "--log_level=error";
    char* arguments[] = {binary.data(), f1.data(), f2.data(), f3.data(), f4.data(), nullptr};
    ASSERT_EQ(posix_spawn(&pid_, binary.c_str(), nullptr, nullptr, arguments, environ), 0);
    ASSERT_TRUE(parvis::testing::WaitFor([&] { return std::filesystem::exists(ready); }, absl::Seconds(20)));
    std::ifstream in(ready);
    for (std::string line; std::getline(in, line);) {
      if (line.rfind("http=", 0) == 0) url = "http://" + line.substr(5);
    }
    ASSERT_FALSE(url.empty());
  }
  void TearDown() override {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      waitpid(pid_, nullptr, 0);
    }
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  std::string url;
  bool real = false;   // no sandbox: it has no faults of the networks' own making, and no people at hand

 private:
  std::string folder_;
  pid_t pid_ = -1;
};

inline SandboxProcess* const sandbox = static_cast<SandboxProcess*>(::testing::AddGlobalTestEnvironment(new SandboxProcess));

// By the name of a network.
class SandboxTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    net::HttpClientConfig config;
    config.allowed_networks = {"127.0.0.0/8"};
    http = std::make_unique<net::HttpClient>(config, clock, metrics);
    net::StreamClientConfig stream_config;
    stream_config.allowed_networks = config.allowed_networks;
    streams = std::make_unique<net::StreamClient>(stream_config, clock, metrics);
    connectors = MakeConnectors(*http, clock, {streams.get(), "ws" + sandbox->url.substr(4) + "/jetstream",
                                               Secret("AAAAAAAAAAAAAAAAAAAAAsandbox"), sandbox->url + "/x"});
    const Json made = Control("POST", "accounts", {{"network", GetParam()}, {"name", "Lumen"}});
    journal_account = Text(made, "remote_id");
    handle = Text(made, "handle");
    account.base_url = Text(made, "base_url");
    for (const std::string& field : connector().capabilities().credential_fields) {
      account.credentials.fields[field] = Secret(Text(made, field.c_str()));
    }
    const auto identity = connector().WhoAmI(call(), account);
    ASSERT_TRUE(identity.ok()) << identity.status();
    account.remote_id = identity->remote_id;
    started = clock.WallNow() - absl::Seconds(2);
  }
  void TearDown() override { Control("DELETE", "faults", Json()); }

  Connector& connector() { return *connectors.at(GetParam()); }
  Call call() {
    Call out = BackgroundCall("test");
    out.deadline = clock.Now() + absl::Seconds(10);
    return out;
  }
  // The sandbox's control API.
  std::string Asked(const std::string& method, const std::string& path, const Json& body) {
    net::ClientRequest request;
    request.method = method;
    request.url = sandbox->url + "/control/" + path;
    if (!body.is_null()) SetJson(body, &request);
    const net::ClientResult result = http->Send(call(), request);
    EXPECT_LT(result.http_status, 300) << path << " " << result.body;
    return result.body;
  }
  Json Control(const std::string& method, const std::string& path, const Json& body) { return ParseJson(Asked(method, path, body)); }

  RealClock clock;
  obs::Metrics metrics;
  std::unique_ptr<net::HttpClient> http;
  std::unique_ptr<net::StreamClient> streams;
  std::map<std::string, std::unique_ptr<Connector>> connectors;
  Account account;
  std::string journal_account;   // what the sandbox calls it: a site is its URL to us, a name there
  std::string handle;   // of the account, without "@"
  absl::Time started;
};

}  // namespace parvis::networks
