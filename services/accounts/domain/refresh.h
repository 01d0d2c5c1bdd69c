// Credentials are refreshed ahead of their expiry: each channel by one replica at a time, and a refresh token that may
// be used once never in the dark. The order is: claim (a lease), record that the token is about to be used, use it,
// store what came of it. Whoever finds a record of a use without its result knows that somebody stopped in between.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/domain/sign_in_gate.h"
#include "accounts/domain/types.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace parvis::accounts {

struct RefreshClaim {
  Channel channel;
  CredentialFields credentials;
  std::string holder;                  // whose claim it is
  std::optional<absl::Time> use_time;  // somebody was about to use the refresh token then, and nothing is known of it
  int failures = 0;                    // in a row
};

// Port: the channels of all workspaces whose credentials are to be refreshed. Thread-safe; blocks. What takes a claim
// is ABORTED CLAIM_LOST when it is not (any more) that of the channel: somebody else has it, the credentials were
// replaced, or the channel was disconnected.
class RefreshStore {
 public:
  virtual ~RefreshStore() = default;
  // At most `limit` channels whose time has come by `now` and which nobody holds, the earliest first; `holder` holds
  // them until `now + lease`. Connected ones, and those that the network said TOKEN_EXPIRED of. Channels whose
  // credentials do not open are left out, and are held nevertheless.
  virtual StatusOr<std::vector<RefreshClaim>> ClaimDue(const Call& call, const std::string& holder, absl::Time now,
                                                       absl::Duration lease, int limit) = 0;
  // Before the refresh token is shown to the network.
  virtual Status RecordUse(const Call& call, const RefreshClaim& claim, absl::Time now) = 0;
  // The new credentials, in one transaction with the end of the claim; raises credentials_version and makes the channel
  // connected. The times are those of `fresh`.
  virtual Status StoreRefreshed(const Call& call, const RefreshClaim& claim, const Channel& fresh,
                                const CredentialFields& credentials) = 0;
  // Ends the claim: the refresh token was not used; again at `next`. Counts a failure.
  virtual Status Postpone(const Call& call, const RefreshClaim& claim, absl::Time next) = 0;
  // Ends the claim: a person has to sign in again. The channel is broken, and never claimed so.
  virtual Status NeedSignIn(const Call& call, const RefreshClaim& claim, const std::string& reason,
                            const std::string& message, absl::Time now) = 0;
};

struct RefreshOptions {
  absl::Duration interval = absl::Seconds(15);
  absl::Duration lease = absl::Minutes(2);  // longer than all tries of one channel
  absl::Duration request_max = absl::Seconds(20);
  absl::Duration retry_min = absl::Minutes(1);  // doubles with each failure
  absl::Duration retry_max = absl::Hours(1);
  int batch = 20;       // channels of one round, one after the other
  int store_tries = 5;  // of storing what a refresh brought
};

enum class RefreshResult { kRefreshed, kPostponed, kSignInAgain, kLost, kNotStored };
const char* NameOf(RefreshResult result);  // "refreshed"

// Reasons of broken channels that only a person mends.
inline constexpr char kSignInAgain[] = "SIGN_IN_AGAIN";       // the network does not take the refresh token
inline constexpr char kRefreshUnclear[] = "REFRESH_UNCLEAR";  // it may have been used up without our knowing

class Refreshes {
 public:
  // `wait` blocks for that long, or returns false at once when the process stops.
  using Wait = std::function<bool(absl::Duration)>;
  using Told = std::function<void(const Channel& channel, RefreshResult result, const Status& why)>;
  Refreshes(RefreshStore& store, SignInGate& gate, const RefreshOptions& options, std::string holder,
            const Clock& clock, Wait wait, Told told)
      : store_(store),
        gate_(gate),
        options_(options),
        holder_(std::move(holder)),
        clock_(clock),
        wait_(std::move(wait)),
        told_(std::move(told)) {}

  // Refreshes what is due, at most a batch; returns how many were claimed.
  StatusOr<int> Round();

 private:
  RefreshResult Refresh(const RefreshClaim& claim, Status* why);
  RefreshResult Store(const RefreshClaim& claim, const Tokens& tokens, Status* why);
  RefreshResult Postpone(const RefreshClaim& claim, const Status& why);
  RefreshResult Break(const RefreshClaim& claim, const char* reason, const std::string& message, Status* why);
  Call CallFor(const RefreshClaim& claim, absl::Duration limit) const;

  RefreshStore& store_;
  SignInGate& gate_;
  const RefreshOptions options_;
  const std::string holder_;
  const Clock& clock_;
  const Wait wait_;
  const Told told_;
};

}  // namespace parvis::accounts
