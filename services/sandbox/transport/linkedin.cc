// Headers, tokens, routing and limits; what is done is in linkedin_posts.cc, _comments.cc, _media.cc and _org.cc.
#include "sandbox/transport/linkedin.h"

#include <absl/strings/match.h>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/linkedin_urns.h"
#include "sandbox/transport/linkedin_json.h"

namespace parvis::sandbox {
namespace {

// Versions live about a year (facts 5.1): as of the newest one recorded, 202607.
constexpr int64_t kOldestVersion = 202508;

net::HttpResponse BadToken(const AccountPtr& account) {
  if (account == nullptr) {
    return LinkedinRefusal(
        {.status = 401, .message = "Invalid access token", .code = "INVALID_ACCESS_TOKEN", .service_code = 65600});
  }
  if (account->token_state == TokenState::kExpired) {
    return LinkedinRefusal({.status = 401,
                            .message = "The token used in the request has expired",
                            .code = "EXPIRED_ACCESS_TOKEN",
                            .service_code = 65602});
  }
  return LinkedinRefusal({.status = 401,
                          .message = "The token used in the request has been revoked by the user",
                          .code = "REVOKED_ACCESS_TOKEN",
                          .service_code = 65601});
}

std::optional<net::HttpResponse> CheckVersion(const net::HttpRequest& http, absl::Time now) {
  const std::string version = net::HeaderOf(http.headers, "linkedin-version");
  if (version.empty()) {
    return LinkedinRefusal({.message =
                                "A version must be present. Please specify a version by adding the LinkedIn-Version "
                                "header.",
                            .code = "VERSION_MISSING"});
  }
  const auto number = ReadNumber(version.substr(0, 6), -1, 200001, 999912);
  const absl::CivilMonth month = absl::ToCivilMonth(now, absl::UTCTimeZone());
  const bool month_there = number && *number % 100 >= 1 && *number % 100 <= 12;
  const bool revision = version.size() == 6 || (version.size() > 7 && version[6] == '.');  // 202607.01
  if (!month_there || !revision || *number < kOldestVersion || *number > month.year() * 100 + month.month()) {
    return LinkedinRefusal(
        {.status = 426,
         .message = Cat("Requested version ", version, version.size() == 6 ? "01" : "", " is not active"),
         .code = "NONEXISTENT_VERSION"});
  }
  const std::string protocol = net::HeaderOf(http.headers, "x-restli-protocol-version");
  if (protocol != "2.0.0") {
    return LinkedinRefusal({.message = Cat("X-Restli-Protocol-Version ", protocol.empty() ? "1.0.0" : protocol,
                                           " does not fit: keys are in the form of 2.0.0"),
                            .code = "ILLEGAL_ARGUMENT"});
  }
  return std::nullopt;
}

// URNs are percent-encoded, in paths and in queries (facts 5.1).
bool Encoded(std::string_view path, std::string_view query) {
  return path.find_first_of(":(),") == std::string_view::npos && query.find("urn:") == std::string_view::npos;
}

}  // namespace

Reply Linkedin::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/linkedin");
  if (!read.ok()) return {LinkedinRefusal({.message = ToError(read.status()).message, .code = "ILLEGAL_ARGUMENT"})};
  Request& request = *read;
  if (!request.path.empty() && request.path[0] == "dms-uploads") return Upload(request);
  const std::string scheme = "Bearer ", header = net::HeaderOf(http.headers, "authorization");
  if (!absl::StartsWithIgnoreCase(header, scheme) || header.size() == scheme.size()) {
    return {LinkedinRefusal(
        {.status = 401, .message = "Empty oauth2 access token", .code = "EMPTY_ACCESS_TOKEN", .service_code = 65604})};
  }
  const AccountPtr account = context_.world.FindByToken(Network::kLinkedin, header.substr(scheme.size()));
  if (account == nullptr || account->token_state != TokenState::kValid) return {BadToken(account)};
  if (request.path.empty() || request.path[0] != "rest") return {LinkedinGone(http.path)};
  if (auto refusal = CheckVersion(http, context_.clock.WallNow())) return {*std::move(refusal)};

