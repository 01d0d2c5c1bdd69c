// Routing, signing in and reading; posts and comments are written in ghost_write.cc.
#include "sandbox/transport/ghost.h"

#include <algorithm>
#include <set>

#include <absl/strings/escaping.h>

#include "platform/base/ids.h"
#include "platform/base/secret.h"
#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/network/signature.h"
#include "sandbox/transport/ghost_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kTokenLife = 300;  // seconds
constexpr int64_t kLimitMax = 100;   // since Ghost 6, whatever is asked for

net::HttpResponse NoToken(std::string_view message, std::string_view code) {
  return GhostError(401, "UnauthorizedError", message, "", code);
}
net::HttpResponse NoRoute() { return GhostError(404, "NotFoundError", "Resource not found"); }

bool IsId(std::string_view id) {
  return id.size() == 24 && id.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}
net::HttpResponse WrongId() {
  return GhostInvalid("Validation error, cannot read it.", "Validation (matches) failed for id");
}

// What an integration's key may call at all.
bool Allowed(const std::string& entity, const std::string& method) {
  static const auto* const allowed = new std::map<std::string, std::string>{{"site", "GET"},
                                                                            {"posts", "GET PUT DELETE POST"},
                                                                            {"pages", "GET PUT DELETE POST"},
                                                                            {"images", "POST"},
                                                                            {"webhooks", "POST PUT DELETE"},
                                                                            {"tags", "GET PUT DELETE POST"},
                                                                            {"users", "GET"},
                                                                            {"roles", "GET"},
                                                                            {"members", "GET PUT DELETE POST"},
                                                                            {"newsletters", "GET PUT POST"},
                                                                            {"config", "GET"},
                                                                            {"files", "POST"},
                                                                            {"media", "POST"},
                                                                            {"settings", "GET"},
                                                                            {"comments", "GET POST PUT"}};
  const auto it = allowed->find(entity);
  return it != allowed->end() && Cat(" ", it->second, " ").find(Cat(" ", method, " ")) != std::string::npos;
}

std::string TextOf(const Json& json, const char* name) {
  const Json value = Member(json, name);
  return value.is_string() ? value.get<std::string>() : "";
}

std::optional<Json> Decoded(std::string_view part) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(std::string(part), &text)) return std::nullopt;
  Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? std::optional(json) : std::nullopt;
}

}  // namespace

// The order of the checks is the site's own: form, key, signature, audience, times.
std::unique_ptr<net::HttpResponse> Ghost::SignIn(const net::HttpRequest& http, const Account& site) const {
  const auto refuse = [](net::HttpResponse response) {
    return std::make_unique<net::HttpResponse>(std::move(response));
  };
  const auto header = http.headers.find("authorization");
  if (header == http.headers.end()) {
    return refuse(GhostError(403, "NoPermissionError", "Authorization failed",
                             "Unable to determine the authenticated user or integration. Check that cookies are being "
                             "passed through if using session authentication.",
                             ""));
  }
  const std::string& value = header->second;
  if (!value.starts_with("Ghost ")) {
    return refuse(NoToken("Authorization header format is \"Authorization: Ghost [token]\"", "INVALID_AUTH_HEADER"));
  }
  const std::string token = value.substr(6);
  const size_t first = token.find('.'), second = first == std::string::npos ? first : token.find('.', first + 1);
  if (second == std::string::npos)
    return refuse(GhostError(400, "BadRequestError", "Invalid token", "", "INVALID_JWT"));
  const auto head = Decoded(token.substr(0, first)), claims = Decoded(token.substr(first + 1, second - first - 1));
  if (!head || !claims) return refuse(GhostError(400, "BadRequestError", "Invalid token", "", "INVALID_JWT"));
  const std::string kid = TextOf(*head, "kid");
  if (kid.empty())
    return refuse(GhostError(400, "BadRequestError", "Admin API kid missing.", "", "MISSING_ADMIN_API_KID"));
  const size_t colon = site.token.find(':');
  if (kid != site.token.substr(0, colon) || site.token_state != TokenState::kValid) {
    return refuse(NoToken("Unknown Admin API Key", "UNKNOWN_ADMIN_API_KEY"));
  }
  const auto invalid = [&](std::string_view why) {
    return refuse(NoToken(Cat("Invalid token: ", why), "INVALID_JWT"));
  };
  std::string signature;
  const bool decoded = absl::WebSafeBase64Unescape(token.substr(second + 1), &signature);
  const std::string wanted =
      HmacHex(Secret(absl::HexStringToBytes(site.token.substr(colon + 1))), token.substr(0, second));
  if (TextOf(*head, "alg") != "HS256" || !decoded || absl::BytesToHexString(signature) != wanted)
    return invalid("invalid signature");
  const std::string audience = TextOf(*claims, "aud");
  if (audience != "/admin/" && audience != "admin/" && audience != "/admin" && audience != "admin") {
    return invalid("jwt audience invalid. expected: //?admin/?$/");
  }
  const int64_t now = absl::ToUnixSeconds(context_.clock.WallNow());
  const auto number = [&](const char* name) {
    const Json json = Member(*claims, name);
    return json.is_number_integer() ? json.get<int64_t>() : -1;
  };
  if (number("exp") >= 0 && number("exp") <= now) return invalid("jwt expired");
  if (number("iat") < 0) return invalid("iat required when maxAge is specified");
  if (number("iat") + kTokenLife <= now) return invalid("maxAge exceeded");
  return nullptr;
}

