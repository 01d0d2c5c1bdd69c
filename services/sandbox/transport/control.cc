#include "sandbox/transport/control.h"

#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"
#include "sandbox/domain/tweet_text.h"
#include "sandbox/transport/control_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kJournalLinesMax = 10'000;
constexpr int64_t kJournalBytesMax = 16 << 20;

net::HttpResponse ErrorResponse(const Status& status) {
  const Error error = ToError(status);
  Json json = {{"code", std::string(absl::StatusCodeToString(error.code))},
               {"reason", error.reason},
               {"message", error.message}};
  for (const Violation& violation : error.violations) {
    json["violations"].push_back({{"field", violation.field}, {"description", violation.description}});
  }
  int http = 500;
  switch (error.code) {
    case Code::kInvalidArgument:
      http = 400;
      break;
    case Code::kNotFound:
      http = 404;
      break;
    case Code::kResourceExhausted:
      http = 429;
      break;
    case Code::kUnimplemented:
      http = 405;
      break;
    default:
      break;
  }
  return JsonResponse(http, {{"error", json}}, false);
}

Status NoMethod(const Request& request) {
  return MakeError(Code::kUnimplemented, "NO_SUCH_CALL",
                   Cat(request.http.method, " ", request.http.path, " does not exist"));
}

StatusOr<Network> NetworkAt(const Request& request, size_t i) {
  const auto network = i < request.path.size() ? NetworkOf(request.path[i]) : std::nullopt;
  if (!network) return InvalidField("network", "UNKNOWN_NETWORK", Cat("one of ", NetworkNames()));
  return *network;
}

}  // namespace

net::HttpResponse Control::Handle(const net::HttpRequest& http) {
  const StatusOr<Request> request = ReadRequest(http, "/control");
  if (!request.ok()) return ErrorResponse(request.status());
  if (request->path.size() == 1 && request->path[0] == "journal" && http.method == "GET") {
    const auto after = ReadNumber(request->Param("after"), 0, 0, INT64_MAX);
    const auto limit = ReadNumber(request->Param("limit"), 1000, 1, kJournalLinesMax);
    if (!after || !limit) return ErrorResponse(InvalidField("limit", "OUT_OF_RANGE", "after >= 0, limit 1 to 10000"));
    net::HttpResponse response;
    response.headers["Content-Type"] = "application/x-ndjson";
    response.body = journal_.Read(*after, *limit, kJournalBytesMax);
    return response;
  }
  const StatusOr<Json> json = Route(*request);
  return json.ok() ? JsonResponse(200, *json, false) : ErrorResponse(json.status());
}

StatusOr<Json> Control::Route(const Request& request) {
  const std::string what = request.path.empty() ? "" : request.path[0];
  if (what == "accounts") return Accounts(request);
  if (what == "faults") return FaultRules(request);
  if (what == "limits") return LimitSizes(request);
  if (what == "webhooks") return Targets(request);
  if (what == "audiences" || what == "audience") return Audiences(request);
  if (what == "comments") return Comments(request);
  if (what == "counters") return Counters(request);
  if (what == "settings") return Settings(request);
  if (what == "state") return State(request);
  if (what == "oauth") return SignIns(request);
  if (what == "journal" && request.path.size() == 2 && request.path[1] == "summary") return Summary();
  if (what == "reset" && request.http.method == "POST") return Reset();
  if (what == "health") return Json{{"status", "ok"}};
  return NoMethod(request);
}

