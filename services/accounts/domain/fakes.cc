#include "accounts/domain/fakes.h"

#include <algorithm>

#include "accounts/domain/rules.h"

namespace parvis::accounts {
namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

Status Missing(const Call& call, std::string_view collection, const std::string& id) {
  return NotFound("workspaces/" + call.workspace_id + "/" + std::string(collection) + "/" + id);
}

// The page of `all` (keyed by id) whose items satisfy `wanted`.
template <class Item, class Stored, class Wanted, class Get>
std::vector<Item> PageOf(const std::map<std::string, Stored>& all, const Page& page, Wanted wanted, Get get) {
  std::vector<Item> items;
  for (auto it = all.upper_bound(page.after); it != all.end() && static_cast<int>(items.size()) < page.limit; ++it) {
    if (wanted(it->second)) items.push_back(get(it->second));
  }
  return items;
}

Binding ToBinding(const Channel& c) {
  return {c.workspace_id, c.id, c.network, c.remote_id, c.state, c.credentials_version};
}

}  // namespace

StatusOr<std::string> FakeStore::MadeBefore(const std::string& scope, const Request& request) const {
  auto it = requests_.find({scope, request.method, request.request_id});
  if (request.request_id.empty() || it == requests_.end()) return std::string();
  if (it->second.fingerprint != request.fingerprint) {
    return MakeError(Code::kFailedPrecondition, "REQUEST_ID_REUSED", "came with another content");
  }
  return it->second.id;
}

void FakeStore::Remember(const std::string& scope, const Request& request, const std::string& id) {
  if (!request.request_id.empty()) requests_[{scope, request.method, request.request_id}] = {request.fingerprint, id};
}

#define RETURN_IF_REPLAYED(scope)                                          \
  PARVIS_ASSIGN_OR_RETURN(std::string before, MadeBefore(scope, request)); \
  if (!before.empty()) return Created {                                    \
      before, true                                                         \
    }

StatusOr<Created> FakeStore::InsertOrganization(const Call&, const Organization& made, const Request& request) {
  Lock lock(mutex_);
  RETURN_IF_REPLAYED("");
  organizations_[made.id] = made;
  Remember("", request, made.id);
  return Created{made.id};
}

StatusOr<Organization> FakeStore::GetOrganization(const Call&, const std::string& id) {
  Lock lock(mutex_);
  auto it = organizations_.find(id);
  if (it == organizations_.end()) return NotFound("organizations/" + id);
  return it->second;
}

StatusOr<Created> FakeStore::InsertWorkspace(const Call&, const Workspace& made, const Request& request) {
  Lock lock(mutex_);
  RETURN_IF_REPLAYED("");
  if (!organizations_.contains(made.organization_id)) return NotFound("organizations/" + made.organization_id);
  workspaces_[made.id] = made;
  Remember("", request, made.id);
  return Created{made.id};
}

StatusOr<Workspace> FakeStore::GetWorkspace(const Call& call, const std::string& id) {
  Lock lock(mutex_);
  auto it = workspaces_.find(id);
  if (it == workspaces_.end() || call.workspace_id != id) return NotFound("workspaces/" + id);
  return it->second;
}

StatusOr<std::vector<Workspace>> FakeStore::ListWorkspaces(const Call&, const std::string& organization_id,
                                                           const Page& page) {
  Lock lock(mutex_);
  return PageOf<Workspace>(
      workspaces_, page, [&](const Workspace& w) { return w.organization_id == organization_id; },
      [](const Workspace& w) { return w; });
}

StatusOr<Workspace> FakeStore::UpdateWorkspace(const Call& call, const Workspace& changed, int64_t version) {
  Lock lock(mutex_);
  auto it = workspaces_.find(changed.id);
  if (it == workspaces_.end() || call.workspace_id != changed.id) return NotFound("workspaces/" + changed.id);
  if (it->second.version != version) return MakeError(Code::kAborted, "ETAG_MISMATCH", "changed meanwhile");
  it->second.display_name = changed.display_name;
  it->second.time_zone = changed.time_zone;
  it->second.update_time = changed.update_time;
  ++it->second.version;
  return it->second;
}

