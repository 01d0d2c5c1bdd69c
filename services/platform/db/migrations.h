// Schema migrations: files V001__what.sql in one folder, applied in order, each in a transaction, by the schema's owner.
#pragma once

#include <string>

#include "platform/base/error.h"

namespace parvis::db {

struct MigrationConfig {
  std::string dsn;            // the owner's
  std::string password_file;
  std::string schema;         // "inbox"; created if missing
  std::string folder;         // services/inbox/storage/schema
};
// Applies what is missing. Safe when several run at once (one holds an advisory lock, the others wait). Refuses
// (FAILED_PRECONDITION): MIGRATION_CHANGED when an applied file's SHA-256 differs, MIGRATION_MISSING, MIGRATION_GAP,
// MIGRATION_NAME, MIGRATION_TRANSACTION (a file that commits by itself). Returns how many were applied.
StatusOr<int> Migrate(const MigrationConfig& config);

}  // namespace parvis::db
