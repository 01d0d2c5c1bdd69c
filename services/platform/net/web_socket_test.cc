// WebSockets against a peer that is written byte by byte.
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <atomic>
#include <future>

#include "platform/net/client_transfer.h"
#include "platform/net/socket_server.h"
#include "platform/net/stream_fixture.h"
#include "platform/testing/wait.h"

namespace parvis::net {
namespace {

constexpr int kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10, kMore = 0;

std::string Frame(int opcode, const std::string& payload, bool last = true) {
  std::string out(1, static_cast<char>((last ? 0x80 : 0) | opcode));
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else {  // the shortest form that holds it, or it is no frame
    const bool two = payload.size() <= 0xffff;
    out += static_cast<char>(two ? 126 : 127);
    for (int shift = two ? 8 : 56; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift & 255);
  }
  return out + payload;
}

// A frame of the client: masked, short.
struct Received {
  int opcode = 0;
  std::string payload;
};
std::vector<Received> Frames(const std::string& bytes) {
  std::vector<Received> out;
  for (size_t at = 0; at + 6 <= bytes.size();) {
    const size_t size = static_cast<unsigned char>(bytes[at + 1]) & 127;
    if (at + 6 + size > bytes.size()) break;
    Received frame{bytes[at] & 15, bytes.substr(at + 6, size)};
    for (size_t i = 0; i < size; ++i) frame.payload[i] = static_cast<char>(frame.payload[i] ^ bytes[at + 2 + i % 4]);
    out.push_back(frame);
    at += 6 + size;
  }
  return out;
}

class WebSocketTest : public StreamFixture {
 protected:
  ClientResult Open(const std::string& url) {
    return client().OpenSocket(Within(absl::Seconds(10)), {url, {{"X-Why", "test"}}, Secret("token")}, &socket);
  }
  ClientResult Open(const RawServer& server) {
    return Open("ws://127.0.0.1:" + std::to_string(server.port) + "/subscribe?a=b");
  }
  std::string Read() {
    auto message = socket->Read(Within(absl::Seconds(10)));
    last = message.status();
    return message.ok() ? message->data : "(" + ReasonOf(message.status()) + ")";
  }
  // Takes the client's handshake and agrees; what it asked.
  static std::string Accept(RawSocket& peer) {
    const std::string head = peer.Read([](const std::string& text) { return text.find("\r\n\r\n") != std::string::npos; });
    const size_t at = head.find("Sec-WebSocket-Key: ");
    if (at == std::string::npos) return head;
    const std::string key = head.substr(at + 19, head.find('\r', at) - at - 19) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
    peer.Send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
              Base64({reinterpret_cast<const char*>(digest), sizeof digest}) + "\r\n\r\n");
    return head;
  }

  std::unique_ptr<WebSocket> socket;
  Status last;   // of Read
};

TEST_F(WebSocketTest, MessagesPingsAndAPoliteEnd) {
  std::string head, answered;
  std::promise<void> ended;
  RawServer server([&](RawSocket& peer, int) {
    head = Accept(peer);
    const std::string large(70'000, 'z');
    std::string all = Frame(kText, "one") + Frame(kText, "tw", false) + Frame(kPing, "you?") + Frame(kMore, "o") +
                      Frame(kBinary, std::string("\0\xff", 2)) + Frame(kText, large);
    for (size_t i = 0; i < 40; ++i) peer.Send(all.substr(i, 1));
    peer.Send(all.substr(40));
    answered = peer.ReadToEnd();
    ended.set_value();
  });
  const ClientResult result = Open(server);
  ASSERT_EQ(result.http_status, 101) << result.status;
  ASSERT_NE(socket, nullptr);
  EXPECT_EQ(Read(), "one");
  EXPECT_EQ(Read(), "two");
  auto binary = socket->Read(Within(absl::Seconds(10)));
  ASSERT_TRUE(binary.ok());
  EXPECT_FALSE(binary->text);
  EXPECT_EQ(binary->data, std::string("\0\xff", 2));
  EXPECT_EQ(Read().size(), 70'000u);
  EXPECT_EQ(ReasonOf(socket->Read(Within(absl::Milliseconds(20))).status()), "READ_TIMEOUT");
  socket.reset();
  ASSERT_EQ(ended.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(head.substr(0, head.find('\r')), "GET /subscribe?a=b HTTP/1.1");
  EXPECT_NE(head.find("X-Why: test\r\n"), std::string::npos);
  EXPECT_NE(head.find("Authorization: Bearer token\r\n"), std::string::npos);
  const auto frames = Frames(answered);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].opcode, kPong);
  EXPECT_EQ(frames[0].payload, "you?");
  EXPECT_EQ(frames[1].opcode, kClose);
}

TEST_F(WebSocketTest, ADeadlineInTheMiddleOfAMessageLosesNothing) {
  std::atomic<bool> go{false};
  RawServer server([&](RawSocket& peer, int) {
    Accept(peer);
    const std::string frame = Frame(kText, "whole");
    peer.Send(frame.substr(0, 4));
    EXPECT_TRUE(testing::WaitFor([&go] { return go.load(); }));
    peer.Send(frame.substr(4));
    peer.ReadToEnd();
  });
  ASSERT_EQ(Open(server).http_status, 101);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReasonOf(socket->Read(Within(absl::Milliseconds(20))).status()), "READ_TIMEOUT");
  }
  go = true;
  EXPECT_EQ(Read(), "whole");
  socket.reset();
}