Reply Ghost::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/ghost");
  if (!read.ok())
    return {GhostError(400, "BadRequestError", "Request not understood error, cannot read it.",
                       ToError(read.status()).message)};
  const Request& request = *read;
  const auto& path = request.path;
  const AccountPtr site = path.empty() ? nullptr : context_.world.FindAccount(Network::kGhost, path[0]);
  if (site == nullptr || path.size() < 5 || path[1] != "ghost" || path[2] != "api" || path[3] != "admin")
    return {NoRoute()};
  if (!http.path.ends_with('/')) {  // the address without its slash is another one
    net::HttpResponse redirect{301, {}, ""};
    redirect.headers["Location"] = Cat(request.base_url, http.path, "/", http.query.empty() ? "" : "?", http.query);
    return {redirect};
  }
  const Asked asked{request, site, {path.begin() + 4, path.end()}};
  if (asked.path.size() == 1 && asked.path[0] == "site" && asked.method() == "GET") {
    return Guarded(asked, "identity", [&](Answer) { return Site(asked); });
  }
  if (auto refusal = SignIn(http, *site)) return {*std::move(refusal)};
  if (!Allowed(asked.path[0], asked.method())) {
    return {GhostError(403, "NoPermissionError", "API tokens do not have permission to access this endpoint")};
  }
  return Route(asked);
}

Reply Ghost::Guarded(const Asked& asked, std::string_view operation, const Perform& perform) {
  return UnderFaults(context_, Network::kGhost, asked.site->id, operation,
                     {.limited =
                          [] {
                            net::HttpResponse response = GhostError(429, "TooManyRequestsError", "Too many requests");
                            response.headers["Retry-After"] = "30";
                            return response;
                          },
                      .forbidden =
                          [] {
                            return GhostError(403, "NoPermissionError", "Permission error, you cannot do this.",
                                              "You do not have permission to perform this action");
                          }},
                     perform);
}

Reply Ghost::Route(const Asked& asked) {
  const auto& path = asked.path;
  if (path[0] == "posts") return RoutePosts(asked);
  if (path[0] == "comments") return RouteComments(asked);
  if (path[0] == "members") return RouteMembers(asked);
  if (path[0] == "images" && path.size() == 2 && path[1] == "upload") {
    return Guarded(asked, "media", [&](Answer a) { return Upload(asked, a); });
  }
  return {NoRoute()};
}

Reply Ghost::RoutePosts(const Asked& asked) {
  const std::string& method = asked.method();
  if (asked.path.size() == 1) {
    if (method == "GET") return Guarded(asked, "list", [&](Answer a) { return Browse(asked, "posts", a); });
    if (method == "POST") return Guarded(asked, "post", [&](Answer a) { return CreatePost(asked, a); });
    return {NoRoute()};
  }
  if (asked.path.size() != 2) return {NoRoute()};
  if (!IsId(asked.path[1])) return {WrongId()};
  if (method == "PUT") return Guarded(asked, "edit", [&](Answer a) { return EditPost(asked, a); });
  if (method == "DELETE") return Guarded(asked, "delete", [&](Answer a) { return DeletePost(asked, a); });
  return Guarded(asked, "read", [&](Answer) {
    const ItemPtr post = Find(asked, asked.path[1], Item::Kind::kPost);
    return post == nullptr ? GhostNotFound("Post") : JsonResponse(200, {{"posts", {Shown(asked, *post)}}}, false);
  });
}

