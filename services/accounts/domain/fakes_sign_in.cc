// The fakes' part of signing in and refreshing.
#include <algorithm>

#include "accounts/domain/fakes.h"

namespace parvis::accounts {

using Lock = std::lock_guard<std::recursive_mutex>;

Status FakeStore::InsertSignIn(const Call& call, const PendingSignIn& made, int waiting_max) {
  Lock lock(mutex_);
  std::erase_if(sign_ins_, [&](const auto& one) { return one.second.expire_time <= made.create_time; });
  const auto waiting = std::count_if(sign_ins_.begin(), sign_ins_.end(), [&](const auto& one) {
    return one.second.workspace_id == call.workspace_id && one.second.member_id == made.member_id;
  });
  if (waiting >= waiting_max) return MakeError(Code::kResourceExhausted, "TOO_MANY_SIGN_INS", "too many");
  sign_ins_[made.state_hash] = made;
  return absl::OkStatus();
}

StatusOr<std::optional<PendingSignIn>> FakeStore::TakeSignIn(const Call& call, const std::string& state_hash,
                                                             const std::string& member_id, const std::string& key_id,
                                                             absl::Time now) {
  Lock lock(mutex_);
  const auto it = sign_ins_.find(state_hash);
  if (it == sign_ins_.end()) return std::nullopt;
  const PendingSignIn& one = it->second;
  if (one.workspace_id != call.workspace_id || one.member_id != member_id || one.key_id != key_id ||
      one.expire_time <= now) {
    return std::nullopt;
  }
  std::optional<PendingSignIn> taken = one;
  sign_ins_.erase(it);
  return taken;
}

StatusOr<std::vector<RefreshClaim>> FakeStore::ClaimDue(const Call&, const std::string& holder, absl::Time now,
                                                        absl::Duration lease, int limit) {
  Lock lock(mutex_);
  std::vector<StoredChannel*> due;
  for (auto& [id, stored] : channels_) {
    const Channel& c = stored.channel;
    const bool usable =
        c.state == ChannelState::kConnected || (c.state == ChannelState::kBroken && c.state_reason == "TOKEN_EXPIRED");
    if (usable && c.refresh_time && *c.refresh_time <= now && stored.lease_time <= now) due.push_back(&stored);
  }
  std::sort(due.begin(), due.end(), [](const StoredChannel* a, const StoredChannel* b) {
    return a->channel.refresh_time < b->channel.refresh_time;
  });
  std::vector<RefreshClaim> claims;
  for (StoredChannel* stored : due) {
    if (static_cast<int>(claims.size()) == limit) break;
    stored->holder = holder;
    stored->lease_time = now + lease;
    claims.push_back({stored->channel, stored->credentials, holder, stored->use_time, stored->failures});
  }
  return claims;
}

StatusOr<FakeStore::StoredChannel*> FakeStore::Held(const Call& call, const RefreshClaim& claim) {
  const auto it = channels_.find(claim.channel.id);
  if (it == channels_.end() || it->second.channel.workspace_id != call.workspace_id ||
      it->second.holder != claim.holder || it->second.channel.state == ChannelState::kDisconnected ||
      it->second.channel.credentials_version != claim.channel.credentials_version) {
    return MakeError(Code::kAborted, "CLAIM_LOST", "lost");
  }
  return &it->second;
}

Status FakeStore::RecordUse(const Call& call, const RefreshClaim& claim, absl::Time now) {
  Lock lock(mutex_);
  PARVIS_ASSIGN_OR_RETURN(StoredChannel * held, Held(call, claim));
  held->use_time = now;
  return absl::OkStatus();
}

Status FakeStore::StoreRefreshed(const Call& call, const RefreshClaim& claim, const Channel& fresh,
                                 const CredentialFields& credentials) {
  Lock lock(mutex_);
  if (storing_fails > 0) {
    --storing_fails;
    return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "the database is away");
  }
  PARVIS_ASSIGN_OR_RETURN(StoredChannel * held, Held(call, claim));
  Channel now = held->channel;
  now.state = ChannelState::kConnected;
  now.state_reason = now.state_message = "";
  now.update_time = fresh.update_time;
  now.credentials_expire_time = fresh.credentials_expire_time;
  now.refresh_time = fresh.refresh_time;
  ++now.credentials_version;
  *held = {now, credentials};
  return absl::OkStatus();
}

Status FakeStore::Postpone(const Call& call, const RefreshClaim& claim, absl::Time next) {
  Lock lock(mutex_);
  PARVIS_ASSIGN_OR_RETURN(StoredChannel * held, Held(call, claim));
  held->channel.refresh_time = next;
  held->use_time = claim.use_time;
  ++held->failures;
  held->holder = "";
  held->lease_time = absl::InfinitePast();
  return absl::OkStatus();
}

Status FakeStore::NeedSignIn(const Call& call, const RefreshClaim& claim, const std::string& reason,
                             const std::string& message, absl::Time now) {
  Lock lock(mutex_);
  PARVIS_ASSIGN_OR_RETURN(StoredChannel * held, Held(call, claim));
  Channel broken = held->channel;
  broken.state = ChannelState::kBroken;
  broken.state_reason = reason;
  broken.state_message = message;
  broken.update_time = now;
  broken.refresh_time.reset();
  *held = {broken, held->credentials};
  return absl::OkStatus();
}

std::optional<SignInGate::Traits> FakeSignIns::Find(const std::string& network) const {
  if (network == "facebook") return Traits{true, true, absl::ZeroDuration(), {}};
  if (network == "wordpress") return Traits{false, true, absl::Hours(1), {"identifier", "app_password"}};
  return std::nullopt;
}

StatusOr<SignInGate::Begun> FakeSignIns::Begin(const Call&, const std::string& network, const std::string&,
                                               const std::string& redirect_uri, const Secret& state,
                                               const Secret& verifier) {
  const std::lock_guard lock(mutex_);
  last_state = state.Reveal();
  verifiers[redirect_uri] = verifier.Reveal();
  return Begun{"https://" + network + ".example/authorize?state=" + last_state, {{"client_id", Secret("own-app")}}};
}

StatusOr<std::vector<SignInGate::Account>> FakeSignIns::Complete(const Call&, const std::string&, const std::string&,
                                                                 const std::string& redirect_uri,
                                                                 const CredentialFields& app, const Secret& code,
                                                                 const Secret& verifier) {
  const std::lock_guard lock(mutex_);
  const auto known = codes.find(code.Reveal());
  if (known == codes.end() || !verifier.Equals(verifiers[redirect_uri]) || !app.contains("client_id")) {
    return MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "invalid_grant");
  }
  return known->second;
}

StatusOr<Tokens> FakeSignIns::Open(const Call&, const std::string&, const std::string&,
                                   const CredentialFields& credentials) {
  const auto found = sessions.find(credentials.at("app_password").Reveal());
  if (found == sessions.end()) return MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "Invalid password");
  return found->second;
}

SignInGate::Refreshed FakeSignIns::Refresh(const Call&, const std::string&, const std::string&,
                                           const CredentialFields& credentials) {
  while_refreshing();
  const std::lock_guard lock(mutex_);
  const auto token = credentials.find("refresh_token");
  shown.push_back(token == credentials.end() ? "" : token->second.Reveal());
  if (refreshes.empty()) return {End::kNotDone, MakeError(Code::kUnavailable, "CONNECT_FAILED", "no route"), {}};
  Refreshed next = refreshes.front();
  refreshes.erase(refreshes.begin());
  return next;
}

}  // namespace parvis::accounts
