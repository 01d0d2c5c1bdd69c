#include "sandbox/network/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <absl/strings/escaping.h>

namespace parvis::sandbox {
namespace {

std::string Hmac(const Secret& key, std::string_view message) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.Reveal().data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &size);
  return std::string(reinterpret_cast<char*>(digest), size);
}

}  // namespace

std::string HmacHex(const Secret& key, std::string_view message) { return absl::BytesToHexString(Hmac(key, message)); }
std::string HmacBase64(const Secret& key, std::string_view message) { return absl::Base64Escape(Hmac(key, message)); }

}  // namespace parvis::sandbox
