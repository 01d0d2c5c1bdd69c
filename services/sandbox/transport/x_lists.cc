// Reading tweets: by id, timelines, mentions, search.
#include <algorithm>
#include <cstdlib>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/x.h"
#include "sandbox/transport/x_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kIdsMax = 100;

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= 19 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Ids are compared as numbers: by length, then as text.
bool Newer(const std::string& id, const std::string& than) {
  return id.size() != than.size() ? id.size() > than.size() : id > than;
}

}  // namespace

Json X::Tweets(const Asked& asked, const std::vector<ItemPtr>& items) const {
  return Tweets(asked.request.Param("tweet.fields"), asked.request.Param("expansions"), items);
}

Json X::Tweets(const std::string& asked_fields, const std::string& expansions, const std::vector<ItemPtr>& items) const {
  const auto fields = XFields(asked_fields);
  const bool users = XFields(expansions).contains("author_id");
  Json json = Json::object();
  std::set<std::string> seen;
  for (const ItemPtr& item : items) {
    Json tweet = XTweet(*item, fields);
    if (fields.contains("public_metrics")) {
      const ListOptions count{.limit = 0, .count_all = true};
      tweet["public_metrics"]["reply_count"] =
          context_.world.Read(Network::kX, World::List::kChildren, item->id, count).total;
    }
    if (users) tweet["author_id"] = item->author_id;
    if (fields.contains("in_reply_to_user_id") && !item->parent.empty()) {
      if (const ItemPtr parent = context_.world.Find(Network::kX, item->parent)) {
        tweet["in_reply_to_user_id"] = parent->author_id;
      }
    }
    json["data"].push_back(std::move(tweet));
    if (users && seen.insert(item->author_id).second) {
      json["includes"]["users"].push_back(XUser(item->author_id, item->author_name, item->author_handle));
    }
  }
  return json;
}

