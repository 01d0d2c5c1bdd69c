// Errors as the Connect protocol writes them (https://connectrpc.com/docs/protocol, "Error codes", "Error end-stream").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <grpcpp/support/status.h>

#include "platform/base/error.h"

namespace parvis::gateway {

inline constexpr std::string_view kDomain = "gateway.parvis.dev";

// "invalid_argument" for gRPC code 3; "unknown" for what is no code.
std::string_view ConnectCode(int grpc_code);
int HttpStatusOf(int grpc_code);

struct ConnectError {
  std::string code;
  int http_status = 500;
  std::string json;                        // {"code":…,"message":…,"details":[{"type","value","debug"}]}
  std::optional<int> retry_after_seconds;  // from RetryInfo, rounded up
};
// `status` is not OK.
ConnectError RenderError(const grpc::Status& status);

// An error of the gateway's own.
grpc::Status OwnError(const Status& status);
// What a backend answered; what gRPC itself says about connections (addresses!) is replaced.
grpc::Status FromBackend(const grpc::Status& status, std::string_view package);

}  // namespace parvis::gateway