StatusOr<Json> Control::Accounts(const Request& request) {
  const std::string& method = request.http.method;
  if (request.path.size() == 1 && method == "GET") {
    Json json = {{"accounts", Json::array()}};
    for (const AccountPtr& account : context_.world.Accounts())
      json["accounts"].push_back(ToJson(*account, request.base_url));
    return json;
  }
  if (request.path.size() == 1 && method == "POST") {
    Reader reader(request.json);
    World::NewAccount account;
    reader.NetworkName("network", &account.network, true);
    reader.Text("name", &account.name);
    reader.Text("handle", &account.handle);
    reader.Number("utc_offset_minutes", &account.utc_offset_minutes);
    reader.Bool("hold_comments", &account.hold_comments);
    PARVIS_RETURN_IF_ERROR(reader.Done());
    PARVIS_ASSIGN_OR_RETURN(const AccountPtr made, context_.world.AddAccount(account));
    return ToJson(*made, request.base_url);
  }
  // /accounts/{network}/{id}[/token]
  PARVIS_ASSIGN_OR_RETURN(const Network network, NetworkAt(request, 1));
  if (request.path.size() == 3 && method == "GET") {
    const AccountPtr account = context_.world.FindAccount(network, request.path[2]);
    if (account == nullptr) return NotFound(request.path[2]);
    return ToJson(*account, request.base_url);
  }
  if (request.path.size() != 4 || request.path[3] != "token" || method != "POST") return NoMethod(request);
  Reader reader(request.json);
  std::string state;
  bool renew = false;
  reader.Text("state", &state);
  reader.Bool("renew", &renew);
  PARVIS_RETURN_IF_ERROR(reader.Done());
  TokenState token = TokenState::kValid;
  if (state == "expired")
    token = TokenState::kExpired;
  else if (state == "revoked")
    token = TokenState::kRevoked;
  else if (state != "valid" && !renew)
    return InvalidField("state", "UNKNOWN_STATE", "valid, expired or revoked; or renew: true");
  StatusOr<AccountPtr> account = renew ? context_.world.RenewToken(network, request.path[2])
                                       : context_.world.SetTokenState(network, request.path[2], token);
  PARVIS_RETURN_IF_ERROR(account.status());
  return ToJson(**account, request.base_url);
}

StatusOr<Json> Control::FaultRules(const Request& request) {
  const std::string& method = request.http.method;
  if (method == "POST" && request.path.size() == 1) {
    PARVIS_ASSIGN_OR_RETURN(FaultRule rule, ReadFault(request.json));
    PARVIS_ASSIGN_OR_RETURN(const int64_t id, context_.faults.Add(std::move(rule)));
    return Json{{"id", id}};
  }
  if (method == "DELETE" && request.path.size() == 1) {
    context_.faults.Clear();
    return Json::object();
  }
  if (method == "DELETE" && request.path.size() == 2) {
    if (!context_.faults.Remove(ReadNumber(request.path[1], -1, 0, INT64_MAX).value_or(-1)))
      return NotFound(request.path[1]);
    return Json::object();
  }
  if (method != "GET") return NoMethod(request);
  Json json = {{"faults", Json::array()}};
  for (const FaultRule& rule : context_.faults.List()) json["faults"].push_back(ToJson(rule));
  return json;
}

StatusOr<Json> Control::LimitSizes(const Request& request) {
  if (request.http.method == "POST") {
    Reader reader(request.json);
    Network network = Network::kFacebook;
    std::string account, endpoint;
    LimitSize size;
    int64_t seconds = 900;
    bool enabled = true, exhaust = false;
    reader.NetworkName("network", &network, true);
    reader.Text("account", &account);
    reader.Text("endpoint", &endpoint);
    reader.Number("limit", &size.limit);
    reader.Number("window_seconds", &seconds);
    reader.Bool("enabled", &enabled);
    reader.Bool("exhaust", &exhaust);
    PARVIS_RETURN_IF_ERROR(reader.Done());
    if (seconds < 1 || seconds > 86400) return InvalidField("window_seconds", "OUT_OF_RANGE", "1 to 86400");
    if (size.limit < 0) return InvalidField("limit", "OUT_OF_RANGE", "0 (no limit) or more");
    size.window = absl::Seconds(seconds);
    if (reader.Has("enabled")) context_.limits.SetEnabled(network, enabled);
    if (reader.Has("limit")) context_.limits.SetSize(network, account, endpoint, size);
    if (exhaust) context_.limits.Exhaust(network, account, endpoint, context_.clock.WallNow());
  } else if (request.http.method != "GET") {
    return NoMethod(request);
  }
  Json json = {{"limits", Json::array()}};
  for (const Limits::Row& row : context_.limits.List()) {
    json["limits"].push_back({{"network", NameOf(row.network)},
                              {"account", row.account},
                              {"endpoint", row.endpoint},
                              {"limit", row.size.limit},
                              {"window_seconds", absl::ToInt64Seconds(row.size.window)},
                              {"enabled", row.enabled}});
  }
  return json;
}

