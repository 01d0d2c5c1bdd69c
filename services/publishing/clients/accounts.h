// What publishing asks of accounts: a channel's network and credentials, a workspace's time zone. Cached briefly.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "platform/base/clock.h"
#include "platform/rpc/client.h"
#include "publishing/domain/channels.h"

namespace parvis::publishing {

struct AccountsConfig {
  absl::Duration access_max = absl::Seconds(10);      // how old credentials may be
  absl::Duration directory_max = absl::Minutes(1);    // how old a channel's network or a time zone may be
  int entries_max = 10'000;
};

// Thread-safe. Errors are those of accounts: NOT_FOUND, FAILED_PRECONDITION CHANNEL_DISCONNECTED, UNAVAILABLE.
class AccountsDirectory : public ChannelDirectory, public ChannelAccessSource {
 public:
  AccountsDirectory(rpc::Client& client, const Clock& clock, const AccountsConfig& config);
  ~AccountsDirectory() override;
  StatusOr<Channel> GetChannel(const Call& call, const std::string& workspace_id,
                               const std::string& channel_id) override;
  StatusOr<std::string> GetTimeZone(const Call& call, const std::string& workspace_id) override;
  StatusOr<ChannelAccess> GetAccess(const Call& call, const std::string& workspace_id, const std::string& channel_id,
                                    bool fresh) override;
  Status ReportBroken(const Call& call, const std::string& workspace_id, const std::string& channel_id,
                      const ChannelAccess& access, const std::string& reason, const std::string& message) override;

 private:
  // What was learned, and until when it may be used. Bounded: when full, everything is forgotten.
  template <class Value>
  struct Cache {
    std::map<std::string, std::pair<Value, Instant>> entries;
  };
  template <class Value>
  bool Lookup(const Cache<Value>& cache, const std::string& key, Value& value);
  template <class Value>
  void Remember(Cache<Value>& cache, const std::string& key, const Value& value, absl::Duration age_max);

  struct Stubs;
  rpc::Client& client_;
  const Clock& clock_;
  const AccountsConfig config_;
  const std::unique_ptr<Stubs> stubs_;
  std::mutex mutex_;
  Cache<Channel> channels_;
  Cache<std::string> zones_;
  Cache<ChannelAccess> access_;
};

}  // namespace parvis::publishing
