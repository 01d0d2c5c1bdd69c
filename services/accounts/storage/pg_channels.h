// Channels in PostgreSQL, credentials sealed.
#pragma once

#include "accounts/domain/channels.h"
#include "accounts/domain/directory.h"
#include "accounts/storage/sealer.h"
#include "platform/db/pool.h"

namespace parvis::accounts {

// Inside a workspace through `api`; what crosses workspaces (bindings, re-sealing) through `stream`.
class PgChannelStore : public ChannelStore, public DirectoryStore {
 public:
  PgChannelStore(db::Pool& api, db::Pool& stream, const Sealer& sealer) : api_(api), stream_(stream), sealer_(sealer) {}
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
  StatusOr<int> Reseal(const Call& call, int limit) override;

 private:
  db::Pool& api_;
  db::Pool& stream_;
  const Sealer& sealer_;
};

}  // namespace parvis::accounts
