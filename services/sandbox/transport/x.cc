// Routing, token, limits and writes; lists are in x_lists.cc.
#include "sandbox/transport/x.h"

#include "sandbox/domain/cat.h"
#include "sandbox/domain/tweet_text.h"
#include "sandbox/transport/x_json.h"

namespace parvis::sandbox {
namespace {

constexpr absl::Duration kDuplicateWindow = absl::Hours(24);  // a number of ours

// Members that POST /2/tweets knows; all others are refused (additionalProperties false).
bool IsPostMember(const std::string& name) {
  static const std::set<std::string> kMembers = {"text",
                                                 "media",
                                                 "poll",
                                                 "reply",
                                                 "quote_tweet_id",
                                                 "reply_settings",
                                                 "edit_options",
                                                 "paid_partnership",
                                                 "made_with_ai",
                                                 "community_id",
                                                 "for_super_followers_only",
                                                 "geo",
                                                 "nullcast",
                                                 "direct_message_deep_link",
                                                 "card_uri",
                                                 "share_with_followers"};
  return kMembers.contains(name);
}

net::HttpResponse Failed(const Status& status) {
  if (status.code() == Code::kNotFound) {
    return XProblemResponse({404, "resource-not-found", "Not Found Error", "The tweet does not exist (any more)."});
  }
  return XProblemResponse({503, "about:blank", "Service Unavailable", "Service Unavailable"});
}

}  // namespace

Reply X::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/x");
  if (!read.ok()) return {XInvalid("body", "", ToError(read.status()).message)};
  Request& request = *read;
  if (request.path.size() < 2 || request.path[0] != "2") {
    return {XProblemResponse({404, "about:blank", "Not Found", "Not Found"})};
  }
  request.path.erase(request.path.begin());
  const std::string token = BearerOf(http).value_or("");
  if (auto reply = AppCall(request, token)) return *std::move(reply);
  const AccountPtr account = token.empty() ? nullptr : context_.world.FindByToken(Network::kX, token);
  if (account == nullptr || account->token_state != TokenState::kValid) {
    return {XProblemResponse({401, "about:blank", "Unauthorized", "Unauthorized"})};
  }
  return Route({request, account, request.path});
}

Reply X::Route(const Asked& asked) {
  const std::string& method = asked.request.http.method;
  const auto& path = asked.path;
  const size_t n = path.size();
  const bool get = method == "GET";
  if (path[0] == "tweets") {
    if (n == 1 && method == "POST")
      return Guarded(asked, asked.request.json.is_object() && asked.request.json.contains("reply") ? "reply" : "post",
                     "tweets.create", [&](Answer a) { return Post(asked, a); });
    if (n == 1 && get) return Guarded(asked, "read", "tweets.lookup", [&](Answer) { return Lookup(asked); });
    if (n == 3 && path[1] == "search" && path[2] == "recent" && get) {
      return Guarded(asked, "list", "search.recent", [&](Answer a) { return Search(asked, a); });
    }
    if (n == 2 && get) return Guarded(asked, "read", "tweets.show", [&](Answer) { return Show(asked); });
    if (n == 2 && method == "DELETE") {
      return Guarded(asked, "delete", "tweets.delete", [&](Answer a) { return Delete(asked, a); });
    }
    if (n == 3 && path[2] == "hidden" && method == "PUT") {
      const bool hide = asked.request.Param("hidden") != "false";
      return Guarded(asked, hide ? "hide" : "unhide", "tweets.hidden", [&](Answer a) { return Hide(asked, a); });
    }
  }
  if (n >= 2 && path[0] == "media") {
    return Guarded(asked, "media", "media", [&](Answer a) { return MediaCall(asked, a); });
  }
  if (n >= 3 && path[0] == "users" && path[2] == "muting") {
    if (n == 3 && method == "POST")
      return Guarded(asked, "mute", "users.muting", [&](Answer a) { return Mute(asked, a); });
    if (n == 4 && method == "DELETE") {
      return Guarded(asked, "unmute", "users.muting", [&](Answer a) { return Unmute(asked, a); });
    }
  }
  if (path[0] == "users" && get) {
    if (n == 1) return Guarded(asked, "read", "users.lookup", [&](Answer) { return Users(asked.request); });
    if (n == 2 && path[1] == "me") return Guarded(asked, "identity", "users.me", [&](Answer) { return Me(asked); });
    if (n == 2) return Guarded(asked, "read", "users.show", [&](Answer) { return User(asked); });
    if (n == 3 && path[2] == "tweets") {
      return Guarded(asked, "list", "users.tweets", [&](Answer a) { return Timeline(asked, false, a); });
    }
    if (n == 3 && path[2] == "mentions") {
      return Guarded(asked, "list", "users.mentions", [&](Answer a) { return Timeline(asked, true, a); });
    }
  }
  return {XProblemResponse({404, "about:blank", "Not Found", "Not Found"})};
}

