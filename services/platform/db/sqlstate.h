// SQLSTATE → Error. Internal to platform/db.
#pragma once

#include <string_view>

#include "platform/base/error.h"

struct pg_result;

namespace parvis::db {

// The error of a failed result. No message of the server that could carry a parameter's value is passed on: only class
// 42 (what the programmer wrote) is; otherwise the SQLSTATE and the names of table and constraint.
Status ErrorOf(const pg_result* result);
// As ErrorOf for a SQLSTATE alone; `detail` goes into the message.
Status ErrorOfState(std::string_view state, std::string_view constraint, std::string_view detail);

// The connection is gone or no use: nothing of this transaction was committed unless COMMIT had been sent.
bool IsConnectionLoss(std::string_view state);
// The transaction may succeed when run again: serialization failure or deadlock.
bool IsConflict(std::string_view state);
// A cached plan that no longer fits the schema: a new connection has none.
bool IsStalePlan(std::string_view state);

Status Unavailable(std::string_view detail);  // UNAVAILABLE DB_UNAVAILABLE
Status TimedOut();                            // DEADLINE_EXCEEDED DB_TIMEOUT

}  // namespace parvis::db
