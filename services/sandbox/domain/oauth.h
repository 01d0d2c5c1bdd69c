// Signing in to the simulated networks: apps, people's consent, codes, and the tokens that come of them (RFC 6749, RFC
// 7636). What each network calls things, and how it refuses, is in transport/oauth_words.cc; access tokens themselves
// are the World's.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "sandbox/domain/world.h"

namespace parvis::sandbox {

struct OAuthLives {  // InfiniteDuration: does not end by time
  absl::Duration code, access, refresh;
};

// What a network's authorization server wants, and how long things live there. Sources: README.
struct OAuthRules {
  Network network = Network::kX;
  OAuthLives lives;
  absl::Duration long_lived;  // of what a token is exchanged for (Facebook); zero: it is not
  bool pkce = false;          // every app has to use it
  bool plain = false;         // takes the method "plain", too
  bool refreshes = false;
  bool used_up = false;   // a refresh token is good once, and brings the next
  bool personal = false;  // the token is a person's, and opens pages
};
const OAuthRules* RulesOf(Network network);  // nullptr: nobody signs in there by OAuth

struct OAuthApp {
  std::string id, secret;  // secret "": a public client
  std::vector<std::string> redirects;
  std::string scopes;  // parted by blanks; "": may ask for anything
};

// What the person said yes to.
struct OAuthConsent {
  std::string app, redirect, scope, challenge, method;
  std::vector<std::string> accounts;
  bool offline = true;  // a refresh token is wanted
};

enum class OAuthEnd {
  kDone,
  kNoApp,
  kWrongSecret,
  kNoCode,
  kCodeExpired,
  kCodeUsed,
  kWrongRedirect,
  kNoVerifier,
  kWrongVerifier,
  kNoRefresh,
  kRefreshUsed,
  kRefreshEnded,
  kNoToken,
  kFull
};
std::string_view NameOf(OAuthEnd end);  // "code_used"

struct OAuthTokens {
  std::string access, refresh, scope;  // refresh "": none, or the old one stays
  absl::Time now, expires, refresh_expires;
};
struct OAuthAnswer {
  OAuthEnd end = OAuthEnd::kDone;
  OAuthTokens tokens;
};

// For whoever judges: every secret that was given or shown, in order.
struct OAuthRecord {
  std::string how;  // "code", "refresh", "long_lived"
  std::string app, account, code, verifier, access, refresh;
};

// Thread-safe. Nothing is journalled: signing in changes nothing that the audience could see.
class OAuth {
 public:
  using ChallengeOf = std::function<std::string(const std::string& verifier)>;  // S256
  OAuth(World& world, const Clock& clock, ChallengeOf challenge_of);

  Status AddApp(Network network, const OAuthApp& app);  // or changes it; RESOURCE_EXHAUSTED TOO_MANY_APPS
  std::optional<OAuthApp> FindApp(Network network, std::string_view id) const;
  std::vector<OAuthApp> Apps(Network network) const;
  OAuthLives LivesOf(Network network) const;
  void SetLives(Network network, const OAuthLives& lives);

  // The code that the browser is sent back with.
  StatusOr<std::string> Allow(Network network, const OAuthConsent& consent);
  // `app` is who shows the code, and has shown its secret. What is refused changes nothing.
  OAuthAnswer Exchange(Network network, const std::string& app, const std::string& code, const std::string& redirect,
                       const std::string& verifier);
  OAuthAnswer Refresh(Network network, const std::string& app, const std::string& refresh);
  OAuthAnswer LongLived(Network network, const std::string& app, const std::string& access);
  // The account that a code or a refresh token is of, or "".
  std::string AccountOf(Network network, const std::string& secret) const;
  void Refused(Network network, OAuthEnd end);  // counted

  std::vector<OAuthRecord> Records(Network network) const;
  std::map<std::string, int64_t> Counts(Network network) const;  // "exchanged", "refreshed", "refused_code_used", ...
  void Reset();

 private:
  struct Given {
    OAuthConsent consent;
    absl::Time until;
    bool used = false;
  };
  struct Lasting {  // a refresh token
    std::string app, scope, access;
    std::vector<std::string> accounts;
    absl::Time until;
    bool used = false;
  };
  static std::string KeyOf(Network network, std::string_view id);
  OAuthEnd Check(const Given& code, const std::string& app, const std::string& redirect, const std::string& verifier,
                 absl::Time now) const;
  // A new access token, and a new refresh token where one is due.
  OAuthAnswer Give(Network network, const Lasting& of, bool refresh);
  void Note(Network network, OAuthRecord record, const char* count);

  World& world_;
  const Clock& clock_;
  const ChallengeOf challenge_of_;
  mutable std::mutex mutex_;
  std::map<Network, OAuthLives> lives_;
  std::map<std::string, OAuthApp> apps_;  // these by KeyOf
  std::map<std::string, Given> codes_;
  std::map<std::string, Lasting> refreshes_;
  std::map<Network, std::deque<OAuthRecord>> records_;
  std::map<Network, std::map<std::string, int64_t>> counts_;
};

}  // namespace parvis::sandbox