StatusOr<Created> FakeStore::InsertMember(const Call& call, const Member& made, const Request& request) {
  Lock lock(mutex_);
  RETURN_IF_REPLAYED(call.workspace_id);
  if (!workspaces_.contains(call.workspace_id)) return NotFound("workspaces/" + call.workspace_id);
  for (const auto& [id, member] : members_) {
    if (member.workspace_id == call.workspace_id && FoldEmail(member.email) == FoldEmail(made.email)) {
      return MakeError(Code::kAlreadyExists, "EMAIL_TAKEN", "another member has this address");
    }
  }
  members_[made.id] = made;
  Remember(call.workspace_id, request, made.id);
  return Created{made.id};
}

StatusOr<Member> FakeStore::GetMember(const Call& call, const std::string& id) {
  Lock lock(mutex_);
  auto it = members_.find(id);
  if (it == members_.end() || it->second.workspace_id != call.workspace_id) return Missing(call, "members", id);
  return it->second;
}

StatusOr<std::vector<Member>> FakeStore::ListMembers(const Call& call, const Page& page) {
  Lock lock(mutex_);
  return PageOf<Member>(
      members_, page, [&](const Member& m) { return m.workspace_id == call.workspace_id; },
      [](const Member& m) { return m; });
}

Status FakeStore::CheckMemberChange(const Call& call, const std::string& id, int64_t version, bool stays_owner) const {
  auto it = members_.find(id);
  if (it == members_.end() || it->second.workspace_id != call.workspace_id) return Missing(call, "members", id);
  if (version != 0 && it->second.version != version) return MakeError(Code::kAborted, "ETAG_MISMATCH", "changed");
  if (stays_owner || !it->second.roles.contains(Role::kOwner)) return absl::OkStatus();
  bool another = std::any_of(members_.begin(), members_.end(), [&](const auto& m) {
    return m.first != id && m.second.workspace_id == call.workspace_id && m.second.roles.contains(Role::kOwner);
  });
  return another ? absl::OkStatus() : MakeError(Code::kFailedPrecondition, "LAST_OWNER", "no owner would remain");
}

StatusOr<Member> FakeStore::UpdateMember(const Call& call, const Member& changed, int64_t version) {
  Lock lock(mutex_);
  PARVIS_RETURN_IF_ERROR(CheckMemberChange(call, changed.id, version, changed.roles.contains(Role::kOwner)));
  for (const auto& [id, member] : members_) {
    if (id != changed.id && member.workspace_id == call.workspace_id &&
        FoldEmail(member.email) == FoldEmail(changed.email)) {
      return MakeError(Code::kAlreadyExists, "EMAIL_TAKEN", "another member has this address");
    }
  }
  Member& member = members_[changed.id];
  int64_t next = member.version + 1;
  member = changed;
  member.version = next;
  return member;
}

Status FakeStore::DeleteMember(const Call& call, const std::string& id, int64_t version, absl::Time now) {
  Lock lock(mutex_);
  PARVIS_RETURN_IF_ERROR(CheckMemberChange(call, id, version, false));
  members_.erase(id);
  for (auto& [key_id, stored] : keys_) {
    if (stored.key.member_id == id && !stored.key.revoke_time) stored.key.revoke_time = now;
  }
  return absl::OkStatus();
}

StatusOr<Created> FakeStore::InsertApiKey(const Call& call, const ApiKey& made, const std::string& hash,
                                          const Request& request) {
  Lock lock(mutex_);
  RETURN_IF_REPLAYED(call.workspace_id);
  PARVIS_RETURN_IF_ERROR(GetMember(call, made.member_id).status());
  keys_[made.id] = {made, hash};
  Remember(call.workspace_id, request, made.id);
  return Created{made.id};
}

StatusOr<ApiKey> FakeStore::GetApiKey(const Call& call, const std::string& id) {
  Lock lock(mutex_);
  auto it = keys_.find(id);
  if (it == keys_.end() || it->second.key.workspace_id != call.workspace_id) return Missing(call, "apiKeys", id);
  return it->second.key;
}

