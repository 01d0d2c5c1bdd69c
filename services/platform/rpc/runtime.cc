#include "platform/rpc/runtime.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/support/status.h>

#include "platform/obs/degraded.h"
#include "platform/obs/log.h"
#include "platform/rpc/client.h"
#include "platform/rpc/grpc_time.h"

namespace parvis::rpc {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kServiceBearer = "Bearer svc.";
constexpr size_t kTokenMax = 4096;
constexpr int kKeysMax = 100'000;  // whose tenant is remembered
constexpr auto kStallCheck = std::chrono::seconds(1);

// As long as the context; "" when it is not there.
std::string_view Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto& all = context.client_metadata();
  const auto it = all.find(key);
  return it == all.end() ? std::string_view() : std::string_view(it->second.data(), it->second.size());
}

bool IsOurFault(Code code) { return code == Code::kInternal || code == Code::kUnknown || code == Code::kDataLoss; }

}  // namespace

void ServerConfig::Declare(app::Options& o, std::string_view prefix) {
  const auto name = [&](const char* rest) { return std::string(prefix) + rest; };
  o.Address(name("address"), &address, "Where gRPC listens; port 0 takes a free one.");
  o.Int(name("threads"), &threads, "Threads that run the calls.", {1, 256});
  o.Int(name("queue_max"), &queue_max, "Calls that may wait for a thread; more are refused as overload.", {1, 100000});
  o.Int(name("tenant_threads_max"), &tenant_threads_max, "Calls of one workspace that may run at the same time.",
        {1, 256});
  o.Int(name("tenant_queue_max"), &tenant_queue_max,
        "Calls of one workspace that may wait for a thread (never more than there is room left); more are refused.",
        {1, 100000});
  o.Int(name("tenant_streams_max"), &tenant_streams_max, "Server streams that one workspace may have open at once.",
        {1, 100000});
  o.Duration(name("deadline_max"), &deadline_max,
             "Cap of every call's deadline, and the deadline of calls without one.", absl::Milliseconds(100),
             absl::Minutes(10));
  o.Int(name("message_max_bytes"), &message_max_bytes, "Largest request, in bytes.", {1024, 64 << 20});
  o.Int(name("streams_max"), &streams_max, "Server streams that may be open at once.", {1, 100000});
  o.Int(name("stream_queue_max"), &stream_queue_max, "Messages that may wait for a stream's reader.", {1, 100000});
  o.Bool(name("reflection"), &reflection, "Whether gRPC server reflection is offered (grpcurl needs it).");
  o.String(name("service_key_file"), &service_key_file,
           "File with the secret that calls between services are signed with.");
  tls.Declare(o, name("tls_"));
}

StreamKeeper::~StreamKeeper() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool StreamKeeper::Add(const std::shared_ptr<OpenStream>& stream) {
  std::lock_guard lock(mutex_);
  if (static_cast<int>(streams_.size()) >= streams_max_) return false;
  streams_.emplace(stream.get(), Entry{stream, kUnknownTenant});
  if (!thread_.joinable()) thread_ = std::thread([this] { Watch(); });
  wake_.notify_all();
  return true;
}

bool StreamKeeper::Assign(OpenStream* stream, TenantId tenant) {
  std::lock_guard lock(mutex_);
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return true;  // over already
  int& count = of_tenant_[tenant];
  if (count >= tenant_streams_max_) return false;
  ++count;
  it->second.tenant = tenant;
  return true;
}

void StreamKeeper::Remove(OpenStream* stream) {
  std::lock_guard lock(mutex_);
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return;
  const auto count = of_tenant_.find(it->second.tenant);
  if (it->second.tenant != kUnknownTenant && --count->second == 0) of_tenant_.erase(count);
  streams_.erase(it);
}

std::vector<std::shared_ptr<OpenStream>> StreamKeeper::All() const {
  std::vector<std::shared_ptr<OpenStream>> all;
  for (const auto& [pointer, entry] : streams_) {
    if (auto stream = entry.stream.lock()) all.push_back(std::move(stream));
  }
  return all;
}

