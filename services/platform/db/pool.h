// PostgreSQL, over libpq: a bounded pool, transactions that carry the workspace, batches, and SQLSTATE → Error.
// Thread-safe unless said otherwise. Nothing here throws.
//
// Two roles a service: `<svc>_api` (row-level security forced, one workspace per transaction) and `<svc>_stream`
// (BYPASSRLS, many workspaces in a batch, serves no request). One Pool per role.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/app/config.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/db/binary_rows.h"
#include "platform/obs/metrics.h"

struct pg_conn;
struct pg_result;

namespace parvis::db {

struct PoolConfig {
  std::string dsn;                 // "host=... dbname=... user=..." without the password
  std::string password_file;       // may be empty (peer or trust authentication)
  int size = 8;                    // connections at most
  absl::Duration acquire_max = absl::Seconds(2);       // waiting for a free one; then RESOURCE_EXHAUSTED DB_POOL_EXHAUSTED
  absl::Duration statement_max = absl::Seconds(10);    // cap on statement_timeout
  absl::Duration connect_max = absl::Seconds(5);
  // How long the plan of a statement is reused, for whatever parameters; 0: PostgreSQL decides, and plans most statements
  // anew. Planning costs more than running a batch's look-ups by key; a plan made for an empty table must not outlive it.
  absl::Duration plan_max_age;
  // Long enough to pay, short enough for a table that fills: for pools whose statements ask for one plan's index by their
  // text, whatever the parameters.
  static constexpr absl::Duration kReusePlans = absl::Seconds(2);
  // The settings of a stream role's pool: batches by key, hundreds of times a second.
  static PoolConfig ForStreams();
  // Declares `<prefix>dsn`, `<prefix>password_file`, `<prefix>pool_size`, ... e.g. prefix "db_api_".
  void Declare(app::Options& o, std::string_view prefix);
};

// One parameter of a statement, in text form; nullopt is NULL. Arrays are PostgreSQL array literals made by Array().
struct Param {
  Param(std::nullopt_t) {}
  Param(std::string_view text) : value(std::string(text)) {}
  Param(const std::string& text) : value(text) {}
  Param(std::string&& text) : value(std::move(text)) {}
  Param(const char* text) : value(text) {}
  Param(int64_t number);
  Param(int number) : Param(static_cast<int64_t>(number)) {}
  Param(bool flag);
  Param(double number);
  Param(absl::Time time);          // timestamptz; InfinitePast/Future are -infinity/infinity
  template <class T> Param(const std::optional<T>& maybe) { if (maybe) value = Param(*maybe).value; }
  std::optional<std::string> value;
};
// Array parameters for `unnest($1::text[], $2::bigint[], ...)`.
Param Array(const std::vector<std::string>& values);
Param Array(const std::vector<std::optional<std::string>>& values);
Param Array(const std::vector<int64_t>& values);
Param Array(const std::vector<bool>& values);
Param Array(const std::vector<double>& values);
Param Array(const std::vector<absl::Time>& values);
Param Bytes(std::string_view bytes);                        // bytea
Param BytesArray(const std::vector<std::string>& values);   // bytea[]

// The rows of a result. Owns the memory; views are valid as long as it lives. Not thread-safe.
class Rows {
 public:
  explicit Rows(pg_result* result);
  Rows(Rows&&) noexcept;
  Rows& operator=(Rows&&) noexcept;
  ~Rows();
  int size() const;
  bool empty() const { return size() == 0; }
  int64_t affected() const;                                  // rows changed by INSERT/UPDATE/DELETE
  bool IsNull(int row, int column) const;
  std::string_view View(int row, int column) const;          // "" for NULL
  std::string Text(int row, int column) const;
  int64_t Int(int row, int column) const;                    // 0 for NULL
  double Double(int row, int column) const;
  bool Bool(int row, int column) const;
  absl::Time Time(int row, int column) const;                // select timestamptz as they are; InfinitePast for NULL
  std::optional<absl::Time> MaybeTime(int row, int column) const;   // nullopt for NULL
  std::string Bytes(int row, int column) const;              // decodes bytea
  std::vector<std::string> TextArray(int row, int column) const;

 private:
  pg_result* result_;
};

// A transaction. Not thread-safe; lives only inside the body given to Pool::Run.
class Tx {
 public:
  virtual ~Tx() = default;
  // Statements are prepared once per connection, by their text: pass literals, never built strings.
  virtual StatusOr<Rows> Query(const char* sql, std::initializer_list<Param> params = {}) = 0;
  virtual StatusOr<Rows> Query(const char* sql, const std::vector<Param>& params) = 0;
  // As Query, but gives the number of changed rows.
  StatusOr<int64_t> Exec(const char* sql, std::initializer_list<Param> params = {});
  // COPY ... FROM STDIN of rows that have been made before, in the format that the statement names. Not for tables with
  // row-level security, except by the stream role.
  virtual StatusOr<int64_t> Copy(const char* copy_sql, std::string_view rows) = 0;
  // COPY table (columns) FROM STDIN (FORMAT binary), sent piece by piece while `write(i, out)` makes row i, so that the
  // server stores the first rows while the last are made. Its answer is not waited for: an error comes from the next
  // statement of this transaction, or from Run.
  using WriteRow = std::function<void(size_t, BinaryRows&)>;
  virtual Status CopyRows(const char* copy_sql, size_t rows, const WriteRow& write) = 0;
};

class Pool {
 public:
  Pool(const PoolConfig& config, const Clock& clock, obs::Metrics& metrics);
  ~Pool();

  using Body = std::function<Status(Tx&)>;
  // Runs `body` in one transaction with `SET LOCAL parvis.workspace_id = call.workspace_id` (unset when "": no row is
  // visible to the api role) and statement_timeout = min(call's remaining time, statement_max). Commits when the body
  // returns OK, rolls back otherwise. Serialization failures and deadlocks (40001, 40P01) are retried, at most 3 times:
  // the body must have no effect outside the database. BEGIN and SET travel with the first statement: no extra round trip.
  // Errors: RESOURCE_EXHAUSTED DB_POOL_EXHAUSTED; UNAVAILABLE DB_UNAVAILABLE (also when a commit's answer was lost: the
  // outcome is unknown, callers rely on natural keys); DEADLINE_EXCEEDED DB_TIMEOUT; ALREADY_EXISTS UNIQUE_VIOLATION with
  // metadata "constraint"; FAILED_PRECONDITION FOREIGN_KEY_VIOLATION / CHECK_VIOLATION with "constraint"; ABORTED
  // DB_CONFLICT; INTERNAL DB_ERROR. Messages carry no parameter values.
  Status Run(const Call& call, const Body& body);
  // As Run, for several queries that must agree with each other: all of them see the database as it was at the first one
  // (REPEATABLE READ READ ONLY). A body that writes gets INTERNAL DB_WRITE_IN_SNAPSHOT.
  Status RunSnapshot(const Call& call, const Body& body);
  // For readiness: SELECT 1 on some connection.
  Status Ping();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::db
