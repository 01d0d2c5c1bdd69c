// The admin listener: a tiny HTTP/1.0 server for /livez, /readyz and /metrics on one thread with poll(2), so that it
// answers while everything else of the process is stuck. At most kConnectionsMax connections (more wait in the
// backlog), 4 KiB of request and 5 s each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace parvis::app {

struct AdminResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

class AdminServer {
 public:
  static constexpr int kConnectionsMax = 32;
  static constexpr size_t kRequestMaxBytes = 4096;

  // `handler` answers a GET of `path` (no query); runs on the server's thread and must be quick.
  using Handler = std::function<AdminResponse(std::string_view path)>;
  explicit AdminServer(Handler handler);
  ~AdminServer();  // Stop()
  // INVALID_ARGUMENT ADDRESS_INVALID, UNAVAILABLE ADDRESS_IN_USE.
  Status Start(const std::string& address);
  void Stop();
  const std::string& address() const;  // after Start, with the real port

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::app