StatusOr<Json> Control::Targets(const Request& request) {
  const std::string& method = request.http.method;
  const int64_t id = request.path.size() > 1 ? ReadNumber(request.path[1], -1, 0, INT64_MAX).value_or(-1) : -1;
  if (method == "POST" && request.path.size() == 1) {
    PARVIS_ASSIGN_OR_RETURN(WebhookTarget target, ReadTarget(request.json));
    target.style.origin = request.base_url;
    if (!target.account.empty() && context_.world.FindAccount(target.network, target.account) == nullptr) {
      return NotFound(target.account);
    }
    PARVIS_ASSIGN_OR_RETURN(const int64_t made, webhooks_.Add(target));
    return Json{{"id", made}};
  }
  if (method == "POST" && request.path.size() == 2) {
    Status status;
    if (!webhooks_.Change(id, [&](WebhookTarget& target) { status = ChangeTarget(request.json, target); })) {
      return NotFound(request.path[1]);
    }
    PARVIS_RETURN_IF_ERROR(status);
  } else if (method == "DELETE" && request.path.size() == 2) {
    if (!webhooks_.Remove(id)) return NotFound(request.path[1]);
  } else if (method == "DELETE") {
    webhooks_.RemoveAll();
  } else if (method != "GET") {
    return NoMethod(request);
  }
  Json json = {{"webhooks", Json::array()}};
  for (const WebhookStats& stats : webhooks_.Stats()) {
    if (id < 0 || stats.id == id) json["webhooks"].push_back(ToJson(stats));
  }
  return json;
}

StatusOr<Json> Control::Audiences(const Request& request) {
  const std::string& method = request.http.method;
  if (method == "POST" && request.path.size() == 1) {
    PARVIS_ASSIGN_OR_RETURN(const AudienceRequest audience, ReadAudience(request.json));
    PARVIS_ASSIGN_OR_RETURN(const int64_t id, audiences_.Start(audience));
    return Json{{"id", id}};
  }
  Json hooks = Json::array();
  for (const WebhookStats& stats : webhooks_.Stats()) hooks.push_back(ToJson(stats));
  if (request.path.size() == 2) {
    const int64_t id = ReadNumber(request.path[1], -1, 0, INT64_MAX).value_or(-1);
    if (method == "DELETE" && !audiences_.Stop(id)) return NotFound(request.path[1]);
    if (method != "GET" && method != "DELETE") return NoMethod(request);
    PARVIS_ASSIGN_OR_RETURN(const AudienceStatus status, audiences_.Get(id));
    Json json = ToJson(status);
    json["webhooks"] = hooks;
    return json;
  }
  if (method != "GET") return NoMethod(request);
  Json json = {{"audiences", Json::array()}, {"webhooks", hooks}};
  for (const AudienceStatus& status : audiences_.List()) json["audiences"].push_back(ToJson(status));
  return json;
}

