// gRPC's own log lines as ours; internal to rpc.
#pragma once

namespace parvis::rpc {

// Idempotent; called by every server and client.
void RouteGrpcLog();

}  // namespace parvis::rpc
