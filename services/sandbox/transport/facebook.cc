// Routing, tokens, limits; the edges themselves are in facebook_edges.cc.
#include "sandbox/transport/facebook.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/facebook_json.h"

namespace parvis::sandbox {
namespace {

// Hour budgets are shared by all calls of a Page.
constexpr char kEndpoint[] = "page";

std::string TokenOf(const Request& request) {
  auto header = request.http.headers.find("authorization");
  if (header != request.http.headers.end()) {
    for (std::string_view scheme : {"Bearer ", "OAuth "}) {
      if (header->second.size() > scheme.size() && header->second.compare(0, scheme.size(), scheme) == 0) {
        return header->second.substr(scheme.size());
      }
    }
  }
  return request.Param("access_token");
}

net::HttpResponse BadToken(TokenState state) {
  FacebookError error{.http_status = 400, .code = 190};
  switch (state) {
    case TokenState::kExpired:
      error.subcode = 463;
      error.message = "Error validating access token: Session has expired.";
      break;
    case TokenState::kRevoked:
      error.subcode = 460;
      error.message =
          "Error validating access token: The session has been invalidated because the user changed "
          "their password or Facebook has changed the session for security reasons.";
      break;
    case TokenState::kValid:
      error.message = "Invalid OAuth access token - Cannot parse access token";
      break;
  }
  return FacebookErrorResponse(error);
}

}  // namespace

Reply Facebook::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/facebook");
  if (!read.ok()) {
    return {FacebookErrorResponse({.code = 100, .message = Cat("(#100) ", ToError(read.status()).message)})};
  }
  Request& request = *read;
  std::string version = "v19.0";  // an unversioned call falls to the oldest version
  if (!request.path.empty() && request.path[0].size() > 1 && request.path[0][0] == 'v' &&
      absl::EndsWith(request.path[0], ".0")) {
    version = request.path[0];
    request.path.erase(request.path.begin());
  }
  if (request.path.empty() || request.path.size() > 2) {
    return {FacebookErrorResponse({.code = 2500, .message = "Unknown path components"})};
  }
  const std::string token = TokenOf(request);
  if (token.empty()) {
    return {FacebookErrorResponse({.code = 104, .message = "An access token is required to request this resource."})};
  }
  const AccountPtr account = context_.world.FindByToken(Network::kFacebook, token);
  if (account == nullptr) return {BadToken(TokenState::kValid)};
  if (account->token_state != TokenState::kValid) return {BadToken(account->token_state)};
  Asked asked{request, account, version, request.path[0], request.path.size() > 1 ? request.path[1] : ""};
  if (asked.object == "me") asked.object = account->id;
  return Route(asked);
}

