#include "metrics/domain/campaign_report.h"

#include <map>

namespace parvis::metrics {

StatusOr<CampaignReport> GetCampaignReport(const Call& call, const std::string& campaign_id, const Clock& clock,
                                           ReportStore& store) {
  PARVIS_ASSIGN_OR_RETURN(const ReportStore::Figures figures, store.CampaignFigures(call, campaign_id));
  std::map<std::string, ReportPart> parts;
  parts[""];
  for (const PostFigures& posts : figures.posts) parts[posts.network].posts = posts;
  for (const CommentFigures& comments : figures.comments) parts[comments.network].comments = comments;
  for (const ConversationFigures& conversations : figures.conversations) {
    parts[conversations.network].conversations = conversations;
  }
  for (const ReasonFigures& reason : figures.reasons) {
    std::vector<ReasonFigures>& reasons = parts[reason.network].reasons;
    if (reasons.size() < kReasonsMax) reasons.push_back(reason);
  }
  for (const CounterFigures& one : figures.counters) parts[one.network].counters[one.counter] = one.value;
  CampaignReport report{.compute_time = clock.WallNow()};
  for (auto& [network, part] : parts) {
    part.posts.network = network;
    const ConversationFigures& c = part.conversations;
    if (c.conversations > 0) part.answer_rate = static_cast<double>(c.answered) / static_cast<double>(c.conversations);
    if (network.empty()) {
      report.total = std::move(part);
    } else {
      report.networks.push_back(std::move(part));
    }
  }
  return report;
}

}  // namespace parvis::metrics
