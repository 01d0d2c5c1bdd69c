#include "ingestion/bus/sample_sink.h"

#include "parvis/metrics/v1/sample.pb.h"
#include "platform/bus/envelope.h"

namespace parvis::ingestion {

StreamRecord ToRecord(const Sample& sample, const Trace& trace) {
  metrics::v1::Sample message;
  message.set_sample_id(sample.id);
  message.set_workspace_id(sample.binding.workspace_id);
  message.set_channel_id(sample.binding.channel_id);
  message.set_network(sample.network);
  message.set_post_remote_id(sample.post_remote_id);
  const int64_t micros = absl::ToUnixMicros(sample.measured);
  message.mutable_measured_time()->set_seconds(micros / 1'000'000);
  message.mutable_measured_time()->set_nanos(static_cast<int>(micros % 1'000'000 * 1000));
  for (const auto& [counter, value] : sample.counters) (*message.mutable_counters())[counter] = value;
  return bus::ToRecord(kSampleTopic, sample.binding.channel_id + "/" + sample.post_remote_id,
                       message.SerializeAsString(),
                       {.id = sample.id,
                        .type = "parvis.metrics.v1.Sample",
                        .source = "parvis/ingestion",
                        .workspace_id = sample.binding.workspace_id,
                        .time = sample.measured,
                        .trace = trace});
}

Status KafkaSampleSink::Send(const std::vector<Sample>& samples) {
  if (samples.empty()) return absl::OkStatus();
  const Trace trace = Trace::New();
  std::vector<StreamRecord> records;
  records.reserve(samples.size());
  for (const Sample& sample : samples) records.push_back(ToRecord(sample, trace));
  return producer_.SendAll(records);
}

}  // namespace parvis::ingestion
