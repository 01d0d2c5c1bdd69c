#include "platform/rpc/tls.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "platform/rpc/client.h"
#include "platform/rpc/testdata/certificates.h"
#include "platform/rpc/testdata/echo.h"
#include "platform/testing/wait.h"

namespace parvis::rpc {
namespace {

using rpctest::v1::EchoRequest;
using rpctest::v1::EchoResponse;
using testing::Authority;
using testing::EchoServer;

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    std::filesystem::create_directories(folder_);
    key_file_ = folder_ + "/service_key";
    std::ofstream(key_file_) << "a shared secret\n";
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }
  ServerConfig Serving(const TlsConfig& tls) const {
    ServerConfig config;
    config.service_key_file = key_file_;
    config.tls = tls;
    return config;
  }
  // One call over a connection of its own.
  Status Ask(const EchoServer& server, const TlsConfig& tls, const std::string& name = "") {
    ClientConfig config;
    config.address = server.server.address();
    config.service_key_file = key_file_;
    config.tries_max = 1;
    config.tls = tls;
    config.tls_name = name;
    Client client("inbox", config, clock_, metrics_);
    const auto stub = rpctest::v1::EchoService::NewStub(std::shared_ptr<grpc::ChannelInterface>(client.channel()));
    EchoResponse response;
    return client.Invoke(BackgroundCall("inbox"), [&](grpc::ClientContext& context) {
      return stub->Internal(&context, EchoRequest(), &response);
    });
  }
  const std::string folder_ = ::testing::TempDir() + "/tls" + std::to_string(getpid());
  std::string key_file_;
  RealClock clock_;
  obs::Metrics metrics_;
};

TEST_F(TlsTest, OnlyCertificatesOfTheSameAuthorityMeet) {
  Authority ours(folder_, "ours"), theirs(folder_, "theirs");
  EchoServer server(Serving(ours.Issue("inbox.parvis")));
  ASSERT_TRUE(server.started.ok()) << server.started;
  const TlsConfig caller = ours.Issue("gateway.parvis");
  EXPECT_TRUE(Ask(server, caller).ok()) << Ask(server, caller);
  EXPECT_TRUE(Ask(server, caller, "inbox.parvis").ok());
  EXPECT_EQ(ToError(Ask(server, caller, "accounts.parvis")).code, Code::kUnavailable) << "another service's name";

  EXPECT_EQ(ToError(Ask(server, {})).code, Code::kUnavailable) << "plain text";
  EXPECT_EQ(ToError(Ask(server, theirs.Issue("gateway.parvis"))).code, Code::kUnavailable) << "neither trusts the other";
  TlsConfig stranger = theirs.Issue("stranger");
  stranger.ca_file = caller.ca_file;  // it trusts us, we do not trust it
  EXPECT_EQ(ToError(Ask(server, stranger)).code, Code::kUnavailable);

  EchoServer impostor(Serving(theirs.Issue("inbox.parvis")));
  ASSERT_TRUE(impostor.started.ok());
  EXPECT_EQ(ToError(Ask(impostor, caller)).code, Code::kUnavailable);
  EchoServer plain(Serving({}));
  EXPECT_EQ(ToError(Ask(plain, caller)).code, Code::kUnavailable) << "never falls back to plain text";
}

TEST_F(TlsTest, RenewedCertificatesAreTakenWithoutARestart) {
  auto old = std::make_unique<Authority>(folder_, "ours");
  EchoServer server(Serving(old->Issue("inbox.parvis")));
  ASSERT_TRUE(server.started.ok());
  ASSERT_TRUE(Ask(server, old->Issue("gateway.parvis")).ok());
  Authority renewed(folder_, "ours");  // the same files: authority, and then the server's certificate
  (void)renewed.Issue("inbox.parvis");
  const TlsConfig caller = renewed.Issue("gateway.parvis");
  EXPECT_TRUE(parvis::testing::WaitFor([&] { return Ask(server, caller).ok(); }, absl::Seconds(30)));
}

TEST_F(TlsTest, UnusableFilesAreNamedAndNothingIsSentInPlainText) {
  Authority ours(folder_, "ours");
  const TlsConfig good = ours.Issue("good"), other = ours.Issue("other");
  EXPECT_TRUE(good.Check().ok());
  EXPECT_TRUE(TlsConfig{}.Check().ok());
  TlsConfig config = good;
  config.ca_file.clear();
  EXPECT_EQ(ReasonOf(config.Check()), "TLS_FILES_INCOMPLETE");
  config = good;
  config.key_file = folder_ + "/nowhere.pem";
  EXPECT_EQ(ReasonOf(config.Check()), "TLS_FILE_UNREADABLE");
  config.key_file = key_file_;  // not PEM
  const Status unreadable = config.Check();
  EXPECT_EQ(ReasonOf(unreadable), "TLS_FILE_UNREADABLE");
  EXPECT_EQ(ToError(unreadable).message.find("a shared secret"), std::string::npos);
  config.key_file = other.key_file;
  EXPECT_EQ(ReasonOf(config.Check()), "TLS_KEY_MISMATCH");

  EchoServer refused(Serving(config));
  EXPECT_EQ(ReasonOf(refused.started), "TLS_KEY_MISMATCH");
  EchoServer plain(Serving({}));
  EXPECT_EQ(ReasonOf(Ask(plain, config)), "TLS_KEY_MISMATCH");
}

}  // namespace
}  // namespace parvis::rpc
