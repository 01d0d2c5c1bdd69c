#include "platform/db/migrations.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <absl/strings/str_cat.h>

#include "platform/db/connection.h"

namespace parvis::db {
namespace {

namespace fs = std::filesystem;

struct File {
  int version = 0;
  std::string name;
  std::string text;
};

// V001__add_snooze.sql: 'V', three digits or more, two underscores, lower_snake.
StatusOr<int> VersionOf(const std::string& name) {
  const size_t end = name.find("__");
  const bool shaped = name.size() > 10 && name[0] == 'V' && end != std::string::npos && end >= 4 && end <= 7 &&
                      std::all_of(name.begin() + 1, name.begin() + end, [](char c) { return c >= '0' && c <= '9'; }) &&
                      std::all_of(name.begin() + end + 2, name.end() - 4,
                                  [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  if (!shaped) {
    return MakeError(Code::kFailedPrecondition, "MIGRATION_NAME",
                     absl::StrCat(name, " is not named like V007__add_snooze.sql"));
  }
  return std::stoi(name.substr(1, end - 1));
}

StatusOr<std::vector<File>> ReadFolder(const std::string& folder) {
  std::vector<File> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".sql") continue;
    File file{.name = entry.path().filename().string()};
    PARVIS_ASSIGN_OR_RETURN(file.version, VersionOf(file.name));
    std::ifstream stream(entry.path(), std::ios::binary);
    std::ostringstream text;
    if (!stream || !(text << stream.rdbuf())) {
      return MakeError(Code::kFailedPrecondition, "MIGRATION_MISSING", absl::StrCat("cannot read ", file.name));
    }
    file.text = text.str();
    files.push_back(std::move(file));
  }
  if (error || files.empty()) {
    return MakeError(Code::kFailedPrecondition, "MIGRATION_MISSING", absl::StrCat("there are no migrations in ", folder));
  }
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.version < b.version; });
  for (size_t i = 0; i < files.size(); ++i) {
    if (files[i].version != static_cast<int>(i) + 1) {
      return MakeError(Code::kFailedPrecondition, "MIGRATION_GAP",
                       absl::StrCat(files[i].name, " should have the number ", i + 1));
    }
  }
  return files;
}

constexpr char kTable[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, "
    "apply_time timestamptz NOT NULL DEFAULT now())";

// Holds the schema's lock until the connection closes.
Status Prepare(Connection& connection, const std::string& schema) {
  const std::optional<Connection::Begin> none;
  PARVIS_RETURN_IF_ERROR(connection.Query(none, "SELECT pg_advisory_lock(hashtextextended('parvis_migrate:' || $1, 0))",
                                          {Param(schema)}).status());
  PARVIS_ASSIGN_OR_RETURN(const Rows there, connection.Query(none, "SELECT 1 FROM pg_namespace WHERE nspname = $1",
                                                             {Param(schema)}));
  if (there.empty()) PARVIS_RETURN_IF_ERROR(connection.Simple(absl::StrCat("CREATE SCHEMA \"", schema, "\"").c_str()).status());
  PARVIS_RETURN_IF_ERROR(connection.Simple(absl::StrCat("SET search_path = \"", schema, "\"").c_str()).status());
  return connection.Simple(kTable).status();
}

// What was applied must still be there, unchanged. Returns how many files have been applied.
StatusOr<int> Compare(Connection& connection, const std::vector<File>& files) {
  PARVIS_ASSIGN_OR_RETURN(const Rows applied, connection.Query(
      std::nullopt, "SELECT version, name, sha256 FROM schema_migrations ORDER BY version", {}));
  for (int i = 0; i < applied.size(); ++i) {
    if (i >= static_cast<int>(files.size())) {
      return MakeError(Code::kFailedPrecondition, "MIGRATION_MISSING",
                       absl::StrCat(applied.Text(i, 1), " was applied and its file is missing: is this an older release?"));
    }
    PARVIS_ASSIGN_OR_RETURN(const Rows sum, connection.Query(
        std::nullopt, "SELECT encode(sha256($1::bytea), 'hex')", {Bytes(files[i].text)}));
    if (applied.Int(i, 0) != files[i].version || sum.View(0, 0) != applied.View(i, 2)) {
      return MakeError(Code::kFailedPrecondition, "MIGRATION_CHANGED",
                       absl::StrCat(files[i].name, " was applied and has changed since: write a new migration instead"));
    }
  }
  return applied.size();
}

Status Apply(Connection& connection, const File& file) {
  PARVIS_RETURN_IF_ERROR(connection.Simple("BEGIN").status());
  Status status = connection.Simple(file.text.c_str()).status();
  if (status.ok() && !connection.in_transaction()) {
    return MakeError(Code::kFailedPrecondition, "MIGRATION_TRANSACTION", absl::StrCat(file.name, " must not end its transaction"));
  }
  if (status.ok()) {
    status = connection.Query(std::nullopt, "INSERT INTO schema_migrations (version, name, sha256) "
                              "VALUES ($1, $2, encode(sha256($3::bytea), 'hex'))",
                              {Param(file.version), Param(file.name), Bytes(file.text)}).status();
  }
  if (status.ok()) status = connection.Simple("COMMIT").status();
  if (status.ok()) return status;
  if (!connection.broken() && !connection.Simple("ROLLBACK").ok()) return status;
  Error error = ToError(status);
  error.message = absl::StrCat(file.name, ": ", error.message);
  return ToStatus(error);
}

}  // namespace

StatusOr<int> Migrate(const MigrationConfig& config) {
  PARVIS_ASSIGN_OR_RETURN(const std::vector<File> files, ReadFolder(config.folder));
  if (config.schema.empty() || config.schema.find_first_of("\"'\\") != std::string::npos) {
    return InvalidField("schema", "SCHEMA_NAME", "must be a plain name");
  }
  PoolConfig pool;
  pool.dsn = config.dsn;
  pool.password_file = config.password_file;
  PARVIS_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> connection, Connection::Open(pool));
  connection->set_wait_max(absl::Minutes(30));   // for another runner, or a large table
  PARVIS_RETURN_IF_ERROR(Prepare(*connection, config.schema));
  PARVIS_ASSIGN_OR_RETURN(const int before, Compare(*connection, files));
  for (size_t i = before; i < files.size(); ++i) PARVIS_RETURN_IF_ERROR(Apply(*connection, files[i]));
  return static_cast<int>(files.size()) - before;
}

}  // namespace parvis::db
