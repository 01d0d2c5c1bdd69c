#include "platform/rpc/grpc_log.h"

#include <grpc/support/log.h>

#include <mutex>

#include "platform/obs/log.h"

namespace parvis::rpc {
namespace {

void Route(gpr_log_func_args* args) {
  // What gRPC calls an error is about one connection or one port; whoever asked for it gets a Status as well.
  const obs::Level level = args->severity == GPR_LOG_SEVERITY_ERROR ? obs::Level::kWarning : obs::Level::kDebug;
  if (obs::LogEnabled(level)) obs::Log(level, "grpc", {{"text", args->message}, {"line", args->line}});
}

}  // namespace

void RouteGrpcLog() {
  static std::once_flag once;
  std::call_once(once, [] { gpr_set_log_function(Route); });
}

}  // namespace parvis::rpc
