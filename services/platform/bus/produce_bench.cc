// parvis-produce-bench: records per second of our producer, acknowledged by a real broker. tests/load/produce.py runs
// Kafka's own ProducerPerformance beside it.
//
//   parvis-produce-bench --brokers=127.0.0.1:9092 --topic=t --records=600000
//
// A record is 512 random capital letters, made within the measured time, as the other tool does it.
#include <atomic>
#include <condition_variable>

#include "platform/base/clock.h"
#include "platform/bus/producer.h"
#include "platform/testing/bench.h"

namespace parvis::bus {
namespace {

constexpr int kRecordBytes = 512;

class Bench {
 public:
  Bench(const BusConfig& config, std::string topic, int64_t records)
      : topic_(std::move(topic)), records_(records), producer_(config, metrics_) {}

  double Ours() {
    std::atomic<int64_t> failed{0};
    const Instant began = clock_.Now();
    for (int64_t i = 0; i < records_; ++i) {
      StreamRecord record{.topic = topic_, .key = std::to_string(i % 1000), .payload = Letters(), .headers = {}};
      for (Status sent = Send(record, failed); !sent.ok(); sent = Send(record, failed)) {
        if (ReasonOf(sent) != "BUS_QUEUE_FULL") testing::BenchCheck(sent);
        std::unique_lock lock(mutex_);   // until a part of the queue has gone
        room_.wait_for(lock, std::chrono::milliseconds(5));
      }
    }
    testing::BenchCheck(producer_.Flush(absl::Seconds(60)));
    const double seconds = absl::ToDoubleSeconds(clock_.Now() - began);
    if (failed > 0) testing::BenchCheck(MakeError(Code::kUnavailable, "NOT_ACKNOWLEDGED", "records were not acknowledged"));
    return static_cast<double>(records_) / seconds;
  }

 private:
  Status Send(const StreamRecord& record, std::atomic<int64_t>& failed) {
    return producer_.Send(record, [this, &failed](const Status& acked) {
      if (!acked.ok()) ++failed;
      if (++acked_ % 1000 == 0) room_.notify_one();
    });
  }
  // xorshift64: a random number costs less than the record.
  std::string Letters() {
    std::string text(kRecordBytes, 'A');
    for (char& c : text) {
      state_ ^= state_ << 13;
      state_ ^= state_ >> 7;
      state_ ^= state_ << 17;
      c = static_cast<char>('A' + (state_ >> 32) % 26);
    }
    return text;
  }

  RealClock clock_;
  obs::Metrics metrics_;
  const std::string topic_;
  const int64_t records_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::atomic<int64_t> acked_{0};
  Producer producer_;
  uint64_t state_ = 0x9E3779B97F4A7C15;
};

}  // namespace
}  // namespace parvis::bus

int main(int argc, char** argv) {
  parvis::bus::BusConfig config;
  config.brokers = parvis::testing::BenchText(argc, argv, "brokers");
  parvis::bus::Bench bench(config, parvis::testing::BenchText(argc, argv, "topic"),
                           parvis::testing::BenchOption(argc, argv, "records", 600'000));
  return parvis::testing::ServeBench({{"ours", [&] { return bench.Ours(); }}});
}
