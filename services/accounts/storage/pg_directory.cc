// PgChannelStore as the directory of other services.
#include "accounts/storage/channel_rows.h"
#include "accounts/storage/pg_channels.h"
#include "accounts/storage/rows.h"

namespace parvis::accounts {
namespace {

#define BINDING_COLUMNS "workspace_id, channel_id, network, remote_id, state, credentials_version"

std::vector<Binding> ToBindings(const db::Rows& rows) {
  std::vector<Binding> bindings;
  bindings.reserve(rows.size());
  for (int i = 0; i < rows.size(); ++i) {
    bindings.push_back({rows.Text(i, 0), rows.Text(i, 1), rows.Text(i, 2), rows.Text(i, 3),
                        StateFromName(rows.View(i, 4)), rows.Int(i, 5)});
  }
  return bindings;
}

}  // namespace

StatusOr<DirectoryStore::Opened> PgChannelStore::OpenCredentials(const Call& call, const std::string& channel_id) {
  Opened opened;
  std::string key_id, bytes;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query("SELECT " CHANNEL_COLUMNS ", seal_key_id, credentials "
                                                    "FROM channels WHERE workspace_id = $1 AND channel_id = $2",
                                                    {call.workspace_id, channel_id}));
    if (rows.empty()) return NotFound("workspaces/" + call.workspace_id + "/channels/" + channel_id);
    opened.channel = ToChannel(rows, 0);
    key_id = rows.Text(0, kChannelColumns);
    bytes = rows.Bytes(0, kChannelColumns + 1);
    return absl::OkStatus();
  }));
  if (opened.channel.state == ChannelState::kDisconnected) {
    return MakeError(Code::kFailedPrecondition, "CHANNEL_DISCONNECTED", "the channel is disconnected");
  }
  PARVIS_ASSIGN_OR_RETURN(Secret packed, sealer_.Open(SealedFor(call.workspace_id, channel_id), key_id, bytes));
  PARVIS_ASSIGN_OR_RETURN(opened.credentials, UnpackCredentials(packed));
  return opened;
}

StatusOr<std::vector<Binding>> PgChannelStore::FindBindings(const Call& call, const std::string& network,
                                                            const std::vector<std::string>& remote_ids) {
  std::vector<Binding> found;
  PARVIS_RETURN_IF_ERROR(stream_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query("SELECT " BINDING_COLUMNS " FROM channels WHERE network = $1 "
                                                    "AND remote_id = ANY($2::text[]) AND state <> 'disconnected' "
                                                    "ORDER BY remote_id COLLATE \"C\", channel_id",
                                                    {network, db::Array(remote_ids)}));
    found = ToBindings(rows);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<std::vector<Binding>> PgChannelStore::ListBindings(const Call& call, const Page& page) {
  std::vector<Binding> found;
  PARVIS_RETURN_IF_ERROR(stream_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows,
                            tx.Query("SELECT " BINDING_COLUMNS " FROM channels WHERE state <> 'disconnected' "
                                     "AND channel_id > $1 ORDER BY channel_id LIMIT $2",
                                     {page.after.empty() ? kNoWorkspace : page.after, page.limit}));
    found = ToBindings(rows);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<ChannelState> PgChannelStore::SetHealth(const Call& call, const std::string& channel_id,
                                                 int64_t credentials_version, ChannelState state,
                                                 const std::string& reason, const std::string& message,
                                                 absl::Time now) {
  ChannelState after = state;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("UPDATE channels SET state = $4, state_reason = $5, state_message = $6, "
                "refresh_time = CASE WHEN $5 = 'TOKEN_EXPIRED' AND refresh_time IS NOT NULL "
                "THEN least(refresh_time, greatest($7, update_time + interval '10 minutes')) ELSE refresh_time END, "
                "update_time = $7 WHERE workspace_id = $1 AND channel_id = $2 "
                "AND credentials_version = $3 AND state <> 'disconnected' AND state <> $4",
                {call.workspace_id, channel_id, credentials_version, StateName(state), reason, message, now})
            .status());
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows,
                            tx.Query("SELECT state FROM channels WHERE workspace_id = $1 AND channel_id = $2",
                                     {call.workspace_id, channel_id}));
    if (rows.empty()) return NotFound("workspaces/" + call.workspace_id + "/channels/" + channel_id);
    after = StateFromName(rows.View(0, 0));
    return absl::OkStatus();
  }));
  return after;
}

StatusOr<int> PgChannelStore::Reseal(const Call& call, int limit) {
  int resealed = 0;
  PARVIS_RETURN_IF_ERROR(stream_.Run(call, [&](db::Tx& tx) -> Status {
    resealed = 0;
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows,
                            tx.Query("SELECT workspace_id, channel_id, seal_key_id, credentials FROM channels "
                                     "WHERE credentials IS NOT NULL AND seal_key_id <> $1 "
                                     "ORDER BY seal_key_id, channel_id LIMIT $2 FOR UPDATE",
                                     {sealer_.current_key_id(), limit}));
    std::vector<std::string> workspaces, channels, bytes;
    for (int i = 0; i < rows.size(); ++i) {
      workspaces.push_back(rows.Text(i, 0));
      channels.push_back(rows.Text(i, 1));
      std::string bound_to = SealedFor(workspaces.back(), channels.back());
      PARVIS_ASSIGN_OR_RETURN(Secret plain, sealer_.Open(bound_to, rows.View(i, 2), rows.Bytes(i, 3)));
      PARVIS_ASSIGN_OR_RETURN(Sealer::Sealed sealed, sealer_.Seal(bound_to, plain));
      bytes.push_back(std::move(sealed.bytes));
    }
    if (rows.empty()) return absl::OkStatus();
    PARVIS_ASSIGN_OR_RETURN(
        int64_t changed,
        tx.Exec("UPDATE channels c SET seal_key_id = $1, credentials = n.bytes "
                "FROM unnest($2::uuid[], $3::uuid[], $4::bytea[]) AS n(workspace_id, channel_id, bytes) "
                "WHERE c.workspace_id = n.workspace_id AND c.channel_id = n.channel_id",
                {sealer_.current_key_id(), db::Array(workspaces), db::Array(channels), db::BytesArray(bytes)}));
    resealed = static_cast<int>(changed);
    return absl::OkStatus();
  }));
  return resealed;
}

}  // namespace parvis::accounts
