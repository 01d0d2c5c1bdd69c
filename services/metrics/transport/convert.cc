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
}

}  // namespace

StatusOr<TimeseriesQuery> FromProto(const v1::QueryTimeseriesRequest& request) {
  TimeseriesQuery query;
  std::vector<Violation> violations;
  const auto note = [&violations](const Status& status) {
    for (const Violation& violation : ToError(status).violations) violations.push_back(violation);
  };
  // The id of an optional name.
  const auto id = [&note](const char* field, const std::string& name, const char* pattern) -> std::string {
    if (name.empty()) return "";
    const auto parsed = rpc::ParseName(field, name, pattern);
    if (parsed.ok()) return parsed->back();
    note(parsed.status());
    return "";
  };
  if (const auto parent = rpc::ParseName("parent", request.parent(), "workspaces/*"); !parent.ok()) note(parent.status());
  query.metric = MetricOf(request.metric());
  if (query.metric.empty() || query.metric == "unspecified") {
    violations.push_back({"metric", "must be one of the metrics", "METRIC_UNKNOWN"});
  }
  query.channel_id = id("channel", request.channel(), "workspaces/*/channels/*");
  query.campaign_id = id("campaign", request.campaign(), "workspaces/*/campaigns/*");
  const auto time = [&violations](const char* field, bool has, const google::protobuf::Timestamp& value) {
    // 0001-01-01 to 9999-12-31, as protobuf defines a Timestamp.
    const bool good = has && value.seconds() >= -62135596800 && value.seconds() <= 253402300799 && value.nanos() >= 0 &&
                      value.nanos() < 1'000'000'000;
    if (!good) violations.push_back({field, "must be a time between the years 1 and 9999", "TIME_INVALID"});
    return absl::FromUnixSeconds(value.seconds()) + absl::Nanoseconds(value.nanos());
  };
  query.start = time("start_time", request.has_start_time(), request.start_time());
  query.end = time("end_time", request.has_end_time(), request.end_time());
  switch (request.step()) {
    case v1::STEP_MINUTE: query.step = Step::kMinute; break;
    case v1::STEP_HOUR: query.step = Step::kHour; break;
    case v1::STEP_DAY: query.step = Step::kDay; break;
    default: violations.push_back({"step", "must be STEP_MINUTE, STEP_HOUR or STEP_DAY", "STEP_UNKNOWN"});
  }
  if (!violations.empty()) return InvalidFields(std::move(violations));
  return query;
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
