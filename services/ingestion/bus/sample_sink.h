// Samples to Kafka: topic parvis.metrics.sample.v1, key channel/post.
#pragma once

#include "ingestion/domain/measure.h"
#include "platform/bus/producer.h"

namespace parvis::ingestion {

inline constexpr char kSampleTopic[] = "parvis.metrics.sample.v1";

StreamRecord ToRecord(const Sample& sample, const Trace& trace);

class KafkaSampleSink : public SampleSink {
 public:
  // `producer` outlives it.
  explicit KafkaSampleSink(bus::Producer& producer) : producer_(producer) {}
  Status Send(const std::vector<Sample>& samples) override;

 private:
  bus::Producer& producer_;
};

}  // namespace parvis::ingestion
