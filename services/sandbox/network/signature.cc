#include "sandbox/network/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <absl/strings/escaping.h>

namespace parvis::sandbox {
namespace {

std::string Hmac(const Secret& key, std::string_view message, const EVP_MD* digest_of = EVP_sha256()) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(digest_of, key.Reveal().data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &size);
  return std::string(reinterpret_cast<char*>(digest), size);
}

}  // namespace

std::string HmacHex(const Secret& key, std::string_view message) { return absl::BytesToHexString(Hmac(key, message)); }
std::string HmacHexBy(std::string_view method, const Secret& key, std::string_view message) {
  const EVP_MD* by = method == "sha256"   ? EVP_sha256()
                     : method == "sha384" ? EVP_sha384()
                     : method == "sha512" ? EVP_sha512()
                                          : EVP_sha1();
  return absl::BytesToHexString(Hmac(key, message, by));
}
std::string HmacBase64(const Secret& key, std::string_view message) { return absl::Base64Escape(Hmac(key, message)); }

std::string Sha256Base64Url(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  std::string out = absl::WebSafeBase64Escape({reinterpret_cast<char*>(digest), size});
  while (out.ends_with('=')) out.pop_back();
  return out;
}

}  // namespace parvis::sandbox
