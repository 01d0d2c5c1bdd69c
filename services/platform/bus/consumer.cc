#include "platform/bus/consumer.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "platform/bus/batch_runner.h"
#include "platform/bus/partitions.h"
#include "platform/obs/log.h"

namespace parvis::bus {
namespace {

constexpr int kIdlePollMillis = 250;   // a record ends the poll at once; this bounds how long stopping takes
constexpr int kBatchPollMillis = 2;    // nothing more within this time: the batch is complete
constexpr absl::Duration kHousekeeping = absl::Seconds(1);
constexpr absl::Duration kUnreadyAfter = absl::Seconds(30);
constexpr absl::Duration kCloseMax = absl::Seconds(5);

}  // namespace

// Shared with the thread: a thread that does not end in time is abandoned (librdkafka 2.0.2 may hang in close).
struct Consumer::Impl {
  Impl(const BusConfig& c, Options o, OffsetStore* s, Producer& d, const Clock& k, obs::Metrics& m, Handler h)
      : config(c), options(std::move(o)), offsets(s), clock(k),
        runner(options, d, k, m, std::move(h), [this](Partition& p, int64_t next) { Applied(p, next); }) {}

  Status Open() {
    const auto millis = [](absl::Duration d) { return std::to_string(absl::ToInt64Milliseconds(d)); };
    rd_kafka_conf_t* conf = MakeConf({{"bootstrap.servers", config.brokers},
                                      {"client.id", "parvis"},
                                      {"group.id", options.group},
                                      {"enable.auto.commit", "false"},
                                      {"enable.auto.offset.store", "false"},
                                      {"auto.offset.reset", "earliest"},
                                      {"partition.assignment.strategy", "cooperative-sticky"},
                                      {"session.timeout.ms", millis(config.session_max)},
                                      {"heartbeat.interval.ms", millis(config.session_max / 4)},
                                      {"max.poll.interval.ms", millis(std::max(config.poll_max, config.session_max))},
                                      {"queued.min.messages", "10000"},
                                      {"queued.max.messages.kbytes", "16384"},
                                      {"fetch.error.backoff.ms", "100"},
                                      {"reconnect.backoff.ms", "50"},
                                      {"reconnect.backoff.max.ms", "1000"},
                                      {"topic.metadata.refresh.interval.ms", "30000"},
                                      {"allow.auto.create.topics", "false"}}, this);
    rd_kafka_conf_set_rebalance_cb(conf, &OnRebalance);
    rd_kafka_conf_set_error_cb(conf, &OnError);
    PARVIS_ASSIGN_OR_RETURN(rk, MakeHandle(RD_KAFKA_CONSUMER, conf));
    rd_kafka_poll_set_consumer(rk);
    const Status subscribed = Subscribe();
    if (!subscribed.ok()) Close();
    return subscribed;
  }

