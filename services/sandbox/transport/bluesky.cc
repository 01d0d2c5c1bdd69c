#include "sandbox/transport/bluesky.h"

#include "sandbox/domain/cat.h"
#include "sandbox/transport/bluesky_json.h"

namespace parvis::sandbox {
namespace {

// The budgets of facts 6.4; writes cost points of two of them.
struct Budget {
  const char* endpoint;
  int seconds;
};
constexpr Budget kHttp = {"http", 300}, kHour = {"repo.write.hour", 3600}, kDay = {"repo.write.day", 86400};

void Tell(const LimitState& state, int seconds, net::HttpResponse& response) {
  response.headers["RateLimit-Limit"] = std::to_string(state.limit);
  response.headers["RateLimit-Remaining"] = std::to_string(state.remaining);
  response.headers["RateLimit-Reset"] = std::to_string(absl::ToUnixSeconds(state.reset) + 1);
  response.headers["RateLimit-Policy"] = Cat(state.limit, ";w=", seconds);
}

}  // namespace

net::HttpResponse BskyTooMany(const LimitState& state, int seconds, absl::Time now) {
  net::HttpResponse response = XrpcError(429, "RateLimitExceeded", "Rate Limit Exceeded");
  LimitState told = state;
  if (!state.limited) told = {.limited = true, .limit = 1, .reset = now + absl::Seconds(2)};
  told.remaining = 0;
  Tell(told, seconds, response);
  return response;
}

const Bluesky::Call* Bluesky::CallOf(const std::string& nsid) {
  using B = Bluesky;
  static const auto* const calls = new std::map<std::string, Call>{
      {"com.atproto.server.getSession", {false, true, "identity", 0, &B::GetSession}},
      {"com.atproto.server.describeServer", {false, false, "identity", 0, &B::DescribeServer}},
      {"com.atproto.identity.resolveHandle", {false, false, "identity", 0, &B::ResolveHandle}},
      {"com.atproto.repo.createRecord", {true, true, "", 3, &B::CreateRecord}},
      {"com.atproto.repo.putRecord", {true, true, "", 2, &B::PutRecord}},
      {"com.atproto.repo.deleteRecord", {true, true, "", 1, &B::DeleteRecord}},
      {"com.atproto.repo.getRecord", {false, false, "read", 0, &B::GetRecord}},
      {"com.atproto.repo.listRecords", {false, false, "list", 0, &B::ListRecords}},
      {"com.atproto.repo.uploadBlob", {true, true, "media", 0, &B::UploadBlob}},
      {"com.atproto.moderation.createReport", {true, true, "report", 0, &B::CreateReport}},
      {"app.bsky.graph.muteActor", {true, true, "mute", 0, &B::MuteActor}},
      {"app.bsky.graph.unmuteActor", {true, true, "unmute", 0, &B::UnmuteActor}},
      {"app.bsky.actor.getProfile", {false, true, "identity", 0, &B::GetProfile}},
      {"app.bsky.feed.getPosts", {false, true, "read", 0, &B::GetPosts}},
      {"app.bsky.feed.getPostThread", {false, true, "read", 0, &B::GetPostThread}},
      {"app.bsky.feed.getAuthorFeed", {false, true, "list", 0, &B::GetAuthorFeed}},
      {"app.bsky.notification.listNotifications", {false, true, "list", 0, &B::ListNotifications}},
  };
  const auto it = calls->find(nsid);
  return it == calls->end() ? nullptr : &it->second;
}

Reply Bluesky::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/bluesky");
  if (!read.ok()) return {XrpcInvalid(ToError(read.status()).message)};
  const Request& request = *read;
  if (request.path.size() != 2 || request.path[0] != "xrpc") return {XrpcError(404, "NotFound", "Not Found")};
  const std::string& nsid = request.path[1];
  const bool session = nsid == "com.atproto.server.createSession" || nsid == "com.atproto.server.refreshSession";
  const Call* const call = CallOf(nsid);
  if (call == nullptr && !session) return {XrpcError(501, "MethodNotImplemented", "Method Not Implemented")};
  const std::string_view expected = session || call->procedure ? "POST" : "GET";
  if (http.method != expected) {
    return {XrpcInvalid(Cat("Incorrect HTTP method (", http.method, ") expected ", expected))};
  }
  if (session) return nsid.ends_with("createSession") ? CreateSession(request) : RefreshSession(request);
  Asked asked{request, nullptr};
  if (call->signed_in) {
    if (auto refused = SignIn(http, &asked.account)) return {*std::move(refused)};
  }
  if (call->procedure && nsid != "com.atproto.repo.uploadBlob" && !request.json.is_object()) {
    return {XrpcInvalid("Request encoding (Content-Type) required but not provided")};
  }
  return Guarded(asked, *call);
}

