// grpc::Status ⇄ Status: google.rpc.Status with ErrorInfo, BadRequest and RetryInfo in the trailers.
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/support/status.h>

#include <absl/strings/str_cat.h>

#include "platform/rpc/client.h"

namespace parvis::rpc {
namespace {

// Trailers travel in one HTTP/2 header block, which clients limit to 8 KiB by default: what is too much is left out,
// and said to be.
constexpr size_t kMessageMax = 1024;
constexpr size_t kDetailsMax = 5000;

// Cuts at a character's border; protobuf strings must be UTF-8.
std::string Shorten(const std::string& text, size_t max) {
  if (text.size() <= max) return text;
  size_t end = max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

void AddViolations(const Error& error, size_t budget, google::rpc::Status& out) {
  if (error.violations.empty()) return;
  google::rpc::BadRequest bad_request;
  size_t used = 0, taken = 0;
  for (const Violation& v : error.violations) {
    google::rpc::BadRequest::FieldViolation one;
    one.set_field(Shorten(v.field, 256));
    one.set_description(Shorten(v.description, 512));
    one.set_reason(v.reason);
    used += one.ByteSizeLong() + 8;
    if (taken > 0 && used > budget) break;
    *bad_request.add_field_violations() = std::move(one);
    ++taken;
  }
  if (taken < error.violations.size()) {
    auto* more = bad_request.add_field_violations();
    more->set_reason("MORE_VIOLATIONS");
    more->set_description(absl::StrCat("and ", error.violations.size() - taken, " more"));
  }
  out.add_details()->PackFrom(bad_request);
}

void ReadInfo(const google::rpc::ErrorInfo& info, Error& error) {
  error.reason = info.reason();
  for (const auto& [key, value] : info.metadata()) error.metadata[key] = value;
}

void ReadViolations(const google::rpc::BadRequest& bad_request, Error& error) {
  for (const auto& v : bad_request.field_violations())
    error.violations.push_back({v.field(), v.description(), v.reason()});
}

}  // namespace

grpc::Status ToGrpc(const Status& status, std::string_view domain) {
  if (status.ok()) return grpc::Status::OK;
  const Error error = ToError(status);
  google::rpc::Status out;
  out.set_code(static_cast<int>(error.code));
  out.set_message(Shorten(error.message, kMessageMax));
  google::rpc::ErrorInfo info;
  info.set_reason(error.reason);
  info.set_domain(std::string(domain));
  size_t budget = kDetailsMax;
  for (const auto& [key, value] : error.metadata) {
    const std::string shortened = Shorten(value, 512);
    if (key.size() + shortened.size() + 8 > budget / 2) continue;
    budget -= key.size() + shortened.size() + 8;
    (*info.mutable_metadata())[key] = shortened;
  }
  out.add_details()->PackFrom(info);
  AddViolations(error, budget, out);
  if (error.retry_after) {
    google::rpc::RetryInfo retry;
    const int64_t nanos = std::max<int64_t>(0, absl::ToInt64Nanoseconds(*error.retry_after));
    retry.mutable_retry_delay()->set_seconds(nanos / 1'000'000'000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
    out.add_details()->PackFrom(retry);
  }
  return {static_cast<grpc::StatusCode>(error.code), out.message(), out.SerializeAsString()};
}

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  Error error;
  const int code = status.error_code();
  error.code = code > 0 && code <= 16 ? static_cast<Code>(code) : Code::kUnknown;
  error.message = status.error_message();
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    for (const auto& any : details.details()) {
      google::rpc::ErrorInfo info;
      google::rpc::BadRequest bad_request;
      google::rpc::RetryInfo retry;
      if (any.UnpackTo(&info)) {
        ReadInfo(info, error);
      } else if (any.UnpackTo(&bad_request)) {
        ReadViolations(bad_request, error);
      } else if (any.UnpackTo(&retry)) {
        error.retry_after =
            absl::Seconds(retry.retry_delay().seconds()) + absl::Nanoseconds(retry.retry_delay().nanos());
      }
    }
  }
  if (error.reason.empty()) error.reason = absl::StatusCodeToString(error.code);
  return ToStatus(error);
}

}  // namespace parvis::rpc
