#include "accounts/network/sign_in_gate.h"

#include "platform/obs/log.h"

namespace parvis::accounts {
namespace {

constexpr char kClientId[] = "client_id";
constexpr char kClientSecret[] = "client_secret";

Tokens ToTokens(const networks::SignInFacts& facts, networks::Grant grant) {
  const bool refreshable = facts.refreshes && (!grant.credentials.Get("refresh_token").empty() ||
                                               !grant.credentials.Get("app_password").empty());
  return {std::move(grant.credentials.fields), grant.expires_at, refreshable};
}

SignInGate::End ToEnd(networks::RefreshEnd end) {
  switch (end) {
    case networks::RefreshEnd::kRefreshed:
      return SignInGate::End::kRefreshed;
    case networks::RefreshEnd::kRefused:
      return SignInGate::End::kRefused;
    case networks::RefreshEnd::kNotDone:
      return SignInGate::End::kNotDone;
    case networks::RefreshEnd::kUnclear:
      return SignInGate::End::kUnclear;
  }
  return SignInGate::End::kUnclear;
}

}  // namespace

StatusOr<networks::SignIn*> NetworkSignIns::Of(const std::string& network) const {
  const auto found = sign_ins_.find(network);
  if (found != sign_ins_.end()) return found->second.get();
  return MakeError(Code::kFailedPrecondition, "NOT_POSSIBLE", "nobody signs in to this network");
}

networks::SignInPlace NetworkSignIns::PlaceOf(const std::string& network, const std::string& base_url,
                                              const std::string& redirect_uri) const {
  const auto app = apps_.find(network);
  if (app == apps_.end()) return {base_url, {}, redirect_uri};
  const auto configured = base_urls_.find(network);
  return {configured == base_urls_.end() ? "" : configured->second, app->second, redirect_uri};
}

std::optional<SignInGate::Traits> NetworkSignIns::Find(const std::string& network) const {
  const auto found = sign_ins_.find(network);
  if (found == sign_ins_.end()) return std::nullopt;
  const networks::SignInFacts& facts = found->second->facts();
  return Traits{facts.by_browser, facts.single_use, facts.reuse_grace, facts.password_fields};
}

StatusOr<SignInGate::Begun> NetworkSignIns::Begin(const Call& call, const std::string& network,
                                                  const std::string& base_url, const std::string& redirect_uri,
                                                  const Secret& state, const Secret& verifier) {
  PARVIS_ASSIGN_OR_RETURN(networks::SignIn * sign_in, Of(network));
  networks::AuthorizationRequest request{PlaceOf(network, base_url, redirect_uri), state.Reveal(),
                                         networks::CodeChallenge(verifier)};
  Begun begun;
  if (sign_in->facts().own_app) {
    PARVIS_ASSIGN_OR_RETURN(request.place.app, sign_in->Register(call, base_url, redirect_uri));
    begun.app[kClientId] = Secret(request.place.app.client_id);
    begun.app[kClientSecret] = request.place.app.client_secret;
  }
  PARVIS_ASSIGN_OR_RETURN(begun.authorization_url, sign_in->AuthorizationUrl(request));
  return begun;
}

StatusOr<std::vector<SignInGate::Account>> NetworkSignIns::Complete(const Call& call, const std::string& network,
                                                                    const std::string& base_url,
                                                                    const std::string& redirect_uri,
                                                                    const CredentialFields& app, const Secret& code,
                                                                    const Secret& verifier) {
  PARVIS_ASSIGN_OR_RETURN(networks::SignIn * sign_in, Of(network));
  networks::SignInPlace place = PlaceOf(network, base_url, redirect_uri);
  if (const auto id = app.find(kClientId), secret = app.find(kClientSecret); id != app.end() && secret != app.end()) {
    place.app = {id->second.Reveal(), secret->second};
  }
  PARVIS_ASSIGN_OR_RETURN(networks::Grant grant, sign_in->Exchange(call, place, code, verifier));
  PARVIS_ASSIGN_OR_RETURN(std::vector<networks::GrantedAccount> granted, sign_in->WhoAmI(call, place, grant));
  std::vector<Account> accounts;
  for (networks::GrantedAccount& one : granted) {
    NetworkGate::Identity who{one.identity.remote_id, one.identity.name, one.identity.handle, one.identity.url};
    if (who.remote_id.empty()) continue;
    accounts.push_back({std::move(who), ToTokens(sign_in->facts(), std::move(one.grant))});
  }
  if (!accounts.empty()) return accounts;
  return MakeError(Code::kUnavailable, "NETWORK_ANSWER", "the network did not say whose account this is");
}

StatusOr<Tokens> NetworkSignIns::Open(const Call& call, const std::string& network, const std::string& base_url,
                                      const CredentialFields& credentials) {
  PARVIS_ASSIGN_OR_RETURN(networks::SignIn * sign_in, Of(network));
  PARVIS_ASSIGN_OR_RETURN(networks::Grant grant,
                          sign_in->Open(call, PlaceOf(network, base_url, ""), networks::Credentials{credentials}));
  return ToTokens(sign_in->facts(), std::move(grant));
}

SignInGate::Refreshed NetworkSignIns::Refresh(const Call& call, const std::string& network, const std::string& base_url,
                                              const CredentialFields& credentials) {
  const StatusOr<networks::SignIn*> sign_in = Of(network);
  if (!sign_in.ok()) return {End::kNotDone, sign_in.status(), {}};
  networks::Refreshed got =
      (*sign_in)->Refresh(call, PlaceOf(network, base_url, ""), networks::Credentials{credentials});
  return {ToEnd(got.end), got.status, ToTokens((*sign_in)->facts(), std::move(got.grant))};
}

Status NetworkSignIns::Check() const {
  for (const auto& [network, app] : apps_) {
    const auto found = sign_ins_.find(network);
    if (found == sign_ins_.end() || !found->second->facts().by_browser || found->second->facts().own_app) {
      return MakeError(Code::kFailedPrecondition, "NETWORK_UNKNOWN",
                       "sign_in_client_ids names \"" + network + "\", which this build needs no app for");
    }
    if (!base_urls_.contains(network)) {
      return MakeError(Code::kFailedPrecondition, "NETWORK_UNKNOWN",
                       "sign_in_client_ids names \"" + network + "\", whose address network_base_urls does not");
    }
  }
  return absl::OkStatus();
}

StatusOr<std::map<std::string, networks::SignInApp>> ReadApps(const std::map<std::string, std::string>& client_ids,
                                                              const std::map<std::string, std::string>& secret_files) {
  std::map<std::string, networks::SignInApp> apps;
  for (const auto& [network, id] : client_ids) apps[network].client_id = id;
  for (const auto& [network, path] : secret_files) {
    if (!apps.contains(network)) {
      return MakeError(Code::kFailedPrecondition, "SIGN_IN_APPS",
                       "sign_in_client_secret_files names \"" + network + "\", sign_in_client_ids does not");
    }
    PARVIS_ASSIGN_OR_RETURN(apps[network].client_secret, ReadSecretFile(path));
  }
  return apps;
}

Refreshes::Told RefreshReporter(obs::Metrics& metrics) {
  return [&metrics](const Channel& channel, RefreshResult result, const Status& why) {
    metrics
        .counter("parvis_accounts_refreshes_total", "Refreshes of channels' credentials, by how they ended.",
                 {{"network", channel.network}, {"result", NameOf(result)}})
        .Add();
    if (result == RefreshResult::kRefreshed || result == RefreshResult::kLost) return;
    obs::Warn("credentials were not refreshed", {{"workspace", channel.workspace_id},
                                                 {"channel", channel.id},
                                                 {"network", channel.network},
                                                 {"result", NameOf(result)},
                                                 {"error", why}});
  };
}

}  // namespace parvis::accounts
