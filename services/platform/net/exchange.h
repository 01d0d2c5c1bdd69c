// One request's answer on its way from a handler (any thread) to its connection (its I/O thread). Internal to
// platform/net.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "platform/net/http_server.h"

namespace parvis::net {

class Exchange {
 public:
  // The connection, as its exchange sees it. Called from any thread under the exchange's lock, until Detach.
  class Listener {
   public:
    virtual void Wake() = 0;       // look at the exchange again
    virtual void WatchPeer() = 0;  // notice when the peer goes away

   protected:
    ~Listener() = default;
  };
  Exchange(std::weak_ptr<Listener> listener, int stream_queue_max_bytes)
      : listener_(std::move(listener)), queue_max_(stream_queue_max_bytes) {}

  // The handler's side; what each means stands at Responder.
  void Send(HttpResponse response);
  void BeginStream(HttpResponse head);
  bool Write(std::string chunk);
  void End();
  bool Gone() const;
  void OnGone(std::function<void()> callback);
  void OnDrained(std::function<void()> callback);
  void Abort();
  void Dropped();

  // The connection's side.
  enum class Next { kWait, kAnswer, kStreamHead, kChunks, kStreamEnd, kAbort };
  // What to do now. kAnswer and kStreamHead fill `response`, kChunks fills `chunks` with all that waits. Whoever asks has sent
  // all that was there before; may call back.
  Next Take(HttpResponse* response, std::deque<std::string>* chunks);
  void MarkGone();  // the peer has gone; may call back
  void Detach();    // the connection looks no more: nothing wakes it from now on; calls back if it ended early

 private:
  enum class Phase { kPending, kAnswered, kStreaming, kEnding, kDone, kAborted };
  Next TakeNext(HttpResponse* response, std::deque<std::string>* chunks);  // mutex_ held, as for all that follow
  void Wake();
  void Watch();
  mutable std::mutex mutex_;
  std::weak_ptr<Listener> listener_;
  const size_t queue_max_;
  Phase phase_ = Phase::kPending;
  bool head_sent_ = false, gone_ = false, detached_ = false;
  HttpResponse response_;
  std::deque<std::string> chunks_;
  size_t queued_bytes_ = 0;
  bool sending_ = false;  // the connection has not come back for more
  std::function<void()> on_gone_, on_drained_;
};

Responder MakeResponder(std::shared_ptr<Exchange> exchange);

}  // namespace parvis::net
