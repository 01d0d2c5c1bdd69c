#include "platform/db/sqlstate.h"

#include <libpq-fe.h>

#include <string>

namespace parvis::db {
namespace {

std::string_view FieldOf(const pg_result* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text ? std::string_view(text) : std::string_view();
}

Status WithConstraint(Code code, std::string_view reason, std::string_view constraint, std::string_view what) {
  Error error{.code = code, .reason = std::string(reason)};
  error.message = std::string(what) + " (" + std::string(constraint) + ")";
  error.metadata["constraint"] = std::string(constraint);
  return ToStatus(error);
}

}  // namespace

Status Unavailable(std::string_view detail) {
  return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "the database cannot be reached: " + std::string(detail));
}

Status TimedOut() {
  return MakeError(Code::kDeadlineExceeded, "DB_TIMEOUT", "the database did not answer in the time that was left");
}

bool IsConnectionLoss(std::string_view state) {
  return state.empty() || state.starts_with("08") || state.starts_with("57P");
}

bool IsConflict(std::string_view state) { return state == "40001" || state == "40P01"; }

bool IsStalePlan(std::string_view state) { return state == "0A000" || state == "26000"; }

// The codes: PostgreSQL 15 documentation, appendix A.
Status ErrorOfState(std::string_view state, std::string_view constraint, std::string_view detail) {
  if (state == "23505") return WithConstraint(Code::kAlreadyExists, "UNIQUE_VIOLATION", constraint, "it exists already");
  if (state == "23503") {
    return WithConstraint(Code::kFailedPrecondition, "FOREIGN_KEY_VIOLATION", constraint, "what it refers to is not there");
  }
  if (state == "23514") {
    return WithConstraint(Code::kFailedPrecondition, "CHECK_VIOLATION", constraint, "the database refuses the value");
  }
  if (IsConflict(state) || state == "55P03") {
    return MakeError(Code::kAborted, "DB_CONFLICT", "another transaction was in the way; try again");
  }
  if (state == "57014") return TimedOut();
  // 53: out of disk, memory or connections; 25006: a primary that has become a standby.
  if (IsConnectionLoss(state) || state.starts_with("53") || state == "25006") return Unavailable(detail);
  return MakeError(Code::kInternal, "DB_ERROR", "SQLSTATE " + std::string(state) + ": " + std::string(detail));
}

Status ErrorOf(const pg_result* result) {
  const std::string_view state = FieldOf(result, PG_DIAG_SQLSTATE);
  std::string detail = "table " + std::string(FieldOf(result, PG_DIAG_TABLE_NAME)) + " column " +
                       std::string(FieldOf(result, PG_DIAG_COLUMN_NAME));
  if (state.starts_with("42") || IsConnectionLoss(state)) detail = FieldOf(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state.empty()) detail = "the connection was lost";
  return ErrorOfState(state, FieldOf(result, PG_DIAG_CONSTRAINT_NAME), detail);
}

}  // namespace parvis::db
