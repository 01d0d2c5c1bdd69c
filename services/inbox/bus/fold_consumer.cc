#include "inbox/bus/fold_consumer.h"

#include "inbox/bus/decode.h"

namespace parvis::inbox::bus {
namespace {

obs::Counter& Folded(obs::Metrics& metrics, const char* kind) {
  return metrics.counter("parvis_inbox_folded_total", "Records folded into conversations.", {{"kind", kind}});
}

}  // namespace

parvis::bus::Consumer::Options FoldOptions() {
  parvis::bus::Consumer::Options options;
  options.group = kGroup;
  options.topics = {kAssessmentTopic, kDeliveryTopic};
  options.offsets = parvis::bus::Consumer::Offsets::kDatabase;
  return options;
}

FoldHandler::FoldHandler(FoldStore& store, const Clock& clock, obs::Metrics& metrics)
    : store_(store), clock_(clock), activities_(Folded(metrics, "activity")), deliveries_(Folded(metrics, "delivery")),
      ignored_(Folded(metrics, "ignored")),
      seconds_(metrics.histogram("parvis_inbox_fold_batch_seconds", "Time to fold one batch, commit included.")) {}

Status FoldHandler::operator()(const StreamPositions& positions, const std::vector<parvis::bus::Received>& batch) const {
  const Instant began = clock_.Now();
  std::vector<FoldInput> inputs;
  inputs.reserve(batch.size());
  int activities = 0;
  for (const parvis::bus::Received& received : batch) {
    PARVIS_ASSIGN_OR_RETURN(std::optional<FoldInput> input, Decode(received.record));
    if (!input) continue;
    activities += std::holds_alternative<Assessed>(*input);
    inputs.push_back(*std::move(input));
  }
  PARVIS_RETURN_IF_ERROR(FoldBatch(store_, positions, inputs));
  activities_.Add(activities);
  deliveries_.Add(static_cast<double>(inputs.size()) - activities);
  ignored_.Add(static_cast<double>(batch.size() - inputs.size()));
  seconds_.Observe(absl::ToDoubleSeconds(clock_.Now() - began));
  return absl::OkStatus();
}

}  // namespace parvis::inbox::bus
