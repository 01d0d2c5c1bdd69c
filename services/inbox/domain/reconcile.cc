#include "inbox/domain/reconcile.h"

namespace parvis::inbox {
namespace {

bool Done(const Progress& progress, int32_t partition, int64_t offset) {
  const auto it = progress.find(partition);
  return it != progress.end() && offset < it->second;
}

bool InFlight(const Accepted& item, const Stages& stages) {
  const auto assessment = stages.assessments.find(item.activity_id);
  if (assessment == stages.assessments.end()) return !Done(stages.assessed, item.partition, item.offset);
  return !Done(stages.folded, assessment->second.partition, assessment->second.offset);
}

}  // namespace

std::map<std::string, Tally> Reconcile(const std::vector<Accepted>& accepted, const std::vector<bool>& stored,
                                       const Stages& stages) {
  std::map<std::string, Tally> tallies;
  for (size_t i = 0; i < accepted.size(); ++i) {
    Tally& tally = tallies[accepted[i].workspace_id];
    ++tally.accepted;
    if (stored[i]) {
      ++tally.stored;
    } else if (stages.dead.contains(accepted[i].activity_id)) {
      ++tally.dead;
    } else if (InFlight(accepted[i], stages)) {
      ++tally.in_flight;
    } else {
      tally.missing.push_back(accepted[i]);
    }
  }
  return tallies;
}

}  // namespace parvis::inbox
