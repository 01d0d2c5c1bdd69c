#include "accounts/domain/sign_in.h"

#include <algorithm>

#include "accounts/domain/rules.h"

namespace parvis::accounts {
namespace {

constexpr absl::Duration kWaitMax = absl::Minutes(10);
constexpr int kWaitingMax = 20;    // of one member
constexpr size_t kCodeMax = 4096;  // bytes; LinkedIn's codes are the longest, some hundred
constexpr size_t kNamedMax = 20;   // accounts that an error lists
constexpr size_t kRemoteIdMax = 500;

std::string Named(const NetworkGate::Identity& who) {
  return who.name.empty() ? who.remote_id : who.name + " (" + who.remote_id + ")";
}

std::string Named(const std::vector<SignInGate::Account>& accounts) {
  std::string text;
  for (size_t i = 0; i < std::min(accounts.size(), kNamedMax); ++i) {
    text += (i == 0 ? "" : ", ") + Named(accounts[i].identity);
  }
  return accounts.size() > kNamedMax ? text + ", ..." : text;
}

const SignInGate::Account* Find(const std::vector<SignInGate::Account>& accounts, const std::string& remote_id) {
  const auto found = std::find_if(accounts.begin(), accounts.end(),
                                  [&](const SignInGate::Account& one) { return one.identity.remote_id == remote_id; });
  return found == accounts.end() ? nullptr : &*found;
}

Status WrongAccount(const std::string& expected, const std::vector<SignInGate::Account>& accounts) {
  Error error{.code = Code::kFailedPrecondition,
              .reason = "WRONG_ACCOUNT",
              .message = "the sign-in was for " + expected + ", but whoever signed in has " + Named(accounts) +
                         "; sign out at the network and begin again, or connect that account as a channel of its own"};
  error.metadata["expected_account"] = expected;
  error.metadata["accounts"] = Named(accounts);
  return parvis::ToStatus(error);
}

Status AccountChoice(const std::vector<SignInGate::Account>& accounts) {
  Error error{
      .code = Code::kFailedPrecondition,
      .reason = "ACCOUNT_CHOICE",
      .message = "whoever signed in has several accounts; begin again with the id of one of them: " + Named(accounts)};
  error.metadata["accounts"] = Named(accounts);
  return parvis::ToStatus(error);
}

}  // namespace

StatusOr<PendingSignIn> SignIns::Prepare(const Call& call, const SignInRequest& wanted) {
  PendingSignIn pending;
  pending.network = wanted.network;
  std::vector<Violation> violations;
  if (wanted.remote_id.size() > kRemoteIdMax) {
    violations.push_back({"remote_id", "must have at most 500 bytes", "TEXT_TOO_LONG"});
  }
  if (!wanted.channel_id.empty()) {
    PARVIS_ASSIGN_OR_RETURN(Channel channel, channels_.GetChannel(call, wanted.channel_id));
    for (const auto& [field, given] : {std::pair("network", wanted.network), std::pair("site_url", wanted.site_url),
                                       std::pair("remote_id", wanted.remote_id)}) {
      if (!given.empty()) violations.push_back({field, "is the channel's; leave it empty to reconnect", "NOT_ALLOWED"});
    }
    pending.network = channel.network;
    pending.base_url = channel.base_url;
    pending.channel_id = channel.id;
    pending.remote_id = channel.remote_id;
  } else {
    PARVIS_ASSIGN_OR_RETURN(pending.base_url, BaseUrlFor(networks_, wanted.network, wanted.site_url, violations));
    pending.remote_id = wanted.remote_id;
    pending.display_name = wanted.display_name;
    if (!wanted.display_name.empty()) CheckDisplayName("display_name", wanted.display_name, violations);
  }
  PARVIS_RETURN_IF_ERROR(accounts::ToStatus(std::move(violations)));
  return pending;
}

StatusOr<BegunSignIn> SignIns::BeginSignIn(const Call& call, const SignInRequest& wanted) {
  if (call.principal.member_id.empty() || call.principal.key_id.empty()) {
    return MakeError(Code::kPermissionDenied, "MEMBER_NEEDED", "only a member with a key can sign in to a network");
  }
  PARVIS_ASSIGN_OR_RETURN(PendingSignIn pending, Prepare(call, wanted));
  const auto traits = gate_.Find(pending.network);
  if (!traits || !traits->by_browser) {
    return MakeError(Code::kFailedPrecondition, "NOT_POSSIBLE",
                     "nobody signs in to this network in the browser; use ConnectChannel with its credentials");
  }
  if (redirect_uri_.empty()) {
    return MakeError(Code::kFailedPrecondition, "SIGN_IN_NOT_CONFIGURED",
                     "the installation has no address that networks send browsers back to");
  }
  const Secret state(RandomHex(64));
  pending.verifier = Secret(RandomHex(64));
  pending.redirect_uri = redirect_uri_;
  PARVIS_ASSIGN_OR_RETURN(SignInGate::Begun begun,
                          gate_.Begin(call, pending.network, pending.base_url, redirect_uri_, state, pending.verifier));
  pending.app = std::move(begun.app);
  pending.state_hash = hash_(state);
  pending.workspace_id = call.workspace_id;
  pending.member_id = call.principal.member_id;
  pending.key_id = call.principal.key_id;
  pending.create_time = clock_.WallNow();
  pending.expire_time = pending.create_time + kWaitMax;
  PARVIS_RETURN_IF_ERROR(store_.InsertSignIn(call, pending, kWaitingMax));
  return BegunSignIn{std::move(begun.authorization_url), pending.expire_time};
}

StatusOr<Channel> SignIns::CompleteSignIn(const Call& call, const Secret& state, const Secret& code) {
  std::vector<Violation> violations;
  if (state.empty()) violations.push_back({"state", "must not be empty", "REQUIRED"});
  if (code.empty()) violations.push_back({"code", "must not be empty", "REQUIRED"});
  if (code.size() > kCodeMax) violations.push_back({"code", "has more than 4096 bytes", "TEXT_TOO_LONG"});
  PARVIS_RETURN_IF_ERROR(accounts::ToStatus(std::move(violations)));
  std::optional<PendingSignIn> pending;
  if (!call.principal.member_id.empty() && !call.principal.key_id.empty()) {
    PARVIS_ASSIGN_OR_RETURN(pending, store_.TakeSignIn(call, hash_(state), call.principal.member_id,
                                                       call.principal.key_id, clock_.WallNow()));
  }
  if (!pending) {
    return MakeError(
        Code::kFailedPrecondition, "SIGN_IN_UNKNOWN",
        "no sign-in that was begun with this key waits for this state: it was completed, or it took longer "
        "than ten minutes; begin again");
  }
  StatusOr<std::vector<SignInGate::Account>> accounts = gate_.Complete(
      call, pending->network, pending->base_url, pending->redirect_uri, pending->app, code, pending->verifier);
  if (!accounts.ok()) return NotTheCallersKey(accounts.status(), "SIGN_IN_REFUSED", "the network refuses the sign-in");
  if (!pending->channel_id.empty()) {
    PARVIS_ASSIGN_OR_RETURN(Channel channel, channels_.GetChannel(call, pending->channel_id));
    const SignInGate::Account* own = Find(*accounts, channel.remote_id);
    if (own == nullptr) return WrongAccount(channel.display_name + " (" + channel.remote_id + ")", *accounts);
    return Reconnect(call, std::move(channel), *own);
  }
  if (!pending->remote_id.empty()) {
    const SignInGate::Account* meant = Find(*accounts, pending->remote_id);
    if (meant == nullptr) return WrongAccount(pending->remote_id, *accounts);
    return ConnectNew(call, *pending, *meant);
  }
  if (accounts->size() != 1) return AccountChoice(*accounts);
  return ConnectNew(call, *pending, accounts->front());
}

StatusOr<Channel> SignIns::ConnectNew(const Call& call, const PendingSignIn& pending,
                                      const SignInGate::Account& account) {
  const NetworkGate::Identity& who = account.identity;
  Channel channel;
  channel.id = ids_.New();
  channel.workspace_id = call.workspace_id;
  channel.network = pending.network;
  channel.remote_id = who.remote_id;
  channel.base_url = pending.base_url;
  channel.display_name = !pending.display_name.empty() ? pending.display_name
                         : !who.name.empty()           ? who.name
                                                       : who.remote_id;
  channel.handle = who.handle;
  channel.url = who.url;
  channel.create_time = channel.update_time = clock_.WallNow();
  PlanRefresh(account.tokens, channel.update_time, &channel);
  PARVIS_ASSIGN_OR_RETURN(Created created, channels_.Connect(call, channel, account.tokens.credentials, {}));
  return channels_.GetChannel(call, created.id);
}

StatusOr<Channel> SignIns::Reconnect(const Call& call, Channel channel, const SignInGate::Account& account) {
  channel.handle = account.identity.handle;
  channel.url = account.identity.url;
  channel.update_time = clock_.WallNow();
  PlanRefresh(account.tokens, channel.update_time, &channel);
  if (channel.state == ChannelState::kDisconnected) {  // revived under its own id
    channel.state = ChannelState::kConnected;
    PARVIS_RETURN_IF_ERROR(channels_.Connect(call, channel, account.tokens.credentials, {}).status());
    return channels_.GetChannel(call, channel.id);
  }
  return channels_.ReplaceCredentials(call, channel, account.tokens.credentials);
}

}  // namespace parvis::accounts
