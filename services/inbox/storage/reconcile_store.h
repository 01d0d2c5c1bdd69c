// What the inbox has of what ingestion accepted. Reads only, as the stream role: of all workspaces.
#pragma once

#include <string>
#include <vector>

#include "inbox/domain/reconcile.h"
#include "platform/db/pool.h"

namespace parvis::inbox::storage {

// Which of them are stored, in the same order. Asks for `batch` at a time.
StatusOr<std::vector<bool>> FindStored(db::Pool& stream, const std::vector<Accepted>& accepted, size_t batch = 1000);
// How far the inbox has folded the topic.
StatusOr<Progress> FoldedUntil(db::Pool& stream, const std::string& group, const std::string& topic);

}  // namespace parvis::inbox::storage
