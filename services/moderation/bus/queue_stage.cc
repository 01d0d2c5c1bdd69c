#include "moderation/bus/queue_stage.h"

#include "moderation/bus/codec.h"

namespace parvis::moderation {

QueueStage::QueueStage(QueueStore& store, const Clock& clock, obs::Metrics& metrics, std::function<void()> after_commit)
    : store_(store),
      clock_(clock),
      after_commit_(std::move(after_commit)),
      reviews_(metrics.counter("parvis_moderation_reviews_total", "Reviews opened.")),
      decisions_(metrics.counter("parvis_moderation_decisions_total", "Decisions of rules that were logged.")),
      commands_(metrics.counter("parvis_moderation_commands_total", "Commands to hide or delete that rules gave.")) {}

Status QueueStage::Handle(const StreamPositions& positions, const std::vector<bus::Received>& batch) {
  std::vector<Assessed> assessed;
  assessed.reserve(batch.size());
  for (const bus::Received& received : batch) {
    PARVIS_ASSIGN_OR_RETURN(Assessed one, ReadAssessed(received.record));
    assessed.push_back(std::move(one));
  }
  size_t reviews = 0, decisions = 0, commands = 0;
  PARVIS_RETURN_IF_ERROR(store_.Apply(positions, KeysOf(assessed), [&](const std::map<CommentKey, CommentState>& known) {
    QueueEffects effects = Plan(assessed, known, clock_.WallNow());
    reviews = effects.reviews.size(), decisions = effects.decisions.size(), commands = effects.commands.size();
    return effects;
  }));
  reviews_.Add(static_cast<double>(reviews));
  decisions_.Add(static_cast<double>(decisions));
  commands_.Add(static_cast<double>(commands));
  if (commands > 0 && after_commit_) after_commit_();
  return absl::OkStatus();
}

}  // namespace parvis::moderation
