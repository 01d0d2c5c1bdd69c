// Routing, signing in and limits; posts are in discourse_posts.cc, reading in discourse_read.cc, the staff's deeds in
// discourse_staff.cc.
#include "sandbox/transport/discourse.h"

#include "platform/base/secret.h"
#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/transport/discourse_json.h"

namespace parvis::sandbox {
namespace {

net::HttpResponse NotSignedIn(const std::string& method) {
  // What would write is stopped earlier, as a forged form, with a bare array.
  if (method != "GET") return DiscourseAnswer(Json::array({"BAD CSRF"}), 403);
  return DiscourseError(403, "not_logged_in", "You need to be logged in to do that.");
}

}  // namespace

Reply Discourse::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/discourse");
  if (!read.ok()) return {DiscourseError(400, "invalid_parameters", ToError(read.status()).message)};
  Request& request = *read;
  if (request.path.empty()) return {DiscourseNotFound()};
  const AccountPtr forum = context_.world.FindAccount(Network::kDiscourse, request.path[0]);
  if (forum == nullptr) return {DiscourseNotFound()};
  std::vector<std::string> path(request.path.begin() + 1, request.path.end());
  if (!path.empty() && path.back().ends_with(".json")) path.back().resize(path.back().size() - 5);
  if (path.empty()) return {DiscourseNotFound()};
  // Keys in the query are no keys (facts 9).
  const std::string key = net::HeaderOf(http.headers, "Api-Key"), name = net::HeaderOf(http.headers, "Api-Username");
  if (key.empty()) {
    if (path[0] == "session" && http.method == "GET") return {DiscourseAnswer(nullptr, 404)};
    return {NotSignedIn(http.method)};
  }
  const bool right = ConstantTimeEquals(forum->token, key) && forum->token_state == TokenState::kValid;
  if (!right || name != forum->handle) {
    return {
        DiscourseError(403, "invalid_access",
                       "You are not permitted to view the requested resource. The API username or key is invalid.")};
  }
  return Route({request, forum, path, Cat(request.base_url, "/discourse/", forum->id)});
}

net::HttpResponse Discourse::TooMany(absl::Duration wait) const {
  const int64_t seconds = std::max<int64_t>(1, absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1))));
  net::HttpResponse response =
      DiscourseAnswer({{"errors", {"You’ve performed this action too many times, please try again later."}},
                       {"error_type", "rate_limit"},
                       {"extras", {{"wait_seconds", seconds}, {"time_left", Cat(seconds, " seconds")}}}},
                      429);
  response.headers["Retry-After"] = std::to_string(seconds);
  response.headers["Discourse-Rate-Limit-Error-Code"] = "admin_api_key_rate_limit";
  return response;
}

Reply Discourse::Guarded(const Asked& asked, std::string_view operation, const Perform& perform) {
  const absl::Time now = context_.clock.WallNow();
  const LimitState state = context_.limits.Take(Network::kDiscourse, asked.forum->id, "api", now);
  if (state.limited && state.exceeded) return {TooMany(state.reset - now)};
  return UnderFaults(
      context_, Network::kDiscourse, asked.forum->id, operation,
      {.limited = [&] { return TooMany(absl::Seconds(2)); }, .forbidden = [] { return DiscourseForbidden(); }},
      perform);
}

Reply Discourse::Route(const Asked& asked) {
  const auto& path = asked.path;
  const std::string& method = asked.request.http.method;
  if (auto reply = RouteTopics(asked)) return *std::move(reply);
  if (auto reply = RoutePosts(asked)) return *std::move(reply);
  if (auto reply = RouteStaff(asked)) return *std::move(reply);
  if (method == "GET" && path.size() == 2 && path[0] == "session" && path[1] == "current") {
    return Guarded(asked, "identity", [&](Answer) {
      return DiscourseAnswer({{"current_user", DiscourseUser(*asked.forum)}});
    });
  }
  if (method == "GET" && path.size() == 2 && (path[0] == "u" || path[0] == "users")) {
    return Guarded(asked, "identity", [&](Answer) { return Profile(asked); });
  }
  if (method == "GET" && path.size() == 1 && path[0] == "notifications") {
    return Guarded(asked, "list", [&](Answer a) { return Notifications(asked, a); });
  }
  if (method == "GET" && path.size() == 1 && (path[0] == "categories" || path[0] == "site")) {
    return Guarded(asked, "read", [&](Answer) { return Categories(asked); });
  }
  if (method == "POST" && path.size() == 1 && path[0] == "uploads") {
    return Guarded(asked, "media", [&](Answer a) { return Upload(asked, a); });
  }
  return {DiscourseNotFound()};
}

