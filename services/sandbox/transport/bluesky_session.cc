// Signing in with an app password, and who is who.
#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"
#include "sandbox/transport/bluesky.h"
#include "sandbox/transport/bluesky_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kRefreshTokensMax = 100'000;

bool IsPassword(const Account& account, std::string_view password) {
  for (const auto& [name, value] : NatureOf(account.network).credentials(account)) {
    if (name == "app_password" && value == password) return true;
  }
  return false;
}

Json Document(const Request& request, const Account& account) {
  return {{"@context", {"https://www.w3.org/ns/did/v1"}},
          {"id", account.id},
          {"alsoKnownAs", {Cat("at://", BskyHandle(account.handle))}},
          {"service",
           {{{"id", "#atproto_pds"},
             {"type", "AtprotoPersonalDataServer"},
             {"serviceEndpoint", Cat(request.base_url, "/bluesky")}}}}};
}

Json Known(const Request& request, const Account& account) {
  return {{"did", account.id},
          {"handle", BskyHandle(account.handle)},
          {"email", "brand@example.com"},
          {"emailConfirmed", true},
          {"emailAuthFactor", false},
          {"active", true},
          {"didDoc", Document(request, account)}};
}

}  // namespace

// The caller holds the lock.
Json Bluesky::Session(const Request& request, const Account& account) {
  if (refresh_.size() >= kRefreshTokensMax) refresh_.clear();
  const std::string refresh = "sandbox-refresh-" + RandomHex(48);
  refresh_[refresh] = account.id;
  Json session = Known(request, account);
  session["accessJwt"] = account.token;
  session["refreshJwt"] = refresh;
  return session;
}

Reply Bluesky::CreateSession(const Request& request) {
  const std::string identifier = request.Param("identifier"), password = request.Param("password");
  if (!request.json.is_object()) return {XrpcInvalid("Request encoding (Content-Type) required but not provided")};
  for (const char* name : {"identifier", "password"}) {
    if (!request.json.contains(name)) return {XrpcInvalid(Cat("Input must have the property \"", name, "\""))};
  }
  const AccountPtr account = FindActor(identifier);
  const std::string who = account == nullptr ? identifier : account->id;
  const absl::Time now = context_.clock.WallNow();
  for (const auto& [endpoint, seconds] : {std::pair{"createSession", 300}, std::pair{"createSession.day", 86400}}) {
    const LimitState state = context_.limits.Take(Network::kBluesky, who, endpoint, now);
    if (state.limited && state.exceeded) return {BskyTooMany(state, seconds, now)};
  }
  if (account == nullptr || !IsPassword(*account, password)) {
    return {XrpcError(401, "AuthenticationRequired", "Invalid identifier or password")};
  }
  return UnderFaults(context_, Network::kBluesky, account->id, "identity",
                     {.limited = [&] { return BskyTooMany({}, 300, now); },
                      .forbidden = [] { return XrpcError(401, "AccountTakedown", "Account has been taken down"); }},
                     [&](Answer) {
                       std::lock_guard lock(mutex_);
                       // A session that lives is shared: the sandbox knows one access token an account.
                       const AccountPtr latest = context_.world.FindAccount(Network::kBluesky, account->id);
                       if (latest != nullptr && latest->token_state == TokenState::kValid) {
                         return JsonResponse(200, Session(request, *latest), false);
                       }
                       const auto renewed = context_.world.RenewToken(Network::kBluesky, account->id);
                       if (!renewed.ok())
                         return XrpcError(401, "AuthenticationRequired", "Invalid identifier or password");
                       return JsonResponse(200, Session(request, **renewed), false);
                     });
}

// Both tokens are replaced; the old ones are worth nothing then.
Reply Bluesky::RefreshSession(const Request& request) {
  const std::optional<std::string> token = BearerOf(request.http);
  if (!token) return {XrpcError(401, "AuthMissing", "Authentication Required")};
  if (context_.world.FindByToken(Network::kBluesky, *token) != nullptr) {
    return {XrpcError(400, "InvalidToken", "Invalid token type")};
  }
  std::string did;
  {
    std::lock_guard lock(mutex_);
    const auto it = refresh_.find(*token);
    if (it == refresh_.end()) return {XrpcError(400, "ExpiredToken", "Token has been revoked")};
    did = it->second;
  }
  const absl::Time now = context_.clock.WallNow();
  return UnderFaults(context_, Network::kBluesky, did, "identity",
                     {.limited = [&] { return BskyTooMany({}, 300, now); },
                      .forbidden = [] { return XrpcError(401, "AccountTakedown", "Account has been taken down"); }},
                     [&](Answer) {
                       std::lock_guard lock(mutex_);
                       const auto renewed = context_.world.RenewToken(Network::kBluesky, did);
                       if (refresh_.erase(*token) == 0 || !renewed.ok()) {
                         return XrpcError(400, "ExpiredToken", "Token has been revoked");
                       }
                       return JsonResponse(200, Session(request, **renewed), false);
                     });
}

net::HttpResponse Bluesky::GetSession(const Asked& asked, Answer) {
  return JsonResponse(200, Known(asked.request, *asked.account), false);
}

net::HttpResponse Bluesky::DescribeServer(const Asked&, Answer) {
  return JsonResponse(200,
                      {{"did", "did:web:sandbox.invalid"},
                       {"availableUserDomains", {".bsky.social"}},
                       {"inviteCodeRequired", false},
                       {"links", Json::object()},
                       {"contact", Json::object()}},
                      false);
}

net::HttpResponse Bluesky::ResolveHandle(const Asked& asked, Answer) {
  const std::string handle = asked.request.Param("handle");
  if (handle.find('.') == std::string::npos) return XrpcInvalid("Error: handle must be a valid handle");
  const AccountPtr account = FindActor(handle);
  if (account == nullptr) return XrpcInvalid("Unable to resolve handle");
  return JsonResponse(200, {{"did", account->id}}, false);
}

}  // namespace parvis::sandbox
