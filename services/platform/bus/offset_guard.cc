#include "platform/bus/offset_guard.h"

#include <absl/strings/str_cat.h>

#include "platform/obs/log.h"

namespace parvis::bus {
namespace {

constexpr int kAskMillis = 2000;

ListPtr ListOf(const StreamPosition& position, int64_t offset) {
  ListPtr list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), position.topic.c_str(), position.partition)->offset = offset;
  return list;
}

}  // namespace

OffsetGuard::OffsetGuard(const Consumer::Options& options, OffsetStore* offsets, const Clock& clock,
                         obs::Metrics& metrics, Note note)
    : options_(options), offsets_(offsets), clock_(clock), metrics_(metrics), note_(std::move(note)) {}

StatusOr<int64_t> OffsetGuard::Locate(rd_kafka_t* rk, Partition& partition) {
  PARVIS_RETURN_IF_ERROR(ReadStored(rk, partition));
  if (partition.fresh) return Begin(rk, partition);
  if (partition.suspect) PARVIS_RETURN_IF_ERROR(Check(rk, partition));
  return partition.position.next;
}

Status OffsetGuard::ReadStored(rd_kafka_t* rk, Partition& partition) {
  StreamPosition& position = partition.position;
  if (options_.offsets == Consumer::Offsets::kDatabase) {
    PARVIS_ASSIGN_OR_RETURN(position, offsets_->Claim(options_.group, position.topic, position.partition));
    // The first claim ever has epoch 1. Remembered, as this may have to be asked again.
    partition.fresh = (partition.fresh || position.epoch == 1) && position.next == 0;
    return absl::OkStatus();
  }
  const ListPtr list = ListOf(position, RD_KAFKA_OFFSET_INVALID);
  auto err = rd_kafka_committed(rk, list.get(), kAskMillis);
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) err = list->elems[0].err;
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return BusUnavailable("BUS_UNAVAILABLE", err);
  partition.fresh = list->elems[0].offset < 0;
  position.next = std::max<int64_t>(0, list->elems[0].offset);
  return absl::OkStatus();
}

// A group that is new in this partition begins with the oldest record there is: nothing of its own can be missing.
StatusOr<int64_t> OffsetGuard::Begin(rd_kafka_t* rk, Partition& partition) {
  partition.gap.reset();
  if (options_.offsets == Consumer::Offsets::kKafka) return RD_KAFKA_OFFSET_BEGINNING;
  StreamPosition& position = partition.position;
  int64_t low = 0, high = 0;
  const auto err =
      rd_kafka_query_watermark_offsets(rk, position.topic.c_str(), position.partition, &low, &high, kAskMillis);
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return BusUnavailable("BUS_UNAVAILABLE", err);
  if (low > 0) {
    // Noted at once: a later owner that finds 0 would have to believe that records were lost.
    StreamPosition beginning = position;
    beginning.next = low;
    PARVIS_RETURN_IF_ERROR(note_(beginning));
    position.next = low;
    obs::Info(
        "a group begins with the oldest record",
        {{"group", options_.group}, {"topic", position.topic}, {"partition", position.partition}, {"offset", low}});
  }
  partition.fresh = false;
  return position.next;
}

Status OffsetGuard::Check(rd_kafka_t* rk, Partition& partition) {
  const StreamPosition& position = partition.position;
  int64_t low = 0, high = 0;
  const auto err =
      rd_kafka_query_watermark_offsets(rk, position.topic.c_str(), position.partition, &low, &high, kAskMillis);
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return BusUnavailable("BUS_UNAVAILABLE", err);
  const auto say = [&](const char* what) {
    return absl::StrCat("partition ", position.partition, " of ", position.topic, " stands still for ", options_.group,
                        ": offset ", position.next, what, ", Kafka has ", low, " to ", high);
  };
  const Status expired = MakeError(Code::kFailedPrecondition, "OFFSET_EXPIRED", say(" was removed"));
  const Status beyond = MakeError(Code::kFailedPrecondition, "OFFSET_BEYOND_END", say(" is behind the end"));
  if (position.next < low) return Stop(partition, expired, low, high);
  if (position.next > high) return Stop(partition, beyond, low, high);
  if (partition.gap && partition.gap->stored == position.next && partition.gap->beyond_end) {
    PARVIS_ASSIGN_OR_RETURN(const bool recovered, FilledByOldRecords(rk, partition));
    if (!recovered) return Stop(partition, beyond, low, high);
  }
  if (partition.gap) {
    obs::Warn("a stopped partition goes on", {{"group", options_.group},
                                              {"topic", position.topic},
                                              {"partition", position.partition},
                                              {"stopped_at", partition.gap->stored},
                                              {"offset", position.next},
                                              {"low", low},
                                              {"high", high}});
  }
  partition.gap.reset();
  return absl::OkStatus();
}

// Whether every record before the stored offset is older than the discovery of the gap.
StatusOr<bool> OffsetGuard::FilledByOldRecords(rd_kafka_t* rk, const Partition& partition) {
  const ListPtr list = ListOf(partition.position, absl::ToUnixMillis(partition.gap->since));
  auto err = rd_kafka_offsets_for_times(rk, list.get(), kAskMillis);
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) err = list->elems[0].err;
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return BusUnavailable("BUS_UNAVAILABLE", err);
  const int64_t first_new = list->elems[0].offset;  // negative: there is none
  return first_new < 0 || first_new >= partition.position.next;
}

Status OffsetGuard::Stop(Partition& partition, const Status& why, int64_t low, int64_t high) {
  const StreamPosition& position = partition.position;
  const std::string reason = ReasonOf(why);
  if (partition.gap && partition.gap->stored == position.next && ReasonOf(partition.gap->why) == reason) {
    partition.gap->why = why;
    return why;
  }
  const bool beyond_end = reason == "OFFSET_BEYOND_END";
  partition.gap = {.why = why, .beyond_end = beyond_end, .stored = position.next, .since = clock_.WallNow()};
  metrics_
      .counter("parvis_bus_offset_gaps_total", "Partitions that were stopped because Kafka lacks the stored offset.",
               {{"topic", position.topic}, {"group", options_.group}, {"reason", reason}})
      .Add();
  const char* what = beyond_end
                         ? "Kafka's records are not those that were handled (replaced or truncated). Restore them, or "
                           "accept what is there: "
                         : "Kafka has removed records that were never handled. Bring them back, or accept the loss: ";
  const char* where = options_.offsets == Consumer::Offsets::kDatabase
                          ? "set \"next\" of this group, topic and part in the service's table stream_offsets"
                          : "stop the group's members and run kafka-consumer-groups --reset-offsets";
  obs::Err("a partition is stopped: Kafka does not have the stored offset",
           {{"reason", reason},
            {"group", options_.group},
            {"topic", position.topic},
            {"partition", position.partition},
            {"stored", position.next},
            {"low", low},
            {"high", high},
            {"what_to_do", absl::StrCat(what, where, " to ", low,
                                        " (reads all there is; what was handled before is known by its "
                                        "key) or to ",
                                        high, " (skips it)")}});
  return why;
}

}  // namespace parvis::bus
