#include "platform/rpc/unary.h"

#include <memory>

#include "platform/rpc/runtime.h"

namespace parvis::rpc {
namespace {

// One call on its way through the executor. The request and the context live until the reactor is finished, which only
// this does.
struct UnaryCall {
  Runtime::Impl& impl;
  grpc::CallbackServerContext* const context;
  grpc::ServerUnaryReactor* const reactor;
  const char* const method;
  const google::protobuf::Message& request;
  const Instant began;
  const TenantId lane;
  std::function<Status(const Call&)> body;
  Call call;

  void Finish(const Status& status) { reactor->Finish(impl.Conclude(method, call, began, status)); }

  void Run() {
    impl.queued.Set(impl.executor.queued());
    if (context->IsCancelled())
      return Finish(MakeError(Code::kCancelled, "CANCELLED", "the caller left before the call began"));
    Finish(Guarded([&]() -> Status {
      PARVIS_RETURN_IF_ERROR(impl.Admit(*context, method, request, lane, call));
      return body(call);
    }));
  }
};

}  // namespace

grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext* context, Runtime& runtime, const char* method,
                                   const google::protobuf::Message& request, std::function<Status(const Call&)> body) {
  Runtime::Impl& impl = runtime.impl();
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const Instant began = impl.clock.Now();
  const TenantId lane = impl.TenantFor(*context);
  std::unique_ptr<UnaryCall> call(new UnaryCall{impl, context, reactor, method, request, began, lane, std::move(body),
                                                impl.BeginCall(*context, began)});
  // What is queued always runs, once: also when the executor stops. A pointer alone fits into the task without memory
  // of its own.
  const FairExecutor::Taken taken = impl.executor.TrySubmit(lane, [waiting = call.get()] {
    const std::unique_ptr<UnaryCall> own(waiting);
    own->Run();
  });
  if (taken == FairExecutor::Taken::kYes) {
    (void)call.release();
  } else {
    call->Finish(impl.Overloaded(taken));
  }
  return reactor;
}

}  // namespace parvis::rpc
