// parvis-metrics: figures.
#include <grpcpp/impl/service_type.h>

#include "metrics/bus/folders.h"
#include "metrics/config.h"
#include "metrics/storage/pg_fact_store.h"
#include "metrics/storage/pg_query_store.h"
#include "metrics/transport/metrics_service.h"
#include "platform/db/stream_tables.h"

namespace parvis::metrics {
namespace {

int Run(const MetricsConfig& config) {
  app::Process process("metrics", config.process);
  RealClock clock;

  db::Pool api(config.db_api, clock, process.metrics());
  db::Pool stream(config.db_stream, clock, process.metrics());
  PgFactStore facts(stream);
  PgQueryStore queries(api);
  db::OffsetTable offsets(stream, "metrics");

  bus::Producer dead_letters(config.bus, process.metrics());
  auto folders = MakeFolders(config.bus, facts, offsets, dead_letters, clock, process.metrics());

  rpc::Client accounts("metrics", config.accounts, clock, process.metrics());
  rpc::AccountsAuthenticator authenticator(accounts, config.authenticator, clock, process.metrics());
  rpc::Runtime runtime("metrics", config.rpc, authenticator, clock, process.metrics());
  const auto service = MakeMetricsService(runtime, {queries, queries, queries, queries, clock, config.timeseries_steps_max});
  rpc::Server server(config.rpc, runtime, {service.get()});

  process.AddReadyCheck("db_api", [&] { return api.Ping(); }, obs::Mode::kDatabaseAway);
  process.AddReadyCheck("db_stream", [&] { return stream.Ping(); }, obs::Mode::kDatabaseAway);
  std::vector<app::Part> parts;
  parts.push_back({"executor", nullptr, [&](absl::Duration) { runtime.StopExecutor(); }});
  for (const auto& folder : folders) {
    bus::Consumer* consumer = folder.get();
    process.AddReadyCheck(
        "folder_" + std::to_string(parts.size()), [consumer] { return consumer->Ready(); },
        obs::Mode::kStreamStandsStill);
    parts.push_back({"folder", [consumer] { return consumer->Start(); },
                     [consumer](absl::Duration limit) { consumer->Stop(limit); }});
  }
  parts.push_back({"grpc",
                   [&]() -> Status {
                     PARVIS_RETURN_IF_ERROR(server.Start());
                     process.Announce("grpc", server.address());
                     return absl::OkStatus();
                   },
                   [&](absl::Duration limit) { server.Stop(limit); }});
  return process.RunUntilSignal(std::move(parts));
}

}  // namespace
}  // namespace parvis::metrics

int main(int argc, char** argv) {
  return parvis::metrics::Run(parvis::app::Load<parvis::metrics::MetricsConfig>("metrics", argc, argv));
}
