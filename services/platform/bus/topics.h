// Making topics; for the launcher, deployment and tests. Services never make topics.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "platform/base/error.h"

namespace parvis::bus {

struct Topic {
  std::string name;
  int partitions = 1;
  int replication = 1;
  std::map<std::string, std::string> config;   // "retention.ms"
};
// The dead-letter topic of a consumer group: "<topic>.dlq.<group>", one partition, kept for ever.
Topic DeadLetterTopic(const std::string& topic, const std::string& group, int replication = 1);

// Makes those that are missing and waits until each has a leader. UNAVAILABLE when no broker answers within `limit`;
// FAILED_PRECONDITION TOPIC_PARTITIONS when one exists with another number of partitions (keys would move).
Status EnsureTopics(const std::string& brokers, const std::vector<Topic>& topics, absl::Duration limit);

}  // namespace parvis::bus