Reply X::Guarded(const Asked& asked, std::string_view operation, const std::string& endpoint,
                 const std::function<net::HttpResponse(Answer)>& perform) {
  const LimitState state = context_.limits.Take(Network::kX, asked.account->id, endpoint, context_.clock.WallNow());
  if (state.limited && state.exceeded) return {TooMany(state)};
  Reply reply =
      UnderFaults(context_, Network::kX, asked.account->id, operation,
                  {.limited = [&] { return TooMany(state); },
                   .forbidden =
                       [] {
                         return XProblemResponse({403, "https://api.x.com/2/problems/client-forbidden", "Client Forbidden",
                                                  "This request must be made using an approved developer account."});
                       }},
                  perform);
  auto& headers = reply.response.headers;
  if (state.limited && headers.find("x-rate-limit-limit") == headers.end()) {
    headers["x-rate-limit-limit"] = std::to_string(state.limit);
    headers["x-rate-limit-remaining"] = std::to_string(state.remaining);
    headers["x-rate-limit-reset"] = std::to_string(absl::ToUnixSeconds(state.reset) + 1);
  }
  return reply;
}

// Both shapes of the body are seen in the wild (facts 3.5): they alternate.
net::HttpResponse X::TooMany(const LimitState& state) {
  net::HttpResponse response =
      refusals_++ % 2 == 0
          ? XProblemResponse({429, "about:blank", "Too Many Requests", "Too Many Requests"})
          : JsonResponse(429, {{"errors", {{{"code", 88}, {"message", "Rate limit exceeded"}}}}}, false);
  const absl::Time reset = state.limited ? state.reset : context_.clock.WallNow() + absl::Seconds(2);
  response.headers["x-rate-limit-limit"] = std::to_string(state.limited ? state.limit : 1);
  response.headers["x-rate-limit-remaining"] = "0";
  response.headers["x-rate-limit-reset"] = std::to_string(absl::ToUnixSeconds(reset) + 1);
  return response;
}

WriteContext X::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.account->id,
          .actor_name = asked.account->name,
          .digest = asked.request.digest,
          .answered = answer};
}

net::HttpResponse X::Me(const Asked& asked) {
  return JsonResponse(200, {{"data", XUser(asked.account->id, asked.account->name, asked.account->handle)}}, false);
}

