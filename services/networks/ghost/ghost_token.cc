// The token of an Admin API key: RFC 7519 with HMAC-SHA256, as Ghost's own documentation makes it.
#include "networks/ghost/ghost.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

constexpr absl::Duration kLife = absl::Minutes(5);    // the site takes no older ones
constexpr absl::Duration kSlack = absl::Seconds(10);  // its clock may be behind ours, and it refuses what begins later

std::string Base64Url(std::string_view bytes) {
  std::string out = ToBase64(bytes);
  while (!out.empty() && out.back() == '=') out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::string GhostToken(std::string_view admin_key, absl::Time now) {
  const size_t colon = admin_key.find(':');
  if (colon == std::string_view::npos || colon == 0) return "";
  const std::string_view id = admin_key.substr(0, colon), hex = admin_key.substr(colon + 1);
  if (hex.empty() || hex.size() % 2 != 0) return "";
  std::string secret;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexDigit(hex[i]), low = HexDigit(hex[i + 1]);
    if (high < 0 || low < 0) return "";
    secret.push_back(static_cast<char>(high * 16 + low));
  }
  const int64_t begin = absl::ToUnixSeconds(now - kSlack), end = absl::ToUnixSeconds(now - kSlack + kLife);
  const Json header = {{"alg", "HS256"}, {"kid", std::string(id)}, {"typ", "JWT"}};
  const Json claims = {{"aud", "/admin/"}, {"exp", end}, {"iat", begin}};
  const auto dump = [](const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); };
  const std::string message = Base64Url(dump(header)) + "." + Base64Url(dump(claims));
  return message + "." + Base64Url(HmacSha256(secret, message));
}

}  // namespace parvis::networks
