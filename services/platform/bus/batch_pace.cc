#include "platform/bus/batch_pace.h"

#include <algorithm>
#include <optional>

namespace parvis::bus {
namespace {

constexpr int kAskMillis = 200;

struct DestroyTopic {
  void operator()(rd_kafka_topic_t* t) const { rd_kafka_topic_destroy(t); }
};

std::optional<size_t> PartitionsOf(rd_kafka_t* rk, const std::string& topic) {
  const std::unique_ptr<rd_kafka_topic_t, DestroyTopic> handle(rd_kafka_topic_new(rk, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  if (!handle || rd_kafka_metadata(rk, 0, handle.get(), &metadata, kAskMillis) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const bool known = metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
  const size_t count = known ? static_cast<size_t>(metadata->topics[0].partition_cnt) : 0;
  rd_kafka_metadata_destroy(metadata);
  return known ? std::optional(count) : std::nullopt;
}

}  // namespace

absl::Duration Stretched(absl::Duration wait, absl::Duration most, size_t owned, size_t all) {
  if (owned == 0 || all <= owned) return wait;
  return std::max(wait, std::min(most, wait * static_cast<int64_t>(all) / static_cast<int64_t>(owned)));
}

void BatchPace::Update(rd_kafka_t* rk, const std::vector<std::string>& topics, size_t owned) {
  if (owned == owned_) return;
  size_t all = 0;
  for (const std::string& topic : topics) {
    const auto count = PartitionsOf(rk, topic);
    if (!count) return;
    all += *count;
  }
  owned_ = owned;
  apart_ = Stretched(wait_, most_, owned, all);
}

}  // namespace parvis::bus
