// Ports: what publishing needs to know of channels, workspaces and networks. Implemented by clients/ (accounts) and network/.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "platform/base/call.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "publishing/domain/delivery.h"
#include "publishing/domain/preview.h"

namespace parvis::publishing {

struct Channel {
  std::string id, network, display_name;
};

// What it takes to write to a channel. Lives only as long as a call and the short cache of its source.
struct ChannelAccess {
  std::string network, remote_id, base_url;
  std::string version;                    // changes when the credentials do
  std::map<std::string, Secret> fields;
};

// Thread-safe; answers may be a few seconds old.
class ChannelDirectory {
 public:
  virtual ~ChannelDirectory() = default;
  // NOT_FOUND when the workspace has no such channel.
  virtual StatusOr<Channel> GetChannel(const Call& call, const std::string& workspace_id,
                                       const std::string& channel_id) = 0;
  // IANA name ("Europe/Paris").
  virtual StatusOr<std::string> GetTimeZone(const Call& call, const std::string& workspace_id) = 0;
};

class ChannelAccessSource {
 public:
  virtual ~ChannelAccessSource() = default;
  // With `fresh`, past the cache.
  virtual StatusOr<ChannelAccess> GetAccess(const Call& call, const std::string& workspace_id,
                                            const std::string& channel_id, bool fresh) = 0;
  // Tells that the network refused these credentials. Best effort.
  virtual Status ReportBroken(const Call& call, const std::string& workspace_id, const std::string& channel_id,
                              const ChannelAccess& access, const std::string& reason, const std::string& message) = 0;
};

// The networks' own rules. Pure.
class NetworkRules {
 public:
  virtual ~NetworkRules() = default;
  virtual bool Knows(const std::string& network) const = 0;
  // Every violation; field paths relative to the variant ("text", "media[0].type").
  virtual std::vector<Violation> Check(const std::string& network, DeliveryKind kind, const Content& content) const = 0;
  // Whether a person (Delivery::target_author_id) may be named in place of a target; false for a network that is not known.
  virtual bool AuthorIsEnough(const std::string& network, DeliveryKind kind) const = 0;
  // Why its posts cannot continue each other; "" when they can, or for a network that is not known.
  virtual std::string WhyNoThread(const std::string& network) const = 0;
  // As the network counts; {0, 0} for a network that is not known.
  struct Length { int length = 0, limit = 0; };
  virtual Length TextLength(const std::string& network, const std::string& text) const = 0;
  // What readers of a post will see, as far as it can be known beforehand; empty for a network that is not known.
  virtual Preview Show(const std::string& network, const Content& content) const = 0;
};

}  // namespace parvis::publishing
