// rpc::Stream: server streaming without a blocked thread anywhere.
//
//   grpc::ServerWriteReactor<Update>* Watch(grpc::CallbackServerContext* ctx, const WatchRequest* req) override {
//     return rpc::Stream<Update>(ctx, rt_, "parvis.inbox.v1.InboxService/Watch", *req,
//                                [this](const Call& call, const WatchRequest& r, std::shared_ptr<StreamSink> sink) ->
//                                Status {
//                                  ... subscribe somewhere, keep `sink`, send from any thread ... });
//   }
//
// rpc::WireStream does the same for a method that its service declares raw (WithRawCallbackMethod_Watch<...>): its sink
// also takes responses in their wire form, so that what goes to many streams is encoded once.
//
// The body is called once, on the executor, after the same checks as rpc::Unary. When it returns an error, the stream
// ends with it; when it returns OK, the stream stays open until Finish, the client's leaving or the server's stop.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <google/protobuf/message.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "platform/base/call.h"
#include "platform/base/error.h"
#include "platform/rpc/server.h"

namespace parvis::rpc {

// One open stream; all functions from any thread, none blocks. Sending and ending after the end do nothing.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  // Queues a message (of the method's response type). RESOURCE_EXHAUSTED STREAM_SLOW when the client does not read and
  // stream_queue_max messages wait: the stream then ends with that error and the client resumes from its last sequence.
  // CANCELLED STREAM_ENDED when the stream has ended.
  virtual Status Send(std::shared_ptr<const google::protobuf::Message> message) = 0;
  // How many more messages would be queued now; 0 when the stream has ended. Who sends no more than this is never too
  // fast for a client that reads slowly.
  virtual int Room() const = 0;
  // Ends the stream once all that was sent has gone.
  virtual void Finish(const Status& status) = 0;
  // The client left, or the stream has ended otherwise.
  virtual bool Cancelled() const = 0;
  // Called once when the stream has ended for whatever reason, at once if it has already; must not block.
  virtual void OnEnd(std::function<void()> callback) = 0;
};

// The sink of a WireStream.
class WireSink : public StreamSink {
 public:
  // As Send, of a response in its wire form. The buffer may be shared by any number of streams; nobody changes it.
  virtual Status SendWire(std::shared_ptr<const grpc::ByteBuffer> message) = 0;
};

// ---- implementation -------------------------------------------------------------------------------------------------

// A queued message: one of the two.
struct StreamItem {
  std::shared_ptr<const google::protobuf::Message> message;
  std::shared_ptr<const grpc::ByteBuffer> wire;  // WireStream only
};

// What the typed reactor offers to the type-erased core.
class StreamTransport {
 public:
  // `item` lives until OnWritten.
  virtual void Write(const StreamItem& item) = 0;
  virtual void End(const grpc::Status& status) = 0;

 protected:
  ~StreamTransport() = default;
};

// The state machine: at most one gRPC operation at a time, so the reactor lives as long as one is wanted.
class StreamCore : public WireSink {
 public:
  static std::shared_ptr<StreamCore> Make(grpc::CallbackServerContext* context, Runtime& runtime, const char* method);
  virtual void Open(StreamTransport& transport, const google::protobuf::Message& request,
                    std::function<Status(const Call&, std::shared_ptr<WireSink>)> body) = 0;
  virtual void OnWritten(bool ok) = 0;
  virtual void OnCancelled() = 0;
  virtual void OnDone() = 0;
};

// Between gRPC and the core; deletes itself when gRPC has done with it.
template <class Wire>
class StreamReactorBase : public grpc::ServerWriteReactor<Wire>, private StreamTransport {
 public:
  explicit StreamReactorBase(std::shared_ptr<StreamCore> core) : core_(std::move(core)) {}
  StreamTransport& transport() { return *this; }

 protected:
  StreamCore& core() { return *core_; }

 private:
  void End(const grpc::Status& status) override { this->Finish(status); }
  void OnWriteDone(bool ok) override { core_->OnWritten(ok); }
  void OnCancel() override { core_->OnCancelled(); }
  void OnDone() override {
    core_->OnDone();
    delete this;
  }
  const std::shared_ptr<StreamCore> core_;
};

template <class Response>
class StreamReactor final : public StreamReactorBase<Response> {
 public:
  using StreamReactorBase<Response>::StreamReactorBase;

 private:
  void Write(const StreamItem& item) override { this->StartWrite(static_cast<const Response*>(item.message.get())); }
};

// Owns the decoded request, which gRPC gives as bytes.
template <class Request>
class WireReactor final : public StreamReactorBase<grpc::ByteBuffer> {
 public:
  WireReactor(std::shared_ptr<StreamCore> core, const grpc::ByteBuffer& request)
      : StreamReactorBase(std::move(core)) {
    grpc::ByteBuffer bytes(request);  // shares the slices
    readable_ = grpc::SerializationTraits<Request>::Deserialize(&bytes, &request_).ok();
  }
  const Request& request() const { return request_; }
  bool readable() const { return readable_; }

 private:
  void Write(const StreamItem& item) override {
    if (item.wire) {
      StartWrite(item.wire.get());
      return;
    }
    bool own = false;
    encoded_.Clear();
    const grpc::Status status =
        grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(*item.message, &encoded_, &own);
    status.ok() ? StartWrite(&encoded_) : core().OnWritten(false);
  }
  Request request_;
  bool readable_ = false;
  grpc::ByteBuffer encoded_;  // one write at a time
};

template <class Request, class Body>
grpc::ServerWriteReactor<grpc::ByteBuffer>* WireStream(grpc::CallbackServerContext* context, Runtime& runtime,
                                                       const char* method, const grpc::ByteBuffer& request, Body body) {
  std::shared_ptr<StreamCore> core = StreamCore::Make(context, runtime, method);
  auto* const reactor = new WireReactor<Request>(core, request);
  core->Open(reactor->transport(), reactor->request(),
             [reactor, body = std::move(body)](const Call& call, std::shared_ptr<WireSink> sink) -> Status {
               if (!reactor->readable()) {
                 return MakeError(Code::kInvalidArgument, "REQUEST_UNREADABLE", "the request cannot be decoded");
               }
               return body(call, reactor->request(), std::move(sink));
             });
  return reactor;
}

template <class Response, class Request, class Body>
grpc::ServerWriteReactor<Response>* Stream(grpc::CallbackServerContext* context, Runtime& runtime, const char* method,
                                           const Request& request, Body body) {
  std::shared_ptr<StreamCore> core = StreamCore::Make(context, runtime, method);
  auto* const reactor = new StreamReactor<Response>(core);
  core->Open(reactor->transport(), request,
             [&request, body = std::move(body)](const Call& call, std::shared_ptr<StreamSink> sink) {
               return body(call, request, std::move(sink));
             });
  return reactor;
}

}  // namespace parvis::rpc
