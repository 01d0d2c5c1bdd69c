#include "platform/rpc/client.h"

#include <condition_variable>
#include <mutex>

#include <absl/strings/str_cat.h>
#include <grpcpp/grpcpp.h>

#include "platform/base/backoff.h"
#include "platform/obs/log.h"
#include "platform/rpc/grpc_log.h"
#include "platform/rpc/grpc_time.h"

namespace parvis::rpc {
namespace {

// A token lives for a minute; it is renewed well before.
constexpr absl::Duration kTokenRenew = absl::Seconds(20);

}  // namespace

void ClientConfig::Declare(app::Options& o, std::string_view prefix) {
  const auto name = [&](const char* rest) { return std::string(prefix) + rest; };
  o.Required(name("address"), &address,
             "Where that service's gRPC is: host:port, or dns:///name:port for all its replicas.");
  o.Duration(name("call_max"), &call_max, "Longest one call may take, all tries together.", absl::Milliseconds(10),
             absl::Minutes(5));
  o.Int(name("tries_max"), &tries_max, "Tries of one call, the first included; only UNAVAILABLE is tried again.",
        {1, 10});
  o.String(name("service_key_file"), &service_key_file,
           "File with the secret that calls between services are signed with.");
  tls.Declare(o, name("tls_"));
  o.String(name("tls_name"), &tls_name, "Name that that service's certificate must bear, if not the host of its address.");
}

struct Client::Impl {
  Impl(std::string_view service, const ClientConfig& config, const Clock& clock, obs::Metrics& metrics)
      : service(service), config(config), clock(clock), metrics(metrics) {
    RouteGrpcLog();
    grpc::ChannelArguments args;
    args.SetLoadBalancingPolicyName("round_robin");
    args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
    args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
    args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
    args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    args.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 32 << 10);
    args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // ours, within the budget, and counted
    args.SetMaxReceiveMessageSize(64 << 20);
    if (!config.tls_name.empty()) args.SetSslTargetNameOverride(config.tls_name);
    StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials = ChannelCredentials(config.tls);
    key_status = credentials.status();
    channel = grpc::CreateCustomChannel(config.address, credentials.ok() ? *credentials : nullptr, args);
    if (!key_status.ok() || config.service_key_file.empty()) return;
    StatusOr<Secret> read = ReadSecretFile(config.service_key_file);
    if (read.ok()) {
      key = *std::move(read);
    } else {
      key_status = read.status();
    }
  }

  std::string Token() {
    if (key.empty()) return "";
    std::lock_guard lock(mutex);
    if (token.empty() || clock.Now() - token_made > kTokenRenew) {
      token = MakeServiceToken(service, key, clock.WallNow());
      token_made = clock.Now();
    }
    return token;
  }

  // False when the client is being destroyed.
  bool Pause(absl::Duration wait) {
    std::unique_lock lock(mutex);
    return !wake.wait_for(lock, absl::ToChronoNanoseconds(wait), [this] { return closing; });
  }

  const std::string service;
  const ClientConfig config;
  const Clock& clock;
  obs::Metrics& metrics;
  std::shared_ptr<grpc::Channel> channel;
  Status key_status;
  Secret key;
  RetryBudget budget;
  std::mutex mutex;
  std::condition_variable wake;
  std::string token;
  Instant token_made;
  bool closing = false;
};

Client::Client(std::string_view service, const ClientConfig& config, const Clock& clock, obs::Metrics& metrics)
    : impl_(std::make_unique<Impl>(service, config, clock, metrics)) {}

Client::~Client() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->closing = true;
  }
  impl_->wake.notify_all();
}

std::shared_ptr<grpc::Channel> Client::channel() const { return impl_->channel; }

Status Client::Invoke(const Call& call, const std::function<grpc::Status(grpc::ClientContext&)>& call_once) {
  PARVIS_RETURN_IF_ERROR(impl_->key_status);
  const Instant began = impl_->clock.Now();
  const Instant deadline = std::min(call.deadline, began + impl_->config.call_max);
  const Trace trace = call.trace.Child();
  Backoff backoff(
      {.initial = absl::Milliseconds(50), .max = absl::Seconds(1), .attempts_max = impl_->config.tries_max - 1});
  impl_->budget.OnFirstTry();
  Status status;
  while (true) {
    const absl::Duration left = deadline - impl_->clock.Now();
    if (left <= absl::ZeroDuration()) {
      if (status.ok())
        status = MakeError(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED", "no time was left for the call");
      break;
    }
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(left));
    context.AddMetadata("traceparent", trace.ToTraceparent());
    if (const std::string token = impl_->Token(); !token.empty())
      context.AddMetadata("authorization", "Bearer " + token);
    status = FromGrpc(call_once(context));
    if (status.code() != Code::kUnavailable || backoff.Exhausted() || !impl_->budget.TakeRetry()) break;
    absl::Duration wait = backoff.Next();
    if (const auto hint = ToError(status).retry_after) wait = std::max(wait, *hint);
    if (impl_->clock.Now() + wait >= deadline || !impl_->Pause(wait)) break;
    impl_->metrics.counter("parvis_rpc_client_retries_total", "Calls to other services that were tried again.").Add();
  }
  impl_->metrics
      .histogram("parvis_rpc_client_duration_seconds", "Time of a call to another service, all tries together.",
                 {{"code", absl::StatusCodeToString(status.code())}})
      .Observe(absl::ToDoubleSeconds(impl_->clock.Now() - began));
  return status;
}

}  // namespace parvis::rpc
