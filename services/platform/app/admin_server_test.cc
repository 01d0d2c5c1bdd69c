#include "platform/app/admin_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace parvis::app {
namespace {

int Connect(const std::string& address) {
  const size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

std::string Finish(int fd) {
  std::string out;
  char buffer[4096];
  for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) out.append(buffer, static_cast<size_t>(n));
  close(fd);
  return out;
}

std::string Ask(const std::string& address, const std::string& request) {
  const int fd = Connect(address);
  EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  return Finish(fd);
}

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest()
      : server_([](std::string_view path) {
          if (path == "/big") return AdminResponse{.body = std::string(3 << 20, 'x')};
          return AdminResponse{.status = path == "/ok" ? 200 : 404, .body = std::string(path)};
        }) {}
  void SetUp() override { ASSERT_TRUE(server_.Start("127.0.0.1:0").ok()); }
  AdminServer server_;
};

TEST_F(AdminServerTest, Answers) {
  const std::string answer = Ask(server_.address(), "GET /ok?x=1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer.rfind("HTTP/1.0 200 OK\r\n", 0), 0u) << answer;
  EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_EQ(answer.substr(answer.size() - 3), "/ok");
  EXPECT_EQ(Ask(server_.address(), "GET /no HTTP/1.0\r\n\r\n").rfind("HTTP/1.0 404", 0), 0u);
  EXPECT_EQ(Ask(server_.address(), "HEAD /ok HTTP/1.0\r\n\r\n").find("/ok"), std::string::npos);
}

TEST_F(AdminServerTest, LargeAnswersAreComplete) {
  EXPECT_GT(Ask(server_.address(), "GET /big HTTP/1.0\r\n\r\n").size(), 3u << 20);
}

TEST_F(AdminServerTest, BadRequests) {
  EXPECT_EQ(Ask(server_.address(), "POST /ok HTTP/1.1\r\n\r\n").rfind("HTTP/1.0 405", 0), 0u);
  EXPECT_EQ(Ask(server_.address(), "rubbish\r\n\r\n").rfind("HTTP/1.0 400", 0), 0u);
  EXPECT_EQ(Ask(server_.address(), "GET /" + std::string(4096, 'a')).rfind("HTTP/1.0 431", 0), 0u);
}

TEST_F(AdminServerTest, SilentConnectionsDoNotKeepOthersOut) {
  std::vector<int> silent;
  for (int i = 0; i < AdminServer::kConnectionsMax - 1; ++i) silent.push_back(Connect(server_.address()));
  EXPECT_EQ(Ask(server_.address(), "GET /ok HTTP/1.0\r\n\r\n").rfind("HTTP/1.0 200", 0), 0u);
  for (int fd : silent) close(fd);
}

TEST_F(AdminServerTest, AnAddressInUseIsSaid) {
  AdminServer second([](std::string_view) { return AdminResponse{}; });
  const Status status = second.Start(server_.address());
  EXPECT_EQ(ReasonOf(status), "ADDRESS_IN_USE");
  EXPECT_EQ(ReasonOf(AdminServer([](std::string_view) { return AdminResponse{}; }).Start("nowhere")),
            "ADDRESS_INVALID");
}

}  // namespace
}  // namespace parvis::app