  Status Subscribe() {
    const ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(options.topics.size())));
    for (const std::string& topic : options.topics) rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto err = rd_kafka_subscribe(rk, list.get());
    return err ? BusUnavailable("BUS_SUBSCRIBE", err) : absl::OkStatus();
  }

  static void OnError(rd_kafka_t*, int err, const char* reason, void* opaque) {
    auto* self = static_cast<Impl*>(opaque);
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
      const std::lock_guard lock(self->mutex);
      if (!self->brokers_down_since) self->brokers_down_since = self->clock.Now();
    }
  }

  // Called by rd_kafka_consumer_poll, rd_kafka_unsubscribe and rd_kafka_consumer_close, in our thread.
  static void OnRebalance(rd_kafka_t* rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t* list, void* opaque) {
    auto* self = static_cast<Impl*>(opaque);
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      self->Assign(list);
    } else if (err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
      self->Revoke(list);
    } else {
      obs::Err("rebalance failed", {{"group", self->options.group}, {"error", rd_kafka_err2str(err)}});
      rd_kafka_assign(rk, nullptr);
    }
  }

  void Assign(rd_kafka_topic_partition_list_t* list) {
    for (int i = 0; i < list->cnt; ++i) {
      rd_kafka_topic_partition_t& element = list->elems[i];
      partitions.all().erase({element.topic, element.partition});
      Partition& partition = partitions.all()[{element.topic, element.partition}];
      partition.position = {.group = options.group, .topic = element.topic, .partition = element.partition};
      if (options.offsets == Offsets::kKafka) {
        partition.claimed = true;   // librdkafka starts at the committed offset
      } else if (Claim(partition)) {
        element.offset = partition.position.next;
      } else {
        element.offset = 0;         // read from there until the claim succeeds, and ignored
      }
    }
    rd_kafka_error_t* error = rd_kafka_incremental_assign(rk, list);
    if (error) {
      obs::Err("assignment failed", {{"group", options.group}, {"error", rd_kafka_error_string(error)}});
      rd_kafka_error_destroy(error);
    }
    for (auto& [key, partition] : partitions.all()) {
      if (!partition.claimed) Pause(partition, true);
    }
    TellAssignment();
  }

  void Revoke(rd_kafka_topic_partition_list_t* list) {
    if (options.offsets == Offsets::kKafka && !rd_kafka_assignment_lost(rk)) {
      if (const ListPtr done = partitions.Offsets(list)) rd_kafka_commit(rk, done.get(), 0);
    }
    const std::vector<std::string> before = partitions.Topics();
    partitions.Drop(list);
    TellAssignment(before);
    rd_kafka_error_t* error = rd_kafka_incremental_unassign(rk, list);
    if (error) rd_kafka_error_destroy(error);
  }

  bool Claim(Partition& partition) {
    const auto claimed = offsets->Claim(options.group, partition.position.topic, partition.position.partition);
    if (!claimed.ok()) {
      partition.retry_at = clock.Now() + partition.backoff.Next();
      if (!partition.failing_since) partition.failing_since = clock.Now();
      obs::Warn("a partition could not be claimed", {{"group", options.group}, {"error", claimed.status()}});
      return false;
    }
    partition.position = *claimed;
    partition.expected = claimed->next;
    partition.claimed = true;
    partition.backoff.Reset();
    partition.failing_since.reset();
    return true;
  }

  void TellAssignment(std::vector<std::string> topics = {}) {
    if (!options.on_assignment) return;
    const std::vector<std::string> now = partitions.Topics();
    topics.insert(topics.end(), now.begin(), now.end());
    std::sort(topics.begin(), topics.end());
    topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
    for (const std::string& topic : topics) options.on_assignment(topic, partitions.Owned(topic));
  }

  void Pause(Partition& partition, bool pause) {
    if (partition.paused == pause) return;
    const ListPtr list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), partition.position.topic.c_str(), partition.position.partition);
    const auto err = pause ? rd_kafka_pause_partitions(rk, list.get()) : rd_kafka_resume_partitions(rk, list.get());
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) partition.paused = pause;
  }

  void Seek(const Partition& partition, int64_t offset) {
    const ListPtr list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), partition.position.topic.c_str(), partition.position.partition)->offset = offset;
    rd_kafka_error_t* error = rd_kafka_seek_partitions(rk, list.get(), 5000);
    if (!error && list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    obs::Warn("a partition could not be moved to its offset", {{"group", options.group}});
    if (error) rd_kafka_error_destroy(error);
    fenced = true;   // start over rather than go on from the wrong place
  }

  // Takes records until the batches are complete: nothing more for a moment, or full, or batch_wait over.
  void Fill() {
    int timeout = partitions.Waiting() > 0 ? 10 : kIdlePollMillis;
    const size_t most = static_cast<size_t>(config.batch_max);
    Instant until = Instant::Max();
    while (!stopping) {
      const MessagePtr message(rd_kafka_consumer_poll(rk, timeout));
      if (!message) return;
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        OnPollError(*message);
        return;
      }
      const std::string topic = rd_kafka_topic_name(message->rkt);
      const Partitions::Take take = partitions.Add(*message);
      Partition* partition = partitions.Find(topic, message->partition);
      if (take == Partitions::Take::kSeekBack) Seek(*partition, partition->expected);
      if (partition && partition->waiting.size() >= most) {
        if (partition->retry_at > clock.Now()) Pause(*partition, true);
        return;
      }
      if (until == Instant::Max()) until = clock.Now() + config.batch_wait;
      if (clock.Now() >= until || partitions.Waiting() >= 4 * most) return;
      timeout = kBatchPollMillis;
    }
  }

  void OnPollError(const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return;
    obs::Warn("consuming", {{"group", options.group}, {"error", rd_kafka_message_errstr(&message)}});
    if (rd_kafka_fatal_error(rk, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) fenced = true;
  }

  void HandleAll() {
    for (auto& [key, partition] : partitions.all()) {
      if (stopping || fenced) return;
      if (partition.retry_at > clock.Now()) continue;
      if (!partition.claimed) {
        if (!Claim(partition)) continue;
        Seek(partition, partition.position.next);
        Pause(partition, false);
        TellAssignment();
      }
      if (!partition.waiting.empty()) HandleWaiting(partition);
    }
  }

  void HandleWaiting(Partition& partition) {
    const size_t size = std::min(partition.waiting.size(), static_cast<size_t>(config.batch_max));
    std::vector<Received> batch(std::make_move_iterator(partition.waiting.begin()),
                                std::make_move_iterator(partition.waiting.begin() + size));
    partition.waiting.erase(partition.waiting.begin(), partition.waiting.begin() + size);
    size_t done = 0;
    const Status status = runner.Run(partition, batch, done);
    if (status.ok()) {
      if (partition.failing_since) obs::Info("records are handled again", {{"group", options.group}});
      partition.failing_since.reset();
      partition.backoff.Reset();
      Pause(partition, false);
      return;
    }
    if (ReasonOf(status) == "FENCED") {
      fenced = true;
      return;
    }
    if (!partition.failing_since) {
      partition.failing_since = clock.Now();
      obs::Warn("records are not handled", {{"group", options.group}, {"topic", partition.position.topic}, {"error", status}});
    }
    partition.waiting.insert(partition.waiting.begin(), std::make_move_iterator(batch.begin() + done),
                             std::make_move_iterator(batch.end()));
    partition.retry_at = clock.Now() + partition.backoff.Next();
    Pause(partition, true);
  }

  void Applied(Partition& partition, int64_t next) {
    partition.position.next = next;
    if (options.offsets == Offsets::kKafka) {
      const ListPtr list(rd_kafka_topic_partition_list_new(1));
      rd_kafka_topic_partition_list_add(list.get(), partition.position.topic.c_str(), partition.position.partition)->offset = next;
      rd_kafka_commit(rk, list.get(), 1);
    }
  }

  // We are a zombie: somebody else has our partitions. Forget everything, leave the group, and join it as a new member
  // (leaving and joining with the same handle may end in silence in librdkafka 2.0.2).
  void Rejoin() {
    obs::Warn("fenced: the group is left and joined again", {{"group", options.group}});
    partitions.all().clear();
    TellAssignment(options.topics);
    Close();
    while (!stopping) {
      const Status status = Open();
      if (status.ok()) break;
      obs::Err("cannot join the group", {{"error", status}});
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::seconds(1));
    }
    fenced = false;
  }

  // Leaves the group and ends the handle. rd_kafka_consumer_close may hang in librdkafka 2.0.2: this waits for a limited
  // time and then leaves the handle to its fate.
  void Close() {
    if (!rk) return;
    rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_error_t* error = rd_kafka_consumer_close_queue(rk, queue);
    const Instant until = clock.Now() + kCloseMax;
    while (!error && !rd_kafka_consumer_closed(rk) && clock.Now() < until) {
      const MessagePtr dropped(rd_kafka_consumer_poll(rk, 20));   // serves the rebalance
    }
    rd_kafka_queue_destroy(queue);
    if (!error && rd_kafka_consumer_closed(rk)) {
      rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    } else {
      obs::Warn("a consumer could not leave its group in time and is abandoned", {{"group", options.group}});
    }
    if (error) rd_kafka_error_destroy(error);
    rk = nullptr;
  }

  void Housekeeping() {
    if (options.on_idle) options.on_idle();
    if (clock.Now() < next_housekeeping) return;
    next_housekeeping = clock.Now() + kHousekeeping;
    if (options.offsets == Offsets::kDatabase) {
      if (const ListPtr list = partitions.MovedOffsets()) rd_kafka_commit(rk, list.get(), 1);   // for lag tools only
    }
    std::map<std::string, int64_t> lag;
    std::optional<Instant> failing;
    for (const auto& [key, partition] : partitions.all()) {
      int64_t low = 0, high = 0;
      const auto err = rd_kafka_get_watermark_offsets(rk, key.first.c_str(), key.second, &low, &high);
      if (err == RD_KAFKA_RESP_ERR_NO_ERROR) lag[key.first] += std::max<int64_t>(0, high - std::max(low, partition.position.next));
      if (partition.failing_since && (!failing || *partition.failing_since < *failing)) failing = partition.failing_since;
    }
    for (const std::string& topic : options.topics) runner.Metrics(topic).lag->Set(static_cast<double>(lag[topic]));
    bool down;
    {
      const std::lock_guard lock(mutex);
      failing_since = failing;
      down = brokers_down_since.has_value();
    }
    const rd_kafka_metadata_t* metadata = nullptr;
    if (!down || rd_kafka_metadata(rk, 0, nullptr, &metadata, 200) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    rd_kafka_metadata_destroy(metadata);
    const std::lock_guard lock(mutex);
    brokers_down_since.reset();
  }

  void Run() {
    while (!stopping) {
      Fill();
      HandleAll();
      if (start_over.exchange(false)) fenced = true;
      if (fenced) Rejoin();
      Housekeeping();
    }
    if (rk && options.offsets == Offsets::kKafka) {
      if (const ListPtr list = partitions.Offsets()) rd_kafka_commit(rk, list.get(), 0);
    }
    Close();
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
  }

  const BusConfig config;
  const Options options;
  OffsetStore* const offsets;
  const Clock& clock;
  BatchRunner runner;
  rd_kafka_t* rk = nullptr;
  Partitions partitions;
  Instant next_housekeeping;
  bool fenced = false;
  std::atomic<bool> stopping{false}, start_over{false};
  std::mutex mutex;   // of what follows
  std::condition_variable changed;
  std::optional<Instant> failing_since, brokers_down_since;
  bool ended = false;
  std::thread thread;
};

