#include "moderation/storage/pg_reviews.h"

#include <absl/strings/str_cat.h>

#include "moderation/storage/review_rows.h"
#include "platform/db/stream_tables.h"

namespace parvis::moderation {
namespace {

constexpr char kLastId[] = "ffffffff-ffff-ffff-ffff-ffffffffffff";
constexpr char kFirstId[] = "00000000-0000-0000-0000-000000000000";

StatusOr<Review> GetIn(db::Tx& tx, const Call& call, const std::string& id, bool lock) {
  auto rows = lock ? tx.Query(PARVIS_REVIEW_COLUMNS "WHERE r.workspace_id = $1 AND r.id = $2 FOR UPDATE OF r",
                              {call.workspace_id, id})
                   : tx.Query(PARVIS_REVIEW_COLUMNS "WHERE r.workspace_id = $1 AND r.id = $2", {call.workspace_id, id});
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return NotFound(absl::StrCat("workspaces/", call.workspace_id, "/reviews/", id));
  return ReadReview(*rows, 0);
}

}  // namespace

StatusOr<Review> PgReviewStore::Get(const Call& call, const std::string& id) {
  Review out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(out, GetIn(tx, call, id, false));
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<std::vector<Review>> PgReviewStore::List(const Call& call, const ReviewFilter& filter,
                                                  const std::optional<ReviewCursor>& after, absl::Time now, int limit) {
  std::vector<Review> out;
  const std::optional<std::string> channel =
      filter.channel_id.empty() ? std::nullopt : std::optional(filter.channel_id);
  const std::optional<std::string> language = filter.language.empty() ? std::nullopt : std::optional(filter.language);
  const int rank = !after || after->escalated ? 0 : 1;
  const absl::Time time = after ? after->time : absl::InfinitePast();
  const std::string id = after ? after->id : kFirstId;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    out.clear();
    // Open and claimed ones have statements of their own, so that the partial index serves them.
    const bool open = filter.state == ReviewState::kOpen || filter.state == ReviewState::kClaimed;
    auto rows =
        open ? tx.Query(PARVIS_REVIEW_COLUMNS
                        "WHERE r.workspace_id = $1 AND r.state = 1 AND ($2::uuid IS NULL OR r.channel_id = $2) "
                        "AND ($3::text IS NULL OR r.language = $3) "
                        "AND (r.rank, r.create_time, r.id) > ($4::smallint, $5::timestamptz, $6::uuid) "
                        "AND (coalesce(r.claim_expire_time, '-infinity') > $8::timestamptz) = $9::boolean "
                        "ORDER BY r.rank, r.create_time, r.id LIMIT $7",
                        {call.workspace_id, channel, language, rank, time, id, limit, now,
                         filter.state == ReviewState::kClaimed})
             : tx.Query(PARVIS_REVIEW_COLUMNS
                        "WHERE r.workspace_id = $1 AND ($2::uuid IS NULL OR r.channel_id = $2) "
                        "AND ($3::text IS NULL OR r.language = $3) "
                        "AND (r.rank, r.create_time, r.id) > ($4::smallint, $5::timestamptz, $6::uuid) "
                        "AND ($8::smallint = 0 OR r.state = $8) "
                        "ORDER BY r.rank, r.create_time, r.id LIMIT $7",
                        {call.workspace_id, channel, language, rank, time, id, limit, static_cast<int>(filter.state)});
    if (!rows.ok()) return rows.status();
    for (int i = 0; i < rows->size(); ++i) out.push_back(ReadReview(*rows, i));
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<Review> PgReviewStore::Alter(const Call& call, const std::string& id, const Change& change) {
  Review out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(out, GetIn(tx, call, id, true));
    ReviewEffects effects;
    PARVIS_RETURN_IF_ERROR(change(out, effects));
    PARVIS_RETURN_IF_ERROR(tx.Query("UPDATE reviews SET state = $3, claim_member_id = $4, claim_token = $5, "
                                    "claim_expire_time = $6, decision = $7, "
                                    "decide_member_id = $8, decide_request_id = $9, note = $10, end_time = $11 WHERE "
                                    "workspace_id = $1 AND id = $2",
                                    {call.workspace_id, id, static_cast<int>(out.state), out.claim_member_id,
                                     out.claim_token, out.claim_expire_time, static_cast<int>(out.decision),
                                     out.decide_member_id, out.decide_request_id, out.note, out.end_time})
                               .status());
    if (effects.decision) PARVIS_RETURN_IF_ERROR(InsertDecisions(tx, {*effects.decision}));
    if (!effects.command) return absl::OkStatus();
    const bool hides = effects.command->kind != Command::Kind::kUnhide;
    PARVIS_RETURN_IF_ERROR(tx.Query("UPDATE comments SET hide_asked = $4, hidden = hidden AND $4 "
                                    "WHERE workspace_id = $1 AND channel_id = $2 AND remote_id = $3",
                                    {call.workspace_id, out.channel_id, out.remote_id, hides})
                               .status());
    return db::OutboxTable::Append(tx, {encode_(*effects.command)});
  }));
  return out;
}

StatusOr<std::vector<Decision>> PgReviewStore::ListDecisions(const Call& call, const DecisionFilter& filter,
                                                             const std::optional<TimeCursor>& after, int limit) {
  std::vector<Decision> out;
  const std::optional<std::string> channel =
      filter.channel_id.empty() ? std::nullopt : std::optional(filter.channel_id);
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    out.clear();
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query(
            PARVIS_DECISION_COLUMNS
            "WHERE workspace_id = $1 AND ($2::uuid IS NULL OR channel_id = $2) AND ($3::smallint = 0 OR source = $3) "
            "AND ($4::smallint = 0 OR action = $4) AND (create_time, id) < ($5::timestamptz, $6::uuid) "
            "ORDER BY create_time DESC, id DESC LIMIT $7",
            {call.workspace_id, channel, static_cast<int>(filter.source), static_cast<int>(filter.action),
             after ? after->time : absl::InfiniteFuture(), after ? after->id : std::string(kLastId), limit}));
    for (int i = 0; i < rows.size(); ++i) out.push_back(ReadDecision(rows, i));
    return absl::OkStatus();
  }));
  return out;
}

}  // namespace parvis::moderation
