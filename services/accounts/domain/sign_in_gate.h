// Port: signing in to the networks and keeping what it brought fresh.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/domain/channels.h"
#include "accounts/domain/types.h"
#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::accounts {

// Thread-safe; blocks until the call's deadline at most. No secret is in any message.
class SignInGate {
 public:
  struct Traits {
    bool by_browser = false;
    bool single_use = false;                   // a refresh token is used up by its use
    absl::Duration reuse_grace;                // ... but gives the same again for so long after it; zero: not at all
    std::vector<std::string> password_fields;  // what Open takes; empty: there is no Open
  };
  struct Begun {
    std::string authorization_url;
    CredentialFields app;  // of the account's server, where it has one of its own; needed again by Complete
  };
  struct Account {
    NetworkGate::Identity identity;
    Tokens tokens;
  };
  enum class End { kRefreshed, kRefused, kNotDone, kUnclear };
  struct Refreshed {
    End end = End::kNotDone;
    Status status;  // why not
    Tokens tokens;  // kRefreshed
  };

  virtual ~SignInGate() = default;
  // nullopt: this network's credentials are what somebody enters, and stay so.
  virtual std::optional<Traits> Find(const std::string& network) const = 0;
  // FAILED_PRECONDITION SIGN_IN_NOT_CONFIGURED when the installation has no app on this network.
  virtual StatusOr<Begun> Begin(const Call& call, const std::string& network, const std::string& base_url,
                                const std::string& redirect_uri, const Secret& state, const Secret& verifier) = 0;
  // Every account that the sign-in opens; never none.
  virtual StatusOr<std::vector<Account>> Complete(const Call& call, const std::string& network,
                                                  const std::string& base_url, const std::string& redirect_uri,
                                                  const CredentialFields& app, const Secret& code,
                                                  const Secret& verifier) = 0;
  // A session for an account's own name and application password.
  virtual StatusOr<Tokens> Open(const Call& call, const std::string& network, const std::string& base_url,
                                const CredentialFields& credentials) = 0;
  virtual Refreshed Refresh(const Call& call, const std::string& network, const std::string& base_url,
                            const CredentialFields& credentials) = 0;
};

// The network's no to what it was shown, as an error of ours: UNAUTHENTICATED would make a client drop its own key.
// Other errors stay as they are.
Status NotTheCallersKey(const Status& status, std::string_view reason, std::string_view what);

// Sets when `channel` expires and when it is refreshed: after 70 to 80 percent of the time, by the channel, so that
// channels that were connected together are not refreshed together.
void PlanRefresh(const Tokens& tokens, absl::Time now, Channel* channel);

// What only this service needs of credentials: it stays here when other services ask for them.
bool IsKeptBack(std::string_view field);

}  // namespace parvis::accounts
