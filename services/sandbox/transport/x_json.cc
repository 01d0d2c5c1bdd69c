#include "sandbox/transport/x_json.h"

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {

std::set<std::string> XFields(std::string_view fields) {
  std::set<std::string> out;
  while (!fields.empty()) {
    const size_t comma = std::min(fields.find(','), fields.size());
    if (comma > 0) out.emplace(fields.substr(0, comma));
    fields.remove_prefix(std::min(comma + 1, fields.size()));
  }
  return out;
}

std::string XTime(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()); }

Json XTweet(const Item& item, const std::set<std::string>& fields) {
  Json tweet = {{"id", item.id}, {"text", item.text}, {"edit_history_tweet_ids", {item.id}}};
  if (fields.contains("author_id")) tweet["author_id"] = item.author_id;
  if (fields.contains("created_at")) tweet["created_at"] = XTime(item.created);
  if (fields.contains("conversation_id")) tweet["conversation_id"] = item.thread;
  if (fields.contains("referenced_tweets") && !item.parent.empty()) {
    tweet["referenced_tweets"] = {{{"type", "replied_to"}, {"id", item.parent}}};
  }
  if (fields.contains("entities") && !item.urls.empty()) {
    for (const auto& [link, url] : item.urls) {
      tweet["entities"]["urls"].push_back({{"url", link}, {"expanded_url", url}, {"display_url", url}});
    }
  }
  if (fields.contains("public_metrics")) {
    const auto figure = [&item](const char* name) { return ExtraNumber(item, name); };  // that a test has set
    tweet["public_metrics"] = {{"retweet_count", figure("retweets")}, {"reply_count", 0},
                               {"like_count", figure("likes")},       {"quote_count", 0},
                               {"bookmark_count", 0},                 {"impression_count", figure("impressions")}};
  }
  return tweet;
}

Json XUser(std::string_view id, std::string_view name, std::string_view handle) {
  return {{"id", id}, {"name", name}, {"username", handle}};
}

net::HttpResponse XProblemResponse(const XProblem& problem) {
  const std::string type =
      problem.type == "about:blank" ? problem.type : Cat("https://api.x.com/2/problems/", problem.type);
  net::HttpResponse response = JsonResponse(
      problem.status,
      {{"type", type}, {"title", problem.title}, {"detail", problem.detail}, {"status", problem.status}}, false);
  response.headers["Content-Type"] = "application/problem+json";
  return response;
}

net::HttpResponse XInvalid(std::string_view parameter, std::string_view value, std::string_view message) {
  Json error = {{"message", message}, {"parameters", {{std::string(parameter), {value}}}}};
  net::HttpResponse response = JsonResponse(400,
                                            {{"errors", {error}},
                                             {"title", "Invalid Request"},
                                             {"detail", "One or more parameters to your request was invalid."},
                                             {"type", "https://api.x.com/2/problems/invalid-request"}},
                                            false);
  response.headers["Content-Type"] = "application/problem+json";
  return response;
}

Json XMissing(std::string_view id, std::string_view parameter) {
  return {{"value", id},
          {"resource_id", id},
          {"resource_type", "tweet"},
          {"parameter", parameter},
          {"title", "Not Found Error"},
          {"detail", Cat("Could not find tweet with ", parameter, ": [", id, "].")},
          {"type", "https://api.x.com/2/problems/resource-not-found"}};
}

}  // namespace parvis::sandbox
