// A stream of the scripted network that the test writes as it goes.
#pragma once

#include <mutex>
#include <string>

#include "platform/net/http_server.h"

namespace parvis::networks {

// Thread-safe. What is written before the stream is opened is sent when it is.
class StreamScript {
 public:
  void Write(const std::string& bytes) {
    std::lock_guard lock(mutex_);
    if (responder_) {
      responder_->Write(bytes);
    } else {
      waiting_ += bytes;
    }
  }
  void End() {
    std::lock_guard lock(mutex_);
    if (responder_) responder_->End();
  }
  void Cut() {
    std::lock_guard lock(mutex_);
    if (responder_) responder_->Abort();
  }
  // For the scripted network.
  void Open(const net::Responder& responder, net::HttpResponse head) {
    std::lock_guard lock(mutex_);
    responder_ = responder;
    responder.BeginStream(std::move(head));
    if (!waiting_.empty()) responder.Write(std::exchange(waiting_, {}));
  }

 private:
  std::mutex mutex_;
  std::optional<net::Responder> responder_;
  std::string waiting_;
};

}  // namespace parvis::networks
