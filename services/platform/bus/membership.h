// Joining and leaving a consumer group. Internal to platform/bus.
#pragma once

#include <string>
#include <vector>

#include "platform/bus/consumer.h"
#include "platform/bus/rdkafka.h"

namespace parvis::bus {

struct MemberCallbacks {
  void (*rebalance)(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*, void* opaque);
  void (*error)(rd_kafka_t*, int, const char*, void* opaque);
  void* opaque;
};

// How often a member has lost its name to another lately.
class NameLosses {
 public:
  // Notes one; true when it is the fourth within a minute: taking the name back once more would not settle it.
  bool Note(Instant now);
  void Forget() { times_.clear(); }

 private:
  std::vector<Instant> times_;
};

// Subscribes to options.topics. INVALID_ARGUMENT when config.instance cannot be a member's name.
StatusOr<rd_kafka_t*> JoinGroup(const BusConfig& config, const Consumer::Options& options,
                                const MemberCallbacks& callbacks);

// Leaves the group (a member with a name only ends: the broker keeps its place for a session) and ends the handle.
// rd_kafka_consumer_close was seen to hang in librdkafka 2.0.2: this waits for a limited time and then leaves the handle to its
// fate.
void LeaveGroup(rd_kafka_t* rk, const std::string& group, const Clock& clock);

}  // namespace parvis::bus
