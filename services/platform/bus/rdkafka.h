// What producer, consumer and admin share of librdkafka's C API. Internal to platform/bus.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/stream.h"

namespace parvis::bus {

struct DestroyMessage {
  void operator()(rd_kafka_message_t* m) const { rd_kafka_message_destroy(m); }
};
using MessagePtr = std::unique_ptr<rd_kafka_message_t, DestroyMessage>;
struct DestroyList {
  void operator()(rd_kafka_topic_partition_list_t* l) const { rd_kafka_topic_partition_list_destroy(l); }
};
using ListPtr = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyList>;
struct DestroyHandle {
  void operator()(rd_kafka_t* rk) const { rd_kafka_destroy(rk); }
};
using HandlePtr = std::unique_ptr<rd_kafka_t, DestroyHandle>;

using Settings = std::vector<std::pair<std::string, std::string>>;
// A configuration with our logger; the caller adds callbacks and gives it to rd_kafka_new. Aborts on a wrong name: the
// settings are ours, not a user's.
rd_kafka_conf_t* MakeConf(const Settings& settings, void* opaque);
StatusOr<rd_kafka_t*> MakeHandle(rd_kafka_type_t type, rd_kafka_conf_t* conf);  // owns conf

// Key, payload and headers of a message that was received.
StreamRecord RecordOf(const rd_kafka_message_t& message);

// To be called when a handle or a thread that uses one is abandoned: its threads live on, and must not find statics destroyed at
// the end of the process, which then ends with the exit status that was meant, without its further exit handlers. Idempotent.
void EndWithoutTeardown();

Status BusUnavailable(std::string_view reason, rd_kafka_resp_err_t err);

// The numbers of a topic's partitions, as a broker tells them within `millis`. BUS_UNAVAILABLE; NOT_FOUND TOPIC_UNKNOWN.
StatusOr<std::vector<int32_t>> PartitionsOf(rd_kafka_t* rk, const std::string& topic, int millis);

}  // namespace parvis::bus
