// CloudEvents in Kafka's binary content mode (https://github.com/cloudevents/spec, kafka-protocol-binding §3.2): event
// attributes are headers with the prefix "ce_", the payload is the data.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "platform/base/call.h"
#include "platform/base/stream.h"
#include "platform/bus/producer.h"

namespace parvis::bus {

struct Envelope {
  std::string id;      // unique per source; redelivery has the same
  std::string type;    // "parvis.ingestion.v1.Activity"
  std::string source;  // "parvis/ingestion"
  std::string workspace_id;
  absl::Time time;
  Trace trace;
};

// Writes the headers of records that are sent one after another, without a copy for each: what they have in common
// (type, source, trace) and the time, while it stays the same, are there once.
class EnvelopeWriter {
 public:
  // `type` and `source` outlive it.
  EnvelopeWriter(std::string_view type, std::string_view source, const Trace& trace);
  EnvelopeWriter(const EnvelopeWriter&) = delete;  // it points into itself
  // Good until the next call, and as long as `id` and `workspace_id`.
  std::span<const HeaderView> Headers(std::string_view id, std::string_view workspace_id, absl::Time time);

 private:
  const std::string traceparent_;
  std::string time_text_;
  absl::Time time_ = absl::InfinitePast();
  std::array<HeaderView, 8> headers_;
  size_t count_;
};

StreamRecord ToRecord(std::string topic, std::string key, std::string payload, const Envelope& envelope);
// Never fails: what is missing is left empty.
Envelope ReadEnvelope(const StreamRecord& record);

}  // namespace parvis::bus
