// accounts, over gRPC.
#pragma once

#include <memory>

#include "ingestion/domain/binding_cache.h"
#include "ingestion/domain/channel_desk.h"
#include "platform/rpc/client.h"

namespace parvis::ingestion {

// Thread-safe. Credentials and bindings are asked for with the caller's deadline, FindChannels (which has no caller) with
// `find_max`; a short absence of accounts is bridged by the client's retries. Whatever else accounts answers to Open or
// FindChannels than about the channel itself (NOT_FOUND, FAILED_PRECONDITION) is UNAVAILABLE ACCOUNTS_UNAVAILABLE.
class AccountsDesk : public ChannelDesk, public ChannelFinder {
 public:
  // `client` (to accounts) outlives it.
  AccountsDesk(rpc::Client& client, const Clock& clock, absl::Duration find_max);
  ~AccountsDesk() override;
  StatusOr<OpenedChannel> Open(const Call& call, const Binding& binding) override;
  Status ReportBroken(const Call& call, const Binding& binding, int64_t credentials_version, const std::string& reason,
                      const std::string& message) override;
  StatusOr<std::vector<BoundChannel>> List(const Call& call, std::string& page_token) override;
  StatusOr<std::multimap<std::string, Binding>> FindChannels(const std::string& network,
                                                             const std::vector<std::string>& accounts) override;

 private:
  struct Stubs;
  rpc::Client& client_;
  const Clock& clock_;
  const absl::Duration find_max_;
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace parvis::ingestion
