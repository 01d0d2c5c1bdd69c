#include "networks/wire/websub.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdlib>

#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

constexpr size_t kChallengeMax = 2048;

const EVP_MD* MethodOf(std::string_view name) {
  if (name == "sha1") return EVP_sha1();
  if (name == "sha256") return EVP_sha256();
  if (name == "sha384") return EVP_sha384();
  if (name == "sha512") return EVP_sha512();
  return nullptr;
}

std::string HmacHex(const EVP_MD* method, std::string_view key, std::string_view message) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(method, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
           message.size(), digest, &size) == nullptr) {
    std::abort();  // out of memory: no signature may be taken for right
  }
  return ToHex({reinterpret_cast<const char*>(digest), size});
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Whether a link's parameters, `; rel="hub self"; title=...`, have this relation.
bool HasRelation(std::string_view parameters, std::string_view relation) {
  while (!parameters.empty()) {
    const size_t end = parameters.find(';');
    const std::string_view one = Trimmed(parameters.substr(0, end));
    parameters = end == std::string_view::npos ? std::string_view() : parameters.substr(end + 1);
    if (!one.starts_with("rel=")) continue;
    std::string_view names = one.substr(4);
    if (names.size() >= 2 && names.front() == '"' && names.back() == '"') names = names.substr(1, names.size() - 2);
    while (!names.empty()) {
      const size_t blank = names.find(' ');
      if (names.substr(0, blank) == relation) return true;
      names = blank == std::string_view::npos ? std::string_view() : names.substr(blank + 1);
    }
  }
  return false;
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

Status CheckHubSignature(std::string_view header, std::string_view body, const std::vector<Secret>& secrets) {
  const bool any_secret = std::any_of(secrets.begin(), secrets.end(), [](const Secret& s) { return !s.empty(); });
  if (header.empty() || !any_secret) {
    return MakeError(Code::kUnauthenticated, "SIGNATURE_MISSING",
                     any_secret ? "the call carries no signature" : "no secret is known to check the signature with");
  }
  const size_t equals = header.find('=');
  const EVP_MD* method = equals == std::string_view::npos ? nullptr : MethodOf(header.substr(0, equals));
  if (method == nullptr) {
    return MakeError(Code::kUnauthenticated, "SIGNATURE_WRONG",
                     "the method is none of sha1, sha256, sha384 and sha512");
  }
  const std::string_view given = header.substr(equals + 1);
  bool right = false;
  for (const Secret& secret : secrets) {
    if (secret.empty()) continue;  // anyone can sign with an empty key
    right = ConstantTimeEquals(given, HmacHex(method, secret.Reveal(), body)) | right;
  }
  return right ? absl::OkStatus()
               : MakeError(Code::kUnauthenticated, "SIGNATURE_WRONG", "the signature does not match the body");
}

HubLinks ParseHubLinks(std::string_view header) {
  HubLinks links;
  while (true) {
    const size_t open = header.find('<');
    const size_t close = open == std::string_view::npos ? open : header.find('>', open);
    if (close == std::string_view::npos) return links;
    const std::string_view target = Trimmed(header.substr(open + 1, close - open - 1));
    header = header.substr(close + 1);
    const std::string_view parameters = header.substr(0, header.find('<'));  // to the next link
    const std::string_view own = parameters.substr(0, parameters.rfind(','));
    if (links.hub.empty() && HasRelation(own, "hub")) links.hub = target;
    if (links.self.empty() && HasRelation(own, "self")) links.self = target;
  }
}

StatusOr<HubQuestion> ParseHubQuestion(const WebhookCall& call) {
  const auto query = net::ParseQuery(call.query);
  const auto get = [&](const char* name) {
    const auto it = query.find(name);
    return it == query.end() ? std::string() : it->second;
  };
  HubQuestion out{get("hub.mode"),         get("hub.topic"),         get("hub.challenge"),
                  get("hub.verify_token"), get("hub.lease_seconds"), get("hub.reason")};
  const bool asks = out.mode == "subscribe" || out.mode == "unsubscribe";
  const bool challenged = !out.challenge.empty() && out.challenge.size() <= kChallengeMax && IsPrintable(out.challenge);
  if (call.method != "GET" || out.topic.empty() || (out.mode != "denied" && !(asks && challenged))) {
    return MakeError(Code::kInvalidArgument, "HANDSHAKE_MALFORMED", "hub.mode, hub.topic and hub.challenge are needed");
  }
  return out;
}

StatusOr<HandshakeAnswer> AnswerHub(const HubQuestion& question, const Secret& verify_token) {
  if (question.mode == "denied") return HandshakeAnswer{200, "text/plain", ""};
  const bool right = !verify_token.empty() && ConstantTimeEquals(question.verify_token, verify_token.Reveal());
  if (!right && (question.mode == "unsubscribe" || !question.verify_token.empty())) {
    return MakeError(Code::kPermissionDenied, "VERIFY_TOKEN_WRONG", "hub.verify_token is not the one that was given");
  }
  return HandshakeAnswer{200, "text/plain", question.challenge};
}

}  // namespace parvis::networks
