// People of X: muting them (facts 3.3), and what a user counts.
#include "sandbox/domain/cat.h"
#include "sandbox/transport/x.h"
#include "sandbox/transport/x_json.h"

namespace parvis::sandbox {
namespace {

bool IsUser(std::string_view id) {
  return !id.empty() && id.size() <= 19 && id.find_first_not_of("0123456789") == std::string_view::npos;
}

net::HttpResponse NotYours() {
  return XProblemResponse({403, "not-authorized-for-resource", "Forbidden",
                           "The `id` query parameter value must be the same as the authenticating user."});
}

}  // namespace

net::HttpResponse X::Mute(const Asked& asked, Answer answer) {
  if (asked.path[1] != asked.account->id) return NotYours();
  const Json& body = asked.request.json;
  if (!body.is_object() || body.size() != 1 || !body.contains("target_user_id") || !body.at("target_user_id").is_string()) {
    return XInvalid("target_user_id", "", "$.target_user_id: must be a string of digits");
  }
  const std::string whom = body.at("target_user_id").get<std::string>();
  if (!IsUser(whom)) return XInvalid("target_user_id", whom, "is not a valid user id");
  const Status muted = context_.world.MarkPerson(Network::kX, asked.account->id, whom, "mute", Us(asked, answer));
  return muted.ok() ? JsonResponse(200, {{"data", {{"muting", true}}}}, false) : XInvalid("target_user_id", whom, std::string(muted.message()));
}

net::HttpResponse X::Unmute(const Asked& asked, Answer answer) {
  if (asked.path[1] != asked.account->id) return NotYours();
  if (!IsUser(asked.path[3])) return XInvalid("target_user_id", asked.path[3], "is not a valid user id");
  const Status unmuted =
      context_.world.MarkPerson(Network::kX, asked.account->id, asked.path[3], "unmute", Us(asked, answer));
  return unmuted.ok() ? JsonResponse(200, {{"data", {{"muting", false}}}}, false)
                      : XInvalid("target_user_id", asked.path[3], std::string(unmuted.message()));
}

net::HttpResponse X::User(const Asked& asked) {
  if (asked.path[1] != asked.account->id) return XProblemResponse({404, "resource-not-found", "Not Found Error", "Could not find user."});
  Json user = XUser(asked.account->id, asked.account->name, asked.account->handle);
  if (XFields(asked.request.Param("user.fields")).contains("public_metrics")) {
    ListOptions count{.limit = 0, .count_all = true};
    user["public_metrics"] = {
        {"followers_count", 5000},
        {"following_count", 10},
        {"tweet_count", context_.world.Read(Network::kX, World::List::kOwn, asked.account->id, count).total},
        {"listed_count", 0}};
  }
  return JsonResponse(200, {{"data", std::move(user)}}, false);
}

}  // namespace parvis::sandbox
