#include "platform/bus/topic_reader.h"

#include <algorithm>
#include <vector>

#include "platform/bus/rdkafka.h"

namespace parvis::bus {
namespace {

constexpr int kAskMillis = 10'000, kPollMillis = 200;

// One entry for every partition of the topic.
StatusOr<ListPtr> Partitions(rd_kafka_t* rk, const std::string& topic) {
  PARVIS_ASSIGN_OR_RETURN(const std::vector<int32_t> numbers, PartitionsOf(rk, topic, kAskMillis));
  ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(numbers.size())));
  for (const int32_t number : numbers) rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), number);
  return list;
}

HandlePtr MakeConsumer(const std::string& brokers, const std::string& group, Status& status) {
  const auto made = MakeHandle(RD_KAFKA_CONSUMER, MakeConf({{"bootstrap.servers", brokers},
                                                            {"group.id", group},
                                                            {"enable.auto.commit", "false"},
                                                            {"enable.partition.eof", "true"}},
                                                           nullptr));
  status = made.status();
  return HandlePtr(made.ok() ? *made : nullptr);
}

}  // namespace

struct TopicReader::Impl {
  std::string brokers;
  HandlePtr rk;
};

TopicReader::TopicReader() : impl_(std::make_unique<Impl>()) {}
TopicReader::~TopicReader() = default;

Status TopicReader::Connect(const std::string& brokers) {
  impl_->brokers = brokers;
  Status status;
  impl_->rk = MakeConsumer(brokers, "parvis.reader", status);  // never joins the group: partitions are assigned by hand
  if (impl_->rk) rd_kafka_poll_set_consumer(impl_->rk.get());
  return status;
}

Status TopicReader::Read(const std::string& topic, absl::Time from, absl::Duration wait_max,
                         const std::function<bool(const Received&)>& take) {
  rd_kafka_t* const rk = impl_->rk.get();
  PARVIS_ASSIGN_OR_RETURN(const ListPtr list, Partitions(rk, topic));
  for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = absl::ToUnixMillis(from);
  if (const auto err = rd_kafka_offsets_for_times(rk, list.get(), kAskMillis); err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return BusUnavailable("BUS_UNAVAILABLE", err);
  }
  std::map<int32_t, int64_t> ends;  // of the partitions that have something to read
  for (int i = 0; i < list->cnt; ++i) {
    auto& one = list->elems[i];
    int64_t low = 0, high = 0;
    const auto err = rd_kafka_query_watermark_offsets(rk, topic.c_str(), one.partition, &low, &high, kAskMillis);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return BusUnavailable("BUS_UNAVAILABLE", err);
    if (one.offset >= 0 && one.offset < high) ends[one.partition] = high;
  }
  if (const auto err = rd_kafka_assign(rk, list.get()); err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return BusUnavailable("BUS_UNAVAILABLE", err);
  }
  Status status;
  for (absl::Duration waited; !ends.empty() && status.ok();) {
    const MessagePtr message(rd_kafka_consumer_poll(rk, kPollMillis));
    if (!message) {
      waited += absl::Milliseconds(kPollMillis);
      if (waited > wait_max) status = MakeError(Code::kDeadlineExceeded, "BUS_SLOW", "nothing more came of " + topic);
      continue;
    }
    waited = absl::ZeroDuration();
    const auto end = ends.find(message->partition);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && end != ends.end() && message->offset < end->second) {
      const int64_t millis = rd_kafka_message_timestamp(message.get(), nullptr);
      if (!take({RecordOf(*message), message->partition, message->offset, absl::FromUnixMillis(millis)})) break;
    }
    const bool over = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
                      message->offset + 1 >= (end == ends.end() ? 0 : end->second);
    if (over && end != ends.end()) ends.erase(end);
  }
  (void)rd_kafka_assign(rk, nullptr);
  return status;
}

StatusOr<std::map<int32_t, int64_t>> TopicReader::Committed(const std::string& group, const std::string& topic) {
  Status status;
  const HandlePtr rk = MakeConsumer(impl_->brokers, group, status);  // asks only; does not join
  PARVIS_RETURN_IF_ERROR(status);
  PARVIS_ASSIGN_OR_RETURN(const ListPtr list, Partitions(rk.get(), topic));
  if (const auto err = rd_kafka_committed(rk.get(), list.get(), kAskMillis); err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return BusUnavailable("BUS_UNAVAILABLE", err);
  }
  std::map<int32_t, int64_t> committed;
  for (int i = 0; i < list->cnt; ++i) {
    committed[list->elems[i].partition] = std::max<int64_t>(0, list->elems[i].offset);
  }
  return committed;
}

}  // namespace parvis::bus
