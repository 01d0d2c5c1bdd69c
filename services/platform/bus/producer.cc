#include "platform/bus/producer.h"

#include <absl/strings/str_cat.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "platform/base/clock.h"
#include "platform/bus/rdkafka.h"
#include "platform/obs/log.h"

namespace parvis::bus {
namespace {

constexpr int kPollMillis = 250;  // events wake the poll at once; this only bounds how long stopping takes
constexpr absl::Duration kLately = absl::Seconds(5);  // an answer that is older says nothing about now
constexpr int kAskMillis = 2000;

// Records on their way that are answered for together; given to librdkafka as the opaque of each of its messages. The
// last delivery report answers, and deletes it.
struct Flight {
  explicit Flight(Producer::Done d, int o) : done(std::move(d)), open(o) {}
  void Fail(Status status) {
    const std::lock_guard lock(mutex);
    if (first.ok()) first = std::move(status);
  }
  // One less to wait for; true: it was the last, the flight is over.
  bool Settle() {
    if (open.fetch_sub(1, std::memory_order_acq_rel) > 1) return false;
    done(std::move(first));
    delete this;
    return true;
  }
  Producer::Done done;
  std::atomic<int> open;
  std::mutex mutex;
  Status first;
};

// What became of the records of one topic.
struct Outcomes {
  obs::Counter& ok;
  obs::Counter& error;
};

int64_t SizeOf(const RecordView& record) {
  int64_t size = static_cast<int64_t>(record.key.size() + record.payload.size());
  for (const auto& [name, value] : record.headers) size += static_cast<int64_t>(name.size() + value.size());
  return size;
}

std::vector<HeaderView> ViewsOf(const StreamRecord& record) {
  std::vector<HeaderView> views;
  views.reserve(record.headers.size());
  for (const auto& [name, value] : record.headers) views.push_back({name, value});
  return views;
}

rd_kafka_headers_t* HeadersOf(std::span<const HeaderView> headers) {
  rd_kafka_headers_t* out = rd_kafka_headers_new(headers.size());
  for (const auto& [name, value] : headers) {
    rd_kafka_header_add(out, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return out;
}

}  // namespace

struct Producer::Impl {
  Impl(const BusConfig& c, obs::Metrics& m)
      : config(c),
        metrics(m),
        queue(m.gauge("parvis_bus_producer_queue_records", "Records waiting for their acknowledgement.")),
        rebuilds(m.counter("parvis_bus_producer_rebuilds_total", "Producers made anew after a fatal error.")) {
    handle = Make();
    poller = std::thread([this] { Poll(); });
  }

  ~Impl() {
    stopping = true;
    poller.join();
    Drain(handle);
    Destroy(handle, topics);
  }

  rd_kafka_t* Make() {
    // Room for the headers that dead letters add to a record of the largest size.
    const std::string largest = std::to_string(config.record_max_bytes + (64 << 10));
    rd_kafka_conf_t* conf =
        MakeConf({{"bootstrap.servers", config.brokers},
                  {"client.id", "parvis"},
                  {"enable.idempotence", "true"},
                  {"acks", "all"},
                  {"compression.type", "lz4"},
                  {"linger.ms", absl::StrCat(absl::ToDoubleMilliseconds(config.linger))},
                  {"partitioner", "murmur2_random"},
                  {"queue.buffering.max.messages", std::to_string(config.producer_queue_max)},
                  {"queue.buffering.max.kbytes", std::to_string(config.producer_queue_max_bytes >> 10)},
                  {"message.timeout.ms", std::to_string(absl::ToInt64Milliseconds(config.delivery_max))},
                  {"message.max.bytes", largest},
                  {"socket.timeout.ms", "10000"},
                  {"socket.connection.setup.timeout.ms", "10000"},
                  {"reconnect.backoff.ms", "50"},
                  {"reconnect.backoff.max.ms", "1000"},
                  {"topic.metadata.refresh.interval.ms", "60000"}},
                 this);
    rd_kafka_conf_set_dr_msg_cb(conf, &OnReport);
    rd_kafka_conf_set_error_cb(conf, &OnError);
    auto made = MakeHandle(RD_KAFKA_PRODUCER, conf);
    if (!made.ok()) {
      obs::Err("no Kafka producer", {{"error", made.status()}});
      std::abort();  // the settings are checked by then: only memory or threads can be missing
    }
    return *made;
  }

  static void OnReport(rd_kafka_t* rk, const rd_kafka_message_t* message, void* opaque) {
    auto* self = static_cast<Impl*>(opaque);
    auto* flight = static_cast<Flight*>(message->_private);
    const auto* outcomes = static_cast<const Outcomes*>(rd_kafka_topic_opaque(message->rkt));
    const bool ok = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    (ok ? outcomes->ok : outcomes->error).Add();
    if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
      flight->Fail(MakeError(Code::kInvalidArgument, "RECORD_TOO_LARGE", "Kafka refuses the record: it is too large"));
    } else if (!ok) {
      const bool fatal = rd_kafka_fatal_error(rk, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
      flight->Fail(BusUnavailable(fatal ? "PRODUCER_FATAL" : "BUS_UNAVAILABLE", message->err));
      self->answered_at = 0;
    }
    --self->in_flight;
    if (flight->Settle() && ok) self->answered_at = self->clock.Now().nanos;
  }

  static void OnError(rd_kafka_t* rk, int err, const char* reason, void* opaque) {
    auto* self = static_cast<Impl*>(opaque);
    // Called by the poller only, as is everything that replaces the handle.
    if (err == RD_KAFKA_RESP_ERR__FATAL && rk == self->handle) self->fatal = true;
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) self->answered_at = 0;
  }

  // By topic, of one handle: librdkafka would look each up by name, under its own lock, for every record.
  using Topics = std::map<std::string, rd_kafka_topic_t*, std::less<>>;

  static void Destroy(rd_kafka_t* rk, Topics& topics) {
    for (const auto& [name, topic] : topics) rd_kafka_topic_destroy(topic);
    topics.clear();
    rd_kafka_destroy(rk);
  }

  // `mutex` held, shared, by `lock`; may have been let go and taken again.
  rd_kafka_topic_t* TopicOf(std::string_view name, std::shared_lock<std::shared_mutex>& lock) {
    if (const auto it = topics.find(name); it != topics.end()) return it->second;
    lock.unlock();
    {
      const std::unique_lock alone(mutex);
      AddTopic(std::string(name));
    }
    lock.lock();
    const auto it = topics.find(name);
    return it == topics.end() ? nullptr : it->second;  // null: made anew in between, and this one not yet
  }

  // `mutex` held alone.
  void AddTopic(const std::string& name) {
    rd_kafka_topic_t*& topic = topics[name];
    if (topic) return;
    const auto counter = [&](const char* outcome) -> obs::Counter& {
      return metrics.counter("parvis_bus_produced_total", "Records by what became of them.",
                             {{"topic", name}, {"outcome", outcome}});
    };
    const auto outcomes = outcomes_of.try_emplace(name, Outcomes{counter("ok"), counter("error")}).first;
    rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(handle);
    rd_kafka_topic_conf_set_opaque(conf, &outcomes->second);
    topic = rd_kafka_topic_new(handle, name.c_str(), conf);
    if (topic) return;
    rd_kafka_topic_conf_destroy(conf);  // a name that is none
    topics.erase(name);
  }

  void Poll() {
    while (!stopping) {
      rd_kafka_t* rk;
      {
        const std::shared_lock lock(mutex);
        rk = handle;
      }
      rd_kafka_poll(rk, kPollMillis);  // only this thread ever replaces the handle
      queue.Set(static_cast<double>(in_flight.load()));
      if (fatal) Rebuild();
    }
  }

  // The old one reports all it has before the new one takes records, so that none overtakes another unnoticed; until
  // then Send is refused with PRODUCER_FATAL.
  void Rebuild() {
    obs::Warn("the Kafka producer is unusable after a fatal error and is made anew");
    rebuilds.Add();
    Drain(handle);
    rd_kafka_t* made = Make();
    Topics old;
    {
      const std::unique_lock lock(mutex);
      std::swap(handle, made);
      std::swap(topics, old);
      for (const auto& [name, topic] : old) AddTopic(name);
      fatal = false;  // all that was said of the old one
    }
    Drain(made);  // what was sent between the two
    Destroy(made, old);
  }

  // Has every record in it reported.
  static void Drain(rd_kafka_t* rk) {
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(rk) > 0) rd_kafka_poll(rk, 50);
  }