net::HttpResponse X::Lookup(const Asked& asked) {
  const std::string ids = asked.request.Param("ids");
  std::vector<ItemPtr> found;
  Json errors = Json::array();
  size_t n = 0;
  for (std::string_view rest = ids; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string id(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (!IsId(id)) return XInvalid("ids", id, Cat("The `ids` query parameter value [", id, "] is not valid"));
    if (++n > kIdsMax) return XInvalid("ids", "", "size must be between 1 and 100");
    ItemPtr item = context_.world.Find(Network::kX, id);
    if (item == nullptr || item->deleted)
      errors.push_back(XMissing(id, "ids"));
    else
      found.push_back(std::move(item));
  }
  if (n == 0) return XInvalid("ids", "", "The `ids` query parameter can not be empty");
  Json json = Tweets(asked, found);
  if (!errors.empty()) json["errors"] = std::move(errors);  // with status 200
  return JsonResponse(200, json, false);
}

net::HttpResponse X::Show(const Asked& asked) {
  const std::string& id = asked.path[1];
  if (!IsId(id)) return XInvalid("id", id, Cat("The `id` query parameter value [", id, "] is not valid"));
  const ItemPtr item = context_.world.Find(Network::kX, id);
  if (item == nullptr || item->deleted) return JsonResponse(200, {{"errors", {XMissing(id, "id")}}}, false);
  Json json = Tweets(asked, {item});
  Json one = {{"data", json["data"][0]}};
  if (json.contains("includes")) one["includes"] = json["includes"];
  return JsonResponse(200, one, false);
}

net::HttpResponse X::Timeline(const Asked& asked, bool mentions, Answer answer) {
  const std::string& id = asked.path[1];
  const AccountPtr user = context_.world.FindAccount(Network::kX, id);
  if (user == nullptr) {
    return XProblemResponse(
        {404, "resource-not-found", "Not Found Error", Cat("Could not find user with id: [", id, "].")});
  }
  if (!mentions) return ListOf(asked, World::List::kOwn, id, 5, nullptr, "pagination_token", answer);
  const std::string at = Cat("@", user->handle);
  return ListOf(
      asked, World::List::kInbox, id, 5,
      [at](const Item& item) {
        return !item.by_us && (item.kind == Item::Kind::kMention || item.parent == item.post ||
                               item.text.find(at) != std::string::npos);
      },
      "pagination_token", answer);
}

// Understands conversation_id:, from:, to:, -from: and is:reply; one conversation must be named.
net::HttpResponse X::Search(const Asked& asked, Answer answer) {
  const std::string query = asked.request.Param("query");
  std::string conversation, from, not_from;
  for (std::string_view rest = query; !rest.empty();) {
    const size_t space = std::min(rest.find(' '), rest.size());
    const std::string word(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
    if (word.rfind("conversation_id:", 0) == 0)
      conversation = word.substr(16);
    else if (word.rfind("from:", 0) == 0)
      from = word.substr(5);
    else if (word.rfind("-from:", 0) == 0)
      not_from = word.substr(6);
    else if (!word.empty() && word.rfind("to:", 0) != 0 && word != "is:reply") {
      return XInvalid("query", query, Cat("There were errors processing your request: ", word));
    }
  }
  if (!IsId(conversation)) return XInvalid("query", query, "The sandbox searches by conversation_id only.");
  auto is = [](const Item& item, const std::string& who) { return item.author_handle == who || item.author_id == who; };
  return ListOf(
      asked, World::List::kComments, conversation, 10,
      [=](const Item& item) { return (from.empty() || is(item, from)) && (not_from.empty() || !is(item, not_from)); },
      "next_token", answer);
}

net::HttpResponse X::ListOf(const Asked& asked, World::List list, const std::string& id, int64_t results_min,
                            std::function<bool(const Item&)> filter, const char* token_name, Answer answer) {
  const Request& request = asked.request;
  const auto limit = ReadNumber(request.Param("max_results"), 10, results_min, 100);
  if (!limit) {
    return XInvalid("max_results", request.Param("max_results"),
                    Cat("The `max_results` query parameter value is not between ", results_min, " and 100"));
  }
  std::string token = request.Param(token_name);
  if (token.empty()) token = request.Param("pagination_token", request.Param("next_token"));
  ListOptions options{.limit = answer == Answer::kEmptyPage ? 0 : static_cast<int>(*limit)};
  if (!token.empty()) {
    const auto position =
        ReadNumber(std::string_view(token).substr(std::min<size_t>(6, token.size())), -1, 0, INT64_MAX);
    if (token.rfind("7140dj", 0) != 0 || !position || token.size() == 6)
      return XInvalid(token_name, token, "The token is not valid");
    options.position = *position;
  }
  const std::string since = request.Param("since_id"), until = request.Param("until_id");
  if ((!since.empty() && !IsId(since)) || (!until.empty() && !IsId(until)))
    return XInvalid("since_id", since, "must be an id");
  absl::Time start = absl::InfinitePast(), end = absl::InfiniteFuture();
  std::string error;
  if (const std::string text = request.Param("start_time");
      !text.empty() && !absl::ParseTime(absl::RFC3339_full, text, &start, &error)) {
    return XInvalid("start_time", text, error);
  }
  if (const std::string text = request.Param("end_time");
      !text.empty() && !absl::ParseTime(absl::RFC3339_full, text, &end, &error)) {
    return XInvalid("end_time", text, error);
  }
  options.since = start;
  if (!since.empty()) {  // ids hold their time (in milliseconds), so nothing older need be walked over
    const int64_t millis = (std::strtoll(since.c_str(), nullptr, 10) >> 22) + 1288834974657;
    options.since = std::max(start, absl::FromUnixMillis(millis) - absl::Seconds(1));
  }
  options.filter = [&](const Item& item) {
    return item.created >= start && item.created < end && (since.empty() || Newer(item.id, since)) &&
           (until.empty() || Newer(until, item.id)) && (!filter || filter(item));
  };
  const Page page = context_.world.Read(Network::kX, list, id, options);
  Json json = Tweets(asked, page.items);
  json["meta"] = {{"result_count", page.items.size()}};
  if (!page.items.empty()) {
    json["meta"]["newest_id"] = page.items.front()->id;
    json["meta"]["oldest_id"] = page.items.back()->id;
  }
  if (page.next >= 0) json["meta"]["next_token"] = Cat("7140dj", page.next);
  return JsonResponse(200, json, false);
}

}  // namespace parvis::sandbox