Consumer::Consumer(const BusConfig& config, Options options, OffsetStore* offsets, Producer& dead_letters,
                   const Clock& clock, obs::Metrics& metrics, Handler handler)
    : impl_(std::make_shared<Impl>(config, std::move(options), offsets, dead_letters, clock, metrics, std::move(handler))) {}

Consumer::~Consumer() { Stop(absl::Seconds(10)); }

Status Consumer::Start() {
  PARVIS_RETURN_IF_ERROR(impl_->Open());
  impl_->thread = std::thread([impl = impl_] { impl->Run(); });
  return absl::OkStatus();
}

void Consumer::Stop(absl::Duration limit) {
  impl_->stopping = true;
  if (!impl_->thread.joinable()) return;
  std::unique_lock lock(impl_->mutex);
  const auto wait = absl::ToChronoNanoseconds(std::min(limit, absl::Hours(1)));
  if (impl_->changed.wait_for(lock, wait, [this] { return impl_->ended; })) {
    lock.unlock();
    impl_->thread.join();
  } else {
    obs::Warn("a consumer did not stop in time and is abandoned", {{"group", impl_->options.group}});
    impl_->thread.detach();
  }
}

void Consumer::StartOver() { impl_->start_over = true; }

Status Consumer::Ready() {
  const std::lock_guard lock(impl_->mutex);
  const Instant now = impl_->clock.Now();
  if (impl_->failing_since && now - *impl_->failing_since > kUnreadyAfter) {
    return MakeError(Code::kUnavailable, "CONSUMER_FAILING", "records of " + impl_->options.group + " cannot be handled");
  }
  if (impl_->brokers_down_since && now - *impl_->brokers_down_since > kUnreadyAfter) {
    return MakeError(Code::kUnavailable, "BUS_UNAVAILABLE", "no Kafka broker answers");
  }
  return absl::OkStatus();
}

}  // namespace parvis::bus