Reply Facebook::Route(const Asked& asked) {
  std::string method = asked.request.http.method;
  if (method == "POST") {  // the Graph API lets a POST ask for another method
    const std::string other = asked.request.Param("method");
    if (other == "delete" || other == "DELETE") method = "DELETE";
    if (other == "get" || other == "GET") method = "GET";
  }
  const bool get = method == "GET", post = method == "POST", own = asked.object == asked.account->id;
  const std::string& edge = asked.edge;
  using Answered = net::HttpResponse;
  auto guarded = [&](std::string_view operation, auto&& perform) { return Guarded(asked, operation, perform); };
  if (edge.empty()) {
    if (get && own) return guarded("identity", [&](Answer) -> Answered { return Identity(asked); });
    if (get) return guarded("read", [&](Answer) -> Answered { return ReadObject(asked); });
    if (method == "DELETE") return guarded("delete", [&](Answer a) -> Answered { return Remove(asked, a); });
    if (post && !own) {
      const std::string hidden = asked.request.Param("is_hidden");
      const bool hide = hidden == "true" || hidden == "1";
      return guarded(hidden.empty() ? "edit"
                     : hide         ? "hide"
                                    : "unhide",
                     [&](Answer a) -> Answered { return Update(asked, a); });
    }
  }
  if (own && get && edge == "accounts") return guarded("identity", [&](Answer) { return MyAccounts(asked); });
  if (own && edge == "subscribed_apps") {
    return guarded("identity", [&](Answer) -> Answered {
      if (!get) return JsonResponse(200, {{"success", true}});
      return JsonResponse(200, {{"data", {{{"id", "1"}, {"name", "sandbox"}, {"subscribed_fields", {"feed"}}}}}});
    });
  }
  if (own && edge == "messages" && post) return guarded("private_reply", [&](Answer a) { return Message(asked, a); });
  if (own && edge == "blocked" && (post || method == "DELETE")) {
    return guarded(post ? "ban" : "unban", [&, post](Answer a) { return Block(asked, post, a); });
  }
  if (edge == "feed" && post) return guarded("post", [&](Answer a) { return Publish(asked, a); });
  if (edge == "photos" && post) return guarded("media", [&](Answer a) { return Photo(asked, a); });
  if (get && (edge == "feed" || edge == "posts" || edge == "published_posts" || edge == "scheduled_posts")) {
    return guarded("list", [&](Answer a) { return Feed(asked, a); });
  }
  if (edge == "comments" && get) return guarded("list", [&](Answer a) { return Comments(asked, a); });
  if (edge == "comments" && post) return guarded("reply", [&](Answer a) { return Comment(asked, a); });
  return {FacebookErrorResponse({.code = 100,
                                 .subcode = 33,
                                 .message = Cat("Unsupported ", absl::AsciiStrToLower(method),
                                                " request. Please read the Graph API documentation"),
                                 .type = "GraphMethodException"})};
}

Reply Facebook::Guarded(const Asked& asked, std::string_view operation,
                        const std::function<net::HttpResponse(Answer)>& perform) {
  constexpr int kForced[] = {32, 80001, 4, 613, 17};
  const LimitState state =
      context_.limits.Take(Network::kFacebook, asked.account->id, kEndpoint, context_.clock.WallNow());
  if (state.limited && state.exceeded) return {RateLimited(asked, state, 80001)};
  Reply reply = UnderFaults(
      context_, Network::kFacebook, asked.account->id, operation,
      {.limited = [&] { return RateLimited(asked, state, kForced[forced_limits_++ % std::size(kForced)]); },
       .forbidden =
           [] {
             return FacebookErrorResponse(
                 {.http_status = 403, .code = 200, .message = "(#200) Permissions error"});
           }},
      perform);
  if (!reply.abort && reply.response.headers.find("X-App-Usage") == reply.response.headers.end()) {
    AddUsage(asked, state, reply.response);
  }
  return reply;
}

void Facebook::AddUsage(const Asked& asked, const LimitState& state, net::HttpResponse& response) {
  const int64_t percent = state.limited ? state.used * 100 / std::max<int64_t>(1, state.limit) : 0;
  const int64_t minutes =
      percent >= 100 ? std::max<int64_t>(1, absl::ToInt64Minutes(state.reset - context_.clock.WallNow()) + 1) : 0;
  const Json usage = {{"call_count", percent}, {"total_cputime", percent / 2}, {"total_time", percent / 2}};
  Json business = usage;
  business["type"] = "pages";
  business["estimated_time_to_regain_access"] = minutes;
  response.headers["X-App-Usage"] = usage.dump();
  response.headers["X-Business-Use-Case-Usage"] = Json{{asked.account->id, {business}}}.dump();
  response.headers["Facebook-API-Version"] = asked.version;
}

// Over the limit is 400 with a code, not 429 (facts 0.4).
net::HttpResponse Facebook::RateLimited(const Asked& asked, const LimitState& state, int code) {
  net::HttpResponse response = FacebookErrorResponse({.http_status = 400,
                                                      .code = code,
                                                      .subcode = code == 80001 ? 2446079 : 0,
                                                      .message = Cat("(#", code, ") Page request limit reached")});
  LimitState full = state;
  full.limited = true;
  full.limit = full.used = std::max<int64_t>(1, state.limit);
  if (!state.limited) full.reset = context_.clock.WallNow() + absl::Minutes(1);
  AddUsage(asked, full, response);
  return response;
}

}  // namespace parvis::sandbox
