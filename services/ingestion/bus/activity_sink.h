// Activities to Kafka: topic parvis.ingestion.activity.v1, key workspace/channel/thread; what could not be understood
// goes raw to parvis.ingestion.activity.v1.dlq.ingestion.receive.
#pragma once

#include <atomic>
#include <string>

#include "ingestion/domain/sink.h"
#include "platform/bus/producer.h"

namespace parvis::ingestion {

inline constexpr char kActivityTopic[] = "parvis.ingestion.activity.v1";
inline constexpr char kReceiveDeadLetters[] = "parvis.ingestion.activity.v1.dlq.ingestion.receive";

// Headers parvis_reason, parvis_message, parvis_network, and parvis_truncated=true when only the first `max_bytes` fit.
StreamRecord ToDeadLetter(const RawPart& part, const std::string& network, const Trace& trace, absl::Time now,
                          size_t max_bytes);

class KafkaActivitySink : public ActivitySink {
 public:
  // `producer` outlives it, and has been flushed or destroyed when it ends. Records of more than `record_max_bytes` are
  // never made.
  KafkaActivitySink(bus::Producer& producer, const Clock& clock, size_t record_max_bytes)
      : producer_(producer), clock_(clock), record_max_bytes_(record_max_bytes) {}
  void Send(const Trace& trace, std::vector<Activity> activities, std::vector<RawPart> parts, const std::string& source,
            Done done) override;

 private:
  bus::Producer& producer_;
  const Clock& clock_;
  const size_t record_max_bytes_;
};

}  // namespace parvis::ingestion
