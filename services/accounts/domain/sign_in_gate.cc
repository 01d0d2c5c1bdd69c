#include "accounts/domain/sign_in_gate.h"

#include <algorithm>

#include "platform/base/ids.h"

namespace parvis::accounts {
namespace {

constexpr std::string_view kKeptBack[] = {"app_password", "identifier", "refresh_token"};

// 0 to 1, by what it is made from.
double Share(const std::string& of) { return std::stoul(UuidOfName(of).substr(0, 6), nullptr, 16) / double{0x1000000}; }

}  // namespace

Status NotTheCallersKey(const Status& status, std::string_view reason, std::string_view what) {
  const Code code = status.code();
  if (code != Code::kUnauthenticated && code != Code::kPermissionDenied) return status;
  Error error = ToError(status);
  error.code = Code::kFailedPrecondition;
  error.metadata["network_reason"] = error.reason;
  error.message = std::string(what) + ": " + error.message;
  error.reason = std::string(reason);
  return ToStatus(error);
}

void PlanRefresh(const Tokens& tokens, absl::Time now, Channel* channel) {
  channel->credentials_expire_time = tokens.expire_time;
  channel->refresh_time.reset();
  if (!tokens.refreshable || !tokens.expire_time) return;
  const absl::Duration left = std::max(*tokens.expire_time - now, absl::ZeroDuration());
  channel->refresh_time = now + left * (0.7 + 0.1 * Share(channel->id + absl::FormatTime(now)));
}

bool IsKeptBack(std::string_view field) {
  return std::find(std::begin(kKeptBack), std::end(kKeptBack), field) != std::end(kKeptBack);
}

}  // namespace parvis::accounts
