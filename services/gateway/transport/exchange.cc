#include "gateway/transport/exchange.h"

#include <absl/strings/str_cat.h>

#include "gateway/transport/call_book.h"
#include "gateway/transport/connect_error.h"
#include "gateway/transport/envelope.h"
#include "platform/rpc/grpc_time.h"

namespace parvis::gateway {

net::Headers Exchange::CommonHeaders() const {
  net::Headers headers;
  headers["content-type"] = std::string(format.ContentType());
  if (!trace.trace_id.empty()) headers["parvis-trace-id"] = trace.trace_id;
  return headers;
}

void Exchange::Fail(const grpc::Status& status) {
  if (format.stream) {
    BeginStream();
    EndStream(status);
    return;
  }
  ConnectError error = RenderError(status);
  net::HttpResponse response{.status = error.http_status, .headers = CommonHeaders(), .body = std::move(error.json)};
  response.headers["content-type"] = "application/json";  // errors of unary calls are JSON, whatever was asked in
  if (error.retry_after_seconds) response.headers["retry-after"] = absl::StrCat(*error.retry_after_seconds);
  if (error.http_status == 401) response.headers["www-authenticate"] = "Bearer";
  responder.Send(std::move(response));
  book.Measure(&method, error.code, began);
}

void Exchange::Succeed(std::string body) {
  responder.Send({.status = 200, .headers = CommonHeaders(), .body = std::move(body)});
  book.Measure(&method, "ok", began);
}

void Exchange::BeginStream() {
  if (streaming) return;
  streaming = true;
  responder.BeginStream({.status = 200, .headers = CommonHeaders()});
}

void Exchange::EndStream(const grpc::Status& status) {
  std::string end = "{}", code = "ok";
  if (!status.ok()) {
    ConnectError error = RenderError(status);
    end = absl::StrCat("{\"error\":", error.json, "}");
    code = error.code;
  }
  responder.Write(MakeEnvelope(kEnvelopeEndStream, end));
  responder.End();
  book.Measure(&method, code, began);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  (void)buffer.Dump(&slices);
  std::string out;
  out.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return out;
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

void Prepare(const Exchange& exchange, grpc::ClientContext& context) {
  if (exchange.timeout != absl::InfiniteDuration()) {
    context.set_deadline(rpc::DeadlineIn(exchange.timeout));
  }
  if (!exchange.authorization.empty()) context.AddMetadata("authorization", exchange.authorization);
  if (exchange.ask_tenant) context.AddMetadata(rpc::kAskTenantMetadata, "1");
  context.AddMetadata("traceparent", exchange.trace.ToTraceparent());
}

void LearnTenant(const Exchange& exchange, const grpc::ClientContext& context, const grpc::Status& status) {
  if (!exchange.ask_tenant) return;
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(rpc::kTenantMetadata);
  if (found != trailers.end()) {
    exchange.book.tenants().Learn(exchange.key, rpc::TenantIdOf({found->second.data(), found->second.size()}));
  } else if (status.ok()) {
    exchange.book.tenants().Learn(exchange.key, exchange.key);
  }
}

}  // namespace parvis::gateway
