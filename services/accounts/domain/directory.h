// Use cases: what other services ask about channels, across workspaces, and the re-sealing of credentials.
#pragma once

#include <string>
#include <vector>

#include "accounts/domain/types.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace parvis::accounts {

// Which workspace and channel an account of a network belongs to. Never a disconnected channel.
struct Binding {
  std::string workspace_id, channel_id, network, remote_id;
  ChannelState state = ChannelState::kConnected;
  int64_t credentials_version = 1;
};

// Port: channels of all workspaces. Thread-safe; blocks.
class DirectoryStore {
 public:
  struct Opened {
    Channel channel;
    CredentialFields credentials;
  };
  virtual ~DirectoryStore() = default;
  // In `call.workspace_id`. NOT_FOUND; FAILED_PRECONDITION CHANNEL_DISCONNECTED; INTERNAL CREDENTIALS_UNREADABLE when
  // the key they were sealed with is missing or they were tampered with.
  virtual StatusOr<Opened> OpenCredentials(const Call& call, const std::string& channel_id) = 0;
  // Ordered by (remote_id, channel_id).
  virtual StatusOr<std::vector<Binding>> FindBindings(const Call& call, const std::string& network,
                                                      const std::vector<std::string>& remote_ids) = 0;
  // Ordered by channel id.
  virtual StatusOr<std::vector<Binding>> ListBindings(const Call& call, const Page& page) = 0;
  // In `call.workspace_id`. Only if credentials_version is still this one and the channel is not disconnected. Returns
  // the state after it. TOKEN_EXPIRED brings a refresh forward to now, but to no sooner than ten minutes after the last
  // change, so that a network that takes nothing is not asked without end. NOT_FOUND.
  virtual StatusOr<ChannelState> SetHealth(const Call& call, const std::string& channel_id, int64_t credentials_version,
                                           ChannelState state, const std::string& reason, const std::string& message,
                                           absl::Time now) = 0;
  // Seals at most `limit` credentials anew that are not sealed with the current key; returns how many. 0: none is left.
  virtual StatusOr<int> Reseal(const Call& call, int limit) = 0;
};

struct HealthReport {
  std::string channel_id;
  int64_t credentials_version = 0;
  bool broken = false;
  std::string reason, message;
};

class Directory {
 public:
  Directory(DirectoryStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  // What a connector needs: what only a refresh or a new session does (IsKeptBack) stays here.
  StatusOr<DirectoryStore::Opened> GetChannelCredentials(const Call& call, const std::string& channel_id);
  // 1 to 500 accounts, each 1 to 500 bytes.
  StatusOr<std::vector<Binding>> FindChannels(const Call& call, const std::string& network,
                                              const std::vector<std::string>& remote_ids);
  StatusOr<std::vector<Binding>> ListBindings(const Call& call, const Page& page);
  StatusOr<ChannelState> ReportHealth(const Call& call, const HealthReport& report);
  // In batches, until none is left or the call's deadline comes (DEADLINE_EXCEEDED; call again to go on).
  StatusOr<int64_t> ResealCredentials(const Call& call);

 private:
  DirectoryStore& store_;
  const Clock& clock_;
};

}  // namespace parvis::accounts
