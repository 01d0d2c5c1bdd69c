#include "platform/rpc/client.h"

#include <unistd.h>

#include <atomic>
#include <fstream>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "platform/rpc/testdata/echo.h"

namespace parvis::rpc {
namespace {

using rpctest::v1::EchoRequest;
using rpctest::v1::EchoResponse;
using testing::EchoServer;

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    key_file_ = ::testing::TempDir() + "/service_key" + std::to_string(getpid());
    std::ofstream(key_file_) << "a shared secret\n";
    ServerConfig server;
    server.service_key_file = key_file_;
    echo_ = std::make_unique<EchoServer>(server);
    ClientConfig config;
    config.address = echo_->server.address();
    config.service_key_file = key_file_;
    client_ = std::make_unique<Client>("inbox", config, clock_, metrics_);
    stub_ = rpctest::v1::EchoService::NewStub(std::shared_ptr<grpc::ChannelInterface>(client_->channel()));
  }
  ~ClientTest() override { unlink(key_file_.c_str()); }
  Status Ask(const Call& call = BackgroundCall("inbox")) {
    return client_->Invoke(call, [&](grpc::ClientContext& context) {
      ++tries_;
      return stub_->Internal(&context, EchoRequest(), &response_);
    });
  }
  std::string key_file_;
  RealClock clock_;
  obs::Metrics metrics_;
  std::unique_ptr<EchoServer> echo_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<rpctest::v1::EchoService::Stub> stub_;
  EchoResponse response_;
  std::atomic<int> tries_{0};
};

TEST_F(ClientTest, SaysWhoItIsAndContinuesTheTrace) {
  const Call call = BackgroundCall("inbox");
  ASSERT_TRUE(Ask(call).ok());
  EXPECT_EQ(response_.service(), "inbox");
  EXPECT_EQ(response_.trace_id(), call.trace.trace_id);
  EXPECT_LE(response_.remaining_millis(), 5100);
}

TEST_F(ClientTest, TriesAgainOnlyWhenUnavailable) {
  echo_->service.on_echo = [&](const Call&, const EchoRequest&) {
    return tries_ < 3 ? MakeError(Code::kUnavailable, "BUSY", "later") : absl::OkStatus();
  };
  EXPECT_TRUE(Ask().ok());
  EXPECT_EQ(tries_, 3);
  tries_ = 0;
  echo_->service.on_echo = [&](const Call&, const EchoRequest&) { return MakeError(Code::kAborted, "CONFLICT", "no"); };
  EXPECT_EQ(ReasonOf(Ask()), "CONFLICT");
  EXPECT_EQ(tries_, 1);
}

TEST_F(ClientTest, GivesUpAfterTriesMax) {
  echo_->service.on_echo = [&](const Call&, const EchoRequest&) {
    return MakeError(Code::kUnavailable, "BUSY", "later");
  };
  EXPECT_EQ(ReasonOf(Ask()), "BUSY");
  EXPECT_EQ(tries_, 3);
}

TEST_F(ClientTest, AnOutageIsNotMultiplied) {
  echo_->service.on_echo = [&](const Call&, const EchoRequest&) {
    return MakeError(Code::kUnavailable, "BUSY", "later");
  };
  for (int i = 0; i < 30; ++i) (void)Ask();
  EXPECT_LE(tries_, 30 + 10 + 3);  // the burst and a tenth
}

TEST_F(ClientTest, NoTimeLeft) {
  Call call = BackgroundCall("inbox");
  call.deadline = clock_.Now();
  EXPECT_EQ(Ask(call).code(), Code::kDeadlineExceeded);
  EXPECT_EQ(tries_, 0);
}

TEST_F(ClientTest, NobodyThere) {
  echo_->server.Stop(absl::ZeroDuration());
  EXPECT_EQ(Ask().code(), Code::kUnavailable);
}

TEST_F(ClientTest, AnUnreadableKeyIsAnErrorOfEveryCall) {
  ClientConfig config;
  config.address = echo_->server.address();
  config.service_key_file = "/nonexistent/key";
  Client client("inbox", config, clock_, metrics_);
  EXPECT_EQ(ReasonOf(client.Invoke(BackgroundCall("inbox"), [](grpc::ClientContext&) { return grpc::Status::OK; })),
            "SECRET_FILE_UNREADABLE");
}

}  // namespace
}  // namespace parvis::rpc