Reply Ghost::RouteComments(const Asked& asked) {
  const std::string& method = asked.method();
  if (asked.path.size() == 1) {
    if (method == "GET") return Guarded(asked, "list", [&](Answer a) { return Browse(asked, "comments", a); });
    if (method == "POST") return Guarded(asked, "reply", [&](Answer a) { return CreateComment(asked, a); });
    return {NoRoute()};
  }
  if (asked.path.size() != 2) return {NoRoute()};
  if (!IsId(asked.path[1])) return {WrongId()};
  if (method == "GET") {
    return Guarded(asked, "read", [&](Answer) {
      // A deleted one is shown, without its text.
      const ItemPtr comment = context_.world.Find(Network::kGhost, asked.path[1]);
      const bool there =
          comment != nullptr && comment->kind == Item::Kind::kComment && comment->account == asked.site->id;
      return !there ? GhostNotFound("Comment") : JsonResponse(200, {{"comments", {Shown(asked, *comment)}}}, false);
    });
  }
  if (method != "PUT") return {NoRoute()};
  const Json one = Member(asked.request.json, "comments");
  const std::string status = one.is_array() && !one.empty() ? TextOf(one[0], "status") : "";
  const char* operation = status == "hidden"      ? "hide"
                          : status == "published" ? "unhide"
                          : status == "deleted"   ? "delete"
                                                  : "edit";
  return Guarded(asked, operation, [&](Answer a) { return EditComment(asked, a); });
}

Reply Ghost::RouteMembers(const Asked& asked) {
  const auto& path = asked.path;
  if (path.size() == 1 && asked.method() == "GET")
    return Guarded(asked, "list", [&](Answer) { return Members(asked); });
  if (path.size() < 2) return {NoRoute()};
  if (!IsId(path[1])) return {WrongId()};
  if (path.size() == 2 && asked.method() == "GET") {
    return Guarded(asked, "read", [&](Answer) {
      const auto ids = MemberIds(asked);
      if (std::find(ids.begin(), ids.end(), path[1]) == ids.end()) return GhostNotFound("Member");
      return JsonResponse(200, {{"members", {ShownMember(asked, path[1])}}}, false);
    });
  }
  if (path.size() == 4 && path[2] == "commenting" && (path[3] == "disable" || path[3] == "enable") &&
      asked.method() == "POST") {
    return Guarded(asked, path[3] == "disable" ? "ban" : "unban", [&](Answer a) { return Commenting(asked, a); });
  }
  return {NoRoute()};
}

net::HttpResponse Ghost::Site(const Asked& asked) const {
  return JsonResponse(200,
                      {{"site",
                        {{"title", asked.site->name},
                         {"description", "Thoughts, stories and ideas"},
                         {"logo", Json()},
                         {"accent_color", "#15171A"},
                         {"locale", "en"},
                         {"timezone", "Etc/UTC"},
                         {"url", Cat(asked.request.base_url, "/ghost/", asked.site->id, "/")},
                         {"version", "6.65"},
                         {"allow_external_signup", true},
                         {"site_uuid", UuidOfName(asked.site->id)}}}},
                      false);
}

// Lists of posts and of comments: filter, order by time of creation (other orders are passed over), page, limit.
net::HttpResponse Ghost::Browse(const Asked& asked, const char* collection, Answer answer) {
  const bool posts = collection == std::string_view("posts");
  const Request& request = asked.request;
  const auto page = ReadNumber(request.Param("page"), 1, 1, 1'000'000),
             limit = ReadNumber(request.Param("limit"), 15, 1, INT32_MAX);
  if (!page) return GhostInvalid("Validation error, cannot list.", "Validation (matches) failed for page");
  if (!limit) return GhostInvalid("Validation error, cannot list.", "Validation (matches) failed for limit");
  const auto filter = ParseGhostFilter(request.Param("filter"));
  const std::string known = posts ? " id status created_at updated_at title codeinjection_foot visibility "
                                  : " id status created_at updated_at post_id member_id parent_id ";
  const bool served = filter && std::all_of(filter->begin(), filter->end(), [&](const GhostTerm& term) {
                        return known.find(Cat(" ", term.key, " ")) != std::string::npos;
                      });
  if (!served) return GhostError(400, "BadRequestError", "Error parsing filter");
  const int64_t size = std::min(*limit, kLimitMax);
  const bool nested = request.Param("include_nested") != "false";
  ListOptions options{.newest_first = request.Param("order", "created_at desc").find(" asc") == std::string::npos,
                      .limit = static_cast<int>(std::min<int64_t>(*page * size, INT32_MAX)),
                      .count_all = true};
  options.filter = [&](const Item& item) {
    if (!posts && (item.kind != Item::Kind::kComment || (!nested && item.parent != item.post))) return false;
    return Passes(*filter, [&](const std::string& key) -> std::optional<std::string> {
      if (key == "id") return item.id;
      if (key == "status") return GhostStatus(item);
      if (key == "created_at") return GhostStored(item.created);
      if (key == "updated_at") return GhostStored(item.changed);
      if (posts) {
        if (key == "title") return item.title;
        if (key == "codeinjection_foot" || key == "visibility") return Extra(item, key);
        return std::nullopt;
      }
      if (key == "post_id") return item.post;
      if (key == "member_id") return item.author_id;
      if (key == "parent_id") return item.parent == item.post ? "" : item.parent;
      return std::nullopt;
    });
  };
  const Page found =
      context_.world.Read(Network::kGhost, posts ? World::List::kPosts : World::List::kInbox, asked.site->id, options);
  Json list = Json::array();
  for (size_t i = static_cast<size_t>((*page - 1) * size); answer != Answer::kEmptyPage && i < found.items.size();
       ++i) {
    list.push_back(Shown(asked, *found.items[i]));
  }
  const int64_t pages = std::max<int64_t>(1, (found.total + size - 1) / size);
  return JsonResponse(200,
                      {{collection, std::move(list)},
                       {"meta",
                        {{"pagination",
                          {{"page", *page},
                           {"limit", size},
                           {"pages", pages},
                           {"total", found.total},
                           {"next", *page < pages ? Json(*page + 1) : Json()},
                           {"prev", *page > 1 ? Json(*page - 1) : Json()}}}}}},
                      false);
}

