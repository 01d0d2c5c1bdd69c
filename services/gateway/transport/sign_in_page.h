// Where networks send browsers back to after a sign-in: a page that hands state and code to the page that opened it,
// and takes them out of the address. Static: the gateway reads nothing of the query, keeps nothing, and calls nobody.
// The sign-in is completed by SignInService.CompleteSignIn, with the key that began it.
#pragma once

#include <optional>

#include "platform/net/http_server.h"

namespace parvis::gateway {

// nullopt: the path is none of this page's.
std::optional<net::HttpResponse> SignInPage(const net::HttpRequest& request);

}  // namespace parvis::gateway
