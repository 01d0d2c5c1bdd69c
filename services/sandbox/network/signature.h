// The signatures of webhooks (facts 0.1), as the networks make them.
#pragma once

#include <string>
#include <string_view>

#include "platform/base/secret.h"

namespace parvis::sandbox {

// HMAC-SHA256 as lower-case hex (Facebook) or base64 (X).
std::string HmacHex(const Secret& key, std::string_view message);
std::string HmacBase64(const Secret& key, std::string_view message);
// The S256 challenge of PKCE (RFC 7636): base64url without padding of SHA-256.
std::string Sha256Base64Url(const std::string& text);
// WebSub's: lower-case hex by "sha1", "sha256", "sha384" or "sha512"; any other name counts as "sha1".
std::string HmacHexBy(std::string_view method, const Secret& key, std::string_view message);

}  // namespace parvis::sandbox