StatusOr<std::vector<ApiKey>> FakeStore::ListApiKeys(const Call& call, const Page& page) {
  Lock lock(mutex_);
  return PageOf<ApiKey>(
      keys_, page, [&](const StoredKey& k) { return k.key.workspace_id == call.workspace_id; },
      [](const StoredKey& k) { return k.key; });
}

StatusOr<ApiKey> FakeStore::RevokeApiKey(const Call& call, const std::string& id, absl::Time now) {
  Lock lock(mutex_);
  PARVIS_RETURN_IF_ERROR(GetApiKey(call, id).status());
  ApiKey& key = keys_[id].key;
  if (!key.revoke_time) key.revoke_time = now;
  return key;
}

StatusOr<std::optional<KeyDirectory::Entry>> FakeStore::FindKey(const std::string& key_id) {
  Lock lock(mutex_);
  auto it = keys_.find(key_id);
  if (it == keys_.end()) return std::nullopt;
  Entry entry{it->second.key, it->second.hash, workspaces_[it->second.key.workspace_id].organization_id, {}};
  auto member = members_.find(entry.key.member_id);
  if (member != members_.end()) entry.member_roles = member->second.roles;
  return entry;
}

StatusOr<std::optional<std::string>> FakeStore::FindConnected(const Call& call, const Request& request) {
  Lock lock(mutex_);
  PARVIS_ASSIGN_OR_RETURN(std::string before, MadeBefore(call.workspace_id, request));
  return before.empty() ? std::nullopt : std::optional(before);
}

StatusOr<Created> FakeStore::Connect(const Call& call, const Channel& made, const CredentialFields& credentials,
                                     const Request& request) {
  Lock lock(mutex_);
  RETURN_IF_REPLAYED(call.workspace_id);
  if (!workspaces_.contains(call.workspace_id)) return NotFound("workspaces/" + call.workspace_id);
  for (auto& [id, stored] : channels_) {
    Channel& c = stored.channel;
    if (c.workspace_id != call.workspace_id || c.network != made.network || c.remote_id != made.remote_id) continue;
    if (c.state != ChannelState::kDisconnected) {
      Error error{.code = Code::kAlreadyExists, .reason = "CHANNEL_ALREADY_CONNECTED", .message = "is connected"};
      error.metadata["name"] = "workspaces/" + call.workspace_id + "/channels/" + id;
      return parvis::ToStatus(error);
    }
    Channel revived = made;
    revived.id = id;
    revived.create_time = c.create_time;
    revived.credentials_version = c.credentials_version + 1;
    stored = {revived, credentials};
    Remember(call.workspace_id, request, id);
    return Created{id};
  }
  channels_[made.id] = {made, credentials};
  Remember(call.workspace_id, request, made.id);
  return Created{made.id};
}

StatusOr<Channel> FakeStore::GetChannel(const Call& call, const std::string& id) {
  Lock lock(mutex_);
  auto it = channels_.find(id);
  if (it == channels_.end() || it->second.channel.workspace_id != call.workspace_id)
    return Missing(call, "channels", id);
  return it->second.channel;
}

StatusOr<std::vector<Channel>> FakeStore::ListChannels(const Call& call, const Page& page) {
  Lock lock(mutex_);
  return PageOf<Channel>(
      channels_, page, [&](const StoredChannel& c) { return c.channel.workspace_id == call.workspace_id; },
      [](const StoredChannel& c) { return c.channel; });
}

StatusOr<Channel> FakeStore::ReplaceCredentials(const Call& call, const Channel& fresh,
                                                const CredentialFields& credentials) {
  Lock lock(mutex_);
  PARVIS_ASSIGN_OR_RETURN(Channel now, GetChannel(call, fresh.id));
  if (now.state == ChannelState::kDisconnected) {
    return MakeError(Code::kFailedPrecondition, "CHANNEL_DISCONNECTED", "connect it again");
  }
  now.state = ChannelState::kConnected;
  now.state_reason = now.state_message = "";
  now.handle = fresh.handle;
  now.url = fresh.url;
  now.update_time = fresh.update_time;
  now.credentials_expire_time = fresh.credentials_expire_time;
  now.refresh_time = fresh.refresh_time;
  ++now.credentials_version;
  channels_[fresh.id] = {now, credentials};
  return now;
}

