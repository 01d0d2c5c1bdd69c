// Signing in as accounts sees it, on the sign-ins of services/networks.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "accounts/domain/refresh.h"
#include "accounts/domain/sign_in_gate.h"
#include "networks/sign_in.h"
#include "platform/obs/metrics.h"

namespace parvis::accounts {

class NetworkSignIns : public SignInGate {
 public:
  // `apps`: what the networks know this installation as, by network. Their secrets are shown at `base_urls` only, never
  // at an address that a tenant chose.
  NetworkSignIns(std::map<std::string, std::unique_ptr<networks::SignIn>> sign_ins,
                 std::map<std::string, networks::SignInApp> apps, std::map<std::string, std::string> base_urls)
      : sign_ins_(std::move(sign_ins)), apps_(std::move(apps)), base_urls_(std::move(base_urls)) {}
  std::optional<Traits> Find(const std::string& network) const override;
  StatusOr<Begun> Begin(const Call& call, const std::string& network, const std::string& base_url,
                        const std::string& redirect_uri, const Secret& state, const Secret& verifier) override;
  StatusOr<std::vector<Account>> Complete(const Call& call, const std::string& network, const std::string& base_url,
                                          const std::string& redirect_uri, const CredentialFields& app,
                                          const Secret& code, const Secret& verifier) override;
  StatusOr<Tokens> Open(const Call& call, const std::string& network, const std::string& base_url,
                        const CredentialFields& credentials) override;
  Refreshed Refresh(const Call& call, const std::string& network, const std::string& base_url,
                    const CredentialFields& credentials) override;
  // FAILED_PRECONDITION NETWORK_UNKNOWN when there is an app for a network that nobody signs in to, or whose address is
  // not configured.
  Status Check() const;

 private:
  StatusOr<networks::SignIn*> Of(const std::string& network) const;
  networks::SignInPlace PlaceOf(const std::string& network, const std::string& base_url,
                                const std::string& redirect_uri) const;

  const std::map<std::string, std::unique_ptr<networks::SignIn>> sign_ins_;
  const std::map<std::string, networks::SignInApp> apps_;
  const std::map<std::string, std::string> base_urls_;
};

// Client ids and the files of their secrets, by network. FAILED_PRECONDITION SIGN_IN_APPS, SECRET_FILE_...
StatusOr<std::map<std::string, networks::SignInApp>> ReadApps(const std::map<std::string, std::string>& client_ids,
                                                              const std::map<std::string, std::string>& secret_files);

// Counts and logs what a refresh came to; never what was refreshed with.
Refreshes::Told RefreshReporter(obs::Metrics& metrics);

}  // namespace parvis::accounts
