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
  record.headers = {{"ce_specversion", "1.0"},
                    {"ce_id", envelope.id},
                    {"ce_type", envelope.type},
                    {"ce_source", envelope.source},
                    {"ce_time", absl::FormatTime(kTime, envelope.time, absl::UTCTimeZone())},
                    {"ce_workspace", envelope.workspace_id},
                    {"content-type", "application/protobuf"}};
  const std::string traceparent = envelope.trace.ToTraceparent();
  if (!traceparent.empty()) record.headers["traceparent"] = traceparent;
  return record;
}

Envelope ReadEnvelope(const StreamRecord& record) {
  Envelope envelope;
  envelope.id = Header(record, "ce_id");
  envelope.type = Header(record, "ce_type");
  envelope.source = Header(record, "ce_source");
  envelope.workspace_id = Header(record, "ce_workspace");
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, Header(record, "ce_time"), &envelope.time, &ignored)) envelope.time = absl::InfinitePast();
  envelope.trace = Trace::FromTraceparent(Header(record, "traceparent"));
  return envelope;
}

}  // namespace parvis::bus