  // Hands a record over to librdkafka, which copies it; `flight` is settled by its report, unless it is refused here.
  Status Send(const RecordView& record, Flight* flight) {
    if (SizeOf(record) > config.record_max_bytes + kDeadLetterHeaders) {
      return MakeError(Code::kInvalidArgument, "RECORD_TOO_LARGE",
                       absl::StrCat("a record of ", SizeOf(record), " bytes is larger than ", config.record_max_bytes));
    }
    // A tombstone has no payload at all. librdkafka copies it and changes nothing, although it does not say so.
    auto* payload = record.payload.empty() ? nullptr : const_cast<char*>(record.payload.data());
    rd_kafka_headers_t* headers = HeadersOf(record.headers);
    ++in_flight;
    rd_kafka_resp_err_t err;
    {
      std::shared_lock lock(mutex);
      rd_kafka_topic_t* topic = TopicOf(record.topic, lock);
      err = !topic ? RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
                   : rd_kafka_producev(
                         handle, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
                         RD_KAFKA_V_VALUE(payload, record.payload.size()), RD_KAFKA_V_HEADERS(headers),
                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(flight), RD_KAFKA_V_END);
      if (err == RD_KAFKA_RESP_ERR__FATAL) fatal = true;  // with the lock: it is about this handle
    }
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
    --in_flight;
    rd_kafka_headers_destroy(headers);
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return MakeError(Code::kResourceExhausted, "BUS_QUEUE_FULL", "too many records wait for Kafka");
    }
    if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
      return MakeError(Code::kInvalidArgument, "RECORD_TOO_LARGE", "the record is too large");
    }
    if (err == RD_KAFKA_RESP_ERR__FATAL) return BusUnavailable("PRODUCER_FATAL", err);
    return BusUnavailable("BUS_UNAVAILABLE", err);
  }

  static constexpr int64_t kDeadLetterHeaders = 16 << 10;
  const BusConfig config;
  obs::Metrics& metrics;
  obs::Gauge& queue;
  obs::Counter& rebuilds;
  std::shared_mutex mutex;  // handle and topics are changed under a unique lock
  rd_kafka_t* handle = nullptr;
  Topics topics;
  std::map<std::string, Outcomes> outcomes_of;  // by topic; stay when the handle is replaced
  std::atomic<int64_t> in_flight{0};
  std::atomic<bool> stopping{false}, fatal{false};
  const RealClock clock;
  std::atomic<int64_t> answered_at{0};  // when a broker last answered, as Instant; 0: not since it failed to
  std::thread poller;
};

