#include "gateway/transport/call_book.h"
#include "gateway/transport/calls.h"
#include "gateway/transport/connect_error.h"

namespace parvis::gateway {
namespace {

Status NoRoom(CallBook::Room room) {
  if (room == CallBook::Room::kTenantFull) {
    return ToStatus({.code = Code::kResourceExhausted,
                     .reason = "TOO_MANY_CALLS_OF_WORKSPACE",
                     .message = "this workspace waits for as many answers as it may at once",
                     .retry_after = absl::Seconds(1)});
  }
  return ToStatus({.code = Code::kUnavailable,
                   .reason = "TOO_MANY_CALLS",
                   .message = "the gateway takes no more calls now",
                   .retry_after = absl::Seconds(1)});
}

struct UnaryCall {
  std::unique_ptr<Exchange> exchange;
  grpc::ClientContext context;
  grpc::ByteBuffer request, response;

  void OnAnswer(const grpc::Status& status) {
    LearnTenant(*exchange, context, status);
    if (!status.ok()) {
      exchange->book.NoteBackend(status, exchange->method.package);
      exchange->Fail(FromBackend(status, exchange->method.package));
    } else if (auto body = EncodeResponse(exchange->format.encoding, ToString(response), *exchange->method.response);
               body.ok()) {
      exchange->Succeed(*std::move(body));
    } else {
      exchange->Fail(OwnError(body.status()));
    }
    exchange->book.Leave(this);
  }
};

}  // namespace

void StartUnary(std::unique_ptr<Exchange> exchange, grpc::GenericStub& stub, const std::string& request) {
  const auto call = std::make_shared<UnaryCall>();
  call->exchange = std::move(exchange);
  call->request = ToBuffer(request);
  Prepare(*call->exchange, call->context);
  const CallBook::Room room = call->exchange->book.EnterUnary(call.get(), call->exchange->tenant);
  if (room != CallBook::Room::kEntered) {
    const Status refusal = NoRoom(room);
    call->exchange->book.NoteShed(ReasonOf(refusal));
    call->exchange->Fail(OwnError(refusal));
    return;
  }
  call->exchange->responder.OnGone([weak = std::weak_ptr(call)] {
    if (const auto alive = weak.lock()) alive->context.TryCancel();
  });
  stub.UnaryCall(&call->context, call->exchange->method.path, {}, &call->request, &call->response,
                 [call](grpc::Status status) { call->OnAnswer(status); });
}

}  // namespace parvis::gateway
