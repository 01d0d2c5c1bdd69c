#include "moderation/storage/pg_policies.h"

#include <absl/strings/str_cat.h>

namespace parvis::moderation {
namespace {

#define PARVIS_POLICY_COLUMNS                                                                                         \
  "SELECT p.id, p.display_name, v.source, p.version, coalesce(a.version, 0), p.revision, p.create_time, "             \
  "p.update_time "                                                                                                    \
  "FROM policies p JOIN policy_versions v ON v.workspace_id = p.workspace_id AND v.policy_id = p.id AND v.version = " \
  "p.version "                                                                                                        \
  "LEFT JOIN active_policies a ON a.workspace_id = p.workspace_id AND a.policy_id = p.id "

PolicyRecord ReadPolicyRow(const db::Rows& rows, int row) {
  PolicyRecord p;
  p.id = rows.Text(row, 0);
  p.display_name = rows.Text(row, 1);
  p.source = rows.Text(row, 2);
  p.version = rows.Int(row, 3);
  p.active_version = rows.Int(row, 4);
  p.revision = rows.Int(row, 5);
  p.create_time = rows.Time(row, 6);
  p.update_time = rows.Time(row, 7);
  return p;
}

Status PolicyNotFound(const Call& call, const std::string& id) {
  return NotFound(absl::StrCat("workspaces/", call.workspace_id, "/policies/", id));
}

StatusOr<PolicyRecord> GetIn(db::Tx& tx, const Call& call, const std::string& id) {
  PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query(PARVIS_POLICY_COLUMNS "WHERE p.workspace_id = $1 AND p.id = $2",
                                                  {call.workspace_id, id}));
  if (rows.empty()) return PolicyNotFound(call, id);
  return ReadPolicyRow(rows, 0);
}

// Locks the policy's row against other writers.
Status Lock(db::Tx& tx, const Call& call, const std::string& id) {
  PARVIS_ASSIGN_OR_RETURN(
      db::Rows rows,
      tx.Query("SELECT 1 FROM policies WHERE workspace_id = $1 AND id = $2 FOR UPDATE", {call.workspace_id, id}));
  return rows.empty() ? PolicyNotFound(call, id) : absl::OkStatus();
}

Status InsertVersion(db::Tx& tx, const Call& call, const std::string& id, int64_t version, const std::string& source,
                     const std::string& member_id, absl::Time now) {
  return tx
      .Query(
          "INSERT INTO policy_versions (workspace_id, policy_id, version, source, member_id, create_time) "
          "VALUES ($1, $2, $3, $4, $5, $6)",
          {call.workspace_id, id, version, source, member_id, now})
      .status();
}

}  // namespace

