// The server's side of a WebSocket (RFC 6455), as far as one who only sends needs it: with Responder::BeginStream.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/net/http_server.h"

namespace parvis::net {

// The 101 that takes what `request` asks for; nullopt when it asks for no WebSocket (version 13).
std::optional<HttpResponse> AcceptSocket(const HttpRequest& request);
// A whole message, unmasked, as servers send.
std::string TextFrame(std::string_view text);

}  // namespace parvis::net
