#include "publishing/storage/post_store_pg.h"

namespace parvis::publishing {
namespace {

Campaign ReadCampaign(const db::Rows& rows, int row) {
  Campaign campaign;
  campaign.workspace_id = rows.Text(row, 0);
  campaign.id = rows.Text(row, 1);
  campaign.display_name = rows.Text(row, 2);
  campaign.description = rows.Text(row, 3);
  campaign.start_time = rows.Time(row, 4);
  campaign.end_time = rows.Time(row, 5);
  campaign.archived = rows.Bool(row, 6);
  campaign.version = rows.Int(row, 7);
  campaign.create_time = rows.Time(row, 8);
  campaign.update_time = rows.Time(row, 9);
  return campaign;
}

}  // namespace

PgPostStore::PgPostStore(db::Pool& api, EncodeDelivery encode, std::function<void()> committed)
    : api_(api), encode_(std::move(encode)), committed_(std::move(committed)) {}

StatusOr<Campaign> PgPostStore::InsertCampaign(const Call& call, const Campaign& c) {
  Campaign stored;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.Exec("INSERT INTO campaigns VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                                   "ON CONFLICT DO NOTHING",
                                   {call.workspace_id, c.id, c.display_name, c.description, c.start_time, c.end_time,
                                    c.archived, c.version, c.create_time, c.update_time})
                               .status());
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query("SELECT * FROM campaigns WHERE workspace_id = $1 AND id = $2",
                                                          {call.workspace_id, c.id}));
    if (rows.empty()) return NotFound("campaigns/" + c.id);
    stored = ReadCampaign(rows, 0);
    return absl::OkStatus();
  }));
  return stored;
}

StatusOr<Campaign> PgPostStore::GetCampaign(const Call& call, const std::string& id) {
  Campaign found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query("SELECT * FROM campaigns WHERE workspace_id = $1 AND id = $2",
                                                          {call.workspace_id, id}));
    if (rows.empty()) return NotFound("workspaces/" + call.workspace_id + "/campaigns/" + id);
    found = ReadCampaign(rows, 0);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<std::vector<Campaign>> PgPostStore::ListCampaigns(const Call& call, const Page& page) {
  std::vector<Campaign> list;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    list.clear();
    const absl::Time after = page.after ? page.after->first : absl::InfiniteFuture();
    const std::string after_id = page.after ? page.after->second : "ffffffff-ffff-ffff-ffff-ffffffffffff";
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                            tx.Query("SELECT * FROM campaigns WHERE workspace_id = $1 AND (create_time, id) < ($2, $3) "
                                     "ORDER BY create_time DESC, id DESC LIMIT $4",
                                     {call.workspace_id, after, after_id, page.size}));
    for (int i = 0; i < rows.size(); ++i) list.push_back(ReadCampaign(rows, i));
    return absl::OkStatus();
  }));
  return list;
}

StatusOr<Campaign> PgPostStore::SaveCampaign(const Call& call, const Campaign& c) {
  Campaign stored;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        const db::Rows rows,
        tx.Query("UPDATE campaigns SET display_name = $4, description = $5, start_time = $6, end_time = $7, archived = $8, "
                 "update_time = $9, version = version + 1 WHERE workspace_id = $1 AND id = $2 AND version = $3 RETURNING *",
                 {call.workspace_id, c.id, c.version, c.display_name, c.description, c.start_time, c.end_time, c.archived,
                  c.update_time}));
    if (rows.empty()) return MakeError(Code::kAborted, "ETAG_MISMATCH", "it was changed since it was read; read it again");
    stored = ReadCampaign(rows, 0);
    return absl::OkStatus();
  }));
  return stored;
}

}  // namespace parvis::publishing
