#include "metrics/bus/folders.h"

#include "metrics/bus/decode.h"

namespace parvis::metrics {
namespace {

// A handler that decodes a batch and folds it whole; one record that cannot be decoded fails the batch, and the consumer
// finds it.
template <class Fact>
bus::Consumer::Handler Folding(StatusOr<Fact> (*decode)(const StreamRecord&), FactStore& facts,
                               Status (FactStore::*fold)(const StreamPositions&, const std::vector<Fact>&)) {
  return [decode, &facts, fold](const StreamPositions& positions, const std::vector<bus::Received>& batch) -> Status {
    std::vector<Fact> decoded;
    decoded.reserve(batch.size());
    for (const bus::Received& received : batch) {
      PARVIS_ASSIGN_OR_RETURN(Fact fact, decode(received.record));
      decoded.push_back(std::move(fact));
    }
    return (facts.*fold)(positions, decoded);
  };
}

}  // namespace

std::vector<std::unique_ptr<bus::Consumer>> MakeFolders(const bus::BusConfig& config, FactStore& facts, OffsetStore& offsets,
                                                        bus::Producer& dead_letters, const Clock& clock, obs::Metrics& metrics) {
  std::vector<std::unique_ptr<bus::Consumer>> consumers;
  const auto add = [&](const char* topic, const char* group, bus::Consumer::Handler handler) {
    bus::Consumer::Options options;
    options.group = group;
    options.topics = {topic};
    consumers.push_back(std::make_unique<bus::Consumer>(config, options, &offsets, dead_letters, clock, metrics, std::move(handler)));
  };
  add(kAssessmentTopic, kAssessmentGroup, Folding<ActivityFact>(&ToActivityFact, facts, &FactStore::FoldActivities));
  add(kDeliveryTopic, kDeliveryGroup, Folding<DeliveryFact>(&ToDeliveryFact, facts, &FactStore::FoldDeliveries));
  add(kConversationTopic, kConversationGroup, Folding<ConversationFact>(&ToConversationFact, facts, &FactStore::FoldConversations));
  add(kSampleTopic, kSampleGroup, Folding<SampleFact>(&ToSampleFact, facts, &FactStore::FoldSamples));
  return consumers;
}

}  // namespace parvis::metrics
