#include "platform/bus/producer.h"

namespace parvis::bus {

void BusConfig::Declare(app::Options& o, std::string_view prefix) {
  const std::string p(prefix);
  o.String(p + "brokers", &brokers, "Kafka brokers, host:port separated by commas.");
  o.Int(p + "producer_queue_max", &producer_queue_max, "Records waiting for their acknowledgement.",
        {.min = 1, .max = 10'000'000});
  o.Int(p + "producer_queue_max_bytes", &producer_queue_max_bytes, "Bytes waiting for their acknowledgement.",
        {.min = 1 << 20, .max = int64_t{1} << 31});
  o.Duration(p + "delivery_max", &delivery_max, "An acknowledgement later than this is an error.", absl::Seconds(1),
             absl::Minutes(5));
  o.Duration(p + "linger", &linger,
             "How long a record waits for others to be sent with it. Less answers sooner, more costs less per record.",
             absl::ZeroDuration(), absl::Seconds(1));
  o.Duration(p + "session_max", &session_max, "Consumer session timeout.", absl::Seconds(6), absl::Minutes(5));
  o.Duration(p + "poll_max", &poll_max, "A consumer that handles one batch for longer is taken for dead.",
             absl::Seconds(10), absl::Minutes(30));
  o.String(p + "instance", &instance,
           "Name of this process in its consumer groups, unique among the replicas and kept over restarts: a restart "
           "then gets its partitions back at once, and a replica that is gone keeps them for session_max. "
           "Empty: no name.");
  o.Duration(p + "instance_retry", &instance_retry,
             "How long a consumer stays out, unready, that has lost its instance name four times within a minute.",
             absl::Seconds(1), absl::Hours(1));
  o.Int(p + "batch_max", &batch_max, "Records handed to a handler at once.", {.min = 1, .max = 100'000});
  o.Duration(p + "batch_wait", &batch_wait, "Longest wait for a batch to fill, of a replica that owns all partitions.",
             absl::ZeroDuration(), absl::Seconds(5));
  o.Duration(p + "batch_wait_max", &batch_wait_max,
             "The same of one that shares them: it waits so much longer as its part is smaller, up to this.",
             absl::ZeroDuration(), absl::Seconds(5));
  o.Int(p + "record_max_bytes", &record_max_bytes, "Largest record that is sent.", {.min = 1024, .max = 16 << 20});
}

}  // namespace parvis::bus
