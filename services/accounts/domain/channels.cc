#include "accounts/domain/channels.h"

#include <algorithm>

#include "accounts/domain/rules.h"
#include "accounts/domain/sign_in_gate.h"

namespace parvis::accounts {
namespace {

constexpr char kRefused[] = "the network refuses the credentials";
constexpr size_t kFieldMax = 8192;  // bytes of one credential; the longest tokens of the networks are about 1 KiB

// Whether somebody gave what opens a session, rather than a token.
bool ForSession(const std::vector<std::string>& password_fields, const CredentialFields& given) {
  return std::any_of(password_fields.begin(), password_fields.end(),
                     [&](const std::string& field) { return given.contains(field); });
}

std::string WithoutTrailingSlash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

StatusOr<std::string> BaseUrlFor(const NetworkGate& networks, const std::string& network, const std::string& site_url,
                                 std::vector<Violation>& violations) {
  const std::optional<NetworkGate::Network> found = networks.Find(network);
  if (!found) return InvalidField("network", "NETWORK_UNKNOWN", "must be one of: " + Joined(networks.Names()));
  if (found->base_url.empty()) {
    CheckSiteUrl("site_url", site_url, violations);
    return WithoutTrailingSlash(site_url);
  }
  if (!site_url.empty()) {
    violations.push_back({"site_url", "this network has one address for all; leave it empty", "NOT_ALLOWED"});
  }
  return found->base_url;
}

void Channels::CheckCredentials(const std::string& network, const CredentialFields& given,
                                std::vector<Violation>& violations) const {
  const auto traits = sign_ins_.Find(network);
  const auto known = traits && ForSession(traits->password_fields, given) ? traits->password_fields
                                                                          : networks_.Find(network)->credential_fields;
  for (const std::string& field : known) {
    auto it = given.find(field);
    if (it == given.end() || it->second.empty()) {
      violations.push_back({"credentials[" + field + "]", "is required by this network", "REQUIRED"});
    } else if (it->second.size() > kFieldMax) {
      violations.push_back({"credentials[" + field + "]", "has more than 8192 bytes", "TEXT_TOO_LONG"});
    }
  }
  for (const auto& [field, secret] : given) {
    // The name is not repeated: somebody may have put the secret there.
    if (std::find(known.begin(), known.end(), field) == known.end()) {
      violations.push_back({"credentials", "contains a field that this network does not know", "UNKNOWN_FIELD"});
    }
  }
}

StatusOr<Tokens> Channels::Open(const Call& call, const std::string& network, const std::string& base_url,
                                const CredentialFields& credentials) {
  const auto traits = sign_ins_.Find(network);
  if (!traits || !ForSession(traits->password_fields, credentials)) return Tokens{credentials, {}, false};
  StatusOr<Tokens> opened = sign_ins_.Open(call, network, base_url, credentials);
  if (opened.ok()) return opened;
  return NotTheCallersKey(opened.status(), "CREDENTIALS_REFUSED", kRefused);
}

StatusOr<NetworkGate::Identity> Channels::Ask(const Call& call, const std::string& network, const std::string& base_url,
                                              const CredentialFields& credentials) {
  StatusOr<NetworkGate::Identity> identity = networks_.WhoAmI(call, network, base_url, credentials);
  if (identity.ok()) {
    if (!identity->remote_id.empty()) return identity;
    return MakeError(Code::kUnavailable, "NETWORK_ANSWER", "the network did not say whose credentials these are");
  }
  return NotTheCallersKey(identity.status(), "CREDENTIALS_REFUSED", kRefused);
}

StatusOr<Channel> Channels::ConnectChannel(const Call& call, const ConnectRequest& wanted, const Request& request) {
  std::vector<Violation> violations;
  Channel channel;
  if (networks_.Find(wanted.network)) CheckCredentials(wanted.network, wanted.credentials, violations);
  PARVIS_ASSIGN_OR_RETURN(channel.base_url, BaseUrlFor(networks_, wanted.network, wanted.site_url, violations));
  if (!wanted.display_name.empty()) CheckDisplayName("display_name", wanted.display_name, violations);
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  PARVIS_ASSIGN_OR_RETURN(std::optional<std::string> before, store_.FindConnected(call, request));
  if (before) return store_.GetChannel(call, *before);

  PARVIS_ASSIGN_OR_RETURN(Tokens tokens, Open(call, wanted.network, channel.base_url, wanted.credentials));
  PARVIS_ASSIGN_OR_RETURN(NetworkGate::Identity identity,
                          Ask(call, wanted.network, channel.base_url, tokens.credentials));
  channel.id = ids_.New();
  channel.workspace_id = call.workspace_id;
  channel.network = wanted.network;
  channel.remote_id = identity.remote_id;
  channel.display_name = !wanted.display_name.empty() ? wanted.display_name
                         : !identity.name.empty()     ? identity.name
                                                      : identity.remote_id;
  channel.handle = identity.handle;
  channel.url = identity.url;
  channel.create_time = channel.update_time = clock_.WallNow();
  PlanRefresh(tokens, channel.update_time, &channel);
  PARVIS_ASSIGN_OR_RETURN(Created created, store_.Connect(call, channel, tokens.credentials, request));
  return store_.GetChannel(call, created.id);
}

StatusOr<Channel> Channels::GetChannel(const Call& call, const std::string& id) { return store_.GetChannel(call, id); }

StatusOr<std::vector<Channel>> Channels::ListChannels(const Call& call, const Page& page) {
  return store_.ListChannels(call, page);
}

StatusOr<Channel> Channels::UpdateChannelCredentials(const Call& call, const std::string& id,
                                                     const CredentialFields& credentials) {
  PARVIS_ASSIGN_OR_RETURN(Channel channel, store_.GetChannel(call, id));
  if (!networks_.Find(channel.network)) {
    return MakeError(Code::kFailedPrecondition, "NETWORK_UNKNOWN", "this network is no longer supported");
  }
  std::vector<Violation> violations;
  CheckCredentials(channel.network, credentials, violations);
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  PARVIS_ASSIGN_OR_RETURN(Tokens tokens, Open(call, channel.network, channel.base_url, credentials));
  PARVIS_ASSIGN_OR_RETURN(NetworkGate::Identity identity,
                          Ask(call, channel.network, channel.base_url, tokens.credentials));
  if (identity.remote_id != channel.remote_id) {
    return MakeError(Code::kFailedPrecondition, "ANOTHER_ACCOUNT",
                     "the credentials belong to another account of the network than this channel; connect that account "
                     "as a channel of its own");
  }
  channel.handle = identity.handle;
  channel.url = identity.url;
  channel.update_time = clock_.WallNow();
  PlanRefresh(tokens, channel.update_time, &channel);
  return store_.ReplaceCredentials(call, channel, tokens.credentials);
}

StatusOr<Channel> Channels::DisconnectChannel(const Call& call, const std::string& id) {
  return store_.Disconnect(call, id, clock_.WallNow());
}

}  // namespace parvis::accounts
