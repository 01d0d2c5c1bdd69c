// How each network answers at its authorization pages and token endpoints: its own statuses, codes and words. Sources:
// README.
#pragma once

#include <string>
#include <string_view>

#include "sandbox/domain/oauth.h"
#include "sandbox/transport/web.h"

namespace parvis::sandbox {

net::HttpResponse OAuthRefusal(Network network, OAuthEnd end);
// A grant type that the network does not know, or a parameter that is missing.
net::HttpResponse OAuthMissing(Network network, std::string_view parameter);
net::HttpResponse OAuthTooMany(Network network);
// The answer to a code (`first`) or a refresh token. A life without end is left out.
net::HttpResponse OAuthGranted(Network network, const OAuthTokens& tokens, bool first);
// What the browser is sent back with when the person says no.
std::vector<std::pair<std::string, std::string>> OAuthDenied(Network network);

// Pages for people. `what` is said as the network says it when it does not even send the browser back.
net::HttpResponse OAuthErrorPage(std::string_view what);
net::HttpResponse OAuthConsentPage(Network network, const std::string& app, const std::string& scope,
                                   const std::vector<AccountPtr>& accounts, bool several);

}  // namespace parvis::sandbox