StatusOr<PolicyRecord> PgPolicyStore::Create(const Call& call, const PolicyRecord& policy, const std::string& member_id,
                                             const std::string& request_id) {
  PolicyRecord out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    // Those who create in one workspace wait for each other: what they count is then what there is.
    PARVIS_RETURN_IF_ERROR(
        tx.Query("SELECT pg_advisory_xact_lock(hashtextextended('parvis_policies:' || $1, 0))", {call.workspace_id})
            .status());
    const std::optional<std::string> request = request_id.empty() ? std::nullopt : std::optional(request_id);
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("INSERT INTO policies (workspace_id, id, display_name, version, revision, request_id, create_time, "
                 "update_time) "
                 "VALUES ($1, $2, $3, 1, 1, $4, $5, $5) "
                 "ON CONFLICT (workspace_id, request_id) WHERE request_id IS NOT NULL DO NOTHING RETURNING id",
                 {call.workspace_id, policy.id, policy.display_name, request, policy.create_time}));
    std::string id = policy.id;
    if (rows.empty()) {
      PARVIS_ASSIGN_OR_RETURN(db::Rows earlier,
                              tx.Query("SELECT id FROM policies WHERE workspace_id = $1 AND request_id = $2",
                                       {call.workspace_id, request_id}));
      if (earlier.empty())
        return MakeError(Code::kAborted, "DB_CONFLICT", "the same request is being carried out right now");
      id = earlier.Text(0, 0);
    } else {
      PARVIS_ASSIGN_OR_RETURN(const db::Rows count,
                              tx.Query("SELECT count(*) FROM policies WHERE workspace_id = $1", {call.workspace_id}));
      if (count.Int(0, 0) > quota_.policies) return PoliciesTooMany(quota_);
      PARVIS_RETURN_IF_ERROR(InsertVersion(tx, call, id, 1, policy.source, member_id, policy.create_time));
    }
    PARVIS_ASSIGN_OR_RETURN(out, GetIn(tx, call, id));
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<PolicyRecord> PgPolicyStore::Get(const Call& call, const std::string& id) {
  PolicyRecord out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(out, GetIn(tx, call, id));
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<std::vector<PolicyRecord>> PgPolicyStore::List(const Call& call, const std::optional<TimeCursor>& after,
                                                        int limit) {
  std::vector<PolicyRecord> out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    out.clear();
    const absl::Time time = after ? after->time : absl::InfiniteFuture();
    const std::string id = after ? after->id : "ffffffff-ffff-ffff-ffff-ffffffffffff";
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query(PARVIS_POLICY_COLUMNS
                                "WHERE p.workspace_id = $1 AND (p.create_time, p.id) < ($2::timestamptz, $3::uuid) "
                                "ORDER BY p.create_time DESC, p.id DESC LIMIT $4",
                                {call.workspace_id, time, id, limit}));
    for (int i = 0; i < rows.size(); ++i) out.push_back(ReadPolicyRow(rows, i));
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<PolicyRecord> PgPolicyStore::Update(const Call& call, const std::string& id, const PolicyChange& change,
                                             const std::string& member_id, absl::Time now) {
  PolicyRecord out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(Lock(tx, call, id));
    PARVIS_ASSIGN_OR_RETURN(PolicyRecord now_there, GetIn(tx, call, id));
    if (change.if_revision && *change.if_revision != now_there.revision) {
      return MakeError(Code::kAborted, "ETAG_MISMATCH", "the policy was changed since it was read; read it again");
    }
    const bool fresh = change.source && *change.source != now_there.source;
    const int64_t version = now_there.version + (fresh ? 1 : 0);
    if (fresh && version > quota_.versions) return VersionsTooMany(quota_);
    if (fresh) PARVIS_RETURN_IF_ERROR(InsertVersion(tx, call, id, version, *change.source, member_id, now));
    PARVIS_RETURN_IF_ERROR(tx.Query("UPDATE policies SET display_name = coalesce($3, display_name), version = $4, "
                                    "revision = revision + 1, update_time = $5 WHERE workspace_id = $1 AND id = $2",
                                    {call.workspace_id, id, change.display_name, version, now})
                               .status());
    PARVIS_ASSIGN_OR_RETURN(out, GetIn(tx, call, id));
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<std::vector<PolicyVersionRecord>> PgPolicyStore::ListVersions(const Call& call, const std::string& id,
                                                                       int64_t before, int limit) {
  std::vector<PolicyVersionRecord> out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    out.clear();
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("SELECT version, source, member_id, create_time FROM policy_versions "
                 "WHERE workspace_id = $1 AND policy_id = $2 AND version < $3 ORDER BY version DESC LIMIT $4",
                 {call.workspace_id, id, before == 0 ? INT64_MAX : before, limit}));
    if (rows.empty()) return GetIn(tx, call, id).status();
    for (int i = 0; i < rows.size(); ++i) {
      out.push_back({rows.Int(i, 0), rows.Text(i, 1), rows.Text(i, 2), rows.Time(i, 3)});
    }
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<PolicyRecord> PgPolicyStore::Activate(const Call& call, const std::string& id, int64_t version,
                                               const std::string& member_id, absl::Time now) {
  PolicyRecord out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(Lock(tx, call, id));
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("INSERT INTO active_policies (workspace_id, policy_id, version, member_id, change_time) "
                 "SELECT v.workspace_id, v.policy_id, v.version, $4, $5 FROM policy_versions v JOIN policies p "
                 "ON p.workspace_id = v.workspace_id AND p.id = v.policy_id "
                 "WHERE v.workspace_id = $1 AND v.policy_id = $2 AND v.version = CASE WHEN $3::bigint = 0 THEN "
                 "p.version ELSE $3 END "
                 "ON CONFLICT (workspace_id) DO UPDATE SET policy_id = excluded.policy_id, version = excluded.version, "
                 "member_id = excluded.member_id, change_time = excluded.change_time RETURNING 1",
                 {call.workspace_id, id, version, member_id, now}));
    if (rows.empty()) {
      return NotFound(absl::StrCat("workspaces/", call.workspace_id, "/policies/", id, "/versions/", version));
    }
    PARVIS_ASSIGN_OR_RETURN(out, GetIn(tx, call, id));
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<PolicyRecord> PgPolicyStore::Deactivate(const Call& call, const std::string& id) {
  PolicyRecord out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(
        tx.Query("DELETE FROM active_policies WHERE workspace_id = $1 AND policy_id = $2", {call.workspace_id, id})
            .status());
    PARVIS_ASSIGN_OR_RETURN(out, GetIn(tx, call, id));
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<std::map<std::string, ActivePolicy>> PgActivePolicyStore::Active(
    const std::vector<std::string>& workspace_ids) {
  std::map<std::string, ActivePolicy> out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(BackgroundCall("moderation"), [&](db::Tx& tx) -> Status {
    out.clear();
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query("SELECT workspace_id, policy_id, version FROM active_policies "
                                                    "WHERE workspace_id = ANY ($1::uuid[])",
                                                    {db::Array(workspace_ids)}));
    for (int i = 0; i < rows.size(); ++i) out[rows.Text(i, 0)] = {rows.Text(i, 1), rows.Int(i, 2)};
    return absl::OkStatus();
  }));
  return out;
}

StatusOr<std::string> PgActivePolicyStore::Source(const std::string& workspace_id, const ActivePolicy& policy) {
  std::string out;
  PARVIS_RETURN_IF_ERROR(pool_.Run(BackgroundCall("moderation"), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows,
                            tx.Query("SELECT source FROM policy_versions WHERE workspace_id = $1 AND policy_id = $2 "
                                     "AND version = $3",
                                     {workspace_id, policy.policy_id, policy.version}));
    if (rows.empty())
      return NotFound(
          absl::StrCat("workspaces/", workspace_id, "/policies/", policy.policy_id, "/versions/", policy.version));
    out = rows.Text(0, 0);
    return absl::OkStatus();
  }));
  return out;
}

}  // namespace parvis::moderation