  Asked asked{request, account, http.method, {request.path.begin() + 1, request.path.end()}, http.query};
  const std::string other = net::HeaderOf(http.headers, "x-http-method-override");
  const std::string restli = net::HeaderOf(http.headers, "x-restli-method");
  if (http.method == "POST" && other == "GET") {  // a long GET, tunnelled: the query is the body
    asked.method = "GET";
    asked.query = http.body;
  } else if (http.method == "POST" && absl::EqualsIgnoreCase(restli, "PARTIAL_UPDATE")) {
    asked.method = "PARTIAL_UPDATE";
  }
  if (!Encoded(http.target.substr(0, http.target.find('?')), asked.query)) {
    return {LinkedinRefusal({.message = "Syntax exception in path variables", .code = "ILLEGAL_ARGUMENT"})};
  }
  return Route(asked);
}

Reply Linkedin::Route(const Asked& asked) {
  const std::string resource = asked.At(0);
  if (resource == "posts") return RoutePosts(asked);
  if (resource == "socialActions" || resource == "socialMetadata") return RouteSocial(asked);
  if (resource == "images" || resource == "documents" || resource == "videos") return RouteMedia(asked);
  return RouteRest(asked);
}

Reply Linkedin::RoutePosts(const Asked& asked) {
  const bool one = asked.path.size() == 2, all = asked.path.size() == 1;
  const auto guarded = [&](std::string_view operation, const Perform& perform) {
    return Guarded(asked, operation, "posts", perform);
  };
  if (all && asked.method == "POST") return guarded("post", [&](Answer a) { return Publish(asked, a); });
  if (all && asked.method == "GET") return guarded("list", [&](Answer a) { return FindPosts(asked, a); });
  if (one && asked.method == "GET") return guarded("read", [&](Answer) { return ReadPost(asked); });
  if (one && asked.method == "PARTIAL_UPDATE") return guarded("edit", [&](Answer a) { return EditPost(asked, a); });
  if (one && asked.method == "DELETE") return guarded("delete", [&](Answer a) { return RemovePost(asked, a); });
  return RouteRest(asked);
}

Reply Linkedin::RouteSocial(const Asked& asked) {
  const size_t parts = asked.path.size();
  const std::string& method = asked.method;
  const auto guarded = [&](std::string_view operation, const Perform& perform) {
    return Guarded(asked, operation, "socialActions", perform);
  };
  if (asked.At(0) == "socialMetadata") {
    if (parts == 2 && method == "GET") return guarded("read", [&](Answer) { return Metadata(asked); });
    if (parts == 2 && method == "PARTIAL_UPDATE") {
      const Json state = LinkedinAt(asked.request.json, {"patch", "$set", "commentsState"});
      const bool closed = state == "CLOSED";
      if (!closed && state != "OPEN") return {LinkedinInvalid("patch/$set/commentsState", "is not OPEN or CLOSED")};
      return guarded(closed ? "lock" : "unlock", [&, closed](Answer a) { return SetCommentsState(asked, closed, a); });
    }
    return RouteRest(asked);
  }
  if (parts == 2 && method == "GET") return guarded("read", [&](Answer) { return SocialSummary(asked); });
  if (parts < 3 || parts > 4 || asked.At(2) != "comments") return RouteRest(asked);
  if (parts == 3 && method == "GET") return guarded("list", [&](Answer a) { return Comments(asked, a); });
  if (parts == 3 && method == "POST") return guarded("reply", [&](Answer a) { return WriteComment(asked, a); });
  if (parts == 4 && method == "GET") return guarded("read", [&](Answer) { return ReadComment(asked); });
  if (parts == 4 && method == "PARTIAL_UPDATE") return guarded("edit", [&](Answer a) { return EditComment(asked, a); });
  if (parts == 4 && method == "DELETE") return guarded("delete", [&](Answer a) { return RemoveComment(asked, a); });
  return RouteRest(asked);
}