Producer::Producer(const BusConfig& config, obs::Metrics& metrics) : impl_(std::make_unique<Impl>(config, metrics)) {}
Producer::~Producer() = default;

Status Producer::Send(StreamRecord record, Done done) {
  auto flight = std::make_unique<Flight>(std::move(done), 1);
  const std::vector<HeaderView> headers = ViewsOf(record);
  Status status = impl_->Send({record.topic, record.key, record.payload, headers}, flight.get());
  if (status.ok()) (void)flight.release();  // the delivery report deletes it
  return status;
}

// One is open for the batch itself, until End.
Producer::Batch::Batch(Producer& producer, Done done) : producer_(producer), flight_(new Flight(std::move(done), 1)) {}
Producer::Batch::~Batch() { End(); }

Status Producer::Batch::Add(const RecordView& record) {
  auto* flight = static_cast<Flight*>(flight_);
  flight->open.fetch_add(1, std::memory_order_relaxed);
  Status status = producer_.impl_->Send(record, flight);
  if (!status.ok()) {
    flight->Fail(status);
    (void)flight->Settle();  // the batch's own is still open
  }
  return status;
}

Status Producer::Batch::Add(const StreamRecord& record) {
  const std::vector<HeaderView> headers = ViewsOf(record);
  return Add(RecordView{record.topic, record.key, record.payload, headers});
}

