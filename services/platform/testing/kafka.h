// A private Kafka 3.9.2 (KRaft, one node) for tests. The jars are fetched by Maven into the checkout's .cache once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/bus/consumer.h"
#include "platform/bus/topics.h"
#include "platform/testing/server.h"

namespace parvis::testing {

class Kafka {
 public:
  // The broker of this test binary, started on first use (3 s) and ended with it. A test that kills the broker makes one
  // of its own. Aborts the process with a message when it does not start.
  static Kafka& Shared();
  Kafka();
  ~Kafka();

  std::string brokers() const;
  // For services: `brokers`, and timeouts that fit tests.
  bus::BusConfig Config() const;
  // Makes a topic (and a dead-letter topic for each of `groups`), aborts when it cannot.
  void MakeTopic(const std::string& name, int partitions = 1, const std::vector<std::string>& groups = {});
  // A name that no other test of this binary has: "base-7".
  static std::string Unique(const std::string& base);
  // All records of a topic, as soon as there are `count` of them or `deadline` is over; order is kept per partition.
  std::vector<bus::Received> Read(const std::string& topic, size_t count, absl::Duration deadline = absl::Seconds(15));

  void Kill();     // SIGKILL
  void Start();    // after Kill: the same data, the same port; returns when it answers (about 5 s after a kill)
  void Pause();    // SIGSTOP
  void Resume();

 private:
  void Launch();
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

}  // namespace parvis::testing
