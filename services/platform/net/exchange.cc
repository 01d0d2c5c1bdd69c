#include "platform/net/exchange.h"

namespace parvis::net {

void Exchange::Wake() {
  if (detached_) return;
  if (const auto listener = listener_.lock()) listener->Wake();
}

void Exchange::Watch() {
  if (detached_) return;
  if (const auto listener = listener_.lock()) listener->WatchPeer();
}

void Exchange::Send(HttpResponse response) {
  std::lock_guard lock(mutex_);
  if (phase_ != Phase::kPending) return;
  phase_ = Phase::kAnswered;
  response_ = std::move(response);
  Wake();
}

void Exchange::BeginStream(HttpResponse head) {
  std::lock_guard lock(mutex_);
  if (phase_ != Phase::kPending) return;
  phase_ = Phase::kStreaming;
  response_ = std::move(head);
  Wake();
  Watch();
}

bool Exchange::Write(std::string chunk) {
  std::lock_guard lock(mutex_);
  if (phase_ != Phase::kStreaming || gone_) return false;
  if (chunk.empty()) return true;  // an empty chunk would end the stream (RFC 9112 §7.1)
  if (queued_bytes_ + chunk.size() > queue_max_) {
    phase_ = Phase::kAborted;
    chunks_.clear();
    Wake();
    return false;
  }
  queued_bytes_ += chunk.size();
  chunks_.push_back(std::move(chunk));
  Wake();
  return true;
}

void Exchange::End() {
  std::lock_guard lock(mutex_);
  if (phase_ != Phase::kStreaming) return;
  phase_ = Phase::kEnding;
  Wake();
}

bool Exchange::Gone() const {
  std::lock_guard lock(mutex_);
  return gone_ || phase_ == Phase::kAborted;
}

void Exchange::OnGone(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (phase_ == Phase::kAnswered || phase_ == Phase::kDone) return;
    if (!gone_ && phase_ != Phase::kAborted) {
      on_gone_ = std::move(callback);
      Watch();
      return;
    }
  }
  callback();
}

void Exchange::OnDrained(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (phase_ != Phase::kStreaming || gone_) return;
    if (!head_sent_ || sending_ || !chunks_.empty()) {
      on_drained_ = std::move(callback);
      return;
    }
  }
  callback();
}

void Exchange::Abort() {
  std::lock_guard lock(mutex_);
  if (phase_ == Phase::kDone) return;
  phase_ = Phase::kAborted;
  Wake();
}

void Exchange::Dropped() {
  std::lock_guard lock(mutex_);
  if (phase_ == Phase::kPending) {
    phase_ = Phase::kAnswered;
    response_ = {500, {{"Content-Type", "text/plain"}}, "the request was dropped\n"};
    Wake();
  } else if (phase_ == Phase::kStreaming) {
    phase_ = Phase::kAborted;  // an End() never came: the reader must not take the part for the whole
    Wake();
  }
}

Exchange::Next Exchange::Take(HttpResponse* response, std::deque<std::string>* chunks) {
  std::function<void()> drained;
  Next next;
  {
    std::lock_guard lock(mutex_);
    next = TakeNext(response, chunks);
    sending_ = next != Next::kWait;
    if (next == Next::kWait && phase_ == Phase::kStreaming) drained.swap(on_drained_);
  }
  if (drained) drained();
  return next;
}

Exchange::Next Exchange::TakeNext(HttpResponse* response, std::deque<std::string>* chunks) {
  switch (phase_) {
    case Phase::kPending:
      return Next::kWait;
    case Phase::kAnswered:
      phase_ = Phase::kDone;
      *response = std::move(response_);
      on_gone_ = nullptr;
      return Next::kAnswer;
    case Phase::kAborted:
      return Next::kAbort;
    case Phase::kDone:
      return Next::kStreamEnd;
    case Phase::kStreaming:
    case Phase::kEnding:
      break;
  }
  if (!head_sent_) {
    head_sent_ = true;
    *response = std::move(response_);
    return Next::kStreamHead;
  }
  if (!chunks_.empty()) {
    chunks->swap(chunks_);
    chunks_.clear();
    queued_bytes_ = 0;
    return Next::kChunks;
  }
  if (phase_ == Phase::kStreaming) return Next::kWait;
  phase_ = Phase::kDone;
  on_gone_ = nullptr;
  return Next::kStreamEnd;
}

void Exchange::MarkGone() {
  std::function<void()> callback;
  {
    std::lock_guard lock(mutex_);
    if (gone_ || phase_ == Phase::kDone) return;
    gone_ = true;
    callback.swap(on_gone_);
  }
  if (callback) callback();
}

void Exchange::Detach() {
  std::function<void()> callback, unneeded;  // which may hold the last copy of our own Responder
  {
    std::lock_guard lock(mutex_);
    detached_ = true;
    listener_.reset();
    if (phase_ != Phase::kDone) {
      gone_ = true;
      callback.swap(on_gone_);
    }
    on_gone_ = nullptr;
    unneeded.swap(on_drained_);
    chunks_.clear();
  }
  if (callback) callback();
}

}  // namespace parvis::net
