// One change of one conversation inside its transaction: what an edit sees is read, what it leaves is written.
#pragma once

#include "inbox/domain/store.h"
#include "inbox/storage/write.h"
#include "platform/db/pool.h"

namespace parvis::inbox::storage {

// Locks the conversation's row. NOT_FOUND.
StatusOr<Edit> LoadEdit(db::Tx& tx, const Call& call, const EditScope& scope);
// Writes nothing when there are no events. Raises the conversation's version.
Status SaveEdit(db::Tx& tx, const Call& call, const Encoders& encoders, Edit& edit);

}  // namespace parvis::inbox::storage
