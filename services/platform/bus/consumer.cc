#include "platform/bus/consumer.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "platform/bus/batch_pace.h"
#include "platform/bus/batch_runner.h"
#include "platform/bus/membership.h"
#include "platform/bus/offset_guard.h"
#include "platform/bus/partitions.h"
#include "platform/obs/log.h"

namespace parvis::bus {
namespace {

constexpr int kIdlePollMillis = 250;   // a record ends the poll at once; this bounds how long stopping takes
constexpr int kBatchPollMillis = 2;    // nothing more within this time: the batch is complete
constexpr absl::Duration kHousekeeping = absl::Seconds(1);
constexpr absl::Duration kCommitEvery = absl::Milliseconds(200);
constexpr absl::Duration kUnreadyAfter = absl::Seconds(30);
constexpr absl::Duration kNamePause = absl::Milliseconds(500);   // before our name is taken back

}  // namespace

// Shared with the thread: a thread that does not end in time is abandoned (librdkafka 2.0.2 was seen to hang in close).
struct Consumer::Impl {
  Impl(const BusConfig& c, Options o, OffsetStore* s, Producer& d, const Clock& k, obs::Metrics& m, Handler h)
      : config(c), options(std::move(o)), clock(k),
        handler(std::move(h)), guard(options, s, k, m, [this](const StreamPosition& p) { return handler(p, {}); }),
        runner(options, c.batch_max, d, k, m, handler), pace(c) {}

  Status Open() {
    PARVIS_ASSIGN_OR_RETURN(rk, JoinGroup(config, options, {&OnRebalance, &OnError, this}));
    return absl::OkStatus();
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

  // The partitions are fetched once it is known from where; what BeginAll cannot begin now it tries again later.
  void Assign(rd_kafka_topic_partition_list_t* list) {
    for (int i = 0; i < list->cnt; ++i) {
      const rd_kafka_topic_partition_t& element = list->elems[i];
      partitions.all().erase({element.topic, element.partition});
      Partition& partition = partitions.all()[{element.topic, element.partition}];
      partition.position = {.group = options.group, .topic = element.topic, .partition = element.partition};
    }
    const ListPtr none(rd_kafka_topic_partition_list_new(0));
    Report("assignment failed", rd_kafka_incremental_assign(rk, none.get()));
    BeginAll();
  }

  void Revoke(rd_kafka_topic_partition_list_t* list) {
    if (options.offsets == Offsets::kKafka && !rd_kafka_assignment_lost(rk)) {
      if (const ListPtr done = partitions.Offsets(list)) rd_kafka_commit(rk, done.get(), 0);
    }
    const std::vector<std::string> before = partitions.Topics();
    const ListPtr attached = partitions.Attached(list);
    partitions.Drop(list);
    TellAssignment(before);
    Report("giving up partitions failed", rd_kafka_incremental_unassign(rk, attached.get()));
  }

  bool Report(const char* what, rd_kafka_error_t* error) {
    if (!error) return true;
    obs::Err(what, {{"group", options.group}, {"error", rd_kafka_error_string(error)}});
    rd_kafka_error_destroy(error);
    return false;
  }

  // Finds out where the partitions that are ours and not fetched yet go on, and has them fetched.
  void BeginAll() {
    const ListPtr list(rd_kafka_topic_partition_list_new(1));
    for (auto& [key, partition] : partitions.all()) {
      if (partition.claimed || partition.retry_at > clock.Now()) continue;
      if (stopping) return;
      const auto from = guard.Locate(rk, partition);
      if (from.ok()) {
        rd_kafka_topic_partition_list_add(list.get(), key.first.c_str(), key.second)->offset = *from;
        continue;
      }
      Later(partition, from.status());
      if (!partition.gap) break;   // the database or Kafka is away: not for every partition anew
    }
    if (list->cnt == 0) return;
    if (!Report("partitions cannot be fetched", rd_kafka_incremental_assign(rk, list.get()))) {
      fenced = true;   // start over
      return;
    }
    for (int i = 0; i < list->cnt; ++i) {
      Partition& partition = *partitions.Find(list->elems[i].topic, list->elems[i].partition);
      partition.attached = partition.claimed = true;
      partition.expected = list->elems[i].offset;   // negative: whatever comes first
      partition.suspect = false;
      partition.backoff.Reset();
      partition.failing_since.reset();
    }
    rd_kafka_resume_partitions(rk, list.get());   // a pause of an earlier ownership would last
    TellAssignment();
  }

  void Later(Partition& partition, const Status& why) {
    partition.retry_at = clock.Now() + partition.backoff.Next();
    if (partition.gap || partition.failing_since) return;   // has been logged
    partition.failing_since = clock.Now();
    obs::Warn("a partition cannot be begun", {{"group", options.group}, {"topic", partition.position.topic}, {"error", why}});
  }

  // Kafka has refused the offset and librdkafka fetches the partition no more: where it stands is looked into.
  void Detach(Partition& partition) {
    Pause(partition, false);
    const ListPtr list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), partition.position.topic.c_str(), partition.position.partition);
    if (!Report("a partition cannot be stopped", rd_kafka_incremental_unassign(rk, list.get()))) fenced = true;
    partition.attached = partition.claimed = partition.refused = false;
    partition.suspect = true;
    partition.retry_at = clock.Now() + partition.backoff.Next();
    TellAssignment({partition.position.topic});
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

