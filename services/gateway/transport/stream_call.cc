#include <atomic>

#include "gateway/transport/call_book.h"
#include "gateway/transport/calls.h"
#include "gateway/transport/connect_error.h"
#include "gateway/transport/envelope.h"

namespace parvis::gateway {
namespace {

Status NoRoom(CallBook::Room room) {
  if (room == CallBook::Room::kKeyFull) {
    return ToStatus({.code = Code::kResourceExhausted,
                     .reason = "TOO_MANY_STREAMS_OF_KEY",
                     .message = "this key has as many streams open as it may have; end one first",
                     .retry_after = absl::Seconds(5)});
  }
  if (room == CallBook::Room::kTenantFull) {
    return ToStatus({.code = Code::kResourceExhausted,
                     .reason = "TOO_MANY_STREAMS_OF_WORKSPACE",
                     .message = "this workspace has as many streams open as it may have; end one first",
                     .retry_after = absl::Seconds(5)});
  }
  return ToStatus({.code = Code::kUnavailable,
                   .reason = "TOO_MANY_STREAMS",
                   .message = "the gateway takes no more streams now",
                   .retry_after = absl::Seconds(2)});
}

// One gRPC server stream read as fast as the client's connection takes it: what waits for a slow client is bounded by
// the HTTP server, which then closes the connection, and the call is cancelled. Kept alive by its own reference until
// OnDone.
class StreamCall : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                   public std::enable_shared_from_this<StreamCall> {
 public:
  explicit StreamCall(std::unique_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  void Start(grpc::GenericStub& stub, const std::string& request) {
    CallBook& book = exchange_->book;
    const std::weak_ptr<StreamCall> weak = weak_from_this();
    const CallBook::Room room = book.EnterStream(this, exchange_->tenant, exchange_->key, [weak] {
      if (const auto alive = weak.lock()) alive->CancelForStop();
    });
    if (room != CallBook::Room::kEntered) {
      const Status refusal = NoRoom(room);
      book.NoteShed(ReasonOf(refusal));
      exchange_->Fail(OwnError(refusal));
      return;
    }
    self_ = shared_from_this();
    request_ = ToBuffer(request);
    Prepare(*exchange_, context_);
    exchange_->BeginStream();
    exchange_->responder.OnGone([weak] {
      if (const auto alive = weak.lock()) alive->context_.TryCancel();
    });
    stub.PrepareBidiStreamingCall(&context_, exchange_->method.path, {}, this);
    StartWriteLast(&request_, {});
    StartRead(&response_);
    StartCall();
  }

  void CancelForStop() {
    stopping_ = true;
    context_.TryCancel();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;  // OnDone follows
    auto body = EncodeResponse(exchange_->format.encoding, ToString(response_), *exchange_->method.response);
    if (!body.ok()) {
      bad_response_ = body.status();
      context_.TryCancel();
      return;
    }
    if (!exchange_->responder.Write(MakeEnvelope(0, *body))) {
      context_.TryCancel();
      return;
    }
    response_.Clear();
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    LearnTenant(*exchange_, context_, status);
    exchange_->book.NoteBackend(status, exchange_->method.package);
    if (!bad_response_.ok()) {
      exchange_->EndStream(OwnError(bad_response_));
    } else if (stopping_ && status.error_code() == grpc::StatusCode::CANCELLED) {
      exchange_->EndStream(OwnError(ToStatus({.code = Code::kUnavailable,
                                              .reason = "SHUTTING_DOWN",
                                              .message = "the gateway stops; connect again",
                                              .retry_after = absl::Seconds(1)})));
    } else if (exchange_->capped && status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      exchange_->EndStream(OwnError(ToStatus({.code = Code::kUnavailable,
                                              .reason = "STREAM_EXPIRED",
                                              .message = "a stream ends after a while; connect again",
                                              .retry_after = absl::Seconds(1)})));
    } else {
      exchange_->EndStream(FromBackend(status, exchange_->method.package));
    }
    const std::shared_ptr<StreamCall> self = std::move(self_);
    exchange_->book.Leave(this);
  }

 private:
  const std::unique_ptr<Exchange> exchange_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_, response_;
  Status bad_response_;
  std::atomic<bool> stopping_{false};
  std::shared_ptr<StreamCall> self_;
};

}  // namespace

void StartStream(std::unique_ptr<Exchange> exchange, grpc::GenericStub& stub, const std::string& request) {
  std::make_shared<StreamCall>(std::move(exchange))->Start(stub, request);
}

}  // namespace parvis::gateway