std::vector<std::string> Ghost::MemberIds(const Asked& asked) const {
  std::set<std::string> ids = {GhostOwnMember(*asked.site)};
  const Page all = context_.world.Read(Network::kGhost, World::List::kInbox, asked.site->id, {.limit = INT32_MAX});
  for (const ItemPtr& item : all.items) ids.insert(item->author_id);
  return {ids.begin(), ids.end()};
}

Json Ghost::ShownMember(const Asked& asked, const std::string& id) const {
  const bool banned = context_.world.IsMarked(Network::kGhost, asked.site->id, id, "ban");
  const bool ours = id == GhostOwnMember(*asked.site);
  return {{"id", id},
          {"uuid", UuidOfName(id)},
          {"name", ours ? asked.site->name : Cat("Member ", id.substr(20))},
          {"email", Cat(id, "@mail.example")},
          {"expertise", Json()},
          {"avatar_image", Json()},
          {"can_comment", !banned},
          {"commenting", {{"disabled", banned}, {"disabled_reason", Json()}, {"disabled_until", Json()}}}};
}

net::HttpResponse Ghost::Members(const Asked& asked) const {
  const std::vector<std::string> ids = MemberIds(asked);
  const auto limit = ReadNumber(asked.request.Param("limit"), 15, 1, kLimitMax);
  if (!limit) return GhostInvalid("Validation error, cannot list members.", "Validation (matches) failed for limit");
  Json list = Json::array();
  for (size_t i = 0; i < ids.size() && i < static_cast<size_t>(*limit); ++i) list.push_back(ShownMember(asked, ids[i]));
  const int64_t total = static_cast<int64_t>(ids.size()), pages = (total + *limit - 1) / *limit;
  return JsonResponse(200,
                      {{"members", std::move(list)},
                       {"meta",
                        {{"pagination",
                          {{"page", 1},
                           {"limit", *limit},
                           {"pages", pages},
                           {"total", total},
                           {"next", pages > 1 ? Json(2) : Json()},
                           {"prev", Json()}}}}}},
                      false);
}

ItemPtr Ghost::Find(const Asked& asked, const std::string& id, Item::Kind kind) const {
  ItemPtr item = context_.world.Find(Network::kGhost, id);
  const bool there = item != nullptr && !item->deleted && item->kind == kind && item->account == asked.site->id;
  return there ? item : nullptr;
}

Json Ghost::Shown(const Asked& asked, const Item& item) const {
  if (item.kind == Item::Kind::kPost) {
    const std::string formats = asked.request.Param("formats");
    return GhostPost(item, *asked.site, asked.request.base_url, formats.find("html") != std::string::npos);
  }
  Json comment =
      GhostComment(item, context_.world.Find(Network::kGhost, item.post), *asked.site, asked.request.base_url);
  comment["member"] = ShownMember(asked, item.author_id);
  if (!item.author_name.empty()) comment["member"]["name"] = item.author_name;
  return comment;
}

WriteContext Ghost::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.site->id,
          .actor_name = asked.site->name,
          .digest = asked.request.digest,
          .answered = answer};
}

}  // namespace parvis::sandbox
