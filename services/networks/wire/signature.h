// Webhook signatures: HMAC over the raw bytes, compared in constant time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace parvis::networks {

std::string HmacSha256(std::string_view key, std::string_view message);   // 32 bytes
std::string ToHex(std::string_view bytes);                                // lower case
std::string ToBase64(std::string_view bytes);

enum class Encoding { kHex, kBase64 };

// Whether `header` is "sha256=" and the digest of `body` by one of `secrets`, in exactly this encoding. All secrets are
// tried, so that the time tells nothing. UNAUTHENTICATED SIGNATURE_MISSING (empty header, or no secret to check it with),
// SIGNATURE_WRONG.
Status CheckSha256Signature(std::string_view header, Encoding encoding, std::string_view body, const std::vector<Secret>& secrets);

}  // namespace parvis::networks
