// Port: channels, as accounts knows them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ingestion/domain/activity.h"
#include "platform/base/call.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace parvis::ingestion {

// What is needed to read as a channel.
struct OpenedChannel {
  std::string network, remote_id, base_url;
  std::map<std::string, Secret> credentials;
  int64_t credentials_version = 0;
};

struct BoundChannel {
  Binding binding;
  std::string network, remote_id;
  int64_t credentials_version = 1;
};

// Thread-safe; blocks until the call's deadline at most.
class ChannelDesk {
 public:
  virtual ~ChannelDesk() = default;
  // NOT_FOUND, FAILED_PRECONDITION CHANNEL_DISCONNECTED; UNAVAILABLE when accounts cannot be asked.
  virtual StatusOr<OpenedChannel> Open(const Call& call, const Binding& binding) = 0;
  virtual Status ReportBroken(const Call& call, const Binding& binding, int64_t credentials_version,
                              const std::string& reason, const std::string& message) = 0;
  // All channels that are not disconnected, by channel id, in pages; `page_token` is moved on and "" after the last.
  virtual StatusOr<std::vector<BoundChannel>> List(const Call& call, std::string& page_token) = 0;
};

}  // namespace parvis::ingestion