// One visitor's comment, edit or removal, by hand.
StatusOr<Json> Control::Comments(const Request& request) {
  const std::string& method = request.http.method;
  if (method == "POST" && request.path.size() == 1) {
    Reader reader(request.json);
    NewItem item{.kind = Item::Kind::kComment,
                 .author_id = "7200000000000001",
                 .author_name = "Visitor",
                 .author_handle = "visitor"};
    reader.NetworkName("network", &item.network, true);
    reader.Text("parent", &item.parent);
    reader.Text("text", &item.text);
    reader.Text("account", &item.account);
    reader.Text("author_id", &item.author_id);
    reader.Text("author_name", &item.author_name);
    reader.Text("author_handle", &item.author_handle);
    PARVIS_RETURN_IF_ERROR(reader.Done());
    if (item.text.empty() || item.text.size() > 65'525) return InvalidField("text", "OUT_OF_RANGE", "1 to 65525 bytes");
    if (item.parent.empty()) {
      if (!NatureOf(item.network).mentions) return InvalidField("parent", "REQUIRED", "what the comment answers");
      item.kind = Item::Kind::kMention;
    } else {
      const ItemPtr parent = context_.world.Find(item.network, item.parent);
      if (parent == nullptr) return NotFound(item.parent);
      item.account = parent->account;
    }
    const AccountPtr account = context_.world.FindAccount(item.network, item.account);
    if (account == nullptr) return NotFound(item.account);
    const Nature& nature = NatureOf(item.network);
    item.author_id = nature.person_id(item.author_id);
    if (nature.short_links) {
      ShortenedTweet tweet = ShortenUrls(FitTweet(item.text), item.author_id);
      item.text = std::move(tweet.text);
      item.urls = std::move(tweet.urls);
    }
    if (nature.holds) item.status = account->hold_comments ? "hold" : "approved";
    PARVIS_ASSIGN_OR_RETURN(const ItemPtr made, context_.world.Create(item, {.by = "audience", .label = "by hand"}));
    return ToJson(*made);
  }
  if (request.path.size() != 3) return NoMethod(request);
  PARVIS_ASSIGN_OR_RETURN(const Network network, NetworkAt(request, 1));
  const WriteContext context{.by = "audience", .label = "by hand"};
  StatusOr<ItemPtr> changed = NoMethod(request);
  if (method == "DELETE") changed = context_.world.Delete(network, request.path[2], context);
  if (method == "POST") changed = context_.world.Edit(network, request.path[2], request.Param("text"), context);
  PARVIS_RETURN_IF_ERROR(changed.status());
  return ToJson(**changed);
}

// What the network says of an item, by the names that its face has for it.
StatusOr<Json> Control::Counters(const Request& request) {
  if (request.http.method != "POST" || request.path.size() != 1) return NoMethod(request);
  Reader reader(request.json);
  Network network = Network::kFacebook;
  std::string id;
  reader.NetworkName("network", &network, true);
  reader.Text("id", &id);
  const Json counters = reader.Take("counters");
  PARVIS_RETURN_IF_ERROR(reader.Done());
  std::map<std::string, std::string> extra;
  if (!counters.is_object()) return InvalidField("counters", "OUT_OF_RANGE", "an object of numbers");
  for (const auto& [name, value] : counters.items()) {
    if (!value.is_number_unsigned()) return InvalidField("counters", "OUT_OF_RANGE", "numbers from 0 on");
    extra[name] = std::to_string(value.get<uint64_t>());
  }
  PARVIS_ASSIGN_OR_RETURN(const ItemPtr changed, context_.world.SetExtra(network, id, extra));
  return ToJson(*changed);
}

// /state, /state/{network}/{id}, /state/{network}/{account}/{posts|own|inbox}, /state/{network}/{post}/comments
StatusOr<Json> Control::State(const Request& request) {
  if (request.http.method != "GET") return NoMethod(request);
  if (request.path.size() == 1) {
    const World::Counts counts = context_.world.counts();
    return Json{{"accounts", counts.accounts}, {"items", counts.items}, {"journal_seq", journal_.last_seq()}};
  }
  PARVIS_ASSIGN_OR_RETURN(const Network network, NetworkAt(request, 1));
  if (request.path.size() == 3) {
    const ItemPtr item = context_.world.Find(network, request.path[2]);
    if (item == nullptr) return NotFound(request.path[2]);
    return ToJson(*item);
  }
  if (request.path.size() != 4) return NoMethod(request);
  const std::string& what = request.path[3];
  World::List list = World::List::kPosts;
  if (what == "own")
    list = World::List::kOwn;
  else if (what == "inbox")
    list = World::List::kInbox;
  else if (what == "comments")
    list = World::List::kComments;
  else if (what != "posts")
    return NoMethod(request);
  const auto position = ReadNumber(request.Param("position"), 0, 0, INT64_MAX);
  const auto limit = ReadNumber(request.Param("limit"), 100, 1, 1000);
  if (!position || !limit) return InvalidField("limit", "OUT_OF_RANGE", "1 to 1000");
  const Page page =
      context_.world.Read(network, list, request.path[2],
                          {.newest_first = false, .position = *position, .limit = static_cast<int>(*limit)});
  Json json = {{"items", Json::array()}, {"next_position", page.next}};
  for (const ItemPtr& item : page.items) json["items"].push_back(ToJson(*item));
  return json;
}

StatusOr<Json> Control::Settings(const Request& request) {
  if (request.http.method != "POST") return NoMethod(request);
  Reader reader(request.json);
  bool refuse = true;
  reader.Bool("refuse_duplicates", &refuse);
  PARVIS_RETURN_IF_ERROR(reader.Done());
  if (reader.Has("refuse_duplicates")) context_.world.RefuseDuplicates(refuse);
  return Json::object();
}

StatusOr<Json> Control::Summary() {
  Json json = {{"last_seq", journal_.last_seq()}, {"counts", Json::array()}};
  for (const Journal::Count& count : journal_.Summary()) {
    json["counts"].push_back({{"network", NameOf(count.network)},
                              {"account", count.account},
                              {"kind", count.kind},
                              {"by", count.by},
                              {"answered", count.answered},
                              {"count", count.count}});
  }
  return json;
}

Json Control::Reset() {
  audiences_.StopAll();
  webhooks_.RemoveAll();
  context_.faults.Clear();
  context_.limits.Reset();
  context_.world.Reset();
  oauth_.Reset();
  journal_.Reset();
  return {{"last_seq", journal_.last_seq()}};
}

}  // namespace parvis::sandbox
