#include "publishing/storage/post_store_pg.h"

namespace parvis::publishing {
namespace {

// Waiting for new credentials shows as the reason of what waits, without touching the rows that wait.
const char kFrom[] = " FROM deliveries d LEFT JOIN channel_pauses pause ON pause.workspace_id = d.workspace_id "
                     "AND pause.channel_id = d.channel_id AND d.state = 1 ";
constexpr int kPauseReason = 37;   // after the 37 columns of kDeliveryColumns

Delivery ReadWithPause(const db::Rows& rows, int row) {
  Delivery delivery = ReadDelivery(rows, row);
  if (!rows.IsNull(row, kPauseReason)) {
    delivery.error_reason = rows.Text(row, kPauseReason);
    if (delivery.error_message.empty()) delivery.error_message = "waits until the channel has new credentials";
  }
  return delivery;
}

}  // namespace

StatusOr<Delivery> PgPostStore::GetDelivery(const Call& call, const std::string& id) {
  static const std::string sql =
      std::string("SELECT ") + kDeliveryColumns + ", pause.reason" + kFrom + "WHERE d.workspace_id = $1 AND d.id = $2";
  Delivery found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query(sql.c_str(), {call.workspace_id, id}));
    if (rows.empty()) return NotFound("workspaces/" + call.workspace_id + "/deliveries/" + id);
    found = ReadWithPause(rows, 0);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<Delivery> PgPostStore::InsertDelivery(const Call& call, const Delivery& delivery, absl::Time now,
                                               const std::string& actor) {
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    return InsertDeliveries(tx, {delivery}, now, actor, encode_).status();
  }));
  if (committed_) committed_();
  return GetDelivery(call, delivery.id);
}

StatusOr<std::vector<Delivery>> PgPostStore::ListDeliveries(const Call& call, const DeliveryFilter& filter,
                                                            const Page& page) {
  static const std::string sql =
      std::string("SELECT ") + kDeliveryColumns + ", pause.reason" + kFrom +
      "WHERE d.workspace_id = $1 AND (d.due_time, d.id) < ($2, $3) AND ($4 = 0 OR d.state = $4) "
      "AND ($5 = 0 OR d.kind = $5) AND ($6 = '' OR d.campaign_id = nullif($6, '')::uuid) "
      "AND ($7 = '' OR d.channel_id = nullif($7, '')::uuid) AND ($8 = '' OR d.post_id = nullif($8, '')::uuid) "
      "AND (NOT $9 OR d.needs_human) ORDER BY d.due_time DESC, d.id DESC LIMIT $10";
  std::vector<Delivery> list;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    list.clear();
    const absl::Time after = page.after ? page.after->first : absl::InfiniteFuture();
    const std::string after_id = page.after ? page.after->second : "ffffffff-ffff-ffff-ffff-ffffffffffff";
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                            tx.Query(sql.c_str(), {call.workspace_id, after, after_id,
                                                   filter.state ? static_cast<int>(*filter.state) : 0,
                                                   filter.kind ? static_cast<int>(*filter.kind) : 0, filter.campaign_id,
                                                   filter.channel_id, filter.post_id, filter.needs_human, page.size}));
    for (int i = 0; i < rows.size(); ++i) list.push_back(ReadWithPause(rows, i));
    return absl::OkStatus();
  }));
  return list;
}

StatusOr<std::vector<Transition>> PgPostStore::ListTransitions(const Call& call, const std::string& id,
                                                               int64_t after_number, int limit) {
  std::vector<Transition> list;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    list.clear();
    PARVIS_ASSIGN_OR_RETURN(const db::Rows exists, tx.Query("SELECT 1 FROM deliveries WHERE workspace_id = $1 AND id = $2",
                                                            {call.workspace_id, id}));
    if (exists.empty()) return NotFound("workspaces/" + call.workspace_id + "/deliveries/" + id);
    PARVIS_ASSIGN_OR_RETURN(
        const db::Rows rows,
        tx.Query("SELECT number, time, from_state, to_state, attempt, detail, actor FROM delivery_transitions "
                 "WHERE workspace_id = $1 AND delivery_id = $2 AND number > $3 ORDER BY number LIMIT $4",
                 {call.workspace_id, id, after_number, limit}));
    for (int i = 0; i < rows.size(); ++i) {
      list.push_back({rows.Int(i, 0), rows.Time(i, 1), static_cast<DeliveryState>(rows.Int(i, 2)),
                      static_cast<DeliveryState>(rows.Int(i, 3)), static_cast<int>(rows.Int(i, 4)), rows.Text(i, 5),
                      rows.Text(i, 6)});
    }
    return absl::OkStatus();
  }));
  return list;
}

StatusOr<Delivery> PgPostStore::SettleByPerson(const Call& call, const Change& change, absl::Time now) {
  Delivery settled;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const auto applied, ApplyChanges(tx, {change}, now, encode_));
    if (!applied.front()) {
      return MakeError(Code::kAborted, "DELIVERY_CHANGED", "the delivery has changed meanwhile; read it again");
    }
    settled = *applied.front();
    return absl::OkStatus();
  }));
  if (committed_) committed_();
  return settled;
}

}  // namespace parvis::publishing