void StreamKeeper::EndAll(const Status& status) {
  std::vector<std::shared_ptr<OpenStream>> all;
  {
    std::lock_guard lock(mutex_);
    all = All();
  }
  for (const auto& stream : all) stream->EndWith(status);
}

int StreamKeeper::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(streams_.size());
}

void StreamKeeper::Watch() {
  pthread_setname_np(pthread_self(), "streams");
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait(lock, [this] { return stop_ || !streams_.empty(); });
    wake_.wait_for(lock, kStallCheck, [this] { return stop_; });
    std::vector<std::shared_ptr<OpenStream>> all = All();
    lock.unlock();
    for (const auto& stream : all) stream->CheckStall(clock_.Now());
    all.clear();
    lock.lock();
  }
}

obs::Histogram& Durations::Of(std::string_view method, Code code) {
  const auto index = static_cast<size_t>(code);
  if (index >= kCodes) return Find(method, code);
  std::atomic<obs::Histogram*>& series = SeriesOf(method)[index];
  if (obs::Histogram* known = series.load(std::memory_order_acquire)) return *known;
  obs::Histogram& found = Find(method, code);
  series.store(&found, std::memory_order_release);
  return found;
}

Durations::OfMethod& Durations::SeriesOf(std::string_view method) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto it = methods_.find(method); it != methods_.end()) return it->second;
  }
  const std::unique_lock lock(mutex_);
  return methods_.try_emplace(std::string(method)).first->second;
}

// "parvis.inbox.v1.InboxService/Reply" is of a service and a method.
obs::Histogram& Durations::Find(std::string_view method, Code code) const {
  const size_t slash = std::min(method.find('/'), method.size());
  return metrics_.histogram("parvis_rpc_server_duration_seconds", "Time from a call's arrival to its answer.",
                            {{"service", std::string(method.substr(0, slash))},
                             {"method", std::string(method.substr(std::min(slash + 1, method.size())))},
                             {"code", absl::StatusCodeToString(code)}});
}

Runtime::Impl::Impl(std::string service_name, const ServerConfig& server_config, Authenticator& authenticator,
                    const Clock& clock, obs::Metrics& metrics)
    : service(std::move(service_name)),
      domain(absl::StrCat(service, ".parvis.dev")),
      config(server_config),
      authenticator(authenticator),
      clock(clock),
      metrics(metrics),
      tenants(kKeysMax),
      durations(metrics),
      queued(metrics.gauge("parvis_rpc_server_queued", "Calls waiting for a thread.")),
      streams_open(metrics.gauge("parvis_rpc_server_streams", "Open server streams.")),
      streams(config.streams_max, config.tenant_streams_max, clock),
      executor({config.threads, config.queue_max, config.tenant_threads_max, config.tenant_queue_max}) {
  metrics.degraded().Declare(obs::Mode::kCallsShed);
  if (config.service_key_file.empty()) return;
  StatusOr<Secret> key = ReadSecretFile(config.service_key_file);
  if (key.ok()) {
    service_key = *std::move(key);
  } else {
    key_status = key.status();
  }
}

Runtime::Runtime(std::string service, const ServerConfig& config, Authenticator& authenticator, const Clock& clock,
                 obs::Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(service), config, authenticator, clock, metrics)) {}
Runtime::~Runtime() { StopExecutor(); }
void Runtime::StopExecutor() { impl_->executor.Stop(); }

Call Runtime::Impl::BeginCall(const grpc::CallbackServerContext& context, Instant now) const {
  Call call;
  absl::Duration left = config.deadline_max;
  if (context.deadline() != std::chrono::system_clock::time_point::max()) {
    left = std::min(left, LeftUntil(context.raw_deadline()));
  }
  call.deadline = now + left;
  call.trace = Trace::FromTraceparent(Metadata(context, "traceparent")).Child();
  return call;
}

