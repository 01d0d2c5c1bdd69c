// Error: the one way in which something fails. A code (what kind), a REASON (which case, stable, for programs), a
// message (for people) and, for bad input, the fields concerned. It travels inside absl::Status and reaches a gRPC or
// Connect client as google.rpc.ErrorInfo and BadRequest.
//
// Interfaces of ours use std::string_view: Debian's absl::string_view is a different type.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

namespace parvis {

using absl::Status;
using absl::StatusOr;
using Code = absl::StatusCode;

// One field that is wrong and what would be right.
struct Violation {
  std::string field;        // path in the request: "post.variants[1].text"
  std::string description;  // what is wrong and what would be right, for the person who wrote it
  std::string reason;       // UPPER_SNAKE, e.g. TEXT_TOO_LONG; may be empty
  bool operator==(const Violation&) const = default;
};

// `reason` is UPPER_SNAKE_CASE, at most 63 characters (AIP-193). No secret may be put into any member.
struct Error {
  Code code = Code::kUnknown;
  std::string reason;
  std::string message;
  std::vector<Violation> violations;             // only for kInvalidArgument
  std::map<std::string, std::string> metadata;   // details for programs, e.g. {"limit","280"}
  std::optional<absl::Duration> retry_after;     // when trying again makes sense
};

// Error -> Status. The reason, violations, metadata and retry_after survive as a payload.
Status ToStatus(const Error& error);
// Status -> Error. A Status that was not made by ToStatus gets the code's name as its reason. Never fails.
Error ToError(const Status& status);

// The usual short forms.
Status MakeError(Code code, std::string_view reason, std::string_view message);
// INVALID_ARGUMENT about one field.
Status InvalidField(std::string_view field, std::string_view reason, std::string_view description);
// INVALID_ARGUMENT about all `violations` (not empty); the message sums them up.
Status InvalidFields(std::vector<Violation> violations);
Status NotFound(std::string_view resource_name);  // reason NOT_FOUND

// The reason of an error status ("" for OK), and whether it is exactly `reason`.
std::string ReasonOf(const Status& status);

}  // namespace parvis

// PARVIS_RETURN_IF_ERROR(expr);  returns the status of `expr` from this function unless it is OK.
#define PARVIS_RETURN_IF_ERROR(expr)                                     \
  do {                                                                   \
    if (::absl::Status parvis_status_ = (expr); !parvis_status_.ok()) {  \
      return parvis_status_;                                             \
    }                                                                    \
  } while (false)

// PARVIS_ASSIGN_OR_RETURN(auto value, StatusOrExpression);
#define PARVIS_ASSIGN_OR_RETURN(lhs, expr) \
  PARVIS_ASSIGN_OR_RETURN_IMPL_(PARVIS_CONCAT_(parvis_or_, __LINE__), lhs, expr)
#define PARVIS_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                                  \
  if (!tmp.ok()) return std::move(tmp).status();      \
  lhs = std::move(tmp).value()
#define PARVIS_CONCAT_(a, b) PARVIS_CONCAT_IMPL_(a, b)
#define PARVIS_CONCAT_IMPL_(a, b) a##b
