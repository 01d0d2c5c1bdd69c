// Versions, tokens, limits and lists.
#include "sandbox/transport/graph.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kPageMax = 100;
constexpr int64_t kNowhere = 999'999'999'999;  // a position behind everything
constexpr std::string_view kCursor = "QVFI";

std::string TokenOf(const Request& request) {
  const std::string header = net::HeaderOf(request.http.headers, "authorization");
  for (std::string_view scheme : {"Bearer ", "OAuth "}) {
    if (header.size() > scheme.size() && header.starts_with(scheme)) return header.substr(scheme.size());
  }
  return request.Param("access_token");
}

net::HttpResponse BadToken(TokenState state) {
  GraphError error{.http_status = 400, .code = 190};
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
  return GraphErrorResponse(error);
}

bool IsVersion(const std::string& segment) {
  return segment.size() > 1 && segment[0] == 'v' && absl::EndsWith(segment, ".0");
}

// The Graph API lets a POST ask for another method.
std::string MethodOf(const Request& request) {
  const std::string other = absl::AsciiStrToUpper(request.Param("method"));
  return request.http.method == "POST" && (other == "DELETE" || other == "GET") ? other : request.http.method;
}

}  // namespace

Reply Graph::HandleFetched(const net::HttpRequest& http, const Fetched& fetched) {
  StatusOr<Request> read = ReadRequest(http, product_.prefix);
  if (!read.ok()) return {GraphInvalid(ToError(read.status()).message)};
  Request& request = *read;
  const bool upload = !request.path.empty() && request.path[0] == product_.uploads;
  if (upload) request.path.erase(request.path.begin());
  std::string version = "v19.0";  // an unversioned call falls to the oldest version
  if (!request.path.empty() && IsVersion(request.path[0])) {
    version = request.path[0];
    request.path.erase(request.path.begin());
  }
  if (request.path.empty() || request.path.size() > 2) {
    return {GraphErrorResponse({.code = 2500, .message = "Unknown path components"})};
  }
  const std::string token = TokenOf(request);
  if (token.empty()) {
    return {GraphErrorResponse({.code = 104, .message = "An access token is required to request this resource."})};
  }
  const AccountPtr account = context_.world.FindByToken(product_.network, token);
  if (account == nullptr) return {BadToken(TokenState::kValid)};
  if (account->token_state != TokenState::kValid) return {BadToken(account->token_state)};
  Asked asked{request, account, version, request.path[0], request.path.size() > 1 ? request.path[1] : "",
              MethodOf(request), fetched};
  if (account->personal && (asked.object != "me" || asked.edge != "accounts")) {
    return {GraphErrorResponse(
        {.code = 210, .message = "(#210) A page access token is required to request this resource."})};
  }
  if (upload) return Guarded(asked, "media", [&](Answer) { return TakeBytes(asked); });
  if (asked.object == "me") asked.object = account->id;
  return Route(asked);
}

Reply Graph::Unsupported(const Asked& asked) {
  return {GraphErrorResponse({.code = 100,
                              .subcode = 33,
                              .message = Cat("Unsupported ", absl::AsciiStrToLower(asked.method),
                                             " request. Please read the Graph API documentation"),
                              .type = "GraphMethodException"})};
}

Reply Graph::Guarded(const Asked& asked, std::string_view operation, const Perform& perform) {
  const int kForced[] = {32, product_.limit_code, 4, 613, 17};
  const LimitState state = context_.limits.Take(product_.network, asked.account->id, std::string(product_.endpoint),
                                                context_.clock.WallNow());
  if (state.limited && state.exceeded) return {RateLimited(asked, state, product_.limit_code)};
  Reply reply =
      UnderFaults(context_, product_.network, asked.account->id, operation,
                  {.limited = [&] { return RateLimited(asked, state, kForced[forced_limits_++ % std::size(kForced)]); },
                   .forbidden = GraphForbidden},
                  perform);
  if (!reply.abort && reply.response.headers.find("X-App-Usage") == reply.response.headers.end()) {
    AddUsage(asked, state, reply.response);
  }
  return reply;
}