void Producer::Batch::End() {
  if (flight_) (void)static_cast<Flight*>(std::exchange(flight_, nullptr))->Settle();
}

Status Producer::SendAll(const std::vector<StreamRecord>& records) {
  // Shared with the reports, which may come after this call has given up.
  struct Gathering {
    std::mutex mutex;
    std::condition_variable changed;
    size_t open = 0;
    Status first;
  };
  const auto gathering = std::make_shared<Gathering>();
  // Every record is reported within delivery_max; the rest is for a slow thread.
  const auto limit = absl::ToChronoNanoseconds(impl_->config.delivery_max + absl::Seconds(5));
  const auto report = [gathering](Status status) {
    const std::lock_guard lock(gathering->mutex);
    --gathering->open;
    if (gathering->first.ok()) gathering->first = std::move(status);
    gathering->changed.notify_all();
  };
  for (const StreamRecord& record : records) {
    while (true) {
      {
        const std::lock_guard lock(gathering->mutex);
        ++gathering->open;
      }
      const Status sent = Send(record, report);
      if (sent.ok()) break;
      std::unique_lock lock(gathering->mutex);
      --gathering->open;
      const bool full = ReasonOf(sent) == "BUS_QUEUE_FULL";
      // A full queue makes room when one of ours is reported; without any of ours, the caller waits.
      if (!full || gathering->open == 0) {
        if (gathering->first.ok()) gathering->first = sent;
        break;
      }
      const size_t before = gathering->open;
      gathering->changed.wait_for(lock, limit, [&] { return gathering->open < before; });
    }
    const std::lock_guard lock(gathering->mutex);
    if (!gathering->first.ok()) break;  // later records may not overtake one that failed
  }
  std::unique_lock lock(gathering->mutex);
  if (!gathering->changed.wait_for(lock, limit, [&] { return gathering->open == 0; })) {
    return MakeError(Code::kUnavailable, "BUS_UNAVAILABLE", "Kafka has not acknowledged in time");
  }
  return gathering->first;
}

Status Producer::Flush(absl::Duration limit) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  for (absl::Duration waited; impl_->in_flight > 0; waited += absl::Milliseconds(5)) {
    if (waited >= limit) return MakeError(Code::kDeadlineExceeded, "BUS_FLUSH", "records still wait for Kafka");
    never.wait_for(lock, std::chrono::milliseconds(5));
  }
  return absl::OkStatus();
}

Status Producer::Ready() {
  // A path that swallows everything breaks no connection: whoever sends nothing has to ask.
  const Instant answered{impl_->answered_at.load()};
  if (answered.nanos != 0 && impl_->clock.Now() - answered < kLately) return absl::OkStatus();
  const std::shared_lock lock(impl_->mutex);
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto err = rd_kafka_metadata(impl_->handle, 0, nullptr, &metadata, kAskMillis);
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return BusUnavailable("BUS_UNAVAILABLE", err);
  rd_kafka_metadata_destroy(metadata);
  impl_->answered_at = impl_->clock.Now().nanos;
  return absl::OkStatus();
}

}  // namespace parvis::bus
