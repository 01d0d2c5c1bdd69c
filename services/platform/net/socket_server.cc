#include "platform/net/socket_server.h"

#include <openssl/sha.h>

#include "platform/net/client_transfer.h"

namespace parvis::net {

std::optional<HttpResponse> AcceptSocket(const HttpRequest& request) {
  const auto key = request.headers.find("Sec-WebSocket-Key"), version = request.headers.find("Sec-WebSocket-Version");
  if (request.method != "GET" || key == request.headers.end() || version == request.headers.end() || version->second != "13") {
    return std::nullopt;
  }
  const std::string text = key->second + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // §1.3
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return HttpResponse{101,
                      {{"Upgrade", "websocket"},
                       {"Sec-WebSocket-Accept", Base64({reinterpret_cast<const char*>(digest), sizeof digest})}},
                      ""};
}

std::string TextFrame(std::string_view text) {
  std::string out = "\x81";
  const size_t size = text.size();
  if (size < 126) {
    out.push_back(static_cast<char>(size));
  } else {
    const int bytes = size <= 0xffff ? 2 : 8;
    out.push_back(static_cast<char>(bytes == 2 ? 126 : 127));
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift & 255));
  }
  return out.append(text);
}

}  // namespace parvis::net
