// Routing and signing in; reading is in nodebb_read.cc, writing in nodebb_write.cc.
#include "sandbox/transport/nodebb.h"

#include "platform/base/secret.h"
#include "sandbox/domain/cat.h"
#include "sandbox/transport/nodebb_json.h"

namespace parvis::sandbox {

Reply Nodebb::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/nodebb");
  if (!read.ok()) return {NodebbError(400, "[[error:invalid-data]]")};
  Request& request = *read;
  if (request.path.size() < 3 || request.path[1] != "api")
    return {NodebbPage({{"path", http.path}, {"title", "404"}}, 404)};
  const AccountPtr forum = context_.world.FindAccount(Network::kNodebb, request.path[0]);
  if (forum == nullptr) return {NodebbPage({{"path", http.path}, {"title", "404"}}, 404)};
  const bool v3 = request.path[2] == "v3";
  const std::string token = BearerOf(http).value_or("");
  const bool right = ConstantTimeEquals(forum->token, token) && forum->token_state == TokenState::kValid;
  if (!right) return {v3 ? NodebbError(401, "[[error:api.401]]") : NodebbPage("not-authorized", 401)};
  // A master token asks for somebody; a user's token is that user's, whatever is asked for.
  Asked asked{request, forum, {request.path.begin() + (v3 ? 3 : 2), request.path.end()}};
  if (asked.path.empty()) return {NodebbError(404, "[[error:api.404]]")};
  return v3 ? RouteWrite(asked) : RouteRead(asked);
}

Reply Nodebb::Guarded(const Asked& asked, std::string_view operation, const Perform& perform) {
  return UnderFaults(
      context_, Network::kNodebb, asked.forum->id, operation,
      {.limited = [] { return NodebbError(400, "[[error:too-many-posts, 10]]"); },  // no status of its own
       .forbidden = [] { return NodebbError(403, "[[error:no-privileges]]"); }},
      perform);
}

Reply Nodebb::RouteRead(const Asked& asked) {
  const auto& path = asked.path;
  const size_t n = path.size();
  const std::string& method = asked.request.http.method;
  if (method == "POST" && n == 2 && path[0] == "post" && path[1] == "upload") {
    return Guarded(asked, "media", [&](Answer a) { return Upload(asked, a); });
  }
  if (method == "GET") {
    if (path[0] == "self" && n == 1) return Guarded(asked, "identity", [&](Answer) { return Self(asked); });
    if (path[0] == "recent" && n >= 2 && n <= 3 && path[1] == "posts") {
      return Guarded(asked, "list", [&](Answer a) { return RecentPosts(asked, a); });
    }
    if ((path[0] == "recent" || path[0] == "unread") && n == 1) {
      return Guarded(asked, "list", [&](Answer a) { return Topics(asked, a); });
    }
    if (path[0] == "topic" && n >= 2) return Guarded(asked, "read", [&](Answer) { return ShowTopic(asked); });
    if (path[0] == "post-queue") return Guarded(asked, "list", [&](Answer a) { return PostQueue(asked, a); });
    if (path[0] == "categories" && n == 1) return Guarded(asked, "read", [&](Answer) { return Categories(asked); });
    if (path[0] == "user" && n == 2)
      return Guarded(asked, "identity", [&](Answer) { return Person(asked, "", path[1], false); });
    if (path[0] == "user" && n == 3 && path[1] == "uid") {
      return Guarded(asked, "identity", [&](Answer) { return Person(asked, path[2], "", false); });
    }
  }
  return {NodebbPage({{"path", asked.request.http.path}, {"title", "[[global:404.title]]"}}, 404)};
}

Reply Nodebb::RouteWrite(const Asked& asked) {
  const auto& path = asked.path;
  const size_t n = path.size();
  const std::string& method = asked.request.http.method;
  if (path[0] == "topics") {
    if (auto reply = RouteTopics(asked)) return *std::move(reply);
  }
  if (path[0] == "posts") {
    if (auto reply = RoutePosts(asked)) return *std::move(reply);
  }
  if (path[0] == "users" && n == 2 && method == "GET") {
    return Guarded(asked, "identity", [&](Answer) { return Person(asked, path[1], "", true); });
  }
  if (path[0] == "users" && n == 3 && (path[2] == "ban" || path[2] == "mute") &&
      (method == "PUT" || method == "DELETE")) {
    return Guarded(asked, method == "PUT" ? path[2] : Cat("un", path[2]), [&](Answer a) { return Sanction(asked, a); });
  }
  if (path[0] == "flags" && n == 1 && method == "POST")
    return Guarded(asked, "report", [&](Answer a) { return Flag(asked, a); });
  return {NodebbError(404, "[[error:api.404]]")};
}

std::optional<Reply> Nodebb::RouteTopics(const Asked& asked) {
  const auto& path = asked.path;
  const size_t n = path.size();
  const std::string& method = asked.request.http.method;
  const bool put = method == "PUT", remove = method == "DELETE";
  if (n == 1 && method == "POST") return Guarded(asked, "post", [&](Answer a) { return CreateTopic(asked, a); });
  if (n == 2 && method == "POST") return Guarded(asked, "reply", [&](Answer a) { return CreateReply(asked, a); });
  if (n == 2 && method == "GET") return Guarded(asked, "read", [&](Answer) { return ShowTopic(asked); });
  if (n == 2 && remove) return Guarded(asked, "delete", [&](Answer a) { return Purge(asked, a); });
  if (n != 3 || (!put && !remove)) return std::nullopt;
  if (path[2] == "state")
    return Guarded(asked, remove ? "delete" : "unhide", [&](Answer a) { return SetRemoved(asked, a); });
  if (path[2] == "lock" || path[2] == "pin") {
    return Guarded(asked, put ? "lock" : "unlock", [&](Answer a) { return SetTopic(asked, a); });
  }
  return std::nullopt;
}

std::optional<Reply> Nodebb::RoutePosts(const Asked& asked) {
  const auto& path = asked.path;
  const size_t n = path.size();
  const std::string& method = asked.request.http.method;
  const bool put = method == "PUT", remove = method == "DELETE";
  if (n == 3 && path[1] == "queue") {
    if (method == "POST") return Guarded(asked, "approve", [&](Answer a) { return Review(asked, a); });
    if (remove) return Guarded(asked, "delete", [&](Answer a) { return Review(asked, a); });
    if (put) return Guarded(asked, "edit", [&](Answer a) { return Review(asked, a); });
  }
  if (n == 2 || (n == 3 && (path[2] == "raw" || path[2] == "summary"))) {
    if (method == "GET") return Guarded(asked, "read", [&](Answer) { return ShowPost(asked); });
  }
  if (n == 2 && put) return Guarded(asked, "edit", [&](Answer a) { return EditPost(asked, a); });
  if (n == 2 && remove) return Guarded(asked, "delete", [&](Answer a) { return Purge(asked, a); });
  if (n == 3 && path[2] == "state" && (put || remove)) {
    return Guarded(asked, remove ? "delete" : "unhide", [&](Answer a) { return SetRemoved(asked, a); });
  }
  if (n == 3 && path[2] == "vote" && (put || remove))
    return Guarded(asked, "edit", [&](Answer) { return Vote(asked); });
  return std::nullopt;
}

WriteContext Nodebb::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.forum->id,
          .actor_name = asked.forum->name,
          .digest = asked.request.digest,
          .answered = answer};
}

}  // namespace parvis::sandbox
