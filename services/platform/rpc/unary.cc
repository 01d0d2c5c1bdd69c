#include "platform/rpc/unary.h"

#include "platform/rpc/runtime.h"

namespace parvis::rpc {

grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext* context, Runtime& runtime, const char* method,
                                   const google::protobuf::Message& request, std::function<Status(const Call&)> body) {
  Runtime::Impl& impl = runtime.impl();
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const Instant began = impl.clock.Now();
  Call call = impl.BeginCall(*context);
  // The request and the context live until the reactor is finished, which only this task does.
  const FairExecutor::Taken taken = impl.executor.TrySubmit(
      impl.TenantFor(*context), [&impl, context, reactor, method, &request, began, call, body = std::move(body)]() mutable {
        impl.queued.Set(impl.executor.queued());
        Status status;
        if (context->IsCancelled()) {
          status = MakeError(Code::kCancelled, "CANCELLED", "the caller left before the call began");
        } else {
          status = Guarded([&]() -> Status {
            PARVIS_RETURN_IF_ERROR(impl.Admit(*context, method, request, call));
            return body(call);
          });
        }
        reactor->Finish(impl.Conclude(method, call, began, status));
      });
  if (taken != FairExecutor::Taken::kYes) reactor->Finish(impl.Conclude(method, call, began, impl.Overloaded(taken)));
  return reactor;
}

}  // namespace parvis::rpc