StatusOr<Principal> Runtime::Impl::Authenticate(std::string_view header) {
  if (header.empty()) {
    return MakeError(Code::kUnauthenticated, "TOKEN_MISSING", "send the key as 'authorization: Bearer <key>'");
  }
  if (header.compare(0, kBearer.size(), kBearer) != 0 || header.size() == kBearer.size() || header.size() > kTokenMax) {
    return MakeError(Code::kUnauthenticated, "TOKEN_MALFORMED", "the authorization header must be 'Bearer <key>'");
  }
  const std::string token(header.substr(kBearer.size()));
  if (token.compare(0, 4, "svc.") != 0) return authenticator.Authenticate(token);
  PARVIS_ASSIGN_OR_RETURN(std::string name, CheckServiceToken(token, service_key, clock.WallNow()));
  Principal principal;
  principal.service = std::move(name);
  principal.roles = {Role::kService};
  return principal;
}

TenantId Runtime::Impl::TenantFor(const grpc::CallbackServerContext& context) {
  const std::string_view header = Metadata(context, "authorization");
  if (header.empty()) return kUnknownTenant;
  if (header.substr(0, kServiceBearer.size()) == kServiceBearer) return services_tenant;
  return tenants.Of(KeyHashOf(header));
}

Status Runtime::Impl::Admit(grpc::CallbackServerContext& context, const char* method,
                            const google::protobuf::Message& request, TenantId lane, Call& call) {
  if (call.Expired(clock))
    return MakeError(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED", "too late before the call began");
  const MethodAccess* const rule = access.Find(method);
  if (rule == nullptr) {
    return MakeError(Code::kInternal, "METHOD_WITHOUT_ROLE", absl::StrCat(method, " is unknown or declares no role"));
  }
  if (rule->anyone) return CheckAccess(*rule, request, call);  // a key that is shown all the same says nothing
  const std::string_view header = Metadata(context, "authorization");
  PARVIS_ASSIGN_OR_RETURN(call.principal, Authenticate(header));
  if (call.principal.service.empty()) {
    const std::string tenant = TenantOf(call.principal);
    if (const TenantId id = TenantIdOf(tenant); id != lane) tenants.Learn(KeyHashOf(header), id);
    if (context.client_metadata().count(kAskTenantMetadata) > 0) context.AddTrailingMetadata(kTenantMetadata, tenant);
  }
  return CheckAccess(*rule, request, call);
}

grpc::Status Runtime::Impl::Conclude(const char* method, const Call& call, Instant began, const Status& status) {
  const absl::Duration took = clock.Now() - began;
  durations.Of(method, status.code()).Observe(absl::ToDoubleSeconds(took));
  if (IsOurFault(status.code())) {
    obs::Log(obs::Level::kError, call, "call failed", {{"method", method}, {"error", status}});
    Error error = ToError(status);
    error.message = absl::StrCat("internal error, trace ", call.trace.trace_id);
    error.metadata.clear();
    return ToGrpc(ToStatus(error), domain);
  }
  if (obs::LogEnabled(obs::Level::kDebug)) {
    obs::Log(obs::Level::kDebug, call, "call",
             {{"method", method},
              {"code", absl::StatusCodeToString(status.code())},
              {"reason", ReasonOf(status)},
              {"seconds", absl::ToDoubleSeconds(took)}});
  }
  return ToGrpc(status, domain);
}

Status Runtime::Impl::Overloaded(FairExecutor::Taken taken) const {
  metrics.degraded().Note(obs::Mode::kCallsShed,
                          taken == FairExecutor::Taken::kTenantFull ? "TENANT_OVERLOADED" : "OVERLOADED");
  if (taken == FairExecutor::Taken::kTenantFull) {
    return ToStatus({.code = Code::kResourceExhausted,
                     .reason = "TENANT_OVERLOADED",
                     .message = "too many calls of this workspace wait already",
                     .retry_after = absl::Seconds(1)});
  }
  return ToStatus({.code = Code::kResourceExhausted,
                   .reason = "OVERLOADED",
                   .message = "too many calls at once",
                   .retry_after = absl::Seconds(1)});
}

}  // namespace parvis::rpc