Reply Linkedin::RouteMedia(const Asked& asked) {
  const std::string kind = asked.At(0).substr(0, asked.At(0).size() - 1), action = asked.request.Param("action");
  const auto guarded = [&](std::string_view operation, const Perform& perform) {
    return Guarded(asked, operation, "media", perform);
  };
  if (asked.path.size() == 1 && asked.method == "POST" && action == "initializeUpload") {
    return guarded("media", [&](Answer a) { return InitializeUpload(asked, kind, a); });
  }
  if (asked.path.size() == 1 && asked.method == "POST" && action == "finalizeUpload" && kind == "video") {
    return guarded("media", [&](Answer) { return FinalizeUpload(asked); });
  }
  if (asked.path.size() == 2 && asked.method == "GET") return guarded("read", [&](Answer) { return ReadMedia(asked); });
  return {LinkedinRefusal({.message = "Unknown action or method", .code = "ILLEGAL_ARGUMENT"})};
}

Reply Linkedin::RouteRest(const Asked& asked) {
  const bool get = asked.method == "GET", one = asked.path.size() == 2, all = asked.path.size() == 1;
  const std::string resource = asked.At(0);
  const auto guarded = [&](std::string_view operation, const char* endpoint, const Perform& perform) {
    return Guarded(asked, operation, endpoint, perform);
  };
  if (get && one && resource == "organizations") {
    return guarded("identity", "organizations", [&](Answer) { return Organization(asked); });
  }
  if (get && one && resource == "networkSizes") {
    return guarded("read", "organizations", [&](Answer) { return NetworkSize(asked); });
  }
  if (get && all && resource == "organizationAcls") {
    return guarded("identity", "organizations", [&](Answer a) { return Acls(asked, a); });
  }
  if (get && all && resource == "organizationalEntityShareStatistics") {
    return guarded("read", "statistics", [&](Answer) { return ShareStatistics(asked); });
  }
  return {LinkedinRefusal({.status = 404,
                           .message = Cat("No virtual resource found for ", asked.method, " ", resource),
                           .code = "RESOURCE_NOT_FOUND",
                           .service_code = 0})};
}

Reply Linkedin::Guarded(const Asked& asked, std::string_view operation, const char* endpoint, const Perform& perform) {
  // 429 without a word about when (facts 0.4).
  const auto limited = [] {
    return LinkedinRefusal({.status = 429,
                            .message = "Resource level throttle limit for calls to this resource is reached.",
                            .code = "TOO_MANY_REQUESTS",
                            .service_code = 101});
  };
  const auto forbidden = [] {
    return LinkedinRefusal({.status = 403,
                            .message = "Not enough permissions to access this resource",
                            .code = "ACCESS_DENIED",
                            .service_code = 100});
  };
  const LimitState state =
      context_.limits.Take(Network::kLinkedin, asked.account->id, endpoint, context_.clock.WallNow());
  if (state.limited && state.exceeded) return {limited()};
  return UnderFaults(context_, Network::kLinkedin, asked.account->id, operation,
                     {.limited = limited, .forbidden = forbidden}, perform);
}

WriteContext Linkedin::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.account->id,
          .actor_name = asked.account->name,
          .digest = asked.request.digest,
          .answered = answer};
}

ItemPtr Linkedin::Find(std::string_view urn, bool deleted_too) const {
  ItemPtr item;
  if (urn.starts_with(kLinkedinActivity)) {
    const int64_t number = LinkedinNumber(urn) - kLinkedinActivityAhead;
    item = context_.world.Find(Network::kLinkedin, Cat("urn:li:share:", number));
    if (item == nullptr) item = context_.world.Find(Network::kLinkedin, Cat("urn:li:ugcPost:", number));
  } else if (urn.starts_with(kLinkedinComment)) {
    // Named by the activity or by the post.
    const size_t open = urn.find('('), comma = urn.rfind(',');
    if (open == std::string_view::npos || comma == std::string_view::npos || comma < open) return nullptr;
    const ItemPtr post = Find(urn.substr(open + 1, comma - open - 1), true);
    if (post == nullptr || post->kind != Item::Kind::kPost) return nullptr;
    item = context_.world.Find(Network::kLinkedin, LinkedinCommentUrn(post->id, LinkedinCommentNumber(urn)));
  } else {
    item = context_.world.Find(Network::kLinkedin, urn);
  }
  return item == nullptr || (item->deleted && !deleted_too) ? nullptr : item;
}

}  // namespace parvis::sandbox
