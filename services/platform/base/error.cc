#include "platform/base/error.h"

#include <absl/strings/cord.h>
#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

namespace parvis {
namespace {

// The payload is a private, in-process encoding: lines of `key TAB value...`, each value C-escaped so that neither a tab
// nor a line feed can appear inside one. base may not use protobuf.
constexpr char kPayloadUrl[] = "parvis.dev/error";

absl::string_view View(std::string_view s) { return {s.data(), s.size()}; }

std::string Line(std::initializer_list<std::string_view> parts) {
  std::string line;
  for (std::string_view part : parts) {
    if (!line.empty()) line += '\t';
    line += absl::CEscape(View(part));
  }
  return line + "\n";
}

std::string Encode(const Error& error) {
  std::string out = Line({"reason", error.reason});
  for (const Violation& v : error.violations) out += Line({"violation", v.field, v.description, v.reason});
  for (const auto& [key, value] : error.metadata) out += Line({"meta", key, value});
  if (error.retry_after) out += Line({"retry", absl::StrCat(absl::ToInt64Microseconds(*error.retry_after))});
  return out;
}

void Decode(const std::string& payload, Error& error) {
  for (absl::string_view line : absl::StrSplit(payload, '\n', absl::SkipEmpty())) {
    std::vector<std::string> parts;
    for (absl::string_view escaped : absl::StrSplit(line, '\t')) {
      std::string part;
      absl::CUnescape(escaped, &part);
      parts.push_back(std::move(part));
    }
    if (parts[0] == "reason" && parts.size() == 2) {
      error.reason = parts[1];
    } else if (parts[0] == "violation" && parts.size() == 4) {
      error.violations.push_back({parts[1], parts[2], parts[3]});
    } else if (parts[0] == "meta" && parts.size() == 3) {
      error.metadata[parts[1]] = parts[2];
    } else if (int64_t micros = 0; parts[0] == "retry" && parts.size() == 2 && absl::SimpleAtoi(parts[1], &micros)) {
      error.retry_after = absl::Microseconds(micros);
    }
  }
}

}  // namespace

Status ToStatus(const Error& error) {
  Status status(error.code, View(error.message));
  if (!status.ok()) status.SetPayload(kPayloadUrl, absl::Cord(Encode(error)));
  return status;
}

Error ToError(const Status& status) {
  Error error;
  error.code = status.code();
  error.message.assign(status.message().data(), status.message().size());
  if (auto payload = status.GetPayload(kPayloadUrl)) Decode(std::string(*payload), error);
  if (error.reason.empty() && !status.ok()) error.reason = absl::StatusCodeToString(status.code());
  return error;
}

Status MakeError(Code code, std::string_view reason, std::string_view message) {
  return ToStatus({.code = code, .reason = std::string(reason), .message = std::string(message)});
}

Status InvalidField(std::string_view field, std::string_view reason, std::string_view description) {
  return InvalidFields({{std::string(field), std::string(description), std::string(reason)}});
}

Status InvalidFields(std::vector<Violation> violations) {
  Error error{.code = Code::kInvalidArgument, .reason = violations.empty() ? "INVALID" : violations[0].reason};
  if (error.reason.empty()) error.reason = "INVALID_FIELD";
  error.message = absl::StrJoin(violations, "; ", [](std::string* out, const Violation& v) {
    absl::StrAppend(out, v.field, ": ", v.description);
  });
  error.violations = std::move(violations);
  return ToStatus(error);
}

Status NotFound(std::string_view resource_name) {
  return MakeError(Code::kNotFound, "NOT_FOUND", absl::StrCat("there is no ", View(resource_name)));
}

std::string ReasonOf(const Status& status) { return status.ok() ? "" : ToError(status).reason; }

}  // namespace parvis