StatusOr<Channel> FakeStore::Disconnect(const Call& call, const std::string& id, absl::Time now) {
  Lock lock(mutex_);
  PARVIS_ASSIGN_OR_RETURN(Channel channel, GetChannel(call, id));
  if (channel.state != ChannelState::kDisconnected) {
    channel.state = ChannelState::kDisconnected;
    channel.state_reason = channel.state_message = "";
    channel.update_time = now;
    channel.credentials_expire_time = channel.refresh_time = std::nullopt;
    channels_[id] = {channel, {}};
  }
  return channel;
}

StatusOr<DirectoryStore::Opened> FakeStore::OpenCredentials(const Call& call, const std::string& channel_id) {
  Lock lock(mutex_);
  PARVIS_ASSIGN_OR_RETURN(Channel channel, GetChannel(call, channel_id));
  if (channel.state == ChannelState::kDisconnected) {
    return MakeError(Code::kFailedPrecondition, "CHANNEL_DISCONNECTED", "is disconnected");
  }
  return Opened{channel, channels_[channel_id].credentials};
}

StatusOr<std::vector<Binding>> FakeStore::FindBindings(const Call&, const std::string& network,
                                                       const std::vector<std::string>& remote_ids) {
  Lock lock(mutex_);
  std::vector<Binding> found;
  for (const auto& [id, stored] : channels_) {
    const Channel& c = stored.channel;
    bool asked = std::find(remote_ids.begin(), remote_ids.end(), c.remote_id) != remote_ids.end();
    if (asked && c.network == network && c.state != ChannelState::kDisconnected) found.push_back(ToBinding(c));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Binding& a, const Binding& b) { return a.remote_id < b.remote_id; });
  return found;
}

StatusOr<std::vector<Binding>> FakeStore::ListBindings(const Call&, const Page& page) {
  Lock lock(mutex_);
  return PageOf<Binding>(
      channels_, page, [](const StoredChannel& c) { return c.channel.state != ChannelState::kDisconnected; },
      [](const StoredChannel& c) { return ToBinding(c.channel); });
}

StatusOr<ChannelState> FakeStore::SetHealth(const Call& call, const std::string& channel_id,
                                            int64_t credentials_version, ChannelState state, const std::string& reason,
                                            const std::string& message, absl::Time now) {
  Lock lock(mutex_);
  PARVIS_RETURN_IF_ERROR(GetChannel(call, channel_id).status());
  Channel& channel = channels_[channel_id].channel;
  if (channel.credentials_version == credentials_version && channel.state != ChannelState::kDisconnected &&
      channel.state != state) {
    channel.state = state;
    channel.state_reason = reason;
    channel.state_message = message;
    if (reason == "TOKEN_EXPIRED" && channel.refresh_time) {
      channel.refresh_time = std::min(*channel.refresh_time, std::max(now, channel.update_time + absl::Minutes(10)));
    }
    channel.update_time = now;
  }
  return channel.state;
}

StatusOr<int> FakeStore::Reseal(const Call&, int limit) {
  Lock lock(mutex_);
  int now = std::min(limit, unsealed);
  unsealed -= now;
  return now;
}

std::optional<NetworkGate::Network> FakeNetworks::Find(const std::string& network) const {
  if (network == "facebook") return Network{{"access_token"}, "https://graph.example/v23.0"};
  if (network == "wordpress") return Network{{"username", "application_password"}, ""};
  return std::nullopt;
}

StatusOr<NetworkGate::Identity> FakeNetworks::WhoAmI(const Call&, const std::string& network,
                                                     const std::string& base_url, const CredentialFields& credentials) {
  ++asked;
  last_base_url = base_url;
  if (failure) return *failure;
  const char* field = network == "facebook" ? "access_token" : "application_password";
  auto it = tokens.find(credentials.at(field).Reveal());
  if (it == tokens.end()) return MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "Error validating access token");
  return it->second;
}

}  // namespace parvis::accounts
