#include "metrics/transport/convert.h"

#include <algorithm>

#include "platform/rpc/resource.h"

namespace parvis::metrics {
namespace {

void SetTime(absl::Time time, google::protobuf::Timestamp& out) {
  const int64_t micros = absl::ToUnixMicros(time);
  const int64_t seconds = absl::ToUnixSeconds(time);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>((micros - seconds * 1'000'000) * 1000));
}

void SetDuration(const std::optional<absl::Duration>& duration, google::protobuf::Duration* (v1::CampaignFigures::*mutable_field)(),
                 v1::CampaignFigures& out) {
  if (!duration) return;
  const int64_t micros = absl::ToInt64Microseconds(*duration);
  google::protobuf::Duration* field = (out.*mutable_field)();
  field->set_seconds(micros / 1'000'000);
  field->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
}

// "METRIC_COMMENTS_HIDDEN" → "comments_hidden".
std::string MetricOf(v1::Metric metric) {
  const std::string prefix = "METRIC_";
  std::string name = v1::Metric_Name(metric);
  if (!name.starts_with(prefix)) return "";
  name.erase(0, prefix.size());
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

void ToProto(const ReportPart& part, v1::CampaignFigures& out) {
  out.set_network(part.posts.network);
  out.set_posts_planned(part.posts.planned);
  out.set_posts_delivered(part.posts.delivered);
  out.set_posts_partly_delivered(part.posts.partly_delivered);
  out.set_posts_failed(part.posts.failed);
  out.set_posts_unknown(part.posts.unknown);
  out.set_posts_waiting(part.posts.waiting);
  out.set_posts_cancelled(part.posts.cancelled);
  SetDuration(part.posts.lateness_p50, &v1::CampaignFigures::mutable_lateness_p50, out);
  SetDuration(part.posts.lateness_p99, &v1::CampaignFigures::mutable_lateness_p99, out);
  out.set_comment_count(part.comments.comments);
  out.set_held_count(part.comments.held);
  out.set_hidden_count(part.comments.hidden);
  out.set_deleted_count(part.comments.deleted);
  out.set_escalated_count(part.comments.escalated);
  out.set_answered_comment_count(part.comments.answered);
  for (const ReasonFigures& reason : part.reasons) {
    v1::ReasonCount& count = *out.add_reasons();
    count.set_action(reason.action);
    count.set_rule(reason.rule);
    count.set_count(reason.count);
  }
  out.set_conversation_count(part.conversations.conversations);
  out.set_answered_conversation_count(part.conversations.answered);
  out.set_answer_rate(part.answer_rate);
  SetDuration(part.conversations.first_response_p50, &v1::CampaignFigures::mutable_first_response_p50, out);
  SetDuration(part.conversations.first_response_p90, &v1::CampaignFigures::mutable_first_response_p90, out);
  for (const auto& [counter, value] : part.counters) (*out.mutable_network_counters())[counter] = value;
}

// What is wrong with a request, field by field.
class Checker {
 public:
  void Note(const Status& status) {
    for (const Violation& violation : ToError(status).violations) violations_.push_back(violation);
  }
  void Note(Violation violation) { violations_.push_back(std::move(violation)); }
  void Parent(const std::string& name) { Note(rpc::ParseName("parent", name, "workspaces/*").status()); }
  // The id of an optional name.
  std::string Id(const char* field, const std::string& name, const char* pattern) {
    if (name.empty()) return "";
    const auto parsed = rpc::ParseName(field, name, pattern);
    if (parsed.ok()) return parsed->back();
    Note(parsed.status());
    return "";
  }
  absl::Time Time(const char* field, bool has, const google::protobuf::Timestamp& value) {
    // 0001-01-01 to 9999-12-31, as protobuf defines a Timestamp.
    const bool good = has && value.seconds() >= -62135596800 && value.seconds() <= 253402300799 && value.nanos() >= 0 &&
                      value.nanos() < 1'000'000'000;
    if (!good) Note({field, "must be a time between the years 1 and 9999", "TIME_INVALID"});
    return absl::FromUnixSeconds(value.seconds()) + absl::Nanoseconds(value.nanos());
  }
  metrics::Step StepOf(v1::Step step) {
    switch (step) {
      case v1::STEP_MINUTE: return Step::kMinute;
      case v1::STEP_HOUR: return Step::kHour;
      case v1::STEP_DAY: return Step::kDay;
      default: Note({"step", "must be STEP_MINUTE, STEP_HOUR or STEP_DAY", "STEP_UNKNOWN"});
    }
    return Step::kHour;
  }
  Status Result() { return violations_.empty() ? absl::OkStatus() : InvalidFields(std::move(violations_)); }

 private:
  std::vector<Violation> violations_;
};

}  // namespace

StatusOr<TimeseriesQuery> FromProto(const v1::QueryTimeseriesRequest& request) {
  TimeseriesQuery query;
  Checker check;
  check.Parent(request.parent());
  query.metric = MetricOf(request.metric());
  if (query.metric.empty() || query.metric == "unspecified") {
    check.Note({"metric", "must be one of the metrics", "METRIC_UNKNOWN"});
  }
  query.channel_id = check.Id("channel", request.channel(), "workspaces/*/channels/*");
  query.campaign_id = check.Id("campaign", request.campaign(), "workspaces/*/campaigns/*");
  query.start = check.Time("start_time", request.has_start_time(), request.start_time());
  query.end = check.Time("end_time", request.has_end_time(), request.end_time());
  query.step = check.StepOf(request.step());
  PARVIS_RETURN_IF_ERROR(check.Result());
  return query;
}

StatusOr<CounterQuery> FromProto(const v1::QueryCountersRequest& request) {
  CounterQuery query;
  Checker check;
  check.Parent(request.parent());
  switch (request.subject()) {
    case v1::COUNTER_SUBJECT_POSTS: query.subject = CounterSubject::kPosts; break;
    case v1::COUNTER_SUBJECT_CHANNELS: query.subject = CounterSubject::kChannels; break;
    default:
      check.Note({"subject", "must be COUNTER_SUBJECT_POSTS or COUNTER_SUBJECT_CHANNELS", "SUBJECT_UNKNOWN"});
  }
  query.channel_id = check.Id("channel", request.channel(), "workspaces/*/channels/*");
  query.campaign_id = check.Id("campaign", request.campaign(), "workspaces/*/campaigns/*");
  query.post_remote_id = request.post_remote_id();
  if (query.post_remote_id.size() > 2048 || query.post_remote_id.find('\0') != std::string::npos) {
    check.Note({"post_remote_id", "must be the network's id of a post, at most 2048 bytes", "ID_INVALID"});
  }
  if (request.has_start_time() || request.has_end_time() || request.step() != v1::STEP_UNSPECIFIED) {
    query.range = {.start = check.Time("start_time", request.has_start_time(), request.start_time()),
                   .end = check.Time("end_time", request.has_end_time(), request.end_time()),
                   .step = check.StepOf(request.step())};
  }
  PARVIS_RETURN_IF_ERROR(check.Result());
  return query;
}

void ToProto(const CounterSeries& series, v1::CounterSeries& out) {
  out.set_network(series.network);
  out.set_counter(series.counter);
  out.set_value(series.value);
  out.set_subject_count(series.subjects);
  SetTime(series.measured, *out.mutable_measured_time());
  for (const Point& point : series.points) ToProto(point, *out.add_points());
}

void ToProto(const Point& point, v1::TimeseriesPoint& out) {
  SetTime(point.start, *out.mutable_start_time());
  out.set_value(point.value);
}

void ToProto(const std::string& name, const CampaignReport& report, v1::CampaignReport& out) {
  out.set_name(name);
  SetTime(report.compute_time, *out.mutable_compute_time());
  ToProto(report.total, *out.mutable_total());
  for (const ReportPart& part : report.networks) ToProto(part, *out.add_networks());
}

}  // namespace parvis::metrics
