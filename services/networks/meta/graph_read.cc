#include "networks/meta/graph.h"

namespace parvis::networks::meta {

Status AskInsights(net::HttpClient& http, const Call& call, const Account& account, const std::vector<Metric>& metrics,
                   Fields fields, Counts* counts, RateState* rate) {
  std::string names;
  for (const Metric& metric : metrics) names += (names.empty() ? "" : ",") + std::string(metric.theirs);
  fields.emplace(fields.begin(), "metric", names);
  const Answer answer = Ask(http, call, account, "GET", Path(counts->remote_id, "/insights"), std::move(fields));
  TakeRate(answer, rate);
  const ErrorClass error = answer.refusal.error;
  if (answer.answered() && (error == ErrorClass::kTokenExpired || error == ErrorClass::kRateLimited)) {
    return FailedRead(answer, account);
  }
  const Json& data = Member(answer.json, "data");
  if (!answer.ok() || !data.is_array()) return absl::OkStatus();
  for (const Json& one : data) {
    const std::string name = Text(one, "name");
    for (const Metric& metric : metrics) {
      if (name != metric.theirs) continue;
      TakeCount(Member(Member(one, "total_value"), "value"), metric.ours, counts);
      // The newest value is the last one.
      const Json& values = Member(one, "values");
      if (values.is_array() && !values.empty()) TakeCount(Member(values.back(), "value"), metric.ours, counts);
    }
  }
  return absl::OkStatus();
}

StatusOr<std::vector<OwnItem>> MessagesTo(net::HttpClient& http, const Call& call, const Account& account,
                                          const char* platform, const std::string& person, absl::Time since) {
  constexpr size_t kNewest = 20;
  const std::string messages = "id,messages.limit(" + std::to_string(kNewest) + "){id,message,from,created_time}";
  const Answer answer = Ask(http, call, account, "GET", Path(account.remote_id, "/conversations"),
                            {{"platform", platform}, {"user_id", person}, {"fields", messages}});
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& conversations = Member(answer.json, "data");
  if (!conversations.is_array() || conversations.size() > kPageItemsMax) return UnintelligibleRead();
  std::vector<OwnItem> out;
  for (const Json& conversation : conversations) {
    const Json& data = Member(Member(conversation, "messages"), "data");
    if (!data.is_array() || data.size() > kPageItemsMax) return UnintelligibleRead();
    size_t newer = 0;
    for (const Json& message : data) {
      OwnItem item;
      item.remote_id = Text(message, "id");
      item.text = Text(message, "message");
      item.created_at = ParseIsoTime(Text(message, "created_time")).value_or(absl::InfinitePast());
      if (item.created_at < since - absl::Seconds(1)) continue;   // whole seconds
      ++newer;
      if (Text(Member(message, "from"), "id") == account.remote_id) out.push_back(std::move(item));
    }
    if (newer >= kNewest) return UnfinishedRead();
  }
  return out;
}

}  // namespace parvis::networks::meta
