#include "platform/bus/batch_runner.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "platform/obs/degraded.h"
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

BatchRunner::BatchRunner(const Consumer::Options& options, int batch_max, Producer& dead_letters, const Clock& clock,
                         obs::Metrics& metrics, Consumer::Handler handler)
    : options_(options), dead_letters_(dead_letters), clock_(clock), metrics_(metrics), handler_(std::move(handler)),
      batch_max_(static_cast<size_t>(batch_max)) {
  metrics_.degraded().Declare(obs::Mode::kDeadLetters);
}

Status BatchRunner::Handle(const std::vector<Partition*>& ready, const std::atomic<bool>& stopping) {
  std::map<std::string, std::vector<Partition*>> sharing;   // by topic
  std::vector<Partition*> alone;
  for (Partition* partition : ready) {
    if (partition->alone) {
      alone.push_back(partition);
    } else {
      sharing[partition->position.topic].push_back(partition);
    }
  }
  for (const auto& [topic, group] : sharing) {
    if (stopping) return absl::OkStatus();
    bool handled = false;
    if (group.size() > 1) {
      PARVIS_ASSIGN_OR_RETURN(handled, HandleTogether(group));
    }
    if (!handled) alone.insert(alone.end(), group.begin(), group.end());
  }
  for (Partition* partition : alone) {
    if (stopping) return absl::OkStatus();
    PARVIS_RETURN_IF_ERROR(HandleAlone(*partition));
  }
  return absl::OkStatus();
}

StatusOr<bool> BatchRunner::HandleTogether(const std::vector<Partition*>& group) {
  const size_t share = std::max<size_t>(1, batch_max_ / group.size());
  std::vector<Received> batch;
  std::vector<StreamPosition> positions;
  std::vector<size_t> ends;   // in the batch, by partition
  for (const Partition* partition : group) {
    const size_t count = std::min(partition->waiting.size(), share);
    batch.insert(batch.end(), partition->waiting.begin(), partition->waiting.begin() + static_cast<std::ptrdiff_t>(count));
    ends.push_back(batch.size());
    positions.push_back(partition->position);
    positions.back().from = std::exchange(positions.back().next, batch.back().offset + 1);
  }
  const Status status = Call(StreamPositions(positions), positions.front().topic, batch);
  if (ReasonOf(status) == "FENCED") return status;
  for (size_t i = 0; i < group.size(); ++i) {
    Partition& partition = *group[i];
    if (status.ok()) {
      const size_t count = ends[i] - (i == 0 ? 0 : ends[i - 1]);
      partition.waiting.erase(partition.waiting.begin(), partition.waiting.begin() + static_cast<std::ptrdiff_t>(count));
      partition.position.next = positions[i].next;
      Succeeded(partition);
    } else if (Retryable(status)) {
      Failed(partition, status);
    } else {
      partition.alone = true;
    }
  }
  return status.ok() || Retryable(status);
}

Status BatchRunner::HandleAlone(Partition& partition) {
  std::deque<Received>& waiting = partition.waiting;
  const auto size = static_cast<std::ptrdiff_t>(std::min(waiting.size(), batch_max_));
  const std::vector<Received> batch(std::make_move_iterator(waiting.begin()), std::make_move_iterator(waiting.begin() + size));
  waiting.erase(waiting.begin(), waiting.begin() + size);
  size_t done = 0;
  const Status status = RunRange(partition, batch, 0, batch.size(), done);
  if (status.ok()) {
    Succeeded(partition);
    return status;
  }
  waiting.insert(waiting.begin(), batch.begin() + static_cast<std::ptrdiff_t>(done), batch.end());
  if (ReasonOf(status) == "FENCED") return status;
  Failed(partition, status);
  return absl::OkStatus();
}

void BatchRunner::Succeeded(Partition& partition) {
  if (partition.failing_since) obs::Info("records are handled again", {{"group", options_.group}});
  partition.failing_since.reset();
  partition.backoff.Reset();
  partition.alone = false;
}

void BatchRunner::Failed(Partition& partition, const Status& why) {
  if (!partition.failing_since) {
    partition.failing_since = clock_.Now();
    obs::Warn("records are not handled", {{"group", options_.group}, {"topic", partition.position.topic}, {"error", why}});
  }
  partition.alone = true;
  partition.retry_at = clock_.Now() + partition.backoff.Next();
}

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
  position.from = std::exchange(position.next, batch.back().offset + 1);
  const Status status = Call(position, position.topic, batch);
  if (status.ok()) partition.position.next = position.next;
  return status;
}

Status BatchRunner::Call(const StreamPositions& positions, const std::string& topic, const std::vector<Received>& batch) {
  const Instant before = clock_.Now();
  const Status status = handler_(positions, batch);
  Metrics(topic).seconds->Observe(absl::ToDoubleSeconds(clock_.Now() - before));
  (status.ok() ? Metrics(topic).ok : Metrics(topic).failed)->Add(static_cast<double>(batch.size()));
  return status;
}

// Moves over a record that lies in the dead-letter topic.
Status BatchRunner::Skip(Partition& partition, const Received& record, size_t begin, size_t& done) {
  if (options_.offsets == Consumer::Offsets::kDatabase) {
    StreamPosition position = partition.position;
    position.from = std::exchange(position.next, record.offset + 1);
    const Status status = handler_(position, {});
    // A handler that cannot even move on: nothing to blame on a record any more, so it is tried again.
    if (!status.ok()) return Retryable(status) ? status : MakeError(Code::kUnavailable, "SKIP_FAILED", status.ToString());
  }
  partition.position.next = record.offset + 1;
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
  metrics_.degraded().Note(obs::Mode::kDeadLetters, letter.topic, absl::Minutes(10));
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
