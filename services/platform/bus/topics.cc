#include "platform/bus/topics.h"

#include <absl/strings/str_cat.h>

#include <condition_variable>
#include <mutex>

#include "platform/base/clock.h"
#include "platform/bus/rdkafka.h"

namespace parvis::bus {
namespace {

struct FreeQueue { void operator()(rd_kafka_queue_t* q) const { rd_kafka_queue_destroy(q); } };
struct FreeOptions { void operator()(rd_kafka_AdminOptions_t* o) const { rd_kafka_AdminOptions_destroy(o); } };
struct FreeEvent { void operator()(rd_kafka_event_t* e) const { rd_kafka_event_destroy(e); } };

// Room for a record of the largest size with the headers of a dead letter.
constexpr char kLargest[] = "2097152";

Status Create(rd_kafka_t* rk, const std::vector<Topic>& topics, int millis) {
  std::vector<rd_kafka_NewTopic_t*> news;
  char error[256];
  for (const Topic& topic : topics) {
    rd_kafka_NewTopic_t* made = rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication, error, sizeof error);
    if (!made) {
      rd_kafka_NewTopic_destroy_array(news.data(), news.size());
      return InvalidField("topic", "TOPIC", absl::StrCat(topic.name, ": ", error));
    }
    rd_kafka_NewTopic_set_config(made, "max.message.bytes", kLargest);
    for (const auto& [name, value] : topic.config) rd_kafka_NewTopic_set_config(made, name.c_str(), value.c_str());
    news.push_back(made);
  }
  const std::unique_ptr<rd_kafka_queue_t, FreeQueue> queue(rd_kafka_queue_new(rk));
  const std::unique_ptr<rd_kafka_AdminOptions_t, FreeOptions> options(rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), millis, error, sizeof error);
  rd_kafka_CreateTopics(rk, news.data(), news.size(), options.get(), queue.get());
  rd_kafka_NewTopic_destroy_array(news.data(), news.size());
  const std::unique_ptr<rd_kafka_event_t, FreeEvent> event(rd_kafka_queue_poll(queue.get(), millis + 1000));
  if (!event) return BusUnavailable("BUS_UNAVAILABLE", RD_KAFKA_RESP_ERR__TIMED_OUT);
  if (const auto err = rd_kafka_event_error(event.get())) return BusUnavailable("BUS_UNAVAILABLE", err);
  size_t count = 0;
  const auto results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto err = rd_kafka_topic_result_error(results[i]);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
      return MakeError(Code::kFailedPrecondition, "TOPIC",
                       absl::StrCat(rd_kafka_topic_result_name(results[i]), ": ", rd_kafka_err2str(err)));
    }
  }
  return absl::OkStatus();
}

// OK when every topic is there with a leader for each partition; UNAVAILABLE when it is to be asked again.
Status Check(rd_kafka_t* rk, const std::vector<Topic>& topics) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto err = rd_kafka_metadata(rk, 1, nullptr, &metadata, 2000);
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return BusUnavailable("BUS_UNAVAILABLE", err);
  Status status;
  for (const Topic& topic : topics) {
    const rd_kafka_metadata_topic_t* found = nullptr;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      if (topic.name == metadata->topics[i].topic) found = &metadata->topics[i];
    }
    bool led = found && found->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; led && i < found->partition_cnt; ++i) led = found->partitions[i].leader >= 0;
    if (!led) {
      status = BusUnavailable("TOPIC_PENDING", RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    } else if (found->partition_cnt != topic.partitions) {
      status = MakeError(Code::kFailedPrecondition, "TOPIC_PARTITIONS",
                         absl::StrCat(topic.name, " has ", found->partition_cnt, " partitions and should have ", topic.partitions));
      break;
    }
  }
  rd_kafka_metadata_destroy(metadata);
  return status;
}

}  // namespace

Topic DeadLetterTopic(const std::string& topic, const std::string& group, int replication) {
  return {.name = topic + ".dlq." + group, .partitions = 1, .replication = replication, .config = {{"retention.ms", "-1"}}};
}

Status EnsureTopics(const std::string& brokers, const std::vector<Topic>& topics, absl::Duration limit) {
  PARVIS_ASSIGN_OR_RETURN(rd_kafka_t * made, MakeHandle(RD_KAFKA_PRODUCER, MakeConf(
      {{"bootstrap.servers", brokers}, {"reconnect.backoff.max.ms", "500"}}, nullptr)));
  const HandlePtr rk(made);
  std::mutex mutex;
  std::condition_variable never;
  Status status;
  const RealClock clock;
  const Instant end = clock.Now() + limit;
  bool created = false;
  do {
    status = created ? absl::OkStatus() : Create(rk.get(), topics, 5000);
    created = created || status.ok();
    if (status.ok()) status = Check(rk.get(), topics);
    if (status.ok() || status.code() != Code::kUnavailable) return status;
    std::unique_lock lock(mutex);
    never.wait_for(lock, std::chrono::milliseconds(50));
  } while (clock.Now() < end);
  return status;
}

}  // namespace parvis::bus