std::optional<Reply> Discourse::RouteTopics(const Asked& asked) {
  const auto& path = asked.path;
  const size_t n = path.size();
  const std::string& method = asked.request.http.method;
  const bool get = method == "GET";
  if (n == 1 && path[0] == "latest" && get) return Guarded(asked, "list", [&](Answer a) { return Topics(asked, a); });
  if (path[0] != "t" || n < 2) return std::nullopt;
  if (get && n == 3 && path[1] == "external_id")
    return Guarded(asked, "read", [&](Answer) { return ByExternalId(asked); });
  const bool number = ForumValue(path[1]) > 0;
  if (get && n == 3 && number && path[2] == "posts")
    return Guarded(asked, "list", [&](Answer) { return TopicPosts(asked); });
  if (get && number && n <= 3) {
    return Guarded(asked, "read", [&](Answer) { return ShowTopic(asked, path[1], n > 2 ? path[2] : ""); });
  }
  if (get && !number && (n == 3 || n == 4)) {  // /t/slug/id[/number]
    return Guarded(asked, "read", [&](Answer) { return ShowTopic(asked, path[2], n > 3 ? path[3] : ""); });
  }
  if (method == "PUT" && n == 3 && number && path[2] == "status") {
    const std::string status = asked.request.Param("status");
    const bool on = asked.request.Param("enabled") == "true";
    const std::string_view operation = status == "visible" ? (on ? "unhide" : "hide") : on ? "lock" : "unlock";
    return Guarded(asked, operation, [&](Answer a) { return SetTopicStatus(asked, a); });
  }
  if (method == "PUT" && n == 3 && !number) return Guarded(asked, "edit", [&](Answer a) { return Rename(asked, a); });
  if (method == "DELETE" && n == 2 && number)
    return Guarded(asked, "delete", [&](Answer a) { return DeletePost(asked, a); });
  return std::nullopt;
}

std::optional<Reply> Discourse::RoutePosts(const Asked& asked) {
  const auto& path = asked.path;
  const size_t n = path.size();
  const std::string& method = asked.request.http.method;
  const bool get = method == "GET";
  if (path[0] == "posts") {
    if (n == 1 && method == "POST") {
      const bool reply = !asked.request.Param("topic_id").empty();
      const bool priv = asked.request.Param("archetype") == "private_message";
      return Guarded(asked,
                     priv    ? "private_reply"
                     : reply ? "reply"
                             : "post",
                     [&](Answer a) { return CreatePost(asked, a); });
    }
    if (n == 1 && get) return Guarded(asked, "list", [&](Answer a) { return Latest(asked, a); });
    if (n == 2 && get) return Guarded(asked, "read", [&](Answer) { return ShowPost(asked); });
    if (n == 2 && method == "PUT") return Guarded(asked, "edit", [&](Answer a) { return EditPost(asked, a); });
    if (n == 2 && method == "DELETE") return Guarded(asked, "delete", [&](Answer a) { return DeletePost(asked, a); });
    if (n == 3 && get && path[2] == "pending") return Guarded(asked, "list", [&](Answer) { return Pending(asked); });
  }
  if (path[0] == "post_actions") {
    if (n == 1 && method == "POST") {
      const bool like = asked.request.Param("post_action_type_id") == "2";
      return Guarded(asked, like ? "edit" : "report", [&](Answer a) { return Act(asked, a); });
    }
    if (n == 2 && method == "DELETE") return Guarded(asked, "edit", [&](Answer) { return Unlike(asked); });
  }
  return std::nullopt;
}

std::optional<Reply> Discourse::RouteStaff(const Asked& asked) {
  const auto& path = asked.path;
  const size_t n = path.size();
  const std::string& method = asked.request.http.method;
  if (path[0] == "review") {
    if (method == "GET" && n == 1) return Guarded(asked, "list", [&](Answer a) { return Reviewables(asked, a); });
    if (method == "GET" && n == 2) return Guarded(asked, "read", [&](Answer) { return ShowReviewable(asked); });
    if (method == "DELETE" && n == 2) return Guarded(asked, "delete", [&](Answer a) { return Withdraw(asked, a); });
    if (method == "PUT" && n == 4 && path[2] == "perform") {
      const bool approve = path[3].starts_with("approve");
      return Guarded(asked, approve ? "approve" : "delete", [&](Answer a) { return Review(asked, a); });
    }
  }
  if (path[0] == "admin" && n == 4 && path[1] == "users" && method == "PUT") {
    const std::string& what = path[3];
    const std::string_view operation = what == "silence"     ? "mute"
                                       : what == "unsilence" ? "unmute"
                                       : what == "suspend"   ? "ban"
                                       : what == "unsuspend" ? "unban"
                                                             : "";
    if (operation.empty()) return std::nullopt;
    return Guarded(asked, operation, [&](Answer a) { return Sanction(asked, a); });
  }
  return std::nullopt;
}

WriteContext Discourse::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.forum->id,
          .actor_name = asked.forum->name,
          .digest = asked.request.digest,
          .answered = answer};
}

}  // namespace parvis::sandbox