net::HttpResponse X::Post(const Asked& asked, Answer answer) {
  const Json& body = asked.request.json;
  if (!body.is_object()) return XInvalid("body", "", "The request body is not a JSON object.");
  for (const auto& [name, value] : body.items()) {
    if (!IsPostMember(name))
      return XInvalid(
          name, "",
          Cat("$.", name, ": is not defined in the schema and the schema does not allow additional properties"));
  }
  if (body.contains("text") && !body.at("text").is_string()) return XInvalid("text", "", "$.text: must be a string");
  const std::string text = body.value("text", "");
  const bool media = body.contains("media");
  std::string attached;
  if (media) {
    if (auto wrong = WrongMedia(asked, body.at("media"), &attached)) return *std::move(wrong);
  }
  if (text.empty() && !media) return XInvalid("text", "", "The tweet needs text or media.");
  const TweetCheck check = CheckTweet(text);
  if (!text.empty() && !check.valid) {
    return XInvalid(
        "text", "",
        Cat("Your Tweet text is too long or holds a character that is refused (weight ", check.weight, ")."));
  }
  std::string parent;
  if (body.contains("reply")) {
    const Json& reply = body.at("reply");
    if (!reply.is_object() || !reply.contains("in_reply_to_tweet_id") ||
        !reply.at("in_reply_to_tweet_id").is_string()) {
      return XInvalid("reply.in_reply_to_tweet_id", "", "$.reply.in_reply_to_tweet_id: must be a string of digits");
    }
    parent = reply.at("in_reply_to_tweet_id").get<std::string>();
    const ItemPtr target = context_.world.Find(Network::kX, parent);
    if (target == nullptr || target->deleted) return Failed(NotFound(parent));
  }
  // The duplicate rule looks at what was written, before t.co; what has media of its own is no duplicate.
  if (!media &&
      context_.world.FindDuplicate(Network::kX, asked.account->id, parent, text,
                                   context_.clock.WallNow() - kDuplicateWindow)) {
    return XProblemResponse(
        {403, "about:blank", "Forbidden", "You are not allowed to create a Tweet with duplicate content."});
  }
  ShortenedTweet shown = ShortenUrls(text, asked.account->id);
  const auto item = context_.world.Create({.network = Network::kX,
                                           .kind = parent.empty() ? Item::Kind::kPost : Item::Kind::kComment,
                                           .account = asked.account->id,
                                           .parent = parent,
                                           .author_id = asked.account->id,
                                           .author_name = asked.account->name,
                                           .author_handle = asked.account->handle,
                                           .text = shown.text,
                                           .written = text,
                                           .media = attached,
                                           .urls = shown.urls,
                                           .by_us = true},
                                          Us(asked, answer));
  if (!item.ok()) return Failed(item.status());
  return JsonResponse(
      201, {{"data", {{"id", (*item)->id}, {"text", (*item)->text}, {"edit_history_tweet_ids", {(*item)->id}}}}},
      false);
}

net::HttpResponse X::Hide(const Asked& asked, Answer answer) {
  const Json& body = asked.request.json;
  if (!body.is_object() || !body.contains("hidden") || !body.at("hidden").is_boolean() || body.size() != 1) {
    return XInvalid("hidden", "", "$.hidden: must be a boolean");
  }
  const bool hidden = body.at("hidden").get<bool>();
  const ItemPtr target = context_.world.Find(Network::kX, asked.path[1]);
  if (target == nullptr || target->deleted) return Failed(NotFound(asked.path[1]));
  // Only replies in conversations that we started.
  const ItemPtr root = context_.world.Find(Network::kX, target->thread);
  if (target->kind != Item::Kind::kComment || target->by_us || root == nullptr ||
      root->author_id != asked.account->id) {
    return XProblemResponse({403, "not-authorized-for-resource", "Forbidden",
                             "Only replies in a conversation that the user started can be hidden."});
  }
  const auto changed = context_.world.SetHidden(Network::kX, target->id, hidden, Us(asked, answer));
  return changed.ok() ? JsonResponse(200, {{"data", {{"hidden", hidden}}}}, false) : Failed(changed.status());
}

net::HttpResponse X::Delete(const Asked& asked, Answer answer) {
  const ItemPtr target = context_.world.Find(Network::kX, asked.path[1]);
  if (target == nullptr || target->deleted) return Failed(NotFound(asked.path[1]));
  if (target->author_id != asked.account->id) {
    return XProblemResponse({403, "not-authorized-for-resource", "Forbidden", "Only the author can delete a tweet."});
  }
  const auto gone = context_.world.Delete(Network::kX, target->id, Us(asked, answer));
  return gone.ok() ? JsonResponse(200, {{"data", {{"deleted", true}}}}, false) : Failed(gone.status());
}

}  // namespace parvis::sandbox
