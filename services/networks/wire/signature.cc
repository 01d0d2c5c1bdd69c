#include "networks/wire/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace parvis::networks {
namespace {

constexpr size_t kBlock = 64, kDigest = 32;  // of SHA-256, in bytes

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// SHA-256 of two strings, one after the other.
std::array<unsigned char, kDigest> Sha256(std::string_view first, std::string_view second) {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, kDigest> digest{};
  unsigned int size = 0;
  if (EVP_DigestInit_ex(context.get(), sha256, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), first.data(), first.size()) != 1 ||
      EVP_DigestUpdate(context.get(), second.data(), second.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1 || size != kDigest) {
    std::abort();  // out of memory: no signature may be taken for right
  }
  return digest;
}

std::string_view View(const std::array<unsigned char, kDigest>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

// RFC 2104 §2. OpenSSL's own HMAC() looks the algorithm up by name and makes its contexts anew every time, which costs
// more than the digest of a webhook does.
std::string HmacSha256(std::string_view key, std::string_view message) {
  std::array<unsigned char, kDigest> short_key{};
  if (key.size() > kBlock) {
    short_key = Sha256(key, {});
    key = View(short_key);
  }
  std::array<char, kBlock> inner, outer;
  for (size_t i = 0; i < kBlock; ++i) {
    const char byte = i < key.size() ? key[i] : '\0';
    inner[i] = static_cast<char>(byte ^ 0x36);
    outer[i] = static_cast<char>(byte ^ 0x5c);
  }
  const auto digest = Sha256({outer.data(), kBlock}, View(Sha256({inner.data(), kBlock}, message)));
  // All of these are as good as the key.
  OPENSSL_cleanse(short_key.data(), short_key.size());
  OPENSSL_cleanse(inner.data(), kBlock);
  OPENSSL_cleanse(outer.data(), kBlock);
  return std::string(View(digest));
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

Status CheckSha256Signature(std::string_view header, Encoding encoding, std::string_view body,
                            const std::vector<Secret>& secrets) {
  bool any_secret = false;
  for (const Secret& secret : secrets) any_secret = any_secret || !secret.empty();
  if (header.empty() || !any_secret) {
    return MakeError(Code::kUnauthenticated, "SIGNATURE_MISSING",
                     any_secret ? "the call carries no signature" : "no secret is known to check the signature with");
  }
  bool right = false;
  for (const Secret& secret : secrets) {
    if (secret.empty()) continue;  // anyone can sign with an empty key
    const std::string digest = HmacSha256(secret.Reveal(), body);
    const std::string expected = "sha256=" + (encoding == Encoding::kHex ? ToHex(digest) : ToBase64(digest));
    right = ConstantTimeEquals(header, expected) | right;
  }
  return right ? absl::OkStatus()
               : MakeError(Code::kUnauthenticated, "SIGNATURE_WRONG", "the signature does not match the body");
}

}  // namespace parvis::networks
