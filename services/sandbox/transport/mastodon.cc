#include "sandbox/transport/mastodon.h"

#include "sandbox/domain/cat.h"
#include "sandbox/transport/mastodon_json.h"

namespace parvis::sandbox {
namespace {

void Tell(const LimitState& state, net::HttpResponse& response) {
  response.headers["X-RateLimit-Limit"] = std::to_string(state.limit);
  response.headers["X-RateLimit-Remaining"] = std::to_string(state.remaining);
  // ISO 8601 with microseconds, not a number (facts 0.4).
  response.headers["X-RateLimit-Reset"] =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", state.reset + absl::Seconds(1), absl::UTCTimeZone());
}

net::HttpResponse TooMany(LimitState state, absl::Time now) {
  net::HttpResponse response = MastodonError(429, "Too many requests");
  if (!state.limited) state = {.limited = true, .limit = 1, .reset = now + absl::Seconds(2)};
  state.remaining = 0;
  Tell(state, response);
  return response;
}

}  // namespace

Reply Mastodon::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/mastodon");
  if (!read.ok()) return {MastodonError(400, ToError(read.status()).message)};
  const Request& request = *read;
  if (request.path.size() < 3 || request.path[0] != "api") return {MastodonError(404, "Not Found")};
  Asked asked{request, nullptr, {request.path.begin() + 1, request.path.end()}};
  if (http.method == "GET" && asked.path[0] == "v2" && asked.path[1] == "instance") return {Instance(request)};
  const std::optional<std::string> token = BearerOf(http);
  asked.account = token ? context_.world.FindByToken(Network::kMastodon, *token) : nullptr;
  if (asked.account == nullptr || asked.account->token_state != TokenState::kValid) {
    const bool known = asked.account != nullptr;
    const bool expired = known && asked.account->token_state == TokenState::kExpired;
    const std::string_view said = expired ? "The access token expired"
                                  : known ? "The access token was revoked"
                                          : "The access token is invalid";
    net::HttpResponse refused = MastodonError(401, said);
    refused.headers["WWW-Authenticate"] = Cat("Bearer realm=\"Doorkeeper\", error=\"invalid_token\"");
    return {refused};
  }
  if (IsStream(asked)) return OpenStream(asked);
  const Call call = CallOf(asked);
  if (call.perform == nullptr) return {MastodonError(404, "Not Found")};
  return Guarded(asked, call);
}

Mastodon::Call Mastodon::CallOf(const Asked& asked) {
  const std::string& method = asked.request.http.method;
  const auto& path = asked.path;
  const size_t n = path.size();
  if (path[1] == "media") {
    const bool v2 = path[0] == "v2";
    if (n == 2 && method == "POST" && v2) return {"media", "media", &Mastodon::Upload};
    if (n == 3 && method == "GET" && !v2) return {"read", "", &Mastodon::ShowMedia};
    if (n == 3 && method == "PUT" && !v2) return {"edit", "", &Mastodon::Describe};
  }
  if (path[0] != "v1") return {};
  if (path[1] == "accounts") return AccountCallOf(asked);
  if (path[1] == "statuses") return StatusCallOf(asked);
  if (path[1] == "notifications" && n == 2 && method == "GET") return {"list", "", &Mastodon::Notifications};
  if (path[1] == "reports" && n == 2 && method == "POST") return {"report", "reports", &Mastodon::Report};
  return {};
}

Mastodon::Call Mastodon::AccountCallOf(const Asked& asked) {
  const std::string& method = asked.request.http.method;
  const auto& path = asked.path;
  if (method == "GET" && path.size() == 3) {
    if (path[2] == "verify_credentials") return {"identity", "", &Mastodon::VerifyCredentials};
    if (path[2] == "lookup") return {"identity", "", &Mastodon::Lookup};
    return {"identity", "", &Mastodon::ShowAccount};
  }
  if (path.size() != 4) return {};
  if (method == "GET" && path[3] == "statuses") return {"list", "", &Mastodon::AccountStatuses};
  if (method != "POST") return {};
  if (path[3] == "block") return {"ban", "", &Mastodon::Relate};
  if (path[3] == "unblock") return {"unban", "", &Mastodon::Relate};
  if (path[3] == "mute") return {"mute", "", &Mastodon::Relate};
  if (path[3] == "unmute") return {"unmute", "", &Mastodon::Relate};
  return {};
}

Mastodon::Call Mastodon::StatusCallOf(const Asked& asked) {
  const std::string& method = asked.request.http.method;
  const Request& request = asked.request;
  const size_t n = asked.path.size();
  if (n == 2 && method == "GET") return {"read", "", &Mastodon::ShowStatuses};
  if (n == 2 && method == "POST") {
    const std::string_view operation = request.Param("visibility") == "direct"   ? "private_reply"
                                       : request.Param("in_reply_to_id").empty() ? "post"
                                                                                 : "reply";
    return {operation, "statuses", &Mastodon::CreateStatus};
  }
  if (n == 3 && method == "GET") return {"read", "", &Mastodon::ShowStatus};
  if (n == 3 && method == "PUT") return {"edit", "", &Mastodon::EditStatus};
  if (n == 3 && method == "DELETE") return {"delete", "delete", &Mastodon::DeleteStatus};
  if (n == 4 && method == "GET" && asked.path[3] == "context") return {"read", "", &Mastodon::ShowContext};
  return {};
}

Reply Mastodon::Guarded(const Asked& asked, const Call& call) {
  const absl::Time now = context_.clock.WallNow();
  const std::string& who = asked.account->id;
  LimitState state = context_.limits.Take(Network::kMastodon, who, "api", now);
  if (state.limited && state.exceeded) return {TooMany(state, now)};
  if (*call.endpoint != '\0') {
    const LimitState own = context_.limits.Take(Network::kMastodon, who, call.endpoint, now);
    if (own.limited && own.exceeded) return {TooMany(own, now)};
    if (own.limited && (!state.limited || own.remaining < state.remaining)) state = own;
  }
  Reply reply =
      UnderFaults(context_, Network::kMastodon, who, call.operation,
                  {.limited = [&] { return TooMany(state, now); },
                   .forbidden = [] { return MastodonError(403, "This action is outside the authorized scopes"); }},
                  [&](Answer answer) { return (this->*call.perform)(asked, answer); });
  if (state.limited && !reply.response.headers.contains("X-RateLimit-Limit")) Tell(state, reply.response);
  return reply;
}

ItemPtr Mastodon::FindStatus(const std::string& id) const {
  ItemPtr item = context_.world.Find(Network::kMastodon, id);
  return item == nullptr || item->deleted || item->kind == Item::Kind::kMedia ? nullptr : item;
}

WriteContext Mastodon::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.account->id,
          .actor_name = asked.account->name,
          .digest = asked.request.digest,
          .answered = answer};
}

}  // namespace parvis::sandbox
