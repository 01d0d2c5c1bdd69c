#include "platform/app/admin_server.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>

#include "platform/base/clock.h"

namespace parvis::app {
namespace {

constexpr absl::Duration kConnectionMax = absl::Seconds(5);

const char* ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

struct Connection {
  int fd = -1;
  Instant deadline;
  std::string in, out;
  size_t sent = 0;
  bool answered = false;
  bool closing = false;  // all sent, our side shut down: waiting for the peer's end, so that nothing is cut off
};

std::string PortText(const sockaddr_storage& address, socklen_t length) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  const bool six = std::strchr(host, ':') != nullptr;
  return absl::StrCat(six ? "[" : "", host, six ? "]:" : ":", port);
}

}  // namespace

struct AdminServer::Impl {
  explicit Impl(Handler h) : handler(std::move(h)) {}

  void Run();
  void Accept();
  bool OnReadable(Connection& c);  // false: close it
  bool OnWritable(Connection& c);
  void Answer(Connection& c, bool too_long);

  Handler handler;
  RealClock clock;
  std::string address;
  int listen_fd = -1, stop_fd = -1;
  std::list<Connection> connections;
  std::thread thread;
};

AdminServer::AdminServer(Handler handler) : impl_(std::make_unique<Impl>(std::move(handler))) {}
AdminServer::~AdminServer() { Stop(); }
const std::string& AdminServer::address() const { return impl_->address; }

Status AdminServer::Start(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return InvalidField("admin_address", "ADDRESS_INVALID", "must be host:port");
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0 || found == nullptr) {
    return InvalidField("admin_address", "ADDRESS_INVALID", absl::StrCat("cannot resolve ", address));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 64) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return MakeError(Code::kUnavailable, "ADDRESS_IN_USE",
                     absl::StrCat("cannot listen on ", address, ": ", std::strerror(error)));
  }
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
  impl_->address = PortText(bound, length);
  impl_->listen_fd = fd;
  impl_->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  impl_->thread = std::thread([impl = impl_.get()] {
    pthread_setname_np(pthread_self(), "admin");
    impl->Run();
  });
  return absl::OkStatus();
}

void AdminServer::Stop() {
  if (!impl_->thread.joinable()) return;
  const uint64_t one = 1;
  (void)!write(impl_->stop_fd, &one, sizeof one);
  impl_->thread.join();
  for (const Connection& c : impl_->connections) close(c.fd);
  impl_->connections.clear();
  close(impl_->listen_fd);
  close(impl_->stop_fd);
}

void AdminServer::Impl::Run() {
  std::vector<pollfd> fds;
  while (true) {
    const bool room = static_cast<int>(connections.size()) < kConnectionsMax;
    fds.clear();
    fds.push_back({stop_fd, POLLIN, 0});
    fds.push_back({listen_fd, static_cast<short>(room ? POLLIN : 0), 0});
    for (const Connection& c : connections) {
      fds.push_back({c.fd, static_cast<short>(c.answered && !c.closing ? POLLOUT : POLLIN), 0});
    }
    if (poll(fds.data(), fds.size(), connections.empty() ? -1 : 200) < 0 && errno != EINTR) return;
    if (fds[0].revents != 0) return;
    const Instant now = clock.Now();
    size_t i = 2;
    for (auto it = connections.begin(); it != connections.end(); ++i) {
      bool keep = now < it->deadline;
      if (keep && fds[i].revents != 0) keep = it->answered && !it->closing ? OnWritable(*it) : OnReadable(*it);
      if (keep) {
        ++it;
      } else {
        close(it->fd);
        it = connections.erase(it);
      }
    }
    if (fds[1].revents != 0) Accept();
  }
}

void AdminServer::Impl::Accept() {
  while (static_cast<int>(connections.size()) < kConnectionsMax) {
    const int fd = accept4(listen_fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    connections.push_back({.fd = fd, .deadline = clock.Now() + kConnectionMax});
  }
}

bool AdminServer::Impl::OnReadable(Connection& c) {
  char buffer[2048];
  const ssize_t n = recv(c.fd, buffer, sizeof buffer, 0);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  if (c.closing) return true;
  c.in.append(buffer, static_cast<size_t>(n));
  const bool complete = c.in.find("\r\n\r\n") != std::string::npos || c.in.find("\n\n") != std::string::npos;
  if (!complete && c.in.size() <= kRequestMaxBytes) return true;
  Answer(c, !complete);
  return OnWritable(c);
}

void AdminServer::Impl::Answer(Connection& c, bool too_long) {
  const std::string_view line = std::string_view(c.in).substr(0, c.in.find_first_of("\r\n"));
  const size_t first = line.find(' '), last = line.rfind(' ');
  AdminResponse response;
  const std::string_view method = line.substr(0, first == std::string_view::npos ? 0 : first);
  if (too_long) {
    response = {431, "text/plain; charset=utf-8", "request too long\n"};
  } else if (first == std::string_view::npos || last == first || line.substr(last + 1, 5) != "HTTP/") {
    response = {400, "text/plain; charset=utf-8", "not an HTTP request\n"};
  } else if (method != "GET" && method != "HEAD") {
    response = {405, "text/plain; charset=utf-8", "only GET\n"};
  } else {
    const std::string_view target = line.substr(first + 1, last - first - 1);
    response = handler(target.substr(0, target.find('?')));
  }
  c.out = absl::StrCat("HTTP/1.0 ", response.status, " ", ReasonPhrase(response.status),
                       "\r\nContent-Type: ", response.content_type, "\r\nContent-Length: ", response.body.size(),
                       "\r\nConnection: close\r\n", response.status == 405 ? "Allow: GET, HEAD\r\n" : "", "\r\n");
  if (method != "HEAD") c.out += response.body;
  c.answered = true;
}

bool AdminServer::Impl::OnWritable(Connection& c) {
  while (c.sent < c.out.size()) {
    const ssize_t n = send(c.fd, c.out.data() + c.sent, c.out.size() - c.sent, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    c.sent += static_cast<size_t>(n);
  }
  shutdown(c.fd, SHUT_WR);
  c.closing = true;
  return true;
}

}  // namespace parvis::app
