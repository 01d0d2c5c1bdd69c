// Joining and leaving a consumer group. Internal to platform/bus.
#pragma once

#include <string>

#include "platform/bus/consumer.h"
#include "platform/bus/rdkafka.h"

namespace parvis::bus {

struct MemberCallbacks {
  void (*rebalance)(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*, void* opaque);
  void (*error)(rd_kafka_t*, int, const char*, void* opaque);
  void* opaque;
};

// Subscribes to options.topics. `client_id` tells this process from all others. INVALID_ARGUMENT when config.instance cannot be
// a member's name.
StatusOr<rd_kafka_t*> JoinGroup(const BusConfig& config, const Consumer::Options& options, const std::string& client_id,
                                const MemberCallbacks& callbacks);

// After the broker has fenced our name: whether the group has a member of this name that is another process. It is not when
// we were fenced by ourselves: a request to join whose answer was lost with the broker made us a member anew.
// UNAVAILABLE BUS_UNAVAILABLE.
StatusOr<bool> IsNameTaken(const BusConfig& config, const std::string& group, const std::string& client_id);

// Leaves the group (a member with a name only ends: the broker keeps its place for a session) and ends the handle.
// rd_kafka_consumer_close may hang in librdkafka 2.0.2: this waits for a limited time and then leaves the handle to its
// fate.
void LeaveGroup(rd_kafka_t* rk, const std::string& group, const Clock& clock);

}  // namespace parvis::bus
