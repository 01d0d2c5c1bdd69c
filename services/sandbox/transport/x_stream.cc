// The filtered stream (facts 3.4): rules, and the one connection that an app may have. All of it goes with the app's own token.
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/streams.h"
#include "sandbox/transport/x.h"
#include "sandbox/transport/x_json.h"

namespace parvis::sandbox {
namespace {

constexpr std::string_view kAppToken = "AAAAAAAAAAAAAAAAAAAAAsandbox";
constexpr size_t kRulesMax = 1000, kRuleLength = 1024;
constexpr int kReplayMax = 100'000;

std::vector<std::string> WordsOf(std::string_view value) {
  std::vector<std::string> out;
  while (!value.empty()) {
    const size_t blank = std::min(value.find(' '), value.size());
    if (blank > 0) out.emplace_back(value.substr(0, blank));
    value.remove_prefix(std::min(blank + 1, value.size()));
  }
  return out;
}

bool IsWord(const std::string& word) {
  return (word.size() > 1 && word[0] == '@') || word == "-is:retweet" || (word.starts_with("from:") && word.size() > 5) ||
         (word.starts_with("-from:") && word.size() > 6);
}

Json Meta(const World&, const Clock& clock, const Json& summary) {
  return {{"sent", XTime(clock.WallNow())}, {"summary", summary}};
}

net::HttpResponse NoConnection(int status, const char* issue, const char* detail) {
  return JsonResponse(status, {{"title", "ConnectionException"}, {"detail", detail}, {"connection_issue", issue},
                               {"type", "https://api.x.com/2/problems/streaming-connection"}}, false);
}

std::string Shown(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

// "@handle" is what mentions that account, and what answers it directly.
bool X::Matches(const StreamRule& rule, const Item& item) const {
  const AccountPtr account = context_.world.FindAccount(Network::kX, item.account);
  if (account == nullptr) return false;
  for (const std::string& word : WordsOf(rule.value)) {
    if (word[0] == '@') {
      const bool named = item.text.find(word) != std::string::npos;
      const bool answered = word.substr(1) == account->handle && !item.by_us &&
                            (item.kind == Item::Kind::kMention || (item.kind == Item::Kind::kComment && item.parent == item.post));
      if (!named && !answered) return false;
    } else if (word.starts_with("from:")) {
      if (item.author_handle != word.substr(5) && item.author_id != word.substr(5)) return false;
    } else if (word.starts_with("-from:")) {
      if (item.author_handle == word.substr(6) || item.author_id == word.substr(6)) return false;
    }
  }
  return true;
}

net::HttpResponse X::AddRules(const Json& add) {
  Json made = Json::array(), errors = Json::array();
  for (const Json& wanted : add) {
    const Json value = Member(wanted, "value"), tag = Member(wanted, "tag");
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    const auto words = WordsOf(text);
    if (words.empty() || text.size() > kRuleLength || !std::ranges::all_of(words, IsWord)) {
      errors.push_back({{"value", value}, {"title", "UnprocessableEntity"}, {"details", {"the sandbox knows @name, from: and -is:retweet"}},
                        {"type", "https://api.x.com/2/problems/invalid-rules"}});
      continue;
    }
    const auto there = std::ranges::find_if(rules_, [&](const auto& one) { return one.second.value == text; });
    if (there != rules_.end()) {
      errors.push_back({{"value", text}, {"id", there->first}, {"title", "DuplicateRule"},
                        {"type", "https://api.x.com/2/problems/duplicate-rules"}});
      continue;
    }
    if (rules_.size() >= kRulesMax) return XProblemResponse({422, "rule-cap", "RulesCapExceeded", "Too many rules."});
    const std::string id = std::to_string(1'900'000'000'000'000'000 + ++last_rule_);
    rules_[id] = {text, tag.is_string() ? tag.get<std::string>() : ""};
    Json rule = {{"id", id}, {"value", text}};
    if (!rules_[id].tag.empty()) rule["tag"] = rules_[id].tag;
    made.push_back(rule);
  }
  Json json = {{"meta", Meta(context_.world, context_.clock,
                             {{"created", made.size()}, {"not_created", errors.size()}, {"valid", made.size()}, {"invalid", errors.size()}})}};
  const int status = made.empty() ? 200 : 201;
  if (!made.empty()) json["data"] = std::move(made);
  if (!errors.empty()) json["errors"] = std::move(errors);
  return JsonResponse(status, json, false);
}

net::HttpResponse X::Rules(const Request& request) {
  std::lock_guard lock(mutex_);
  if (request.http.method == "GET") {
    Json json = {{"meta", {{"sent", XTime(context_.clock.WallNow())}, {"result_count", rules_.size()}}}};
    for (const auto& [id, rule] : rules_) {
      json["data"].push_back({{"id", id}, {"value", rule.value}});
      if (!rule.tag.empty()) json["data"].back()["tag"] = rule.tag;
    }
    return JsonResponse(200, json, false);
  }
  const Json add = Member(request.json, "add"), ids = Member(Member(request.json, "delete"), "ids");
  if (add.is_array() && !add.empty() && ids.is_null()) return AddRules(add);
  if (!ids.is_array() || ids.empty() || !add.is_null()) return XInvalid("add", "", "one of add and delete is needed");
  int gone = 0;
  for (const Json& id : ids) gone += id.is_string() ? static_cast<int>(rules_.erase(id.get<std::string>())) : 0;
  return JsonResponse(200, {{"meta", Meta(context_.world, context_.clock, {{"deleted", gone}, {"not_deleted", ids.size() - gone}})}}, false);
}

std::string X::Line(const std::string& fields, const std::string& expansions, const ItemPtr& item) {
  if (item->kind == Item::Kind::kMedia || item->deleted) return "";
  Json matching = Json::array();
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, rule] : rules_) {
      if (Matches(rule, *item)) matching.push_back({{"id", id}, {"tag", rule.tag}});
    }
  }
  if (matching.empty()) return "";
  Json json = Tweets(fields, expansions, {item});
  json["data"] = Json(json["data"][0]);
  json["matching_rules"] = std::move(matching);
  return Shown(json) + "\r\n";
}

