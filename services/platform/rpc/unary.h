// rpc::Unary: the one adapter between a gRPC method and a use case.
//
//   grpc::ServerUnaryReactor* Reply(grpc::CallbackServerContext* ctx, const ReplyRequest* req, Message* resp) override {
//     return rpc::Unary(ctx, rt_, "parvis.inbox.v1.InboxService/Reply", *req, *resp,
//                       [this](const Call& call, const ReplyRequest& r, Message& out) -> Status { ... });
//   }
//
// It authenticates, checks the declared role and the workspace, caps the deadline, continues the trace, runs the body on
// the executor (a call that is dead by then is skipped), turns Status into grpc::Status with ErrorInfo and BadRequest, and
// counts parvis_rpc_server_duration_seconds{service,method,code}.
#pragma once

#include <functional>
#include <utility>

#include <google/protobuf/message.h>
#include <grpcpp/support/server_callback.h>

#include "platform/base/call.h"
#include "platform/base/error.h"
#include "platform/rpc/server.h"

namespace parvis::rpc {

// Type-erased: compiled once.
grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext* context, Runtime& runtime, const char* method,
                                   const google::protobuf::Message& request,
                                   std::function<Status(const Call&)> body);

template <class Request, class Response, class Body>
grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, Runtime& runtime, const char* method,
                                const Request& request, Response& response, Body body) {
  return RunUnary(context, runtime, method, request,
                  [&request, &response, body = std::move(body)](const Call& call) { return body(call, request, response); });
}

// Server streaming. The body is called once, on the executor, after the same checks as Unary; it subscribes somewhere and
// keeps the StreamSink, through which any thread sends later. Nothing here blocks.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  // Queues a message. RESOURCE_EXHAUSTED STREAM_SLOW when the client does not read (the queue is bounded: the stream is
  // then ended with that error, the client resumes from its last sequence); CANCELLED when the stream has ended.
  virtual Status Send(std::shared_ptr<const google::protobuf::Message> message) = 0;
  virtual void Finish(const Status& status) = 0;
  virtual bool Cancelled() const = 0;
  // Called once, from some thread, when the stream has ended for whatever reason.
  virtual void OnEnd(std::function<void()> callback) = 0;
};

void RunStream(grpc::CallbackServerContext* context, Runtime& runtime, const char* method,
               const google::protobuf::Message& request, std::shared_ptr<class StreamCore> core,
               std::function<Status(const Call&, std::shared_ptr<StreamSink>)> body);

}  // namespace parvis::rpc
