// Reviews and decisions as rows; shared by the store of the API and that of the queue.
#pragma once

#include "moderation/domain/review.h"
#include "platform/db/pool.h"

namespace parvis::moderation {

// The columns that ReadReview reads, in its order; `r` is the review, `c` its comment (LEFT JOIN).
#define PARVIS_REVIEW_COLUMNS                                                                                         \
  "SELECT r.id, r.workspace_id, r.activity_id, r.channel_id, r.network, r.remote_id, r.thread, r.post_remote_id, "    \
  "r.author_remote_id, r.author_name, r.author_handle, r.content, r.permalink, r.language, r.intent, r.action, "      \
  "r.reasons, r.policy_id, r.policy_version, r.occurred_time, r.create_time, r.state, r.claim_member_id, "            \
  "r.claim_token, "                                                                                                   \
  "r.claim_expire_time, r.decision, r.decide_member_id, r.decide_request_id, r.note, r.end_time, "                    \
  "coalesce(c.hidden OR c.hide_asked, false) FROM reviews r LEFT JOIN comments c ON c.workspace_id = r.workspace_id " \
  "AND c.channel_id = r.channel_id AND c.remote_id = r.remote_id "

Review ReadReview(const db::Rows& rows, int row);
Decision ReadDecision(const db::Rows& rows, int row);  // of PARVIS_DECISION_COLUMNS

#define PARVIS_DECISION_COLUMNS                                                                                       \
  "SELECT id, workspace_id, activity_id, channel_id, remote_id, source, action, reasons, policy_id, policy_version, " \
  "member_id, note, command_id, create_time FROM decisions "

// In one statement each, whatever their number; those already there stay as they are.
Status InsertReviews(db::Tx& tx, const std::vector<Review>& reviews);
Status InsertDecisions(db::Tx& tx, const std::vector<Decision>& decisions);

}  // namespace parvis::moderation
