// Use cases: connecting accounts of networks. Credentials enter here, are checked with the network, and are sealed by
// the store; they leave only through directory.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/domain/types.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/ids.h"

namespace parvis::accounts {

class SignInGate;

// Port: where channels are kept; their credentials are sealed there. All in `call.workspace_id`. Thread-safe; blocks.
class ChannelStore {
 public:
  virtual ~ChannelStore() = default;
  // The channel that this request connected before, if it did. FAILED_PRECONDITION REQUEST_ID_REUSED.
  virtual StatusOr<std::optional<std::string>> FindConnected(const Call& call, const Request& request) = 0;
  // Stores a channel with its credentials. If the workspace has the account (network, remote_id) as a disconnected
  // channel, that one is revived with the new data, its id and create_time kept, credentials_version raised.
  // ALREADY_EXISTS CHANNEL_ALREADY_CONNECTED (metadata "name") when it is connected or broken. FAILED_PRECONDITION
  // REQUEST_ID_REUSED.
  virtual StatusOr<Created> Connect(const Call& call, const Channel& made, const CredentialFields& credentials,
                                    const Request& request) = 0;
  virtual StatusOr<Channel> GetChannel(const Call& call, const std::string& id) = 0;
  virtual StatusOr<std::vector<Channel>> ListChannels(const Call& call, const Page& page) = 0;
  // Replaces the credentials of a channel that is not disconnected and makes it connected; raises credentials_version.
  // Handle, url and the times of the credentials are taken from `fresh`. NOT_FOUND; FAILED_PRECONDITION
  // CHANNEL_DISCONNECTED.
  virtual StatusOr<Channel> ReplaceCredentials(const Call& call, const Channel& fresh,
                                               const CredentialFields& credentials) = 0;
  // Destroys the credentials. Doing it again changes nothing. NOT_FOUND.
  virtual StatusOr<Channel> Disconnect(const Call& call, const std::string& id, absl::Time now) = 0;
};

// Port: the networks, as far as connecting needs them. Thread-safe; blocks until the call's deadline at most.
class NetworkGate {
 public:
  struct Network {
    std::vector<std::string> credential_fields;  // all of them are required
    std::string base_url;                        // "": every account has its own (site_url)
  };
  struct Identity {
    std::string remote_id, name, handle, url;
  };
  virtual ~NetworkGate() = default;
  // nullopt: no such network.
  virtual std::optional<Network> Find(const std::string& network) const = 0;
  virtual std::vector<std::string> Names() const = 0;
  // Asks the network who the credentials belong to. UNAUTHENTICATED or PERMISSION_DENIED when it refuses them.
  virtual StatusOr<Identity> WhoAmI(const Call& call, const std::string& network, const std::string& base_url,
                                    const CredentialFields& credentials) = 0;
};

struct ConnectRequest {
  std::string network, site_url, display_name;
  CredentialFields credentials;
};

// The address of the network's API for a new account. Appends what is wrong with `site_url`. INVALID_ARGUMENT
// NETWORK_UNKNOWN.
StatusOr<std::string> BaseUrlFor(const NetworkGate& networks, const std::string& network, const std::string& site_url,
                                 std::vector<Violation>& violations);

class Channels {
 public:
  Channels(ChannelStore& store, NetworkGate& networks, SignInGate& sign_ins, Ids& ids, const Clock& clock)
      : store_(store), networks_(networks), sign_ins_(sign_ins), ids_(ids), clock_(clock) {}

  // With what the network wants to know, or, where it has sessions, with an account's name and application password: a
  // session is opened then. FAILED_PRECONDITION CREDENTIALS_REFUSED when the network refuses them; other errors of the
  // network as they are. In every case of error nothing is stored.
  StatusOr<Channel> ConnectChannel(const Call& call, const ConnectRequest& wanted, const Request& request);
  StatusOr<Channel> GetChannel(const Call& call, const std::string& id);
  StatusOr<std::vector<Channel>> ListChannels(const Call& call, const Page& page);
  // As ConnectChannel; FAILED_PRECONDITION ANOTHER_ACCOUNT when the credentials belong to another account.
  StatusOr<Channel> UpdateChannelCredentials(const Call& call, const std::string& id,
                                             const CredentialFields& credentials);
  StatusOr<Channel> DisconnectChannel(const Call& call, const std::string& id);

 private:
  // All fields that the network wants and no other, none empty; or all those of a session.
  void CheckCredentials(const std::string& network, const CredentialFields& given,
                        std::vector<Violation>& violations) const;
  // The credentials to be kept: those given, or those of the session that they open.
  StatusOr<Tokens> Open(const Call& call, const std::string& network, const std::string& base_url,
                        const CredentialFields& credentials);
  StatusOr<NetworkGate::Identity> Ask(const Call& call, const std::string& network, const std::string& base_url,
                                      const CredentialFields& credentials);

  ChannelStore& store_;
  NetworkGate& networks_;
  SignInGate& sign_ins_;
  Ids& ids_;
  const Clock& clock_;
};

}  // namespace parvis::accounts
