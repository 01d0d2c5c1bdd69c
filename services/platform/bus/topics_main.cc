// parvis-topics: makes the topics that are missing. Exit status 0 when all are there.
//   parvis-topics --brokers 127.0.0.1:9092 --retention_ms 604800000 --replication 1 --wait_seconds 60
//                 --topic parvis.ingestion.activity.v1:12 --dlq parvis.ingestion.activity.v1:moderation.assess ...
// --dlq makes the dead-letter topic of a group. --retention_ms is for every --topic after it.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "platform/bus/topics.h"

int main(int argc, char** argv) {
  std::string brokers = "127.0.0.1:9092", retention;
  int replication = 1, wait_seconds = 60;
  std::vector<parvis::bus::Topic> topics;
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i], value;
    if (const size_t equals = flag.find('='); equals != std::string::npos) {
      value = flag.substr(equals + 1);
      flag.resize(equals);
    } else if (i + 1 < argc) {
      value = argv[++i];
    }
    const size_t colon = value.rfind(':');
    if (flag == "--brokers") {
      brokers = value;
    } else if (flag == "--replication") {
      replication = std::atoi(value.c_str());
    } else if (flag == "--wait_seconds") {
      wait_seconds = std::atoi(value.c_str());
    } else if (flag == "--retention_ms") {
      retention = value;
    } else if (flag == "--topic" && colon != std::string::npos) {
      parvis::bus::Topic topic{.name = value.substr(0, colon), .partitions = std::atoi(value.c_str() + colon + 1), .replication = replication};
      if (!retention.empty()) topic.config["retention.ms"] = retention;
      topics.push_back(topic);
    } else if (flag == "--dlq" && colon != std::string::npos) {
      topics.push_back(parvis::bus::DeadLetterTopic(value.substr(0, colon), value.substr(colon + 1), replication));
    } else {
      std::fprintf(stderr, "usage: parvis-topics --brokers HOST:PORT [--replication N] [--retention_ms N] [--wait_seconds N] "
                           "--topic NAME:PARTITIONS ... --dlq TOPIC:GROUP ...\n");
      return 2;
    }
  }
  const auto status = parvis::bus::EnsureTopics(brokers, topics, absl::Seconds(wait_seconds));
  if (!status.ok()) {
    const parvis::Error error = parvis::ToError(status);
    std::fprintf(stderr, "parvis-topics: %s: %s\n", error.reason.c_str(), error.message.c_str());
    return 1;
  }
  std::printf("%zu topics are there\n", topics.size());
  return 0;
}
