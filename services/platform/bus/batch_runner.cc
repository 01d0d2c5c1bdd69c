#include "platform/bus/batch_runner.h"

#include "platform/obs/log.h"

namespace parvis::bus {
namespace {

bool Retryable(const Status& status) {
  switch (status.code()) {
    case Code::kUnavailable:
    case Code::kResourceExhausted:
    case Code::kAborted:
    case Code::kDeadlineExceeded: return true;
    default: return false;
  }
}

}  // namespace

BatchRunner::BatchRunner(const Consumer::Options& options, Producer& dead_letters, const Clock& clock,
                         obs::Metrics& metrics, Consumer::Handler handler,
                         std::function<void(Partition&, int64_t)> applied)
    : options_(options), dead_letters_(dead_letters), clock_(clock), metrics_(metrics), handler_(std::move(handler)),
      applied_(std::move(applied)) {}

Status BatchRunner::Run(Partition& partition, const std::vector<Received>& batch, size_t& done) {
  return RunRange(partition, batch, 0, batch.size(), done);
}

// Handles [begin, end); `done` counts what has been applied. Not OK: a retryable error, or FENCED.
Status BatchRunner::RunRange(Partition& partition, const std::vector<Received>& batch, size_t begin, size_t end, size_t& done) {
  const Received& front = batch[begin];
  Status status;
  if (partition.dead_sent == front.offset && end - begin == 1) {
    return Skip(partition, front, begin, done);
  }
  const bool whole = begin == 0 && end == batch.size();
  status = whole ? Handle(partition, batch)
                 : Handle(partition, std::vector<Received>(batch.begin() + begin, batch.begin() + end));
  if (status.ok()) {
    done = end;
    partition.tries = 0;
    return status;
  }
  if (Retryable(status)) return status;
  if (end - begin > 1) {
    const size_t middle = begin + (end - begin) / 2;
    PARVIS_RETURN_IF_ERROR(RunRange(partition, batch, begin, middle, done));
    return RunRange(partition, batch, middle, end, done);
  }
  if (++partition.tries < options_.tries_max) return RunRange(partition, batch, begin, end, done);
  PARVIS_RETURN_IF_ERROR(Bury(front, status));
  partition.dead_sent = front.offset;
  return Skip(partition, front, begin, done);
}

Status BatchRunner::Handle(Partition& partition, const std::vector<Received>& batch) {
  StreamPosition position = partition.position;
  position.next = batch.back().offset + 1;
  const Instant before = clock_.Now();
  const Status status = handler_(position, batch);
  Metrics(position.topic).seconds->Observe(absl::ToDoubleSeconds(clock_.Now() - before));
  (status.ok() ? Metrics(position.topic).ok : Metrics(position.topic).failed)->Add(static_cast<double>(batch.size()));
  if (status.ok()) applied_(partition, position.next);
  return status;
}

// Moves over a record that lies in the dead-letter topic.
Status BatchRunner::Skip(Partition& partition, const Received& record, size_t begin, size_t& done) {
  if (options_.offsets == Consumer::Offsets::kDatabase) {
    StreamPosition position = partition.position;
    position.next = record.offset + 1;
    const Status status = handler_(position, {});
    // A handler that cannot even move on: nothing to blame on a record any more, so it is tried again.
    if (!status.ok()) return Retryable(status) ? status : MakeError(Code::kUnavailable, "SKIP_FAILED", status.ToString());
  }
  applied_(partition, record.offset + 1);
  partition.tries = 0;
  done = begin + 1;
  return absl::OkStatus();
}

Status BatchRunner::Bury(const Received& received, const Status& why) {
  const Error error = ToError(why);
  obs::Err("a record goes to the dead letters", {{"group", options_.group}, {"topic", received.record.topic},
                                                 {"partition", received.partition}, {"offset", received.offset},
                                                 {"reason", error.reason}});
  StreamRecord letter = received.record;
  letter.headers["parvis_reason"] = error.reason;
  letter.headers["parvis_message"] = error.message.substr(0, 2000);
  letter.headers["parvis_partition"] = std::to_string(received.partition);
  letter.headers["parvis_offset"] = std::to_string(received.offset);
  letter.topic += ".dlq." + options_.group;
  PARVIS_RETURN_IF_ERROR(dead_letters_.SendAll({letter}));
  Metrics(received.record.topic).dead->Add();
  return absl::OkStatus();
}

BatchRunner::TopicMetrics& BatchRunner::Metrics(const std::string& topic) {
  TopicMetrics& m = topics_[topic];
  if (m.ok) return m;
  const auto counter = [&](const char* outcome) {
    return &metrics_.counter("parvis_bus_consumed_total", "Records by what became of them; a retry counts again.",
                            {{"topic", topic}, {"group", options_.group}, {"outcome", outcome}});
  };
  m.ok = counter("ok");
  m.failed = counter("error");
  m.dead = counter("dead_letter");
  const obs::Labels labels = {{"topic", topic}, {"group", options_.group}};
  m.seconds = &metrics_.histogram("parvis_bus_handler_seconds", "Time that a handler takes for a batch.", labels);
  m.lag = &metrics_.gauge("parvis_bus_lag_records", "Records of the owned partitions that are not applied yet.", labels);
  return m;
}

}  // namespace parvis::bus
