#include "platform/bus/rdkafka.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "platform/obs/log.h"

namespace parvis::bus {
namespace {

struct DestroyMetadata {
  void operator()(const rd_kafka_metadata_t* m) const { rd_kafka_metadata_destroy(m); }
};
struct DestroyTopic {
  void operator()(rd_kafka_topic_t* t) const { rd_kafka_topic_destroy(t); }
};

void OnLog(const rd_kafka_t*, int level, const char* facility, const char* text) {
  // A commit that a rebalance overtakes: the next owner starts where the effects say, or repeats a little.
  if (std::string_view(facility) == "COMMITFAIL") return;
  // At every try to reach a broker that is away, twenty a second. FAIL says which and why, and says it again rarely.
  if (std::string_view(text).ends_with("brokers are down")) return;
  if (level <= 3) {
    obs::Warn("librdkafka", {{"facility", facility}, {"text", text}});
  } else if (level <= 5) {
    obs::Info("librdkafka", {{"facility", facility}, {"text", text}});
  }
}

}  // namespace

rd_kafka_conf_t* MakeConf(const Settings& settings, void* opaque) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[256];
  rd_kafka_conf_set(conf, "enable.metrics.push", "false", error, sizeof error);   // we have metrics of our own
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK) {
      std::fprintf(stderr, "librdkafka refuses %s=%s: %s\n", name.c_str(), value.c_str(), error);
      std::abort();
    }
  }
  rd_kafka_conf_set_opaque(conf, opaque);
  rd_kafka_conf_set_log_cb(conf, OnLog);
  return conf;
}

StatusOr<rd_kafka_t*> MakeHandle(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  char error[256] = "";
  rd_kafka_t* rk = rd_kafka_new(type, conf, error, sizeof error);
  if (rk) return rk;
  rd_kafka_conf_destroy(conf);
  return MakeError(Code::kFailedPrecondition, "BUS_CONFIG", error);
}

StreamRecord RecordOf(const rd_kafka_message_t& message) {
  StreamRecord record;
  record.topic = rd_kafka_topic_name(message.rkt);
  record.key.assign(static_cast<const char*>(message.key), message.key ? message.key_len : 0);
  record.payload.assign(static_cast<const char*>(message.payload), message.payload ? message.len : 0);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name;
    const void* value;
    size_t size;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      record.headers[name].assign(static_cast<const char*>(value), value ? size : 0);
    }
  }
  return record;
}

void EndWithoutTeardown() {
  static const int registered = on_exit(
      [](int status, void*) {
        std::fflush(nullptr);
        _exit(status);
      },
      nullptr);
  (void)registered;
}

Status BusUnavailable(std::string_view reason, rd_kafka_resp_err_t err) {
  return MakeError(Code::kUnavailable, reason, std::string("Kafka: ") + rd_kafka_err2str(err));
}

StatusOr<std::vector<int32_t>> PartitionsOf(rd_kafka_t* rk, const std::string& topic, int millis) {
  const std::unique_ptr<rd_kafka_topic_t, DestroyTopic> handle(rd_kafka_topic_new(rk, topic.c_str(), nullptr));
  if (!handle) return BusUnavailable("BUS_UNAVAILABLE", rd_kafka_last_error());   // without one all topics are asked for
  const rd_kafka_metadata_t* raw = nullptr;
  if (const auto err = rd_kafka_metadata(rk, 0, handle.get(), &raw, millis); err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return BusUnavailable("BUS_UNAVAILABLE", err);
  }
  const std::unique_ptr<const rd_kafka_metadata_t, DestroyMetadata> metadata(raw);
  if (metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt == 0) {
    return MakeError(Code::kNotFound, "TOPIC_UNKNOWN", "there is no topic " + topic);
  }
  std::vector<int32_t> numbers;
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) numbers.push_back(metadata->topics[0].partitions[i].id);
  return numbers;
}

}  // namespace parvis::bus
