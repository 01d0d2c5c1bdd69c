#include "platform/bus/producer.h"

#include <absl/strings/str_cat.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "platform/base/clock.h"
#include "platform/bus/rdkafka.h"
#include "platform/obs/log.h"

namespace parvis::bus {
namespace {

constexpr int kPollMillis = 250;   // events wake the poll at once; this only bounds how long stopping takes
constexpr absl::Duration kLately = absl::Seconds(5);   // an answer that is older says nothing about now
constexpr int kAskMillis = 2000;

// One record on its way; given to librdkafka as the message's opaque and deleted by the delivery report.
struct Flight {
  Producer::Done done;
};

int64_t SizeOf(const StreamRecord& record) {
  int64_t size = static_cast<int64_t>(record.key.size() + record.payload.size());
  for (const auto& [name, value] : record.headers) size += static_cast<int64_t>(name.size() + value.size());
  return size;
}

}  // namespace

struct Producer::Impl {
  Impl(const BusConfig& c, obs::Metrics& m) : config(c), metrics(m),
      queue(m.gauge("parvis_bus_producer_queue_records", "Records waiting for their acknowledgement.")),
      rebuilds(m.counter("parvis_bus_producer_rebuilds_total", "Producers made anew after a fatal error.")) {
    handle = Make();
    poller = std::thread([this] { Poll(); });
  }

  ~Impl() {
    stopping = true;
    poller.join();
    Drain(handle);
    rd_kafka_destroy(handle);
  }

  rd_kafka_t* Make() {
    // Room for the headers that dead letters add to a record of the largest size.
    const std::string largest = std::to_string(config.record_max_bytes + (64 << 10));
    rd_kafka_conf_t* conf = MakeConf({{"bootstrap.servers", config.brokers},
                                      {"client.id", "parvis"},
                                      {"enable.idempotence", "true"},
                                      {"acks", "all"},
                                      {"compression.type", "lz4"},
                                      {"linger.ms", "5"},
                                      {"partitioner", "murmur2_random"},
                                      {"queue.buffering.max.messages", std::to_string(config.producer_queue_max)},
                                      {"queue.buffering.max.kbytes", std::to_string(config.producer_queue_max_bytes >> 10)},
                                      {"message.timeout.ms", std::to_string(absl::ToInt64Milliseconds(config.delivery_max))},
                                      {"message.max.bytes", largest},
                                      {"socket.timeout.ms", "10000"},
                                      {"socket.connection.setup.timeout.ms", "10000"},
                                      {"reconnect.backoff.ms", "50"},
                                      {"reconnect.backoff.max.ms", "1000"},
                                      {"topic.metadata.refresh.interval.ms", "60000"}}, this);
    rd_kafka_conf_set_dr_msg_cb(conf, &OnReport);
    rd_kafka_conf_set_error_cb(conf, &OnError);
    auto made = MakeHandle(RD_KAFKA_PRODUCER, conf);
    if (!made.ok()) {
      obs::Err("no Kafka producer", {{"error", made.status()}});
      std::abort();   // the settings are checked by then: only memory or threads can be missing
    }
    return *made;
  }

  static void OnReport(rd_kafka_t* rk, const rd_kafka_message_t* message, void* opaque) {
    auto* self = static_cast<Impl*>(opaque);
    const std::unique_ptr<Flight> flight(static_cast<Flight*>(message->_private));
    const char* topic = rd_kafka_topic_name(message->rkt);
    self->Count(topic, message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
    Status status;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      self->answered_at = self->clock.Now().nanos;
    } else if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
      status = MakeError(Code::kInvalidArgument, "RECORD_TOO_LARGE", "Kafka refuses the record: it is too large");
    } else {
      const bool fatal = rd_kafka_fatal_error(rk, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
      status = BusUnavailable(fatal ? "PRODUCER_FATAL" : "BUS_UNAVAILABLE", message->err);
      self->answered_at = 0;
    }
    --self->in_flight;
    flight->done(std::move(status));
  }