void Graph::AddUsage(const Asked& asked, const LimitState& state, net::HttpResponse& response) {
  const int64_t percent = state.limited ? state.used * 100 / std::max<int64_t>(1, state.limit) : 0;
  const int64_t minutes =
      percent >= 100 ? std::max<int64_t>(1, absl::ToInt64Minutes(state.reset - context_.clock.WallNow()) + 1) : 0;
  const Json usage = {{"call_count", percent}, {"total_cputime", percent / 2}, {"total_time", percent / 2}};
  Json business = usage;
  business["type"] = product_.usage;
  business["estimated_time_to_regain_access"] = minutes;
  response.headers["X-App-Usage"] = usage.dump();
  response.headers["X-Business-Use-Case-Usage"] = Json{{asked.account->id, {business}}}.dump();
  response.headers["Facebook-API-Version"] = asked.version;
}

// Over the limit is 400 with a code, not 429 (facts 0.4).
net::HttpResponse Graph::RateLimited(const Asked& asked, const LimitState& state, int code) {
  net::HttpResponse response = GraphErrorResponse({.http_status = 400,
                                                   .code = code,
                                                   .subcode = code == product_.limit_code ? 2446079 : 0,
                                                   .message = Cat("(#", code, ") Page request limit reached")});
  LimitState full = state;
  full.limited = true;
  full.limit = full.used = std::max<int64_t>(1, state.limit);
  if (!state.limited) full.reset = context_.clock.WallNow() + absl::Minutes(1);
  AddUsage(asked, full, response);
  return response;
}

ItemPtr Graph::Find(const Asked& asked, const std::string& id) const {
  ItemPtr item = context_.world.Find(product_.network, id);
  return item == nullptr || item->deleted || item->account != asked.account->id ? nullptr : item;
}

WriteContext Graph::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.account->id,
          .actor_name = asked.account->name,
          .digest = asked.request.digest,
          .answered = answer};
}

NewItem Graph::Ours(const Asked& asked, Item::Kind kind) const {
  return {.network = product_.network,
          .kind = kind,
          .account = asked.account->id,
          .author_id = asked.account->id,
          .author_name = asked.account->name,
          .author_handle = asked.account->handle,
          .by_us = true};
}

std::optional<ListOptions> Graph::Listing(const Asked& asked, Answer answer) const {
  const auto limit = ReadNumber(asked.Param("limit"), 25, 1, kPageMax);
  if (!limit) return std::nullopt;
  ListOptions options{.limit = answer == Answer::kEmptyPage ? 0 : static_cast<int>(*limit)};
  const std::string after = asked.Param("after");
  if (after.empty()) return options;
  if (!after.starts_with(kCursor)) return std::nullopt;
  const auto position = ReadNumber(std::string_view(after).substr(kCursor.size()), -1, 0, INT64_MAX);
  if (!position) return std::nullopt;
  options.position = *position;
  return options;
}

Json Graph::PageOf(const Asked& asked, const Page& page, const std::string& object, const std::string& edge,
                   const Render& render) const {
  Json data = Json::array();
  for (const ItemPtr& item : page.items) data.push_back(render(*item));
  Json json = {{"data", std::move(data)}};
  if (page.items.empty() && page.next < 0) return json;
  // The cursor points behind the last item: who keeps it goes on with what came later (in chronological order).
  json["paging"] = {{"cursors",
                     {{"before", Cat(kCursor, page.first)},
                      {"after", Cat(kCursor, page.items.empty() ? page.next
                                             : page.after < 0   ? kNowhere
                                                                : page.after)}}}};
  if (page.next < 0) return json;
  std::string next = Cat(asked.request.base_url, product_.prefix, "/", asked.version, "/", object, "/", edge,
                         "?after=", kCursor, page.next);
  for (const char* name : {"fields", "limit", "order", "filter", "since"}) {
    const std::string value = asked.Param(name);
    if (!value.empty()) next += Cat("&", name, "=", net::UrlEncode(value));
  }
  json["paging"]["next"] = next;
  return json;
}

net::HttpResponse Graph::Paged(const Asked& asked, const Page& page, const Render& render) const {
  return JsonResponse(200, PageOf(asked, page, asked.object, asked.edge, render));
}

}  // namespace parvis::sandbox
