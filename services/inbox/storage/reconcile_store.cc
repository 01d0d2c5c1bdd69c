#include "inbox/storage/reconcile_store.h"

#include <algorithm>

namespace parvis::inbox::storage {
namespace {

// A message that was erased or removed by its author is still there as a row; a shell that only an edit made is not.
constexpr char kStored[] =
    "SELECT k.n FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[]) WITH ORDINALITY "
    "k(w, ch, r, a, reaction, n) WHERE CASE WHEN k.reaction THEN EXISTS (SELECT 1 FROM reactions x WHERE "
    "x.workspace_id = k.w AND x.channel_id = k.ch AND x.activity_id = k.a) ELSE EXISTS (SELECT 1 FROM messages m WHERE "
    "m.workspace_id = k.w AND m.channel_id = k.ch AND m.remote_key = k.r AND (m.present OR m.removed)) END";

}  // namespace

StatusOr<std::vector<bool>> FindStored(db::Pool& stream, const std::vector<Accepted>& accepted, size_t batch) {
  std::vector<bool> stored(accepted.size(), false);
  for (size_t begin = 0; begin < accepted.size(); begin += batch) {
    const size_t end = std::min(accepted.size(), begin + batch);
    std::vector<std::string> workspaces, channels, remotes, activities;
    std::vector<bool> reactions;
    for (size_t i = begin; i < end; ++i) {
      workspaces.push_back(accepted[i].workspace_id);
      channels.push_back(accepted[i].channel_id);
      remotes.push_back(accepted[i].remote_key);
      activities.push_back(accepted[i].activity_id);
      reactions.push_back(accepted[i].reaction);
    }
    PARVIS_RETURN_IF_ERROR(stream.Run(BackgroundCall("reconcile"), [&](db::Tx& tx) -> Status {
      PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                              tx.Query(kStored, {db::Array(workspaces), db::Array(channels), db::Array(remotes),
                                                 db::Array(activities), db::Array(reactions)}));
      for (int row = 0; row < rows.size(); ++row) stored[begin + static_cast<size_t>(rows.Int(row, 0)) - 1] = true;
      return absl::OkStatus();
    }));
  }
  return stored;
}

StatusOr<Progress> FoldedUntil(db::Pool& stream, const std::string& group, const std::string& topic) {
  Progress progress;
  PARVIS_RETURN_IF_ERROR(stream.Run(BackgroundCall("reconcile"), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        const db::Rows rows,
        tx.Query("SELECT part, next FROM stream_offsets WHERE group_name = $1 AND topic = $2", {group, topic}));
    progress.clear();
    for (int row = 0; row < rows.size(); ++row) progress[static_cast<int32_t>(rows.Int(row, 0))] = rows.Int(row, 1);
    return absl::OkStatus();
  }));
  return progress;
}

}  // namespace parvis::inbox::storage