  static void OnError(rd_kafka_t* rk, int err, const char* reason, void* opaque) {
    auto* self = static_cast<Impl*>(opaque);
    // Called by the poller only, as is everything that replaces the handle.
    if (err == RD_KAFKA_RESP_ERR__FATAL && rk == self->handle) self->fatal = true;
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) self->answered_at = 0;
  }

  void Count(const char* topic, bool ok) {
    const std::lock_guard lock(counters_mutex);
    auto& pair = counters[topic];
    obs::Counter*& counter = ok ? pair.first : pair.second;
    if (!counter) {
      counter = &metrics.counter("parvis_bus_produced_total", "Records by what became of them.",
                                 {{"topic", topic}, {"outcome", ok ? "ok" : "error"}});
    }
    counter->Add();
  }

  void Poll() {
    while (!stopping) {
      rd_kafka_t* rk;
      {
        const std::shared_lock lock(mutex);
        rk = handle;
      }
      rd_kafka_poll(rk, kPollMillis);   // only this thread ever replaces the handle
      queue.Set(static_cast<double>(in_flight.load()));
      if (fatal) Rebuild();
    }
  }

  // The old one reports all it has before the new one takes records, so that none overtakes another unnoticed; until then
  // Send is refused with PRODUCER_FATAL.
  void Rebuild() {
    obs::Warn("the Kafka producer is unusable after a fatal error and is made anew");
    rebuilds.Add();
    Drain(handle);
    rd_kafka_t* made = Make();
    {
      const std::unique_lock lock(mutex);
      std::swap(handle, made);
      fatal = false;   // all that was said of the old one
    }
    Drain(made);   // what was sent between the two
    rd_kafka_destroy(made);
  }

  // Has every record in it reported.
  static void Drain(rd_kafka_t* rk) {
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(rk) > 0) rd_kafka_poll(rk, 50);
  }

  Status Send(StreamRecord& record, Done& done) {
    if (SizeOf(record) > config.record_max_bytes + kDeadLetterHeaders) {
      return MakeError(Code::kInvalidArgument, "RECORD_TOO_LARGE",
                       absl::StrCat("a record of ", SizeOf(record), " bytes is larger than ", config.record_max_bytes));
    }
    auto flight = std::make_unique<Flight>(Flight{std::move(done)});
    rd_kafka_headers_t* headers = HeadersOf(record.headers);
    ++in_flight;
    rd_kafka_resp_err_t err;
    {
      const std::shared_lock lock(mutex);
      err = rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(record.topic.c_str()),
                              RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
                              RD_KAFKA_V_VALUE(record.payload.empty() ? nullptr : record.payload.data(), record.payload.size()),
                              RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_OPAQUE(flight.get()), RD_KAFKA_V_END);
      if (err == RD_KAFKA_RESP_ERR__FATAL) fatal = true;   // with the lock: it is about this handle
    }
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      (void)flight.release();   // the delivery report deletes it
      return absl::OkStatus();
    }
    --in_flight;
    rd_kafka_headers_destroy(headers);
    done = std::move(flight->done);
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
  std::shared_mutex mutex;   // handle is replaced under a unique lock
  rd_kafka_t* handle = nullptr;
  std::atomic<int64_t> in_flight{0};
  std::atomic<bool> stopping{false}, fatal{false};
  const RealClock clock;
  std::atomic<int64_t> answered_at{0};   // when a broker last answered, as Instant; 0: not since it failed to
  std::mutex counters_mutex;
  std::map<std::string, std::pair<obs::Counter*, obs::Counter*>, std::less<>> counters;
  std::thread poller;
};

Producer::Producer(const BusConfig& config, obs::Metrics& metrics) : impl_(std::make_unique<Impl>(config, metrics)) {}
Producer::~Producer() = default;

Status Producer::Send(StreamRecord record, Done done) { return impl_->Send(record, done); }

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
    if (!gathering->first.ok()) break;   // later records may not overtake one that failed
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
