#include "platform/rpc/server.h"

#include <algorithm>
#include <mutex>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/impl/server_initializer.h>

#include "platform/obs/log.h"
#include "platform/rpc/access.h"
#include "platform/rpc/grpc_log.h"
#include "platform/rpc/runtime.h"

namespace parvis::rpc {
namespace {

// Learns the names of the services that were registered: gRPC tells them to plugins only.
class NamesPlugin : public grpc::ServerBuilderPlugin {
 public:
  explicit NamesPlugin(std::shared_ptr<std::vector<std::string>> names) : names_(std::move(names)) {}
  std::string name() override { return "parvis_names"; }
  void InitServer(grpc::ServerInitializer*) override {}
  void Finish(grpc::ServerInitializer* initializer) override { *names_ = *initializer->GetServiceList(); }
  void ChangeArguments(const std::string&, void*) override {}

 private:
  const std::shared_ptr<std::vector<std::string>> names_;
};

class PluginsOption : public grpc::ServerBuilderOption {
 public:
  PluginsOption(std::shared_ptr<std::vector<std::string>> names, bool reflection)
      : names_(std::move(names)), reflection_(reflection) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->push_back(std::make_unique<NamesPlugin>(names_));
    if (reflection_) return;
    const auto reflects = [](const auto& plugin) { return plugin->name().find("reflection") != std::string::npos; };
    plugins->erase(std::remove_if(plugins->begin(), plugins->end(), reflects), plugins->end());
  }

 private:
  const std::shared_ptr<std::vector<std::string>> names_;
  const bool reflection_;
};

// Calls that one connection may have open at once: many for the gateway, which sends all of its calls through one, few
// for somebody who opens them only to hold them.
constexpr int kConnectionStreamsMax = 4096;

// gRPC's own services need no role: health and reflection tell nothing of any tenant.
bool IsGrpcOwn(const std::string& service) { return service.rfind("grpc.", 0) == 0; }

void EnableGlobals() {
  static std::once_flag once;
  std::call_once(once, [] {
    RouteGrpcLog();
    // Debian's abseil is built without NDEBUG: every lock that gRPC takes would be entered, under one lock of the whole
    // process, into a graph that is searched for cycles. That is a tool for gRPC's developers, and a tenth of a call.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

}  // namespace

struct Server::Impl {
  Impl(const ServerConfig& config, Runtime& runtime, std::vector<grpc::Service*> services)
      : config(config), runtime(runtime), services(std::move(services)) {}

  Status CheckRoles() const {
    std::vector<std::string> without;
    for (const std::string& service : *names) {
      if (IsGrpcOwn(service)) continue;
      for (std::string& method : MethodsWithoutRole(service)) without.push_back(std::move(method));
    }
    if (without.empty()) return absl::OkStatus();
    return MakeError(Code::kFailedPrecondition, "METHOD_WITHOUT_ROLE",
                     absl::StrCat("declare (parvis.platform.v1.access) on: ", absl::StrJoin(without, ", ")));
  }

  void SetHealth(bool serving) {
    auto* const health = server->GetHealthCheckService();
    if (health == nullptr) return;
    for (const std::string& service : *names) {
      if (!IsGrpcOwn(service)) health->SetServingStatus(service, serving);
    }
    health->SetServingStatus(serving);
  }

  const ServerConfig config;
  Runtime& runtime;
  const std::vector<grpc::Service*> services;
  const std::shared_ptr<std::vector<std::string>> names = std::make_shared<std::vector<std::string>>();
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

Server::Server(const ServerConfig& config, Runtime& runtime, std::vector<grpc::Service*> services)
    : impl_(std::make_unique<Impl>(config, runtime, std::move(services))) {}
Server::~Server() { Stop(absl::ZeroDuration()); }
std::string Server::address() const { return impl_->address; }

Status Server::Start() {
  PARVIS_RETURN_IF_ERROR(impl_->runtime.impl().key_status);
  PARVIS_ASSIGN_OR_RETURN(const auto credentials, ServerCredentials(impl_->config.tls));
  EnableGlobals();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.SetOption(std::make_unique<PluginsOption>(impl_->names, impl_->config.reflection));
  builder.AddListeningPort(impl_->config.address, credentials, &port);
  builder.SetMaxReceiveMessageSize(impl_->config.message_max_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kConnectionStreamsMax);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // two servers on one port are a mistake, not a pair
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);  // only reflection is synchronous
  for (grpc::Service* service : impl_->services) builder.RegisterService(service);
  impl_->server = builder.BuildAndStart();
  if (!impl_->server || port == 0) {
    impl_->server.reset();
    return MakeError(Code::kUnavailable, "ADDRESS_IN_USE", absl::StrCat("cannot listen on ", impl_->config.address));
  }
  if (Status roles = impl_->CheckRoles(); !roles.ok()) {
    Stop(absl::ZeroDuration());
    return roles;
  }
  impl_->SetHealth(true);
  impl_->address = absl::StrCat(impl_->config.address.substr(0, impl_->config.address.rfind(':')), ":", port);
  return absl::OkStatus();
}

void Server::Stop(absl::Duration limit) {
  if (!impl_->server) return;
  impl_->SetHealth(false);
  impl_->runtime.impl().streams.EndAll(ToStatus({.code = Code::kUnavailable,
                                                 .reason = "SHUTTING_DOWN",
                                                 .message = "the server stops; connect again",
                                                 .retry_after = absl::Seconds(1)}));
  impl_->server->Shutdown(absl::ToChronoTime(RealClock().WallNow() + limit));
  impl_->server->Wait();
  impl_->server.reset();
}

}  // namespace parvis::rpc