  // Takes records until the batches are complete: full, or far enough from the last ones and nothing more for a moment.
  void Fill() {
    const Instant apart = handled_at + pace.apart();
    std::optional<Instant> until;   // known with the first record
    int timeout = partitions.Waiting() > 0 ? 10 : kIdlePollMillis;
    while (!stopping) {
      const MessagePtr message(rd_kafka_consumer_poll(rk, timeout));
      const Instant now = clock.Now();
      if (!message && (!until || now >= apart)) return;
      if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return OnPollError(*message);
      if (message) {
        if (Take(*message, now)) return;
        if (!until) until = std::max(apart, now + config.batch_wait);
      }
      if (now >= *until) return;
      timeout = now >= apart ? kBatchPollMillis : static_cast<int>(absl::ToInt64Milliseconds(apart - now)) + 1;
    }
  }

  // True when that is enough.
  bool Take(const rd_kafka_message_t& message, Instant now) {
    const Partitions::Take take = partitions.Add(message);
    Partition* partition = partitions.Find(rd_kafka_topic_name(message.rkt), message.partition);
    if (take == Partitions::Take::kSeekBack) Seek(*partition, partition->expected);
    const size_t most = static_cast<size_t>(config.batch_max);
    if (!partition || partition->waiting.size() < most) return partitions.Waiting() >= 4 * most;
    if (partition->retry_at > now) Pause(*partition, true);
    return true;
  }

  void OnPollError(const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return;
    obs::Warn("consuming", {{"group", options.group}, {"error", rd_kafka_message_errstr(&message)}});
    if (message.err != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || !message.rkt) return;
    Partition* partition = partitions.Find(rd_kafka_topic_name(message.rkt), message.partition);
    if (partition && partition->attached) partition->refused = true;
  }

  void HandleAll() {
    BeginAll();
    std::vector<Partition*> ready;
    for (auto& [key, partition] : partitions.all()) {
      if (!partition.claimed || partition.retry_at > clock.Now()) continue;
      if (!partition.waiting.empty()) ready.push_back(&partition);
    }
    if (stopping || fenced) return;
    if (!ready.empty()) {
      fenced = !runner.Handle(ready, stopping).ok();
      handled_at = clock.Now();
      for (Partition* partition : ready) Pause(*partition, partition->retry_at > handled_at);
    }
    // What was fetched before a refusal has been handled first.
    for (auto& [key, partition] : partitions.all()) {
      if (partition.refused && partition.waiting.empty()) Detach(partition);
    }
  }

  void CommitMoved() {   // kDatabase: for the tools that show lag only
    if (clock.Now() < next_commit) return;
    next_commit = clock.Now() + (options.offsets == Offsets::kKafka ? kCommitEvery : kHousekeeping);
    if (const ListPtr list = partitions.MovedOffsets()) rd_kafka_commit(rk, list.get(), 1);
  }

