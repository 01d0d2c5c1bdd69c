// CloudEvents in Kafka's binary content mode (https://github.com/cloudevents/spec, kafka-protocol-binding §3.2): event
// attributes are headers with the prefix "ce_", the payload is the data.
#pragma once

#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "platform/base/call.h"
#include "platform/base/stream.h"

namespace parvis::bus {

struct Envelope {
  std::string id;            // unique per source; redelivery has the same
  std::string type;          // "parvis.ingestion.v1.Activity"
  std::string source;        // "parvis/ingestion"
  std::string workspace_id;
  absl::Time time;
  Trace trace;
};

StreamRecord ToRecord(std::string topic, std::string key, std::string payload, const Envelope& envelope);
// Never fails: what is missing is left empty.
Envelope ReadEnvelope(const StreamRecord& record);

}  // namespace parvis::bus
