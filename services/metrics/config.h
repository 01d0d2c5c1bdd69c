// The settings of metrics.
#pragma once

#include "platform/app/config.h"
#include "platform/app/process.h"
#include "platform/bus/producer.h"
#include "platform/db/pool.h"
#include "platform/rpc/authenticator.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"

namespace parvis::metrics {

struct MetricsConfig {
  MetricsConfig() {
    // Many facts of one batch change the same sums, which nobody looks at several times a second.
    bus.batch_wait = absl::Milliseconds(250);
    bus.batch_wait_max = absl::Seconds(1);
  }
  app::ProcessConfig process;
  rpc::ServerConfig rpc;
  rpc::ClientConfig accounts;
  rpc::AuthenticatorConfig authenticator;
  db::PoolConfig db_api, db_stream = db::PoolConfig::ForStreams();
  bus::BusConfig bus;
  int64_t timeseries_steps_max = 10'000;

  void Declare(app::Options& o) {
    process.Declare(o);
    rpc.Declare(o);
    accounts.Declare(o, "accounts_");
    authenticator.Declare(o);
    db_api.Declare(o, "db_api_");
    db_stream.Declare(o, "db_stream_");
    bus.Declare(o);
    o.Int("timeseries_steps_max", &timeseries_steps_max, "Points in one answer of QueryTimeseries at most.", {.min = 1, .max = 10'000});
  }
};

}  // namespace parvis::metrics
