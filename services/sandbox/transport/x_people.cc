// People of X: muting them (facts 3.3), and what a user counts.
#include <algorithm>

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

// GET /2/users?ids=: public members, whoever asks.
net::HttpResponse X::Users(const Request& request) {
  constexpr size_t kIdsMax = 100;
  Json found = Json::array(), errors = Json::array();
  const std::string ids = request.Param("ids");
  size_t n = 0;
  for (std::string_view rest = ids; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string id(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (!IsUser(id)) return XInvalid("ids", id, Cat("The `ids` query parameter value [", id, "] is not valid"));
    if (++n > kIdsMax) return XInvalid("ids", "", "size must be between 1 and 100");
    const AccountPtr account = context_.world.FindAccount(Network::kX, id);
    if (account == nullptr) {
      errors.push_back(XMissing(id, "ids"));
    } else {
      found.push_back(XUser(account->id, account->name, account->handle));
    }
  }
  if (n == 0) return XInvalid("ids", "", "The `ids` query parameter can not be empty");
  Json json = Json::object();
  if (!found.empty()) json["data"] = std::move(found);
  if (!errors.empty()) json["errors"] = std::move(errors);  // with status 200
  return JsonResponse(200, json, false);
}

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
