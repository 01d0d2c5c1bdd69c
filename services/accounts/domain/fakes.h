// Fakes of the ports of accounts, for tests: they keep the same promises as the real stores (store_contract.h proves
// it).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "accounts/domain/api_keys.h"
#include "accounts/domain/channels.h"
#include "accounts/domain/directory.h"
#include "accounts/domain/members.h"
#include "accounts/domain/refresh.h"
#include "accounts/domain/sign_in.h"
#include "accounts/domain/tenants.h"

namespace parvis::accounts {

class FakeStore : public TenantStore,
                  public MemberStore,
                  public ApiKeyStore,
                  public KeyDirectory,
                  public ChannelStore,
                  public DirectoryStore,
                  public SignInStore,
                  public RefreshStore {
 public:
  StatusOr<Created> InsertOrganization(const Call& call, const Organization& made, const Request& request) override;
  StatusOr<Organization> GetOrganization(const Call& call, const std::string& id) override;
  StatusOr<Created> InsertWorkspace(const Call& call, const Workspace& made, const Request& request) override;
  StatusOr<Workspace> GetWorkspace(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Workspace>> ListWorkspaces(const Call& call, const std::string& organization_id,
                                                  const Page& page) override;
  StatusOr<Workspace> UpdateWorkspace(const Call& call, const Workspace& changed, int64_t version) override;

  StatusOr<Created> InsertMember(const Call& call, const Member& made, const Request& request) override;
  StatusOr<Member> GetMember(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Member>> ListMembers(const Call& call, const Page& page) override;
  StatusOr<Member> UpdateMember(const Call& call, const Member& changed, int64_t version) override;
  Status DeleteMember(const Call& call, const std::string& id, int64_t version, absl::Time now) override;

  StatusOr<Created> InsertApiKey(const Call& call, const ApiKey& made, const std::string& hash,
                                 const Request& request) override;
  StatusOr<ApiKey> GetApiKey(const Call& call, const std::string& id) override;
  StatusOr<std::vector<ApiKey>> ListApiKeys(const Call& call, const Page& page) override;
  StatusOr<ApiKey> RevokeApiKey(const Call& call, const std::string& id, absl::Time now) override;
  StatusOr<std::optional<Entry>> FindKey(const std::string& key_id) override;

  StatusOr<std::optional<std::string>> FindConnected(const Call& call, const Request& request) override;
  StatusOr<Created> Connect(const Call& call, const Channel& made, const CredentialFields& credentials,
                            const Request& request) override;
  StatusOr<Channel> GetChannel(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Channel>> ListChannels(const Call& call, const Page& page) override;
  StatusOr<Channel> ReplaceCredentials(const Call& call, const Channel& fresh,
                                       const CredentialFields& credentials) override;
  StatusOr<Channel> Disconnect(const Call& call, const std::string& id, absl::Time now) override;

  StatusOr<Opened> OpenCredentials(const Call& call, const std::string& channel_id) override;
  StatusOr<std::vector<Binding>> FindBindings(const Call& call, const std::string& network,
                                              const std::vector<std::string>& remote_ids) override;
  StatusOr<std::vector<Binding>> ListBindings(const Call& call, const Page& page) override;
  StatusOr<ChannelState> SetHealth(const Call& call, const std::string& channel_id, int64_t credentials_version,
                                   ChannelState state, const std::string& reason, const std::string& message,
                                   absl::Time now) override;
  StatusOr<int> Reseal(const Call& call, int limit) override;  // the fake seals nothing: `unsealed` counts down

  Status InsertSignIn(const Call& call, const PendingSignIn& made, int waiting_max) override;
  StatusOr<std::optional<PendingSignIn>> TakeSignIn(const Call& call, const std::string& state_hash,
                                                    const std::string& member_id, const std::string& key_id,
                                                    absl::Time now) override;
  StatusOr<std::vector<RefreshClaim>> ClaimDue(const Call& call, const std::string& holder, absl::Time now,
                                               absl::Duration lease, int limit) override;
  Status RecordUse(const Call& call, const RefreshClaim& claim, absl::Time now) override;
  Status StoreRefreshed(const Call& call, const RefreshClaim& claim, const Channel& fresh,
                        const CredentialFields& credentials) override;
  Status Postpone(const Call& call, const RefreshClaim& claim, absl::Time next) override;
  Status NeedSignIn(const Call& call, const RefreshClaim& claim, const std::string& reason, const std::string& message,
                    absl::Time now) override;

  int stored_channels() const { return static_cast<int>(channels_.size()); }
  int unsealed = 0;
  int storing_fails = 0;  // so many StoreRefreshed end UNAVAILABLE

 private:
  struct StoredKey {
    ApiKey key;
    std::string hash;
  };
  struct StoredChannel {
    Channel channel;
    CredentialFields credentials;
    std::string holder = "";  // who refreshes it
    absl::Time lease_time = absl::InfinitePast();
    std::optional<absl::Time> use_time = std::nullopt;
    int failures = 0;
  };
  // The channel, if the claim is still its own; else CLAIM_LOST.
  StatusOr<StoredChannel*> Held(const Call& call, const RefreshClaim& claim);
  struct Made {
    std::string fingerprint, id;
  };
  StatusOr<std::string> MadeBefore(const std::string& scope, const Request& request) const;
  void Remember(const std::string& scope, const Request& request, const std::string& id);
  Status CheckMemberChange(const Call& call, const std::string& id, int64_t version, bool stays_owner) const;

  std::recursive_mutex mutex_;
  std::map<std::string, Organization> organizations_;
  std::map<std::string, Workspace> workspaces_;
  std::map<std::string, Member> members_;
  std::map<std::string, StoredKey> keys_;
  std::map<std::string, StoredChannel> channels_;
  std::map<std::tuple<std::string, std::string, std::string>, Made> requests_;
  std::map<std::string, PendingSignIn> sign_ins_;
};

// "facebook" is signed in to in the browser and its tokens are used up by a refresh; "wordpress" has sessions that may
// be refreshed again for an hour.
class FakeSignIns : public SignInGate {
 public:
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

  std::map<std::string, std::vector<Account>> codes;  // what a code opens; any other is refused
  std::map<std::string, std::string> verifiers;       // by state, of what was begun
  std::string last_state;
  std::map<std::string, Tokens> sessions;  // by application password
  std::vector<Refreshed> refreshes;        // what the next ones bring; then kNotDone
  std::vector<std::string> shown;          // the refresh tokens that were used
  std::function<void()> while_refreshing = [] {};

 private:
  std::mutex mutex_;
};

// One network with one address ("facebook") and one where every account has its own ("wordpress").
class FakeNetworks : public NetworkGate {
 public:
  std::optional<Network> Find(const std::string& network) const override;
  std::vector<std::string> Names() const override { return {"facebook", "wordpress"}; }
  StatusOr<Identity> WhoAmI(const Call& call, const std::string& network, const std::string& base_url,
                            const CredentialFields& credentials) override;

  // What the network answers to a token; any other is refused.
  std::map<std::string, Identity> tokens;
  std::optional<Status> failure;  // if set, every question ends so
  int asked = 0;
  std::string last_base_url;
};

}  // namespace parvis::accounts