TEST_F(WebSocketTest, HowItEnds) {
  config.message_max_bytes = 1000;
  config.silent_max = absl::Milliseconds(300);
  RawServer server([&](RawSocket& peer, int number) {
    Accept(peer);
    if (number == 0) peer.Send(Frame(kText, "last") + Frame(kText, "half").substr(0, 3));
    if (number == 1) peer.Send(Frame(kText, std::string(1001, 'x')));
    if (number == 2) peer.Send(Frame(kClose, std::string("\x03\xe8", 2)));
    if (number == 3) peer.Send(Frame(kText, "\xff\xfe"));   // no UTF-8
    if (number == 4) peer.Send("\xf5 no frame");
    if (number > 0) peer.ReadToEnd(3000);
  });
  const char* const ends[] = {"(STREAM_LOST)", "(MESSAGE_TOO_LARGE)", "(STREAM_LOST)", "(STREAM_LOST)", "(STREAM_LOST)",
                              "(STREAM_SILENT)"};
  for (int number = 0; number < 6; ++number) {
    ASSERT_EQ(Open(server).http_status, 101) << number;
    if (number == 0) {
      EXPECT_EQ(Read(), "last");
    }
    EXPECT_EQ(Read(), ends[number]) << number << " " << last;
    EXPECT_EQ(Read(), ends[number]) << number;   // for good
    socket.reset();
  }
}

// Our own server's side of it.
TEST_F(WebSocketTest, TheServerTakesThemToo) {
  std::mutex mutex;
  std::optional<Responder> held;
  std::atomic<int> gone{0};
  HttpServer server({}, "test", metrics, [&](HttpRequest request, Responder responder) {
    const auto taken = AcceptSocket(request);
    if (!taken) return responder.Send({400, {}, "a WebSocket is wanted"});
    responder.BeginStream(*taken);
    responder.OnGone([&gone] { ++gone; });
    responder.Write(TextFrame("one") + TextFrame(std::string(300, 'x')));
    responder.Write(TextFrame(std::string(70'000, 'y')));
    std::lock_guard lock(mutex);
    held = responder;
  });
  ASSERT_TRUE(server.Start().ok());
  ASSERT_EQ(Open("ws://" + server.address() + "/").http_status, 101);
  EXPECT_EQ(Read(), "one");
  EXPECT_EQ(Read().size(), 300u);
  EXPECT_EQ(Read().size(), 70'000u);
  socket.reset();
  EXPECT_TRUE(testing::WaitFor([&gone] { return gone == 1; }));
  ASSERT_EQ(Open("ws://" + server.address() + "/").http_status, 101);
  EXPECT_EQ(Read(), "one");
  {
    std::lock_guard lock(mutex);
    held->Abort();
  }
  std::string last;
  while ((last = Read()).front() != '(') {
  }
  EXPECT_EQ(last, "(STREAM_LOST)");
  held.reset();
}

TEST_F(WebSocketTest, WhatIsNoWebSocket) {
  RawServer server([&](RawSocket& peer, int number) {
    peer.Read([](const std::string& text) { return text.find("\r\n\r\n") != std::string::npos; });
    if (number == 0) peer.Send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\nX-Why: no\r\n\r\nnope");
    if (number == 1) peer.Send("HTTP/1.1 302 Found\r\nLocation: ws://169.254.169.254/\r\nContent-Length: 0\r\n\r\n");
    if (number == 2) {
      peer.Send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
    }
    if (number == 3) peer.Send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  });
  const ClientResult refused = Open(server);
  EXPECT_EQ(refused.http_status, 401);
  EXPECT_EQ(refused.body, "nope");
  EXPECT_EQ(refused.headers.at("x-why"), "no");
  EXPECT_EQ(socket, nullptr);
  EXPECT_EQ(Open(server).http_status, 302);
  for (int number = 2; number < 5; ++number) {
    const ClientResult result = Open(server);
    EXPECT_EQ(ReasonOf(result.status), "CONNECTION_LOST") << number;
    EXPECT_EQ(result.sent, Sent::kMaybe);
    EXPECT_EQ(socket, nullptr);
  }
}

TEST_F(WebSocketTest, WhatIsNotCalled) {
  for (const char* url : {"http://example.com/", "ws://user@example.com/", "ws://", "ws://exa mple.com/", "wss:example", ""}) {
    EXPECT_EQ(ReasonOf(Open(std::string(url)).status), "URL_REFUSED") << url;
  }
  EXPECT_EQ(ReasonOf(Open(std::string("ws://10.0.0.1/")).status), "ADDRESS_REFUSED");
  EXPECT_EQ(ReasonOf(Open(std::string("wss://[::ffff:10.0.0.1]/")).status), "ADDRESS_REFUSED");
  EXPECT_EQ(ReasonOf(Open(std::string("ws://no-such-host.invalid/")).status), "CONNECT_FAILED");
  int port;
  { port = RawServer([](RawSocket&, int) {}).port; }
  EXPECT_EQ(ReasonOf(Open("ws://127.0.0.1:" + std::to_string(port) + "/").status), "CONNECT_FAILED");
  config.allowed_networks.clear();
  client_.reset();
  EXPECT_EQ(ReasonOf(Open("ws://localhost:" + std::to_string(port) + "/").status), "ADDRESS_REFUSED");
}

}  // namespace
}  // namespace parvis::net
