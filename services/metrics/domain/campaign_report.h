// Use case: what became of a campaign.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace parvis::metrics {

// Posts by their latest state, a thread by that of its first part; lateness is delivered − due, never negative.
struct PostFigures {
  std::string network;   // "" for all
  int64_t planned = 0, delivered = 0, failed = 0, unknown = 0, waiting = 0, cancelled = 0;
  std::optional<absl::Duration> lateness_p50, lateness_p99;
  int64_t partly_delivered = 0;   // of the delivered: threads of which a later part failed
};
struct CommentFigures {
  std::string network;
  int64_t comments = 0, held = 0, hidden = 0, deleted = 0, escalated = 0, answered = 0;
};
struct ReasonFigures {
  std::string network, action, rule;   // action: "held", "hidden", "deleted", "escalated"
  int64_t count = 0;
};
struct ConversationFigures {
  std::string network;
  int64_t conversations = 0, answered = 0;
  std::optional<absl::Duration> first_response_p50, first_response_p90;
};

// What the network counts of the delivered posts, the latest values added up.
struct CounterFigures {
  std::string network, counter;   // "likes", "views", ...
  int64_t value = 0;
};

// Port: the figures of one campaign, per network and (network "") for all, all of one moment: they agree with each other
// whatever is folded meanwhile. A network without figures may be missing.
class ReportStore {
 public:
  struct Figures {
    std::vector<PostFigures> posts;
    std::vector<CommentFigures> comments;
    std::vector<ReasonFigures> reasons;      // the most frequent first
    std::vector<ConversationFigures> conversations;
    std::vector<CounterFigures> counters;
  };
  virtual ~ReportStore() = default;
  virtual StatusOr<Figures> CampaignFigures(const Call& call, const std::string& campaign_id) = 0;
};

struct ReportPart {
  PostFigures posts;
  CommentFigures comments;
  std::vector<ReasonFigures> reasons;   // at most kReasonsMax
  ConversationFigures conversations;
  double answer_rate = 0;               // answered ÷ conversations
  std::map<std::string, int64_t> counters;
};
inline constexpr size_t kReasonsMax = 100;
struct CampaignReport {
  absl::Time compute_time;
  ReportPart total;
  std::vector<ReportPart> networks;     // by name; posts.network names each
};

StatusOr<CampaignReport> GetCampaignReport(const Call& call, const std::string& campaign_id, const Clock& clock,
                                           ReportStore& store);

}  // namespace parvis::metrics
