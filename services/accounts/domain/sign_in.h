// Use cases: signing in to a network in the browser (OAuth 2.0 with PKCE), to connect a channel or to reconnect one.
//
// A sign-in is begun by a member with a key, and completed by the same member with the same key within ten minutes:
// that key is the session that the state is bound to. The state has 256 random bits and is stored hashed, the verifier
// sealed; whoever takes a sign-in takes it out, so that a state is good for one completion.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/domain/api_keys.h"
#include "accounts/domain/channels.h"
#include "accounts/domain/sign_in_gate.h"
#include "accounts/domain/types.h"

namespace parvis::accounts {

struct PendingSignIn {
  std::string state_hash;  // 32 bytes
  std::string workspace_id, member_id, key_id;
  std::string network, base_url, redirect_uri;
  std::string channel_id;    // to be reconnected; "" for a new one
  std::string remote_id;     // the account that is expected; "" for whichever it is
  std::string display_name;  // of a new channel; "" for the network's
  Secret verifier;
  CredentialFields app;  // where the server has an app of its own: client_id, client_secret
  absl::Time create_time, expire_time;
};

// Port: where sign-ins wait. All in `call.workspace_id`; the secrets are sealed there. Thread-safe; blocks.
class SignInStore {
 public:
  virtual ~SignInStore() = default;
  // Forgets the workspace's expired ones first. RESOURCE_EXHAUSTED TOO_MANY_SIGN_INS when the member has `waiting_max`.
  virtual Status InsertSignIn(const Call& call, const PendingSignIn& made, int waiting_max) = 0;
  // Takes it out: of two at once, one gets it. nullopt when this member and key have none of this state that is
  // younger.
  virtual StatusOr<std::optional<PendingSignIn>> TakeSignIn(const Call& call, const std::string& state_hash,
                                                            const std::string& member_id, const std::string& key_id,
                                                            absl::Time now) = 0;
};

struct SignInRequest {
  std::string network, site_url, display_name;
  std::string channel_id;  // to reconnect it; the others are then its own
  std::string remote_id;   // which account is meant, for people who manage several
};

struct BegunSignIn {
  std::string authorization_url;
  absl::Time expire_time;
};

class SignIns {
 public:
  // `redirect_uri`: where the networks send browsers back to, exactly as registered with them; "": not offered.
  SignIns(SignInStore& store, ChannelStore& channels, NetworkGate& networks, SignInGate& gate, KeyHash hash,
          std::string redirect_uri, Ids& ids, const Clock& clock)
      : store_(store),
        channels_(channels),
        networks_(networks),
        gate_(gate),
        hash_(std::move(hash)),
        redirect_uri_(std::move(redirect_uri)),
        ids_(ids),
        clock_(clock) {}

  // FAILED_PRECONDITION SIGN_IN_NOT_CONFIGURED, NOT_POSSIBLE (no sign-in in the browser on this network).
  StatusOr<BegunSignIn> BeginSignIn(const Call& call, const SignInRequest& wanted);
  // FAILED_PRECONDITION SIGN_IN_UNKNOWN (never begun by this member with this key, completed already, or too late),
  // SIGN_IN_REFUSED (metadata "network_reason"), WRONG_ACCOUNT (both are named), ACCOUNT_CHOICE (several accounts, and
  // none was named at the beginning; metadata "accounts"). In every case of error the channel is as it was.
  StatusOr<Channel> CompleteSignIn(const Call& call, const Secret& state, const Secret& code);

 private:
  StatusOr<PendingSignIn> Prepare(const Call& call, const SignInRequest& wanted);
  StatusOr<Channel> ConnectNew(const Call& call, const PendingSignIn& pending, const SignInGate::Account& account);
  StatusOr<Channel> Reconnect(const Call& call, Channel channel, const SignInGate::Account& account);

  SignInStore& store_;
  ChannelStore& channels_;
  NetworkGate& networks_;
  SignInGate& gate_;
  const KeyHash hash_;
  const std::string redirect_uri_;
  Ids& ids_;
  const Clock& clock_;
};

}  // namespace parvis::accounts
