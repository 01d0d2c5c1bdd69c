// rpc::Unary: the one adapter between a gRPC method and a use case. (rpc::Stream, for server streaming: stream.h)
//
//   grpc::ServerUnaryReactor* Reply(grpc::CallbackServerContext* ctx, const ReplyRequest* req, Message* resp) override
//   {
//     return rpc::Unary(ctx, rt_, "parvis.inbox.v1.InboxService/Reply", *req, *resp,
//                       [this](const Call& call, const ReplyRequest& r, Message& out) -> Status { ... });
//   }
//
// It authenticates, checks the declared role and the workspace, caps the deadline, continues the trace, runs the body
// on the executor (a call that is dead by then is skipped), turns Status into grpc::Status with ErrorInfo and
// BadRequest, and counts parvis_rpc_server_duration_seconds{service,method,code}. An INTERNAL error is logged, once,
// and the client learns its reason and trace id but not its message.
#pragma once

#include <functional>
#include <utility>

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "platform/base/call.h"
#include "platform/base/error.h"
#include "platform/rpc/server.h"

namespace parvis::rpc {

// Type-erased: compiled once.
grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext* context, Runtime& runtime, const char* method,
                                   const google::protobuf::Message& request, std::function<Status(const Call&)> body);

template <class Request, class Response, class Body>
grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, Runtime& runtime, const char* method,
                                const Request& request, Response& response, Body body) {
  return RunUnary(context, runtime, method, request, [&request, &response, body = std::move(body)](const Call& call) {
    return body(call, request, response);
  });
}

}  // namespace parvis::rpc
