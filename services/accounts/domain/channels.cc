#include "accounts/domain/channels.h"

#include <algorithm>

#include "accounts/domain/rules.h"

namespace parvis::accounts {
namespace {

constexpr size_t kFieldMax = 8192;  // bytes of one credential; the longest tokens of the networks are about 1 KiB

// All fields that the network wants and no other, none empty.
void CheckCredentials(const NetworkGate::Network& network, const CredentialFields& given,
                      std::vector<Violation>& violations) {
  for (const std::string& field : network.credential_fields) {
    auto it = given.find(field);
    if (it == given.end() || it->second.empty()) {
      violations.push_back({"credentials[" + field + "]", "is required by this network", "REQUIRED"});
    } else if (it->second.size() > kFieldMax) {
      violations.push_back({"credentials[" + field + "]", "has more than 8192 bytes", "TEXT_TOO_LONG"});
    }
  }
  for (const auto& [field, secret] : given) {
    const auto& known = network.credential_fields;
    // The name is not repeated: somebody may have put the secret there.
    if (std::find(known.begin(), known.end(), field) == known.end()) {
      violations.push_back({"credentials", "contains a field that this network does not know", "UNKNOWN_FIELD"});
    }
  }
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

StatusOr<NetworkGate::Identity> Channels::Ask(const Call& call, const std::string& network, const std::string& base_url,
                                              const CredentialFields& credentials) {
  StatusOr<NetworkGate::Identity> identity = networks_.WhoAmI(call, network, base_url, credentials);
  if (identity.ok()) {
    if (!identity->remote_id.empty()) return identity;
    return MakeError(Code::kUnavailable, "NETWORK_ANSWER", "the network did not say whose credentials these are");
  }
  Code code = identity.status().code();
  if (code != Code::kUnauthenticated && code != Code::kPermissionDenied) return identity.status();
  // Not the caller's key but the network's: UNAUTHENTICATED would make a client drop its own.
  Error error = ToError(identity.status());
  error.code = Code::kFailedPrecondition;
  error.metadata["network_reason"] = error.reason;
  error.message = "the network refuses the credentials: " + error.message;
  error.reason = "CREDENTIALS_REFUSED";
  return parvis::ToStatus(error);
}

StatusOr<Channel> Channels::ConnectChannel(const Call& call, const ConnectRequest& wanted, const Request& request) {
  std::optional<NetworkGate::Network> network = networks_.Find(wanted.network);
  if (!network) {
    return InvalidField("network", "NETWORK_UNKNOWN", "must be one of: " + Joined(networks_.Names()));
  }
  std::vector<Violation> violations;
  CheckCredentials(*network, wanted.credentials, violations);
  if (network->base_url.empty()) {
    CheckSiteUrl("site_url", wanted.site_url, violations);
  } else if (!wanted.site_url.empty()) {
    violations.push_back({"site_url", "this network has one address for all; leave it empty", "NOT_ALLOWED"});
  }
  if (!wanted.display_name.empty()) CheckDisplayName("display_name", wanted.display_name, violations);
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  PARVIS_ASSIGN_OR_RETURN(std::optional<std::string> before, store_.FindConnected(call, request));
  if (before) return store_.GetChannel(call, *before);

  Channel channel;
  channel.base_url = network->base_url.empty() ? WithoutTrailingSlash(wanted.site_url) : network->base_url;
  PARVIS_ASSIGN_OR_RETURN(NetworkGate::Identity identity,
                          Ask(call, wanted.network, channel.base_url, wanted.credentials));
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
  PARVIS_ASSIGN_OR_RETURN(Created created, store_.Connect(call, channel, wanted.credentials, request));
  return store_.GetChannel(call, created.id);
}

StatusOr<Channel> Channels::GetChannel(const Call& call, const std::string& id) { return store_.GetChannel(call, id); }

StatusOr<std::vector<Channel>> Channels::ListChannels(const Call& call, const Page& page) {
  return store_.ListChannels(call, page);
}

StatusOr<Channel> Channels::UpdateChannelCredentials(const Call& call, const std::string& id,
                                                     const CredentialFields& credentials) {
  PARVIS_ASSIGN_OR_RETURN(Channel channel, store_.GetChannel(call, id));
  std::optional<NetworkGate::Network> network = networks_.Find(channel.network);
  if (!network) return MakeError(Code::kFailedPrecondition, "NETWORK_UNKNOWN", "this network is no longer supported");
  std::vector<Violation> violations;
  CheckCredentials(*network, credentials, violations);
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  PARVIS_ASSIGN_OR_RETURN(NetworkGate::Identity identity, Ask(call, channel.network, channel.base_url, credentials));
  if (identity.remote_id != channel.remote_id) {
    return MakeError(Code::kFailedPrecondition, "ANOTHER_ACCOUNT",
                     "the credentials belong to another account of the network than this channel; connect that account "
                     "as a channel of its own");
  }
  channel.handle = identity.handle;
  channel.url = identity.url;
  channel.update_time = clock_.WallNow();
  return store_.ReplaceCredentials(call, channel, credentials);
}

StatusOr<Channel> Channels::DisconnectChannel(const Call& call, const std::string& id) {
  return store_.Disconnect(call, id, clock_.WallNow());
}

}  // namespace parvis::accounts
