#include "gateway/transport/gateway.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "gateway/transport/calls.h"
#include "gateway/transport/connect_error.h"
#include "gateway/transport/envelope.h"
#include "gateway/transport/media_call.h"
#include "gateway/transport/sign_in_page.h"

namespace parvis::gateway {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr size_t kAuthorizationMax = 4096;

// Of "127.0.0.1:55555".
std::string HostOf(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

// gRPC metadata is printable ASCII.
bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

Status Unsupported(std::string_view header, std::string_view value) {
  return MakeError(Code::kUnimplemented, "COMPRESSION",
                   absl::StrCat(std::string(header), " '", IsPrintable(value) ? std::string(value) : "?",
                                "' is not supported; supported: identity"));
}

obs::Counter& RateLimited(obs::Metrics& metrics, const char* layer) {
  return metrics.counter("parvis_gateway_rate_limited_total",
                         "Calls refused for coming too often, by whose limit it was.", {{"layer", layer}});
}

}  // namespace

Gateway::Gateway(const CallLimits& call_limits, const MethodTable& methods, const Backends& backends,
                 const Clock& clock, obs::Metrics& metrics)
    : call_limits_(call_limits),
      methods_(methods),
      backends_(backends),
      clock_(clock),
      book_(call_limits.at_once, clock, metrics),
      keys_{KeyLimits(call_limits.keys), RateLimited(metrics, "key"), "RATE_LIMITED",
            absl::StrCat("this key may make ", call_limits.keys.per_second, " calls a second")},
      tenants_{KeyLimits(call_limits.tenants), RateLimited(metrics, "workspace"), "WORKSPACE_RATE_LIMITED",
               absl::StrCat("all keys of this workspace together may make ", call_limits.tenants.per_second,
                            " calls a second")},
      hosts_{KeyLimits(call_limits.hosts), RateLimited(metrics, "host"), "UNKNOWN_KEY_RATE_LIMITED",
             absl::StrCat("keys that are not known here yet may make ", call_limits.hosts.per_second,
                          " calls a second from one host")} {}

void Gateway::Refuse(const net::Responder& responder, int http_status, Code code, std::string_view reason,
                     std::string_view message, net::Headers headers, Instant began) {
  const ConnectError error = RenderError(OwnError(MakeError(code, reason, message)));
  headers["content-type"] = "application/json";
  responder.Send({.status = http_status, .headers = std::move(headers), .body = error.json});
  book_.Measure(nullptr, error.code, began);
}

void Gateway::Handle(net::HttpRequest request, net::Responder responder) {
  const Instant began = clock_.Now();
  if (request.path == "/healthz") {
    responder.Send({.status = 200, .headers = {{"content-type", "text/plain; charset=utf-8"}}, .body = "ok\n"});
    return;
  }
  if (auto page = SignInPage(request)) {
    responder.Send(*std::move(page));
    return;
  }
  if (IsMediaPath(request.path)) {
    HandleMedia(request, std::move(responder), began);
    return;
  }
  const Method* const method = methods_.Find(request.path);
  if (method == nullptr) {
    Refuse(responder, 404, Code::kUnimplemented, "METHOD_UNKNOWN",
           "there is no such method; URLs are /<package>.<Service>/<Method>", {}, began);
    return;
  }
  if (request.method != "POST") {
    Refuse(responder, 405, Code::kUnimplemented, "HTTP_METHOD", "methods are called with POST", {{"allow", "POST"}},
           began);
    return;
  }
  const std::optional<Format> format = ParseContentType(net::HeaderOf(request.headers, "content-type"));
  if (!format || format->stream != method->stream) {
    const std::string accepted =
        method->stream ? "application/connect+json, application/connect+proto" : "application/json, application/proto";
    Refuse(responder, 415, Code::kInvalidArgument, "CONTENT_TYPE",
           absl::StrCat("the Content-Type must be one of ", accepted), {{"accept-post", accepted}}, began);
    return;
  }
  HandleCall(request, std::make_unique<Exchange>(std::move(responder), *method, *format, book_, began));
}

void Gateway::HandleMedia(const net::HttpRequest& request, net::Responder responder, Instant began) {
  if (request.method != "GET" && request.method != "HEAD") {
    responder.Send({.status = 405, .headers = {{"allow", "GET, HEAD"}}, .body = ""});
    return MeasureMedia(book_, "unimplemented", began);
  }
  const uint64_t host = rpc::KeyHashOf(HostOf(request.peer));
  if (const auto refused = Refused(hosts_, host, clock_.Now())) {
    const grpc::Status status = OwnError(*refused);
    responder.Send(MediaRefusal(status));
    return MeasureMedia(book_, ConnectCode(status.error_code()), began);
  }
  std::optional<MediaRequest> wanted = ParseMediaRequest(request);
  grpc::GenericStub* const stub = backends_.Find(kMediaPackage);
  if (!wanted || stub == nullptr) {
    responder.Send(NoSuchMedia());
    return MeasureMedia(book_, "not_found", began);
  }
  const MediaLimits limits{call_limits_.call_max, call_limits_.stream_max, call_limits_.media_piece_bytes};
  StartMedia(*std::move(wanted), std::move(responder), *stub, host, book_, limits, clock_, began);
}

void Gateway::HandleCall(const net::HttpRequest& request, std::unique_ptr<Exchange> exchange) {
  exchange->trace = Trace::FromTraceparent(net::HeaderOf(request.headers, "traceparent")).Child();
  Status status = ReadHeaders(request, *exchange);
  if (status.ok()) status = CheckRate(request, *exchange);
  if (!status.ok()) {
    exchange->Fail(OwnError(status));
    return;
  }
  StatusOr<std::string> message = ReadMessage(request, *exchange);
  if (!message.ok()) {
    exchange->Fail(OwnError(message.status()));
    return;
  }
  grpc::GenericStub* const stub = backends_.Find(exchange->method.package);
  if (stub == nullptr) {
    exchange->Fail(OwnError(MakeError(Code::kUnimplemented, "PACKAGE_NOT_SERVED",
                                      absl::StrCat(exchange->method.package, " is not part of this installation"))));
    return;
  }
  if (exchange->format.stream) {
    StartStream(std::move(exchange), *stub, *message);
  } else {
    StartUnary(std::move(exchange), *stub, *message);
  }
}

Status Gateway::ReadHeaders(const net::HttpRequest& request, Exchange& exchange) const {
  const std::string version = net::HeaderOf(request.headers, "connect-protocol-version");
  if (!version.empty() && version != "1") {
    return MakeError(Code::kInvalidArgument, "PROTOCOL_VERSION", "Connect-Protocol-Version must be 1");
  }
  const char* const coding = exchange.format.stream ? "connect-content-encoding" : "content-encoding";
  for (const char* const header : {coding, "content-encoding"}) {
    const std::string value = net::HeaderOf(request.headers, header);
    if (!value.empty() && !absl::EqualsIgnoreCase(value, "identity")) return Unsupported(header, value);
  }
  exchange.timeout = exchange.format.stream ? call_limits_.stream_max : call_limits_.call_max;
  exchange.capped = true;
  if (const std::string text = net::HeaderOf(request.headers, "connect-timeout-ms"); !text.empty()) {
    uint64_t millis = 0;
    if (text.size() > 10 || text.find_first_not_of("0123456789") != std::string::npos ||
        !absl::SimpleAtoi(text, &millis)) {
      return MakeError(Code::kInvalidArgument, "TIMEOUT",
                       "Connect-Timeout-Ms must be a whole number of at most 10 digits");
    }
    const absl::Duration asked = absl::Milliseconds(static_cast<int64_t>(millis));
    exchange.capped = asked > exchange.timeout;
    exchange.timeout = std::min(exchange.timeout, asked);
  }
  exchange.authorization = net::HeaderOf(request.headers, "authorization");
  if (exchange.authorization.empty()) return absl::OkStatus();  // the backend says what is missing
  const std::string& value = exchange.authorization;
  if (!absl::StartsWith(value, "Bearer ") || value.size() > kAuthorizationMax || !IsPrintable(value)) {
    return MakeError(Code::kUnauthenticated, "TOKEN_MALFORMED", "the authorization header must be 'Bearer <key>'");
  }
  // Tokens between services never come from outside.
  if (std::string_view(value).substr(kBearer.size(), 4) == "svc.") {
    return MakeError(Code::kUnauthenticated, "TOKEN_UNKNOWN", "the key is not valid");
  }
  return absl::OkStatus();
}

Status Gateway::CheckRate(const net::HttpRequest& request, Exchange& exchange) {
  // Before anyone knows whether the key is good, so that guessing is limited too; callers without a key share their
  // host's.
  const std::string host = HostOf(request.peer);
  const std::string& key = exchange.authorization.empty() ? host : exchange.authorization;
  exchange.key = rpc::KeyHashOf(key);
  const rpc::TenantId tenant = exchange.authorization.empty() ? rpc::kUnknownTenant : book_.tenants().Of(exchange.key);
  exchange.tenant = tenant == rpc::kUnknownTenant ? exchange.key : tenant;
  exchange.ask_tenant = tenant == rpc::kUnknownTenant && !exchange.authorization.empty();
  const Instant now = clock_.Now();
  if (auto refused = Refused(keys_, exchange.key, now)) return *refused;
  // Whoever guesses takes another key every time: until the key is known, its host is held to account.
  if (tenant == rpc::kUnknownTenant) {
    return Refused(hosts_, rpc::KeyHashOf(host), now).value_or(absl::OkStatus());
  }
  return Refused(tenants_, tenant, now).value_or(absl::OkStatus());
}

std::optional<Status> Gateway::Refused(Layer& layer, uint64_t whose, Instant now) {
  const auto wait = layer.limits.Take(whose, now);
  if (!wait) return std::nullopt;
  layer.refused.Add();
  book_.NoteShed(layer.reason);
  return ToStatus({.code = Code::kResourceExhausted,
                   .reason = std::string(layer.reason),
                   .message = layer.message,
                   .retry_after = *wait});
}

StatusOr<std::string> Gateway::ReadMessage(const net::HttpRequest& request, const Exchange& exchange) const {
  const auto max = static_cast<size_t>(call_limits_.message_max_bytes);
  std::string_view body = request.body;
  if (exchange.format.stream) {
    PARVIS_ASSIGN_OR_RETURN(body, ReadOneEnvelope(body, max));
  }
  return DecodeRequest(exchange.format.encoding, body, *exchange.method.request,
                       {.message_max_bytes = max, .json_depth_max = call_limits_.json_depth_max});
}

}  // namespace parvis::gateway