  // We are a zombie: somebody else has our partitions. Forget everything, leave the group, and join it as a new member
  // (leaving and joining with the same handle was seen to end in silence in librdkafka 2.0.2).
  void Rejoin() {
    obs::Warn("fenced: the group is left and joined again", {{"group", options.group}});
    Leave();
    while (!stopping) {
      const Status status = Open();
      if (status.ok()) break;
      obs::Err("cannot join the group", {{"error", status}});
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::seconds(1));
    }
    fenced = false;
  }

  // Our name belongs to another member now. That may be ourselves: a broker that was killed had taken us in, and its answer
  // was lost, so that we joined anew. Or it is another process, which joining again throws out in turn: after a few times
  // one of the two stays out, says so and is unready for a while.
  void OnNameLost() {
    Leave();
    if (name_losses.Note(clock.Now())) return StayOut();
    {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, absl::ToChronoNanoseconds(kNamePause), [this] { return stopping.load(); });
    }
    Rejoin();
  }

  void StayOut() {
    Status why = MakeError(Code::kFailedPrecondition, "INSTANCE_FENCED",
                           "another process has joined " + options.group + " as bus_instance " + config.instance +
                           ": give each process a name of its own; tried again in " + absl::FormatDuration(config.instance_retry));
    obs::Err("out of the group for now", {{"group", options.group}, {"error", why}});
    {
      std::unique_lock lock(mutex);
      stopped = std::move(why);
      changed.wait_for(lock, absl::ToChronoNanoseconds(config.instance_retry), [this] { return stopping.load(); });
    }
    name_losses.Forget();
    Rejoin();
  }

  void Leave() {
    partitions.Disown();
    TellAssignment(options.topics);
    Close();
    partitions.all().clear();
  }

  void Close() {
    if (rk) LeaveGroup(rk, options.group, clock);   // calls OnRebalance
    rk = nullptr;
  }

  void Housekeeping() {
    if (options.on_idle) options.on_idle();
    if (clock.Now() < next_housekeeping) return;
    next_housekeeping = clock.Now() + kHousekeeping;
    pace.Update(rk, options.topics, partitions.all().size());
    std::map<std::string, int64_t> lag = partitions.Lag(rk);
    std::optional<Instant> failing;
    Status stands;
    for (const auto& [key, partition] : partitions.all()) {
      if (partition.failing_since && (!failing || *partition.failing_since < *failing)) failing = partition.failing_since;
      if (partition.gap && stands.ok()) stands = partition.gap->why;
    }
    for (const std::string& topic : options.topics) runner.Metrics(topic).lag->Set(static_cast<double>(lag[topic]));
    bool down;
    {
      const std::lock_guard lock(mutex);
      failing_since = failing;
      stopped = stands;
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
      switch (rd_kafka_fatal_error(rk, nullptr, 0)) {
        case RD_KAFKA_RESP_ERR_NO_ERROR: break;
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID: OnNameLost(); continue;
        default: fenced = true;
      }
      if (fenced) Rejoin();
      if (!rk) continue;
      CommitMoved();
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
  const Clock& clock;
  const Handler handler;
  OffsetGuard guard;
  BatchRunner runner;
  BatchPace pace;
  rd_kafka_t* rk = nullptr;
  Partitions partitions;
  Instant handled_at, next_commit, next_housekeeping;
  bool fenced = false;
  NameLosses name_losses;
  std::atomic<bool> stopping{false}, start_over{false};
  std::mutex mutex;   // of what follows
  std::condition_variable changed;
  std::optional<Instant> failing_since, brokers_down_since;
  Status stopped;   // why a partition stands still, or why we are out of the group
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
  std::unique_lock lock(impl_->mutex);
  impl_->stopping = true;
  impl_->changed.notify_all();
  if (!impl_->thread.joinable()) return;
  const auto wait = absl::ToChronoNanoseconds(std::min(limit, absl::Hours(1)));
  if (impl_->changed.wait_for(lock, wait, [this] { return impl_->ended; })) {
    lock.unlock();
    impl_->thread.join();
  } else {
    obs::Warn("a consumer did not stop in time and is abandoned", {{"group", impl_->options.group}});
    impl_->thread.detach();
    EndWithoutTeardown();
  }
}

void Consumer::StartOver() { impl_->start_over = true; }

Status Consumer::Ready() {
  const std::lock_guard lock(impl_->mutex);
  PARVIS_RETURN_IF_ERROR(impl_->stopped);
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
