#include "platform/rpc/stream.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "platform/rpc/runtime.h"

namespace parvis::rpc {
namespace {

// A reader who was told to come back and does not even take what is on the wire is cut off after this.
constexpr absl::Duration kStallMax = absl::Seconds(10);

class Core : public StreamCore, public OpenStream, public std::enable_shared_from_this<Core> {
 public:
  Core(grpc::CallbackServerContext* context, Runtime::Impl& impl, const char* method)
      : context_(context),
        impl_(impl),
        method_(method),
        began_(impl.clock.Now()),
        call_(impl.BeginCall(*context, began_)) {}

  void Open(StreamTransport& transport, const google::protobuf::Message& request,
            std::function<Status(const Call&, std::shared_ptr<WireSink>)> body) override;
  Status Send(std::shared_ptr<const google::protobuf::Message> message) override {
    return Queue({.message = std::move(message), .wire = nullptr});
  }
  Status SendWire(std::shared_ptr<const grpc::ByteBuffer> message) override {
    return Queue({.message = nullptr, .wire = std::move(message)});
  }
  int Room() const override;
  void Finish(const Status& status) override { EndWith(status); }
  bool Cancelled() const override;
  void OnEnd(std::function<void()> callback) override;
  void OnWritten(bool ok) override;
  void OnCancelled() override;
  void OnDone() override;
  void EndWith(const Status& status) override;
  void CheckStall(Instant now) override;

 private:
  Status Queue(StreamItem item);
  Status TakeShare();                    // of the streams that its tenant may have
  void DecideEnd(const Status& status);  // mutex_ held; the first decision counts
  void Pump();                           // starts the next gRPC operation, if one may start

  grpc::CallbackServerContext* const context_;  // valid until OnDone
  Runtime::Impl& impl_;
  const char* const method_;
  const Instant began_;
  Call call_;

  mutable std::mutex mutex_;
  StreamTransport* transport_ = nullptr;  // valid until OnDone
  std::deque<StreamItem> queue_;
  std::optional<StreamItem> writing_;  // changed only where no operation of gRPC is under way
  bool body_running_ = false;          // the request lives until the end, and the body still reads it
  bool decided_ = false;
  Status end_;
  Instant decided_at_;
  bool ending_ = false, done_ = false, gone_ = false, stall_cancelled_ = false, kept_ = false;
  std::vector<std::function<void()>> on_end_;
};

void Core::Open(StreamTransport& transport, const google::protobuf::Message& request,
                std::function<Status(const Call&, std::shared_ptr<WireSink>)> body) {
  transport_ = &transport;
  const auto self = shared_from_this();
  kept_ = impl_.streams.Add(self);
  impl_.streams_open.Set(impl_.streams.size());
  if (!kept_) {
    EndWith(ToStatus({.code = Code::kResourceExhausted,
                      .reason = "TOO_MANY_STREAMS",
                      .message = "too many open streams",
                      .retry_after = absl::Seconds(5)}));
    return;
  }
  body_running_ = true;
  const TenantId lane = impl_.TenantFor(*context_);
  const FairExecutor::Taken taken = impl_.executor.TrySubmit(lane, [self, &request, lane, body = std::move(body)] {
    const Status status = Guarded([&]() -> Status {
      PARVIS_RETURN_IF_ERROR(self->impl_.Admit(*self->context_, self->method_, request, lane, self->call_));
      PARVIS_RETURN_IF_ERROR(self->TakeShare());
      return body(self->call_, self);
    });
    {
      std::lock_guard lock(self->mutex_);
      self->body_running_ = false;
      if (!status.ok()) self->DecideEnd(status);
    }
    self->Pump();
  });
  if (taken != FairExecutor::Taken::kYes) {
    {
      std::lock_guard lock(mutex_);
      body_running_ = false;
    }
    EndWith(impl_.Overloaded(taken));
  }
}

Status Core::TakeShare() {
  if (impl_.streams.Assign(this, TenantIdOf(TenantOf(call_.principal)))) return absl::OkStatus();
  return ToStatus({.code = Code::kResourceExhausted,
                   .reason = "TOO_MANY_STREAMS_OF_TENANT",
                   .message = "this workspace has as many streams open as it may have; end one first",
                   .retry_after = absl::Seconds(5)});
}

Status Core::Queue(StreamItem item) {
  Status status;
  {
    std::lock_guard lock(mutex_);
    if (decided_ || done_) return MakeError(Code::kCancelled, "STREAM_ENDED", "the stream has ended");
    if (static_cast<int>(queue_.size()) >= impl_.config.stream_queue_max) {
      status = MakeError(Code::kResourceExhausted, "STREAM_SLOW",
                         "the client reads too slowly; resume from the last sequence");
      queue_.clear();
      DecideEnd(status);
    } else {
      queue_.push_back(std::move(item));
    }
  }
  Pump();
  return status;
}

void Core::DecideEnd(const Status& status) {
  if (decided_) return;
  decided_ = true;
  end_ = status;
  decided_at_ = impl_.clock.Now();
}

void Core::EndWith(const Status& status) {
  {
    std::lock_guard lock(mutex_);
    DecideEnd(status);
  }
  Pump();
}

void Core::Pump() {
  const StreamItem* item = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (writing_ || ending_) return;
    if (!queue_.empty() && !gone_) {
      writing_ = std::move(queue_.front());
      queue_.pop_front();
      item = &*writing_;
    } else if (decided_ && !body_running_) {
      ending_ = true;
    } else {
      return;
    }
  }
  // Outside the lock, yet safe: one operation at a time, and the transport lives until the one that ends it.
  if (item) {
    transport_->Write(*item);
  } else {
    if (kept_) impl_.streams.Remove(this);  // before the client can know, so that its next one finds the place free
    transport_->End(impl_.Conclude(method_, call_, began_, end_));
  }
}

void Core::OnWritten(bool ok) {
  {
    std::lock_guard lock(mutex_);
    writing_.reset();
    if (!ok) {
      gone_ = true;
      queue_.clear();
      DecideEnd(MakeError(Code::kCancelled, "CANCELLED", "the client left"));
    }
  }
  Pump();
}

void Core::OnCancelled() {
  {
    std::lock_guard lock(mutex_);
    gone_ = true;
    queue_.clear();
    DecideEnd(MakeError(Code::kCancelled, "CANCELLED", "the client left"));
  }
  Pump();
}

void Core::OnDone() {
  std::vector<std::function<void()>> callbacks;
  {
    std::lock_guard lock(mutex_);
    done_ = true;
    callbacks.swap(on_end_);
  }
  if (kept_) impl_.streams.Remove(this);
  impl_.streams_open.Set(impl_.streams.size());
  for (const auto& callback : callbacks) callback();
}

int Core::Room() const {
  std::lock_guard lock(mutex_);
  if (decided_ || done_) return 0;
  return std::max(0, impl_.config.stream_queue_max - static_cast<int>(queue_.size()));
}

bool Core::Cancelled() const {
  std::lock_guard lock(mutex_);
  return decided_ || done_;
}

void Core::OnEnd(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (!done_) {
      on_end_.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

void Core::CheckStall(Instant now) {
  std::lock_guard lock(mutex_);
  if (!decided_ || done_ || stall_cancelled_ || !writing_ || now - decided_at_ < kStallMax) return;
  stall_cancelled_ = true;
  context_->TryCancel();
}

}  // namespace

std::shared_ptr<StreamCore> StreamCore::Make(grpc::CallbackServerContext* context, Runtime& runtime,
                                             const char* method) {
  return std::make_shared<Core>(context, runtime.impl(), method);
}

}  // namespace parvis::rpc
