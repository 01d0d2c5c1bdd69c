// What the tests of long answers and of WebSockets begin with: a client that may reach this machine.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "platform/net/raw_socket.h"
#include "platform/net/stream_client.h"

namespace parvis::net {

class StreamFixture : public ::testing::Test {
 protected:
  StreamFixture() { config.allowed_networks = {"127.0.0.0/8"}; }
  StreamClient& client() {   // made when first asked for, by `config` as it is then
    if (!client_) client_ = std::make_unique<StreamClient>(config, clock, metrics);
    return *client_;
  }
  Call Within(absl::Duration limit) {
    Call call = BackgroundCall("test");
    call.deadline = clock.Now() + limit;
    return call;
  }

  StreamClientConfig config;
  RealClock clock;
  obs::Metrics metrics;
  std::unique_ptr<StreamClient> client_;
};

}  // namespace parvis::net
