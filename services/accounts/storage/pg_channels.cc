#include "accounts/storage/pg_channels.h"

#include "accounts/storage/channel_rows.h"
#include "accounts/storage/rows.h"

namespace parvis::accounts {
namespace {

std::string NameOf(const Call& call, const std::string& id) {
  return "workspaces/" + call.workspace_id + "/channels/" + id;
}

// The row to be written: new, or the disconnected channel of the same account.
struct Place {
  std::string channel_id;
  bool revive = false;
};

StatusOr<Place> FindPlace(db::Tx& tx, const Call& call, const Channel& made) {
  PARVIS_ASSIGN_OR_RETURN(db::Rows rows,
                          tx.Query("SELECT channel_id, state FROM channels "
                                   "WHERE workspace_id = $1 AND network = $2 AND remote_id = $3 FOR UPDATE",
                                   {call.workspace_id, made.network, made.remote_id}));
  if (rows.empty()) return Place{made.id, false};
  Place place{rows.Text(0, 0), true};
  if (StateFromName(rows.View(0, 1)) == ChannelState::kDisconnected) return place;
  Error error{.code = Code::kAlreadyExists,
              .reason = "CHANNEL_ALREADY_CONNECTED",
              .message =
                  "the workspace has this account as a channel; to give it new credentials, use "
                  "UpdateChannelCredentials"};
  error.metadata["name"] = NameOf(call, place.channel_id);
  return ToStatus(error);
}

Status Write(db::Tx& tx, const Call& call, const Channel& made, const Place& place, const Sealer::Sealed& sealed) {
  if (!place.revive) {
    return tx
        .Exec("INSERT INTO channels (" CHANNEL_COLUMNS
              ", seal_key_id, credentials) VALUES "
              "($1, $2, $3, $4, $5, $6, $7, $8, 'connected', '', '', 1, $9, $10, $11, $12, $13, $14)",
              {call.workspace_id, place.channel_id, made.network, made.remote_id, made.base_url, made.display_name,
               made.handle, made.url, made.create_time, made.update_time, made.credentials_expire_time,
               made.refresh_time, sealed.key_id, db::Bytes(sealed.bytes)})
        .status();
  }
  return tx
      .Exec(
          "UPDATE channels SET base_url = $3, display_name = $4, handle = $5, url = $6, state = 'connected', "
          "state_reason = '', state_message = '', credentials_version = credentials_version + 1, "
          "update_time = $7, seal_key_id = $8, credentials = $9, credentials_expire_time = $10, refresh_time = "
          "$11, " REFRESH_RESET " WHERE workspace_id = $1 AND channel_id = $2",
          {call.workspace_id, place.channel_id, made.base_url, made.display_name, made.handle, made.url,
           made.update_time, sealed.key_id, db::Bytes(sealed.bytes), made.credentials_expire_time, made.refresh_time})
      .status();
}

}  // namespace

StatusOr<std::optional<std::string>> PgChannelStore::FindConnected(const Call& call, const Request& request) {
  std::optional<std::string> found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(std::string before, MadeBefore(tx, call.workspace_id, request));
    if (!before.empty()) found = before;
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<Created> PgChannelStore::Connect(const Call& call, const Channel& made, const CredentialFields& credentials,
                                          const Request& request) {
  Created created;
  const Secret packed = PackCredentials(credentials);
  Status status = api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(std::string before, MadeBefore(tx, call.workspace_id, request));
    if (!before.empty()) {
      created = {before, true};
      return absl::OkStatus();
    }
    PARVIS_ASSIGN_OR_RETURN(Place place, FindPlace(tx, call, made));
    PARVIS_ASSIGN_OR_RETURN(created, Once(tx, call.workspace_id, request, place.channel_id, [&]() -> Status {
                              PARVIS_ASSIGN_OR_RETURN(
                                  Sealer::Sealed sealed,
                                  sealer_.Seal(SealedFor(call.workspace_id, place.channel_id), packed));
                              return Write(tx, call, made, place, sealed);
                            }));
    return absl::OkStatus();
  });
  if (Violates(status, "channels_account")) {
    return MakeError(Code::kAlreadyExists, "CHANNEL_ALREADY_CONNECTED", "somebody connected this account just now");
  }
  if (Violates(status, "channels_workspace_id_fkey")) return NotFound("workspaces/" + call.workspace_id);
  PARVIS_RETURN_IF_ERROR(status);
  return created;
}