std::optional<net::HttpResponse> Bluesky::SignIn(const net::HttpRequest& http, AccountPtr* account) {
  const std::optional<std::string> token = BearerOf(http);
  if (!token) return XrpcError(401, "AuthMissing", "Authentication Required");
  *account = context_.world.FindByToken(Network::kBluesky, *token);
  if (*account == nullptr) {
    std::lock_guard lock(mutex_);
    return XrpcError(400, "InvalidToken", refresh_.contains(*token) ? "Bad token scope" : "Token could not be verified");
  }
  if ((*account)->token_state == TokenState::kExpired) return XrpcError(400, "ExpiredToken", "Token has expired");
  if ((*account)->token_state == TokenState::kRevoked) return XrpcError(400, "InvalidToken", "Token has been revoked");
  return std::nullopt;
}

Reply Bluesky::Guarded(const Asked& asked, const Call& call) {
  const absl::Time now = context_.clock.WallNow();
  const std::string who = asked.account == nullptr ? "" : asked.account->id;
  // By address, and every caller has ours.
  LimitState tightest = context_.limits.Take(Network::kBluesky, "", kHttp.endpoint, now);
  int seconds = kHttp.seconds;
  if (tightest.limited && tightest.exceeded) return {BskyTooMany(tightest, seconds, now)};
  if (call.points > 0) {
    for (const Budget& budget : {kHour, kDay}) {  // nothing is taken of one unless both have enough
      const LimitState state = context_.limits.Take(Network::kBluesky, who, budget.endpoint, now, 0);
      if (state.limited && state.remaining < call.points) return {BskyTooMany(state, budget.seconds, now)};
    }
    for (const Budget& budget : {kHour, kDay}) {
      const LimitState state = context_.limits.Take(Network::kBluesky, who, budget.endpoint, now, call.points);
      if (state.limited && (!tightest.limited || state.remaining < tightest.remaining)) {
        tightest = state;
        seconds = budget.seconds;
      }
    }
  }
  Reply reply =
      UnderFaults(context_, Network::kBluesky, who, OperationOf(asked, call),
                  {.limited = [&] { return BskyTooMany(tightest, seconds, now); },
                   .forbidden = [] { return XrpcError(403, "AccountTakedown", "Account has been taken down"); }},
                  [&](Answer answer) { return (this->*call.perform)(asked, answer); });
  auto& response = reply.response;
  if (tightest.limited && !response.headers.contains("RateLimit-Limit")) Tell(tightest, seconds, response);
  return reply;
}

// What a write to the repository is, by its record: hiding is a write to a threadgate, banning a record of its own.
std::string Bluesky::OperationOf(const Asked& asked, const Call& call) {
  if (!call.operation.empty()) return std::string(call.operation);
  const Json& body = asked.request.json;
  const bool removal = call.perform == &Bluesky::DeleteRecord;
  const std::string collection = asked.request.Param("collection");
  if (collection == kBskyBlock) return removal ? "unban" : "ban";
  const Json record = Member(body, "record");
  const Key key{asked.account->id, collection, asked.request.Param("rkey")};
  if (collection != kBskyGate) {
    if (removal) return "delete";
    const ItemPtr there = FindPost(key.uri());
    if (call.perform == &Bluesky::PutRecord && there != nullptr &&
        BskyRecord(context_.world, *there, false) != record) {
      return "edit";
    }
    return record.is_object() && record.contains("reply") ? "reply" : "post";
  }
  std::lock_guard lock(mutex_);
  const auto current = records_.find(key.uri());
  const Json before = current == records_.end() ? Json::object() : current->second.value;
  const Json after = removal || !record.is_object() ? Json::object() : record;
  const size_t hidden = Member(before, "hiddenReplies").size();
  const size_t hides = Member(after, "hiddenReplies").size();
  if (hides != hidden) return hides > hidden ? "hide" : "unhide";
  return after.contains("allow") ? "lock" : "unlock";
}

AccountPtr Bluesky::FindActor(std::string_view actor) const {
  if (actor.starts_with("did:")) return context_.world.FindAccount(Network::kBluesky, actor);
  if (AccountPtr account = context_.world.FindByUser(Network::kBluesky, actor)) return account;
  constexpr std::string_view kHost = ".bsky.social";
  if (!actor.ends_with(kHost)) return nullptr;
  return context_.world.FindByUser(Network::kBluesky, actor.substr(0, actor.size() - kHost.size()));
}

ItemPtr Bluesky::FindPost(const std::string& uri) const {
  ItemPtr item = context_.world.Find(Network::kBluesky, uri);
  return item == nullptr || item->deleted || item->kind == Item::Kind::kMedia ? nullptr : item;
}

WriteContext Bluesky::Us(const Asked& asked, Answer answer) const {
  return {.by = "us",
          .actor_id = asked.account->id,
          .actor_name = asked.account->name,
          .digest = asked.request.digest,
          .answered = answer};
}

}  // namespace parvis::sandbox