Reply X::OpenStream(const Request& request) {
  const auto backfill = ReadNumber(request.Param("backfill_minutes"), 0, 0, 5);
  if (!backfill) return {XInvalid("backfill_minutes", request.Param("backfill_minutes"), "must be 1 to 5")};
  Reply reply = UnderFaults(context_, Network::kX, "", "stream",
                            {.limited = [&] { return TooMany({}); },
                             .forbidden = [] { return XProblemResponse({403, "client-forbidden", "Forbidden", "Not enrolled."}); }},
                            [](Answer) { return net::HttpResponse(); });
  if (reply.abort || reply.response.status != 200 || !reply.response.body.empty()) return reply;
  auto opening = std::make_shared<StreamOpening>();
  {
    std::lock_guard lock(mutex_);
    if (rules_.empty()) {
      return {NoConnection(409, "RuleConfigurationIssue",
                           "You must define rules using the POST /2/tweets/search/stream/rules endpoint before "
                           "connecting to filtered stream.")};
    }
    if (!stream_.expired()) {
      return {NoConnection(429, "TooManyConnections", "This stream is currently at the maximum allowed connection limit.")};
    }
    stream_ = opening;
  }
  opening->network = Network::kX;
  opening->head = {200, {{"Content-Type", "application/json; charset=utf-8"}}, ""};
  opening->heartbeat = "\r\n";
  opening->heartbeat_every = absl::Seconds(20);
  opening->garbage = "{\"data\":{\"id\":\"1\r\n";
  opening->goodbye = Shown({{"errors", {{{"title", "operational-disconnect"},
                                         {"disconnect_type", "UpstreamOperationalDisconnect"},
                                         {"detail", "This stream has been disconnected upstream for operational reasons."},
                                         {"type", "https://api.x.com/2/problems/operational-disconnect"}}}}}) + "\r\n";
  const std::string fields = request.Param("tweet.fields"), expansions = request.Param("expansions");
  opening->tell = [this, fields, expansions](const Notice& notice) {
    return notice.kind == Notice::Kind::kAdd ? Line(fields, expansions, notice.item) : "";
  };
  if (*backfill > 0) {
    const absl::Time since = context_.clock.WallNow() - absl::Minutes(*backfill);
    opening->replay = [this, fields, expansions, since](size_t max, bool* all) {
      std::string out;
      for (const AccountPtr& account : context_.world.Accounts()) {
        if (account->network != Network::kX) continue;
        const Page page = context_.world.Read(Network::kX, World::List::kInbox, account->id,
                                              {.newest_first = false, .limit = kReplayMax, .since = since});
        for (const ItemPtr& item : page.items) {
          const std::string line = item->created < since ? "" : Line(fields, expansions, item);
          if (out.size() + line.size() > max) *all = false;
          if (*all) out += line;
        }
      }
      return out;
    };
  }
  reply.stream = std::move(opening);
  return reply;
}

// What goes with the app's token; nullopt for everything else.
std::optional<Reply> X::AppCall(const Request& request, std::string_view token) {
  const auto& path = request.path;
  const std::string& method = request.http.method;
  if (token == kAppToken && path.size() == 1 && path[0] == "users" && method == "GET") return Reply{Users(request)};
  if (path.size() < 3 || path[0] != "tweets" || path[1] != "search" || path[2] != "stream") return std::nullopt;
  if (token.empty()) return Reply{XProblemResponse({401, "about:blank", "Unauthorized", "Unauthorized"})};
  if (token != kAppToken) {
    return Reply{XProblemResponse({403, "unsupported-authentication", "Unsupported Authentication",
                                   "Authenticating with OAuth 2.0 User Context is forbidden for this endpoint."})};
  }
  if (path.size() == 3 && method == "GET") return OpenStream(request);
  if (path.size() == 4 && path[3] == "rules" && (method == "GET" || method == "POST")) return Reply{Rules(request)};
  return Reply{XProblemResponse({404, "about:blank", "Not Found", "Not Found"})};
}

}  // namespace parvis::sandbox
