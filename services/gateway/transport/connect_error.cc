#include "gateway/transport/connect_error.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include "platform/obs/log.h"
#include "platform/rpc/client.h"

namespace parvis::gateway {
namespace {

struct CodeRow {
  std::string_view name;
  int http_status;
};
// By gRPC code number; the table of the protocol's "Error codes".
constexpr CodeRow kCodes[] = {{"unknown", 500},
                              {"canceled", 499},
                              {"unknown", 500},
                              {"invalid_argument", 400},
                              {"deadline_exceeded", 504},
                              {"not_found", 404},
                              {"already_exists", 409},
                              {"permission_denied", 403},
                              {"resource_exhausted", 429},
                              {"failed_precondition", 400},
                              {"aborted", 409},
                              {"out_of_range", 400},
                              {"unimplemented", 501},
                              {"internal", 500},
                              {"unavailable", 503},
                              {"data_loss", 500},
                              {"unauthenticated", 401}};

const CodeRow& RowOf(int code) { return kCodes[code >= 0 && code <= 16 ? code : 2]; }

// The message inside as JSON, for people who read the answer; "" when its type is not known here.
std::string DebugJson(const google::protobuf::Any& any) {
  const std::string name = any.type_url().substr(any.type_url().rfind('/') + 1);
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) return "";
  const std::unique_ptr<google::protobuf::Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  std::string json;
  if (!message->ParseFromString(any.value()) || !google::protobuf::util::MessageToJsonString(*message, &json).ok())
    return "";
  return json;
}

void AppendDetail(const google::protobuf::Any& any, std::string& out) {
  out += "{\"type\":";
  obs::AppendJsonString(any.type_url().substr(any.type_url().rfind('/') + 1), out);
  std::string base64 = absl::Base64Escape(any.value());
  while (!base64.empty() && base64.back() == '=') base64.pop_back();  // the protocol writes it without padding
  absl::StrAppend(&out, ",\"value\":\"", base64, "\"");
  if (const std::string debug = DebugJson(any); !debug.empty()) absl::StrAppend(&out, ",\"debug\":", debug);
  out += '}';
}

}  // namespace

std::string_view ConnectCode(int grpc_code) { return RowOf(grpc_code).name; }
int HttpStatusOf(int grpc_code) { return RowOf(grpc_code).http_status; }

ConnectError RenderError(const grpc::Status& status) {
  ConnectError error;
  error.code = ConnectCode(status.error_code());
  error.http_status = HttpStatusOf(status.error_code());
  error.json = absl::StrCat("{\"code\":\"", error.code, "\",\"message\":");
  obs::AppendJsonString(status.error_message(), error.json);
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details()) &&
      details.details_size() > 0) {
    error.json += ",\"details\":[";
    for (int i = 0; i < details.details_size(); ++i) {
      if (i > 0) error.json += ',';
      AppendDetail(details.details(i), error.json);
      google::rpc::RetryInfo retry;
      if (details.details(i).UnpackTo(&retry)) {
        const int64_t seconds = retry.retry_delay().seconds() + (retry.retry_delay().nanos() > 0 ? 1 : 0);
        error.retry_after_seconds = static_cast<int>(std::clamp<int64_t>(seconds, 1, 86400));
      }
    }
    error.json += ']';
  }
  error.json += '}';
  return error;
}

grpc::Status OwnError(const Status& status) { return rpc::ToGrpc(status, kDomain); }

grpc::Status FromBackend(const grpc::Status& status, std::string_view package) {
  if (status.ok() || !status.error_details().empty()) return status;
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return OwnError(ToStatus({.code = Code::kUnavailable,
                                .reason = "BACKEND_UNAVAILABLE",
                                .message = absl::StrCat(std::string(package), " cannot be reached; try again"),
                                .retry_after = absl::Seconds(1)}));
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return OwnError(MakeError(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED", "the call took longer than its time"));
    case grpc::StatusCode::CANCELLED:
      return OwnError(MakeError(Code::kCancelled, "CANCELLED", "the call was cancelled"));
    case grpc::StatusCode::UNIMPLEMENTED:
      return OwnError(
          MakeError(Code::kUnimplemented, "METHOD_NOT_SERVED", "the service does not serve this method yet"));
    default:
      return status;
  }
}

}  // namespace parvis::gateway
