#include "platform/bus/partitions.h"

#include <algorithm>
#include <set>

namespace parvis::bus {

Partition* Partitions::Find(const std::string& topic, int32_t number) {
  const auto found = all_.find({topic, number});
  return found == all_.end() ? nullptr : &found->second;
}

void Partitions::Drop(const rd_kafka_topic_partition_list_t* list) {
  for (int i = 0; i < list->cnt; ++i) all_.erase({list->elems[i].topic, list->elems[i].partition});
}

void Partitions::Disown() {
  for (auto& [key, partition] : all_) {
    partition.claimed = false;
    partition.waiting.clear();
  }
}

size_t Partitions::Waiting() const {
  size_t sum = 0;
  for (const auto& [key, partition] : all_) sum += partition.waiting.size();
  return sum;
}

std::vector<std::string> Partitions::Topics() const {
  std::set<std::string> topics;
  for (const auto& [key, partition] : all_) topics.insert(key.first);
  return {topics.begin(), topics.end()};
}

std::vector<StreamPosition> Partitions::Owned(const std::string& topic) const {
  std::vector<StreamPosition> owned;
  for (const auto& [key, partition] : all_) {
    if (key.first == topic && partition.claimed) owned.push_back(partition.position);
  }
  return owned;
}

std::map<std::string, int64_t> Partitions::Lag(rd_kafka_t* rk) const {
  std::map<std::string, int64_t> lag;
  for (const auto& [key, partition] : all_) {
    int64_t low = 0, high = 0;
    const auto err = rd_kafka_get_watermark_offsets(rk, key.first.c_str(), key.second, &low, &high);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) lag[key.first] += std::max<int64_t>(0, high - std::max(low, partition.position.next));
  }
  return lag;
}

ListPtr Partitions::Offsets(const rd_kafka_topic_partition_list_t* only) const {
  ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(all_.size())));
  for (const auto& [key, partition] : all_) {
    if (!partition.claimed || partition.position.next <= 0) continue;
    if (only && !rd_kafka_topic_partition_list_find(const_cast<rd_kafka_topic_partition_list_t*>(only), key.first.c_str(), key.second)) {
      continue;
    }
    rd_kafka_topic_partition_list_add(list.get(), key.first.c_str(), key.second)->offset = partition.position.next;
  }
  return list->cnt > 0 ? std::move(list) : nullptr;
}

ListPtr Partitions::Attached(const rd_kafka_topic_partition_list_t* only) const {
  ListPtr list(rd_kafka_topic_partition_list_new(only->cnt));
  for (int i = 0; i < only->cnt; ++i) {
    const auto found = all_.find({only->elems[i].topic, only->elems[i].partition});
    if (found == all_.end() || !found->second.attached) continue;
    rd_kafka_topic_partition_list_add(list.get(), only->elems[i].topic, only->elems[i].partition);
  }
  return list;
}

ListPtr Partitions::MovedOffsets() {
  ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(all_.size())));
  for (auto& [key, partition] : all_) {
    const int64_t next = partition.position.next;
    if (!partition.claimed || next <= 0 || next == partition.committed) continue;
    rd_kafka_topic_partition_list_add(list.get(), key.first.c_str(), key.second)->offset = partition.committed = next;
  }
  return list->cnt > 0 ? std::move(list) : nullptr;
}

Partitions::Take Partitions::Add(const rd_kafka_message_t& message) {
  Partition* partition = Find(rd_kafka_topic_name(message.rkt), message.partition);
  if (!partition || !partition->claimed) return Take::kIgnored;
  if (message.offset < partition->expected) return Take::kIgnored;   // fetched before a seek
  if (partition->expected > 0 && message.offset > partition->expected && partition->gap_checked != partition->expected) {
    partition->gap_checked = partition->expected;
    return Take::kSeekBack;
  }
  partition->expected = message.offset + 1;
  const int64_t millis = rd_kafka_message_timestamp(&message, nullptr);
  partition->waiting.push_back({RecordOf(message), message.partition, message.offset, absl::FromUnixMillis(millis)});
  return Take::kBuffered;
}

}  // namespace parvis::bus
