#include "metrics/domain/fakes.h"

#include <algorithm>

namespace parvis::metrics {

Status FakeStore::Advance(const StreamPositions& positions) {
  for (const StreamPosition& p : positions) {
    if (p.next <= next_[{p.group, p.topic, p.partition}]) return MakeError(Code::kAborted, "FENCED", "behind");
  }
  for (const StreamPosition& p : positions) next_[{p.group, p.topic, p.partition}] = p.next;
  return absl::OkStatus();
}

Status FakeStore::FoldActivities(const StreamPositions& positions, const std::vector<ActivityFact>& facts) {
  PARVIS_RETURN_IF_ERROR(Advance(positions));
  for (const ActivityFact& fact : facts) activities_.insert({{fact.workspace_id, fact.fact_id}, fact});
  return absl::OkStatus();
}

Status FakeStore::FoldDeliveries(const StreamPositions& positions, const std::vector<DeliveryFact>& facts) {
  PARVIS_RETURN_IF_ERROR(Advance(positions));
  for (const DeliveryFact& fact : facts)
    deliveries_.insert({{fact.workspace_id, fact.delivery_id, fact.sequence}, fact});
  return absl::OkStatus();
}

Status FakeStore::FoldConversations(const StreamPositions& positions, const std::vector<ConversationFact>& facts) {
  PARVIS_RETURN_IF_ERROR(Advance(positions));
  for (const ConversationFact& fact : facts) conversations_.insert({{fact.workspace_id, fact.event_id}, fact});
  return absl::OkStatus();
}

Status FakeStore::FoldSamples(const StreamPositions& positions, const std::vector<SampleFact>& samples) {
  PARVIS_RETURN_IF_ERROR(Advance(positions));
  for (const SampleFact& s : samples)
    samples_.insert({{s.workspace_id, s.channel_id, s.post_remote_id, s.measured_time}, s});
  return absl::OkStatus();
}

bool FakeStore::Matches(const Call& call, const CounterQuery& query, const SampleFact& sample) const {
  if (sample.workspace_id != call.workspace_id) return false;
  if ((query.subject == CounterSubject::kChannels) != sample.post_remote_id.empty()) return false;
  if (!query.channel_id.empty() && sample.channel_id != query.channel_id) return false;
  if (!query.post_remote_id.empty() && sample.post_remote_id != query.post_remote_id) return false;
  if (query.campaign_id.empty()) return true;
  for (const auto& [key, f] : deliveries_) {
    if (f.workspace_id == call.workspace_id && f.campaign_id == query.campaign_id && f.kind == "post" &&
        f.state == "delivered" && f.channel_id == sample.channel_id && f.remote_id == sample.post_remote_id) {
      return true;
    }
  }
  return false;
}

// Asks every subject anew what it stood at at each moment that matters.
StatusOr<std::vector<CounterSeries>> FakeStore::Counters(const Call& call, const CounterQuery& query) {
  using Subject = std::tuple<std::string, std::string>;  // channel, post
  std::map<std::pair<std::string, std::string>, std::map<Subject, std::map<absl::Time, int64_t>>> all;
  for (const auto& [key, sample] : samples_) {
    if (!Matches(call, query, sample)) continue;
    for (const auto& [counter, value] : sample.counters) {
      all[{sample.network, counter}][{sample.channel_id, sample.post_remote_id}][sample.measured_time] = value;
    }
  }
  std::vector<CounterSeries> found;
  for (const auto& [name, subjects] : all) {
    CounterSeries series{.network = name.first, .counter = name.second, .measured = absl::InfinitePast()};
    const auto at = [&subjects = subjects](absl::Time time) {
      int64_t level = 0;
      for (const auto& [subject, values] : subjects) {
        auto it = values.lower_bound(time);
        if (it != values.begin()) level += std::prev(it)->second;
      }
      return level;
    };
    for (const auto& [subject, values] : subjects) {
      series.value += values.rbegin()->second;
      series.measured = std::max(series.measured, values.rbegin()->first);
      ++series.subjects;
    }
    if (query.range) {
      int64_t level = at(query.range->start);
      if (level != 0) series.points.push_back({absl::InfinitePast(), level});
      for (absl::Time step = query.range->start; step < query.range->end; step += WidthOf(query.range->step)) {
        const int64_t after = at(step + WidthOf(query.range->step));
        if (after != level) series.points.push_back({step, after - level});
        level = after;
      }
    }
    found.push_back(std::move(series));
  }
  return found;
}

std::vector<FakeStore::Count> FakeStore::Counts(const std::string& workspace_id) const {
  static const std::map<std::string, std::string> kinds = {{"comment", "comments"}, {"mention", "mentions"},
                                                           {"message", "messages"}, {"reaction", "reactions"},
                                                           {"edit", "edits"},       {"removal", "removals"}};
  static const std::map<std::string, std::string> actions = {
      {"hold", "held"}, {"hide", "hidden"}, {"delete", "deleted"}, {"escalate", "escalated"}};
  static const std::map<std::string, std::string> types = {
      {"created", "conversations_created"},   {"resolved", "conversations_resolved"},
      {"reopened", "conversations_reopened"}, {"replied", "replies_written"},
      {"case_opened", "cases_opened"},        {"case_escalated", "cases_escalated"},
      {"case_resolved", "cases_resolved"}};
  std::vector<Count> counts;
  for (const auto& [key, f] : activities_) {
    if (f.workspace_id != workspace_id || f.by_us) continue;
    const auto add = [&](const std::string& metric) {
      counts.push_back({metric, f.channel_id, "", f.post_remote_id, f.occurred_time});
    };
    if (const auto kind = kinds.find(f.kind); kind != kinds.end()) add(kind->second);
    if (f.kind != "comment") continue;
    if (const auto action = actions.find(f.action); action != actions.end()) add("comments_" + action->second);
    if (f.intent == "question" || f.intent == "complaint") add("comments_" + f.intent);
  }
  for (const auto& [key, f] : deliveries_) {
    if (f.workspace_id != workspace_id) continue;
    const std::string state = f.state == "expired" ? "failed" : f.state;
    if (state != "delivered" && state != "failed" && state != "unknown") continue;
    std::string metric;
    if (f.kind == "post" && f.thread_part == 0) metric = "posts_" + state;
    if (f.kind == "reply") metric = "replies_" + state;
    if (f.kind == "hide" && state == "delivered") metric = "hides_delivered";
    if (!metric.empty())
      counts.push_back({metric, f.channel_id, f.campaign_id, f.kind == "post" ? f.remote_id : "", f.event_time});
  }
  for (const auto& [key, f] : conversations_) {
    if (f.workspace_id != workspace_id) continue;
    if (const auto type = types.find(f.type); type != types.end()) {
      counts.push_back({type->second, f.channel_id, "", f.post_remote_id, f.event_time});
    }
  }
  return counts;
}

StatusOr<std::vector<Point>> FakeStore::Sum(const Call& call, const TimeseriesQuery& query) {
  std::set<std::pair<std::string, std::string>> posts;
  for (const auto& [key, f] : deliveries_) {
    if (f.workspace_id == call.workspace_id && f.campaign_id == query.campaign_id && f.kind == "post" &&
        f.state == "delivered") {
      posts.insert({f.channel_id, f.remote_id});
    }
  }
  const absl::Duration width = query.step == Step::kMinute ? absl::Minutes(1)
                               : query.step == Step::kHour ? absl::Hours(1)
                                                           : absl::Hours(24);
  std::map<absl::Time, int64_t> sums;
  for (const Count& count : Counts(call.workspace_id)) {
    if (count.metric != query.metric || count.time < query.start || count.time >= query.end) continue;
    if (!query.channel_id.empty() && count.channel_id != query.channel_id) continue;
    if (!query.campaign_id.empty()) {
      const bool delivery = SourceOf(query.metric) == MetricSource::kDeliveries;
      if (delivery && count.campaign_id != query.campaign_id) continue;
      if (!delivery && (count.post_remote_id.empty() || !posts.contains({count.channel_id, count.post_remote_id})))
        continue;
    }
    ++sums[absl::UnixEpoch() + absl::Floor(count.time - absl::UnixEpoch(), width)];
  }
  std::vector<Point> points;
  for (const auto& [start, value] : sums) points.push_back({start, value});
  return points;
}

}  // namespace parvis::metrics