StatusOr<Channel> PgChannelStore::GetChannel(const Call& call, const std::string& id) {
  Channel found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query("SELECT " CHANNEL_COLUMNS " FROM channels WHERE workspace_id = $1 AND channel_id = $2",
                                {call.workspace_id, id}));
    if (rows.empty()) return NotFound(NameOf(call, id));
    found = ToChannel(rows, 0);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<std::vector<Channel>> PgChannelStore::ListChannels(const Call& call, const Page& page) {
  std::vector<Channel> found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query("SELECT " CHANNEL_COLUMNS " FROM channels WHERE workspace_id = $1 AND channel_id > $2 "
                                "ORDER BY channel_id LIMIT $3",
                                {call.workspace_id, page.after.empty() ? kNoWorkspace : page.after, page.limit}));
    found.clear();
    for (int i = 0; i < rows.size(); ++i) found.push_back(ToChannel(rows, i));
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<Channel> PgChannelStore::ReplaceCredentials(const Call& call, const Channel& fresh,
                                                     const CredentialFields& credentials) {
  PARVIS_ASSIGN_OR_RETURN(Sealer::Sealed sealed,
                          sealer_.Seal(SealedFor(call.workspace_id, fresh.id), PackCredentials(credentials)));
  Channel after;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query(
            "UPDATE channels SET state = 'connected', state_reason = '', state_message = '', handle = $3, url = $4, "
            "credentials_version = credentials_version + 1, update_time = $5, seal_key_id = $6, credentials = $7, "
            "credentials_expire_time = $8, refresh_time = $9, " REFRESH_RESET
            " WHERE workspace_id = $1 AND channel_id = $2 AND state <> 'disconnected' RETURNING " CHANNEL_COLUMNS,
            {call.workspace_id, fresh.id, fresh.handle, fresh.url, fresh.update_time, sealed.key_id,
             db::Bytes(sealed.bytes), fresh.credentials_expire_time, fresh.refresh_time}));
    if (rows.empty()) {
      PARVIS_ASSIGN_OR_RETURN(db::Rows there,
                              tx.Query("SELECT 1 FROM channels WHERE workspace_id = $1 AND channel_id = $2",
                                       {call.workspace_id, fresh.id}));
      if (there.empty()) return NotFound(NameOf(call, fresh.id));
      return MakeError(Code::kFailedPrecondition, "CHANNEL_DISCONNECTED",
                       "the channel is disconnected; connect the account again with ConnectChannel");
    }
    after = ToChannel(rows, 0);
    return absl::OkStatus();
  }));
  return after;
}

StatusOr<Channel> PgChannelStore::Disconnect(const Call& call, const std::string& id, absl::Time now) {
  Channel after;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(
        tx.Exec(
              "UPDATE channels SET state = 'disconnected', state_reason = '', state_message = '', seal_key_id = NULL, "
              "credentials = NULL, update_time = $3, credentials_expire_time = NULL, refresh_time = "
              "NULL, " REFRESH_RESET " "
              "WHERE workspace_id = $1 AND channel_id = $2 AND state <> 'disconnected'",
              {call.workspace_id, id, now})
            .status());
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query("SELECT " CHANNEL_COLUMNS " FROM channels WHERE workspace_id = $1 AND channel_id = $2",
                                {call.workspace_id, id}));
    if (rows.empty()) return NotFound(NameOf(call, id));
    after = ToChannel(rows, 0);
    return absl::OkStatus();
  }));
  return after;
}

}  // namespace parvis::accounts
