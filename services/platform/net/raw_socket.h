// A plain TCP client and a plain TCP server for tests: what a hostile or broken peer would do, byte by byte.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

namespace parvis::net {

inline int PortOf(const std::string& address) { return std::stoi(address.substr(address.rfind(':') + 1)); }

class RawSocket {
 public:
  explicit RawSocket(int fd) : fd_(fd) {}
  static RawSocket Connect(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      close(fd);
      return RawSocket(-1);
    }
    return RawSocket(fd);
  }
  RawSocket(RawSocket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  ~RawSocket() { Close(); }
  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  bool Send(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<size_t>(n);
    }
    return true;
  }
  // Reads until `done` says so, the peer closes, or nothing came for `quiet_ms`.
  std::string Read(const std::function<bool(const std::string&)>& done, int quiet_ms = 5000) {
    std::string out;
    char bytes[16384];
    while (!done(out)) {
      pollfd waiting{fd_, POLLIN, 0};
      if (poll(&waiting, 1, quiet_ms) <= 0) break;
      const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
      if (n <= 0) {
        closed = true;
        break;
      }
      out.append(bytes, static_cast<size_t>(n));
    }
    return out;
  }
  std::string ReadToEnd(int quiet_ms = 5000) {
    return Read([](const std::string&) { return false; }, quiet_ms);
  }
  void Reset() {
    const linger hard{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    Close();
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  bool closed = false;

 private:
  int fd_;
};

// Accepts connections one after another and hands each to `serve` (with its number, from 0), on one thread.
class RawServer {
 public:
  explicit RawServer(std::function<void(RawSocket&, int)> serve) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at);
    listen(fd_, 16);
    socklen_t size = sizeof at;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    thread_ = std::thread([this, serve = std::move(serve)] {
      for (int number = 0;; ++number) {
        RawSocket peer(accept(fd_, nullptr, nullptr));
        if (!peer.ok()) return;
        serve(peer, number);
      }
    });
  }
  ~RawServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  int port = 0;

 private:
  int fd_;
  std::thread thread_;
};

}  // namespace parvis::net
