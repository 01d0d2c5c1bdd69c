#include "platform/bus/envelope.h"

namespace parvis::bus {
namespace {

constexpr char kTime[] = "%Y-%m-%dT%H:%M:%E6SZ";

std::string Header(const StreamRecord& record, const char* name) {
  const auto found = record.headers.find(name);
  return found == record.headers.end() ? "" : found->second;
}

}  // namespace

StreamRecord ToRecord(std::string topic, std::string key, std::string payload, const Envelope& envelope) {
  StreamRecord record{.topic = std::move(topic), .key = std::move(key), .payload = std::move(payload)};
  EnvelopeWriter writer(envelope.type, envelope.source, envelope.trace);
  for (const auto& [name, value] : writer.Headers(envelope.id, envelope.workspace_id, envelope.time)) {
    record.headers.emplace(name, value);
  }
  return record;
}

EnvelopeWriter::EnvelopeWriter(std::string_view type, std::string_view source, const Trace& trace)
    : traceparent_(trace.ToTraceparent()),
      headers_{{{"ce_specversion", "1.0"},
                {"ce_type", type},
                {"ce_source", source},
                {"content-type", "application/protobuf"},
                {"ce_id", ""},
                {"ce_workspace", ""},
                {"ce_time", ""},
                {"traceparent", traceparent_}}},
      count_(traceparent_.empty() ? 7 : 8) {}

std::span<const HeaderView> EnvelopeWriter::Headers(std::string_view id, std::string_view workspace_id,
                                                    absl::Time time) {
  if (time_text_.empty() || time != time_) {
    time_ = time;
    time_text_ = absl::FormatTime(kTime, time, absl::UTCTimeZone());
  }
  headers_[4].value = id;
  headers_[5].value = workspace_id;
  headers_[6].value = time_text_;
  return {headers_.data(), count_};
}

Envelope ReadEnvelope(const StreamRecord& record) {
  Envelope envelope;
  envelope.id = Header(record, "ce_id");
  envelope.type = Header(record, "ce_type");
  envelope.source = Header(record, "ce_source");
  envelope.workspace_id = Header(record, "ce_workspace");
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, Header(record, "ce_time"), &envelope.time, &ignored))
    envelope.time = absl::InfinitePast();
  envelope.trace = Trace::FromTraceparent(Header(record, "traceparent"));
  return envelope;
}

}  // namespace parvis::bus
