// One connection to PostgreSQL. Internal to platform/db. Not thread-safe. Never waits longer than it is told to.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <absl/types/span.h>

#include "platform/db/pool.h"

namespace parvis::db {

class Connection {
 public:
  // What travels in front of a transaction's first statement.
  struct Begin {
    std::string workspace_id;
    absl::Duration statement_max;
    bool snapshot = false;       // REPEATABLE READ READ ONLY
    bool forget_plans = false;   // of all prepared statements
  };
  // UNAVAILABLE DB_UNAVAILABLE when the server cannot be reached or refuses us.
  static StatusOr<std::unique_ptr<Connection>> Open(const PoolConfig& config);
  ~Connection();
  Connection(const Connection&) = delete;

  // Runs one statement, prepared once under its text; with `begin`, in the same round trip, after BEGIN and the settings.
  StatusOr<Rows> Query(const std::optional<Begin>& begin, const char* sql, absl::Span<const Param> params);
  // COPY ... FROM STDIN; inside a transaction that has begun.
  StatusOr<int64_t> Copy(const char* sql, std::string_view rows);
  // Tx::CopyRows.
  Status CopyRows(const char* sql, size_t rows, const Tx::WriteRow& write);
  // Reads the answer to CopyRows, if there is one to come. Every other method does so first.
  Status FinishCopy();
  // COMMIT, ROLLBACK and scripts of several statements; gives the last one's command tag ("COMMIT").
  StatusOr<std::string> Simple(const char* sql);

  // The longest wait for one answer; more means that the connection is broken.
  void set_wait_max(absl::Duration wait) { wait_max_ = wait; }
  // True when plans have been reused for `max` (0: they are not); they count as new from then on.
  bool PlansAreOld(Instant now, absl::Duration max);
  // No further use: close it.
  bool broken() const { return broken_; }
  // SQLSTATE of the last error: "" for a lost connection.
  const std::string& state() const { return state_; }
  bool in_transaction() const;

 private:
  explicit Connection(pg_conn* conn) : conn_(conn) {}
  StatusOr<Rows> ReadPipeline(int steps, bool preparing, const char* sql, const std::string& name);
  // Sends COPY and waits until the server wants rows; nullptr, or why it does not.
  Status StartCopy(const char* sql);
  Status PutCopy(std::string_view rows);
  Status EndCopy(const char* error);   // nullptr: all rows were sent
  StatusOr<int64_t> CopyResult();
  Status Wait(bool for_write);
  Status FlushAll();
  StatusOr<pg_result*> Next();   // the next result, nullptr at the end of a statement
  Status Fail(const pg_result* result);
  Status Broken(std::string_view why);

  pg_conn* const conn_;
  absl::Duration wait_max_ = absl::Seconds(10);
  bool broken_ = false;
  bool copying_ = false;   // the answer to CopyRows is still to come
  std::string state_;
  Instant planned_;
  int64_t names_ = 0;
  std::unordered_map<std::string, std::string> prepared_;  // text → name, at most kPreparedMax
};

}  // namespace parvis::db
