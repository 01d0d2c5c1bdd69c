#include "networks/wire/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace parvis::networks {

std::string HmacSha256(std::string_view key, std::string_view message) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()), message.size(),
       digest, &size);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string ToHex(std::string_view bytes) {
  static const char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

std::string ToBase64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return out;
}

Status CheckSha256Signature(std::string_view header, Encoding encoding, std::string_view body, const std::vector<Secret>& secrets) {
  bool any_secret = false;
  for (const Secret& secret : secrets) any_secret = any_secret || !secret.empty();
  if (header.empty() || !any_secret) {
    return MakeError(Code::kUnauthenticated, "SIGNATURE_MISSING",
                     any_secret ? "the call carries no signature" : "no secret is known to check the signature with");
  }
  bool right = false;
  for (const Secret& secret : secrets) {
    if (secret.empty()) continue;   // anyone can sign with an empty key
    const std::string digest = HmacSha256(secret.Reveal(), body);
    const std::string expected = "sha256=" + (encoding == Encoding::kHex ? ToHex(digest) : ToBase64(digest));
    right = ConstantTimeEquals(header, expected) | right;
  }
  return right ? absl::OkStatus() : MakeError(Code::kUnauthenticated, "SIGNATURE_WRONG", "the signature does not match the body");
}

}  // namespace parvis::networks
