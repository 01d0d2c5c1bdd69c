// parvis-rpc-bench: calls per second through rpc::Unary (key, role, workspace, deadline, trace and metrics as in every
// service) against a handler of the callback API that does nothing; the same client, in this process, for both.
//   ours      calls with one item through the adapter
//   against   calls with one item to the empty handler
//   batched   items per second, 500 of them in one call through the adapter
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>

#include "parvis/platform/v1/authentication_service.grpc.pb.h"
#include "platform/rpc/authenticator.h"
#include "platform/rpc/testdata/echo.h"
#include "platform/testing/bench.h"

namespace parvis::rpc {
namespace {

using rpctest::v1::EchoRequest;
using rpctest::v1::EchoResponse;

constexpr int kInFlight = 64, kBatch = 500, kChannels = 2;
constexpr absl::Duration kSlice = absl::Milliseconds(700);

// The least that a server can do.
class EmptyService : public rpctest::v1::EchoService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoRequest*, EchoResponse*) override {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// Accounts: knows one key. Asked once in 30 s, as in a service.
class Accounts : public platform::v1::AuthenticationService::CallbackService {
 public:
  explicit Accounts(Runtime& runtime) : runtime_(runtime) {}
  grpc::ServerUnaryReactor* Authenticate(grpc::CallbackServerContext* context,
                                         const platform::v1::AuthenticateRequest* request,
                                         platform::v1::AuthenticateResponse* response) override {
    return Unary(context, runtime_, "parvis.platform.v1.AuthenticationService/Authenticate", *request, *response,
                 [](const Call&, const auto&, platform::v1::AuthenticateResponse& out) -> Status {
                   out.set_workspace_id(testing::kWorkspace);
                   out.set_key_id("key");
                   out.add_roles(platform::v1::ROLE_MANAGER);
                   out.set_cache_seconds(30);
                   return absl::OkStatus();
                 });
  }

 private:
  Runtime& runtime_;
};

// Keeps kInFlight calls under way for a slice.
class Load {
 public:
  Load(const std::string& address, int items) {
    grpc::ChannelArguments arguments;
    for (int i = 0; i < kChannels; ++i) {
      arguments.SetInt("parvis.channel", i);   // so that each has a connection of its own
      stubs_.push_back(rpctest::v1::EchoService::NewStub(std::shared_ptr<grpc::ChannelInterface>(
          grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments))));
    }
    request_.set_parent(std::string("workspaces/") + testing::kWorkspace);
    for (int i = 0; i < items; ++i) {
      request_.add_names(request_.parent() + "/things/" + std::to_string(1'000'000 + i));
    }
  }

  // Calls per second.
  double Slice() {
    done_ = 0;
    failed_ = 0;
    end_ = clock_.Now() + kSlice;
    const Instant began = clock_.Now();
    {
      const std::lock_guard lock(mutex_);
      under_way_ = kInFlight;
    }
    for (int i = 0; i < kInFlight; ++i) Start(i);
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return under_way_ == 0; });
    if (failed_ > 0) parvis::testing::BenchCheck(MakeError(Code::kInternal, "CALLS_FAILED", std::to_string(failed_) + " calls failed"));
    return static_cast<double>(done_) / absl::ToDoubleSeconds(clock_.Now() - began);
  }

 private:
  struct OneCall {
    grpc::ClientContext context;
    EchoResponse response;
  };
  void Start(int number) {
    auto* call = new OneCall;
    call->context.AddMetadata("authorization", "Bearer bench-key");
    call->context.AddMetadata("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    call->context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    stubs_[static_cast<size_t>(number % kChannels)]->async()->Echo(&call->context, &request_, &call->response,
                                                                  [this, call, number](const grpc::Status& status) {
      delete call;
      ++(status.ok() ? done_ : failed_);
      if (clock_.Now() < end_) return Start(number);
      const std::lock_guard lock(mutex_);
      if (--under_way_ == 0) idle_.notify_all();
    });
  }

  RealClock clock_;
  std::vector<std::unique_ptr<rpctest::v1::EchoService::Stub>> stubs_;
  EchoRequest request_;
  Instant end_;
  std::atomic<int64_t> done_{0}, failed_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  int under_way_ = 0;
};

class Bench {
 public:
  Bench() {
    StartServers();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&empty_service_);
    empty_ = builder.BuildAndStart();
    adapter_load_ = std::make_unique<Load>(server_->address(), 1);
    empty_load_ = std::make_unique<Load>("127.0.0.1:" + std::to_string(port), 1);
    batch_load_ = std::make_unique<Load>(server_->address(), kBatch);
  }
  ~Bench() {
    server_->Stop(absl::Seconds(1));
    accounts_server_->Stop(absl::Seconds(1));
    empty_->Shutdown(std::chrono::system_clock::now());
    std::error_code ignored;
    std::filesystem::remove(key_file_, ignored);
  }
  double Ours() { return adapter_load_->Slice(); }
  double Against() { return empty_load_->Slice(); }
  double Batched() { return batch_load_->Slice() * kBatch; }

 private:
  void StartServers() {
    std::ofstream(key_file_) << "a shared secret\n";
    config_.service_key_file = key_file_;
    config_.queue_max = 4 * kInFlight;   // nothing is shed: speed is what is asked here
    accounts_runtime_ = std::make_unique<Runtime>("accounts", config_, nobody_, clock_, metrics_);
    accounts_ = std::make_unique<Accounts>(*accounts_runtime_);
    accounts_server_ = std::make_unique<Server>(config_, *accounts_runtime_, std::vector<grpc::Service*>{accounts_.get()});
    parvis::testing::BenchCheck(accounts_server_->Start());
    ClientConfig client;
    client.address = accounts_server_->address();
    client.service_key_file = key_file_;
    client_ = std::make_unique<Client>("rpctest", client, clock_, metrics_);
    authenticator_ = std::make_unique<AccountsAuthenticator>(*client_, AuthenticatorConfig{}, clock_, metrics_);
    runtime_ = std::make_unique<Runtime>("rpctest", config_, *authenticator_, clock_, metrics_);
    echo_ = std::make_unique<testing::EchoService>(*runtime_);
    server_ = std::make_unique<Server>(config_, *runtime_, std::vector<grpc::Service*>{echo_.get()});
    parvis::testing::BenchCheck(server_->Start());
  }

  RealClock clock_;
  obs::Metrics metrics_;
  const std::string key_file_ = "/tmp/parvis-rpc-bench-key-" + std::to_string(getpid());
  ServerConfig config_;
  testing::FakeAuthenticator nobody_;
  std::unique_ptr<Runtime> accounts_runtime_, runtime_;
  std::unique_ptr<Accounts> accounts_;
  std::unique_ptr<Server> accounts_server_, server_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<AccountsAuthenticator> authenticator_;
  std::unique_ptr<testing::EchoService> echo_;
  EmptyService empty_service_;
  std::unique_ptr<grpc::Server> empty_;
  std::unique_ptr<Load> adapter_load_, empty_load_, batch_load_;
};

}  // namespace
}  // namespace parvis::rpc

int main() {
  parvis::rpc::Bench bench;
  return parvis::testing::ServeBench({{"ours", [&] { return bench.Ours(); }},
                                      {"against", [&] { return bench.Against(); }},
                                      {"batched", [&] { return bench.Batched(); }}});
}
