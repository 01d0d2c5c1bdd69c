#include "platform/blob/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace parvis::blob {
namespace {

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

std::string Hmac(std::string_view key, std::string_view message) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
       message.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return Hex({reinterpret_cast<const char*>(digest), sizeof digest});
}

std::string SigV4Authorization(const SigV4Request& request, const SigV4Key& key, const std::string& amz_date) {
  // Task 1: the canonical request.
  std::string headers, names;
  for (const auto& [name, value] : request.headers) {
    headers += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string canonical = request.method + "\n" + request.path + "\n" + request.query + "\n" + headers + "\n" +
                                names + "\n" + request.payload_sha256;
  // Task 2: the string to sign.
  const std::string date = amz_date.substr(0, 8);
  const std::string scope = date + "/" + key.region + "/s3/aws4_request";
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + amz_date + "\n" + scope + "\n" + Sha256Hex(canonical);
  // Task 3: the signing key, which is good for one day, region and service, and the signature.
  const Secret day(Hmac(Secret("AWS4" + key.secret.Reveal()).Reveal(), date));
  const Secret signing(Hmac(Hmac(Hmac(day.Reveal(), key.region), "s3"), "aws4_request"));
  return "AWS4-HMAC-SHA256 Credential=" + key.id + "/" + scope + ",SignedHeaders=" + names +
         ",Signature=" + Hex(Hmac(signing.Reveal(), to_sign));
}

}  // namespace parvis::blob
