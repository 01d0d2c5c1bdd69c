// Short-lived tokens between services: "svc.<base64url name|expiry>.<base64url HMAC-SHA256>".
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "platform/rpc/client.h"

namespace parvis::rpc {
namespace {

constexpr std::string_view kPrefix = "svc.";
constexpr absl::Duration kLife = absl::Seconds(60);
constexpr absl::Duration kSkewMax = absl::Seconds(30);  // clocks of two machines

std::string Sign(std::string_view payload, const Secret& key) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.Reveal().data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(payload.data()), payload.size(), mac, &length);
  return std::string(reinterpret_cast<const char*>(mac), length);
}

Status Unknown() { return MakeError(Code::kUnauthenticated, "TOKEN_UNKNOWN", "the service token is not valid"); }

}  // namespace

std::string MakeServiceToken(std::string_view service, const Secret& key, absl::Time now) {
  const std::string payload = absl::StrCat(std::string(service), "|", absl::ToUnixSeconds(now + kLife));
  return absl::StrCat(std::string(kPrefix), absl::WebSafeBase64Escape(payload), ".",
                      absl::WebSafeBase64Escape(Sign(payload, key)));
}

StatusOr<std::string> CheckServiceToken(std::string_view token, const Secret& key, absl::Time now) {
  if (key.empty() || token.substr(0, kPrefix.size()) != kPrefix) return Unknown();
  token.remove_prefix(kPrefix.size());
  const size_t dot = token.find('.');
  if (dot == std::string_view::npos) return Unknown();
  std::string payload, mac;
  if (!absl::WebSafeBase64Unescape(absl::string_view(token.data(), dot), &payload) ||
      !absl::WebSafeBase64Unescape(absl::string_view(token.data() + dot + 1, token.size() - dot - 1), &mac) ||
      !ConstantTimeEquals(Sign(payload, key), mac)) {
    return Unknown();
  }
  const size_t bar = payload.rfind('|');
  int64_t expiry = 0;
  if (bar == std::string::npos || bar == 0 || !absl::SimpleAtoi(payload.substr(bar + 1), &expiry)) return Unknown();
  if (now >= absl::FromUnixSeconds(expiry)) {
    return MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "the service token has expired");
  }
  if (absl::FromUnixSeconds(expiry) > now + kLife + kSkewMax) return Unknown();
  return payload.substr(0, bar);
}

}  // namespace parvis::rpc
