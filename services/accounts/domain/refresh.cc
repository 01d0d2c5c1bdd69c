#include "accounts/domain/refresh.h"

#include <algorithm>

namespace parvis::accounts {
namespace {

constexpr size_t kMessageMax = 500;
constexpr absl::Duration kStoreWait = absl::Seconds(1);

std::string Shortened(std::string text) {
  size_t max = kMessageMax;
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  text.resize(max);
  return text;
}

bool IsLost(const Status& status) { return ReasonOf(status) == "CLAIM_LOST"; }

}  // namespace

const char* NameOf(RefreshResult result) {
  switch (result) {
    case RefreshResult::kRefreshed:
      return "refreshed";
    case RefreshResult::kPostponed:
      return "postponed";
    case RefreshResult::kSignInAgain:
      return "sign_in_again";
    case RefreshResult::kLost:
      return "lost";
    case RefreshResult::kNotStored:
      return "not_stored";
  }
  return "lost";
}

Call Refreshes::CallFor(const RefreshClaim& claim, absl::Duration limit) const {
  Call call = BackgroundCall("accounts", claim.channel.workspace_id);
  call.deadline = clock_.Now() + limit;
  return call;
}

StatusOr<int> Refreshes::Round() {
  Call call = BackgroundCall("accounts");
  call.deadline = clock_.Now() + options_.request_max;
  PARVIS_ASSIGN_OR_RETURN(std::vector<RefreshClaim> claims,
                          store_.ClaimDue(call, holder_, clock_.WallNow(), options_.lease, options_.batch));
  const Instant begun = clock_.Now();
  for (const RefreshClaim& claim : claims) {
    // What is left of the lease must do for this one: a claim that is let go is taken up in a later round.
    if (clock_.Now() - begun + 3 * options_.request_max > options_.lease || !wait_(absl::ZeroDuration())) break;
    Status why;
    const RefreshResult result = Refresh(claim, &why);
    told_(claim.channel, result, why);
  }
  return static_cast<int>(claims.size());
}

RefreshResult Refreshes::Refresh(const RefreshClaim& claim, Status* why) {
  const auto traits = gate_.Find(claim.channel.network).value_or(SignInGate::Traits());
  // Where the same refresh may be done twice, nothing is ever unclear. Where it may be done again for some time, a use
  // that nobody knows the end of is repeated within that time, once.
  const auto may_repeat = [&](absl::Time used) {
    return !traits.single_use || clock_.WallNow() - used < traits.reuse_grace;
  };
  if (claim.use_time && !may_repeat(*claim.use_time)) {
    return Break(claim, kRefreshUnclear, "the refresh token may have been used up by a process that stopped", why);
  }
  // The time of the first use stays: the grace counts from there.
  const absl::Time used = claim.use_time.value_or(clock_.WallNow());
  if (*why = store_.RecordUse(CallFor(claim, options_.request_max), claim, used); !why->ok()) {
    return IsLost(*why) ? RefreshResult::kLost : RefreshResult::kPostponed;  // the lease runs out, unused
  }
  SignInGate::Refreshed got;
  for (int tries = 0; tries < 2; ++tries) {
    got = gate_.Refresh(CallFor(claim, options_.request_max), claim.channel.network, claim.channel.base_url,
                        claim.credentials);
    if (got.end != SignInGate::End::kUnclear || !may_repeat(used)) break;
  }
  *why = got.status;
  switch (got.end) {
    case SignInGate::End::kRefreshed:
      return Store(claim, got.tokens, why);
    case SignInGate::End::kRefused:
      return Break(claim, kSignInAgain, std::string(got.status.message()), why);
    case SignInGate::End::kNotDone:
      return Postpone(claim, got.status);
    case SignInGate::End::kUnclear:
      if (!traits.single_use) return Postpone(claim, got.status);
      return Break(claim, kRefreshUnclear,
                   "the refresh token may have been used up: " + std::string(got.status.message()), why);
  }
  return RefreshResult::kPostponed;
}

// What a refresh brought exists nowhere else: it is not given up at the first trouble of the database.
RefreshResult Refreshes::Store(const RefreshClaim& claim, const Tokens& tokens, Status* why) {
  Channel fresh = claim.channel;
  fresh.update_time = clock_.WallNow();
  PlanRefresh(tokens, fresh.update_time, &fresh);
  bool tried = false;
  for (int tries = 0; tries < options_.store_tries; ++tries) {
    *why = store_.StoreRefreshed(CallFor(claim, options_.request_max), claim, fresh, tokens.credentials);
    // After a commit whose answer was lost, the claim is gone because it was this one that ended it.
    if (why->ok() || (tried && IsLost(*why))) return RefreshResult::kRefreshed;
    if (IsLost(*why)) return RefreshResult::kLost;
    tried = true;
    if (!wait_(kStoreWait)) break;
  }
  return RefreshResult::kNotStored;  // the record of the use tells the next one
}

RefreshResult Refreshes::Postpone(const RefreshClaim& claim, const Status& why) {
  absl::Duration pause = options_.retry_min;
  for (int i = 0; i < claim.failures && pause < options_.retry_max; ++i) pause *= 2;
  pause = std::min(pause, options_.retry_max);
  if (const auto told = ToError(why).retry_after) pause = std::clamp(*told, pause, absl::Hours(24));
  const Status done = store_.Postpone(CallFor(claim, options_.request_max), claim, clock_.WallNow() + pause);
  return IsLost(done) ? RefreshResult::kLost : RefreshResult::kPostponed;
}

RefreshResult Refreshes::Break(const RefreshClaim& claim, const char* reason, const std::string& message, Status* why) {
  const Status done = store_.NeedSignIn(CallFor(claim, options_.request_max), claim, reason,
                                        Shortened("sign in again: " + message), clock_.WallNow());
  if (why->ok()) *why = MakeError(Code::kFailedPrecondition, reason, message);
  return IsLost(done) ? RefreshResult::kLost : RefreshResult::kSignInAgain;
}

}  // namespace parvis::accounts
