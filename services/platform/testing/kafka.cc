#include "platform/testing/kafka.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "platform/base/ids.h"
#include "platform/testing/wait.h"

namespace parvis::testing {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "parvis_testing: %s\n", why.c_str());
  std::abort();
}

// The folder of the jars, as deploy/local brings them too. Several test binaries may ask at once; the folder appears whole.
std::string Jars(const std::string& log) {
  const std::string cache = Checkout() + "/.cache/kafka-3.9.2";
  const std::string lib = cache + "/lib", last = lib + "/kafka_2.13-3.9.2.jar", part = lib + ".test";
  if (fs::exists(last)) return lib;
  fs::create_directories(cache);
  const int lock = open((cache + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  flock(lock, LOCK_EX);
  if (!fs::exists(last)) {
    fs::remove_all(part);
    const int status = RunCommand({"mvn", "-q", "-B", "-f", Checkout() + "/deploy/local/kafka/pom.xml",
                                   "dependency:copy-dependencies", "-DoutputDirectory=" + part}, log);
    std::error_code error;
    if (status == 0) fs::rename(part, lib, error);
    if (!fs::exists(last)) Die("the jars of Kafka could not be fetched by mvn; see " + log);
  }
  close(lock);
  return lib;
}

}  // namespace

Kafka& Kafka::Shared() {
  static Kafka kafka;
  return kafka;
}

Kafka::Kafka() : server_(std::make_unique<Server>("kafka", SIGKILL, /*as_postgres=*/false)) {
  const std::string& folder = server_->folder();
  const std::string log = folder + "/log", properties = folder + "/server.properties";
  port_ = FreePort();
  const int controller = FreePort();
  std::ofstream(properties)
      << "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:" << controller
      << "\nlisteners=PLAINTEXT://127.0.0.1:" << port_ << ",CONTROLLER://127.0.0.1:" << controller
      << "\nadvertised.listeners=PLAINTEXT://127.0.0.1:" << port_
      << "\ncontroller.listener.names=CONTROLLER\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
      << "\nlog.dirs=" << folder << "/data\nauto.create.topics.enable=false\noffsets.topic.num.partitions=4"
      << "\noffsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1"
      << "\ngroup.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=1000\nbroker.session.timeout.ms=2000"
      << "\nbroker.heartbeat.interval.ms=500\nlog.segment.bytes=16777216\nlog.cleaner.dedupe.buffer.size=8388608"
      << "\nnum.network.threads=2\nnum.io.threads=2\n";
  const std::string classpath = Jars(log) + "/*";
  if (RunCommand({"java", "-Xmx128m", "-XX:+UseSerialGC", "-cp", classpath, "kafka.tools.StorageTool", "format", "-t",
                  "cGFydmlzLXRlc3QtMDAwMA", "-c", properties}, log) != 0) {
    Die("Kafka's storage could not be formatted (is java installed?): " + server_->LogTail());
  }
  std::ofstream(folder + "/log4j.properties") << "log4j.rootLogger=WARN, stderr\nlog4j.appender.stderr=org.apache.log4j."
      "ConsoleAppender\nlog4j.appender.stderr.layout=org.apache.log4j.PatternLayout\nlog4j.appender.stderr.layout."
      "ConversionPattern=%d %p %m%n\n";
  Launch();
}

Kafka::~Kafka() = default;

void Kafka::Launch() {
  const std::string& folder = server_->folder();
  const Status started = server_->Start({"java", "-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
      "-Dlog4j.configuration=file:" + folder + "/log4j.properties", "-cp", Jars(folder + "/log") + "/*", "kafka.Kafka",
      folder + "/server.properties"});
  if (!started.ok()) Die(started.ToString());
  const Status ready = bus::EnsureTopics(brokers(), {{.name = "parvis-ready"}}, absl::Seconds(60));
  if (!ready.ok() || !server_->Running()) Die("Kafka does not start: " + server_->LogTail());
}

void Kafka::Start() { Launch(); }
void Kafka::Kill() { server_->Signal(SIGKILL); }
void Kafka::Pause() { server_->Signal(SIGSTOP); }
void Kafka::Resume() { server_->Signal(SIGCONT); }

std::string Kafka::brokers() const { return "127.0.0.1:" + std::to_string(port_); }

bus::BusConfig Kafka::Config() const {
  bus::BusConfig config;
  config.brokers = brokers();
  config.session_max = absl::Seconds(6);
  config.poll_max = absl::Seconds(10);
  return config;
}

void Kafka::MakeTopic(const std::string& name, int partitions, const std::vector<std::string>& groups) {
  std::vector<bus::Topic> topics = {{.name = name, .partitions = partitions}};
  for (const std::string& group : groups) topics.push_back(bus::DeadLetterTopic(name, group));
  const Status made = bus::EnsureTopics(brokers(), topics, absl::Seconds(30));
  if (!made.ok()) Die("topic " + name + ": " + made.ToString());
}

std::string Kafka::Unique(const std::string& base) {
  static std::atomic<int> count{0};
  return base + "-" + std::to_string(++count);
}

std::vector<bus::Received> Kafka::Read(const std::string& topic, size_t count, absl::Duration deadline) {
  RealClock clock;
  obs::Metrics metrics;
  bus::Producer producer(Config(), metrics);
  std::mutex mutex;
  std::vector<bus::Received> all;
  bus::Consumer consumer(Config(), {.group = Unique("reader-" + RandomHex(8)), .topics = {topic},
                                    .offsets = bus::Consumer::Offsets::kKafka}, nullptr, producer, clock, metrics,
                         [&](const StreamPositions&, const std::vector<bus::Received>& batch) {
                           const std::lock_guard lock(mutex);
                           all.insert(all.end(), batch.begin(), batch.end());
                           return absl::OkStatus();
                         });
  if (!consumer.Start().ok()) Die("cannot read " + topic);
  WaitFor([&] {
    const std::lock_guard lock(mutex);
    return all.size() >= count;
  }, deadline);
  consumer.Stop(absl::Seconds(10));
  return all;
}

}  // namespace parvis::testing
