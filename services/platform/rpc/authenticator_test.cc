#include "platform/rpc/authenticator.h"

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "parvis/platform/v1/authentication_service.grpc.pb.h"
#include "platform/rpc/testdata/echo.h"
#include "platform/testing/wait.h"

namespace parvis::rpc {
namespace {

using platform::v1::AuthenticateRequest;
using platform::v1::AuthenticateResponse;

class FakeAccounts : public platform::v1::AuthenticationService::CallbackService {
 public:
  explicit FakeAccounts(Runtime& runtime) : runtime_(runtime) {}
  grpc::ServerUnaryReactor* Authenticate(grpc::CallbackServerContext* context, const AuthenticateRequest* request,
                                         AuthenticateResponse* response) override {
    return Unary(context, runtime_, "parvis.platform.v1.AuthenticationService/Authenticate", *request, *response,
                 [this](const Call&, const AuthenticateRequest& r, AuthenticateResponse& out) -> Status {
                   ++asked;
                   if (hold) gate.Wait();
                   if (down) return MakeError(Code::kUnavailable, "DOWN", "down");
                   if (r.token() == "revoked") return MakeError(Code::kUnauthenticated, "TOKEN_REVOKED", "revoked");
                   out.set_workspace_id(testing::kWorkspace);
                   out.set_key_id("key-" + r.token());
                   out.add_roles(platform::v1::ROLE_MANAGER);
                   out.add_roles(platform::v1::ROLE_SERVICE);
                   out.set_cache_seconds(30);
                   return absl::OkStatus();
                 });
  }
  std::atomic<int> asked{0};
  std::atomic<bool> hold{false}, down{false};
  testing::Gate gate;

 private:
  Runtime& runtime_;
};

class AuthenticatorTest : public ::testing::Test {
 protected:
  AuthenticatorTest() {
    key_file_ = ::testing::TempDir() + "/authenticator_key" + std::to_string(getpid());
    std::ofstream(key_file_) << "a shared secret\n";
    server_config_.service_key_file = key_file_;
    runtime_ = std::make_unique<Runtime>("accounts", server_config_, none_, clock_, metrics_);
    accounts_ = std::make_unique<FakeAccounts>(*runtime_);
    server_ = std::make_unique<Server>(server_config_, *runtime_, std::vector<grpc::Service*>{accounts_.get()});
    EXPECT_TRUE(server_->Start().ok());
    ClientConfig config;
    config.address = server_->address();
    config.service_key_file = key_file_;
    config.tries_max = 1;
    client_ = std::make_unique<Client>("inbox", config, clock_, metrics_);
    AuthenticatorConfig authenticator_config;
    authenticator_config.cache_max = 10;
    authenticator_ = std::make_unique<AccountsAuthenticator>(*client_, authenticator_config, cache_clock_, metrics_);
  }
  ~AuthenticatorTest() override { unlink(key_file_.c_str()); }

  std::string key_file_;
  RealClock clock_;
  FakeClock cache_clock_;
  obs::Metrics metrics_;
  testing::FakeAuthenticator none_;
  ServerConfig server_config_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<FakeAccounts> accounts_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<AccountsAuthenticator> authenticator_;
};

TEST_F(AuthenticatorTest, AsksOnceInThirtySeconds) {
  const auto principal = authenticator_->Authenticate("a");
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->workspace_id, testing::kWorkspace);
  EXPECT_EQ(principal->key_id, "key-a");
  EXPECT_EQ(principal->roles, std::set<Role>{Role::kManager});  // no key makes a service of its bearer
  cache_clock_.Advance(absl::Seconds(29));
  ASSERT_TRUE(authenticator_->Authenticate("a").ok());
  EXPECT_EQ(accounts_->asked, 1);
  cache_clock_.Advance(absl::Seconds(2));
  ASSERT_TRUE(authenticator_->Authenticate("a").ok());
  EXPECT_EQ(accounts_->asked, 2);
}

TEST_F(AuthenticatorTest, RefusalsAreRememberedShortly) {
  EXPECT_EQ(ReasonOf(authenticator_->Authenticate("revoked").status()), "TOKEN_REVOKED");
  EXPECT_EQ(ReasonOf(authenticator_->Authenticate("revoked").status()), "TOKEN_REVOKED");
  EXPECT_EQ(accounts_->asked, 1);
  cache_clock_.Advance(absl::Seconds(6));
  EXPECT_FALSE(authenticator_->Authenticate("revoked").ok());
  EXPECT_EQ(accounts_->asked, 2);
}

TEST_F(AuthenticatorTest, AnOutageIsNotRemembered) {
  accounts_->down = true;
  const Error error = ToError(authenticator_->Authenticate("a").status());
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_EQ(error.reason, "ACCOUNTS_UNAVAILABLE");
  accounts_->down = false;
  EXPECT_TRUE(authenticator_->Authenticate("a").ok());
}

TEST_F(AuthenticatorTest, ManyCallersOneQuestion) {
  accounts_->hold = true;
  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) callers.emplace_back([&] { good += authenticator_->Authenticate("a").ok(); });
  EXPECT_TRUE(parvis::testing::WaitFor([&] { return accounts_->asked > 0; }));
  accounts_->gate.Open();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(good, 8);
  EXPECT_EQ(accounts_->asked, 1);
}

TEST_F(AuthenticatorTest, TheCacheIsBounded) {
  for (int i = 0; i < 11; ++i) ASSERT_TRUE(authenticator_->Authenticate("t" + std::to_string(i)).ok());
  ASSERT_TRUE(authenticator_->Authenticate("t10").ok());
  EXPECT_EQ(accounts_->asked, 11);
  ASSERT_TRUE(authenticator_->Authenticate("t0").ok());  // was dropped
  EXPECT_EQ(accounts_->asked, 12);
}

}  // namespace
}  // namespace parvis::rpc
