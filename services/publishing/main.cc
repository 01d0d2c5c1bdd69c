// parvis-publishing: the only service that writes to the networks.
#include <grpcpp/impl/service_type.h>

#include "platform/base/executor.h"
#include "platform/bus/outbox_relay.h"
#include "platform/db/server_clock.h"
#include "platform/db/stream_tables.h"
#include "platform/obs/log.h"
#include "publishing/bus/command_consumer.h"
#include "publishing/bus/delivery_events.h"
#include "publishing/clients/accounts.h"
#include "publishing/config.h"
#include "publishing/media_keeping.h"
#include "publishing/network/connector_writer.h"
#include "publishing/network/deliverer_metrics.h"
#include "publishing/storage/ledger_store.h"
#include "publishing/storage/post_store_pg.h"
#include "publishing/transport/publishing_service.h"

namespace parvis::publishing {
namespace {

int Run(PublishingConfig config) {
  app::Process process("publishing", config.process);
  obs::Metrics& metrics = process.metrics();
  RealClock machine;
  if (config.replica.empty()) config.replica = RandomHex(8);
  config.deliverer.replica = config.replica;
  config.deliverer.rules.actor = "publishing/" + config.replica;

  // What it stands on.
  db::Pool api(config.db_api, machine, metrics);
  db::Pool stream(config.db_stream, machine, metrics);
  db::ServerClock clock(machine, stream, metrics);   // what is due is due for all replicas at once
  Ids ids(clock);
  db::OffsetTable offsets(stream, "publishing");
  db::OutboxTable outbox(stream);
  bus::Producer producer(config.bus, metrics);
  bus::OutboxRelay relay(outbox, producer, metrics);
  rpc::Client accounts_client("publishing", config.accounts, clock, metrics);
  AccountsDirectory accounts(accounts_client, clock, {});
  net::HttpClient http(config.http_client, clock, metrics);
  const Connectors connectors = networks::MakeConnectors(http, clock);
  const auto media = MediaKeeping::Make(config, api, stream, ids, clock, metrics);
  if (!media.ok()) return obs::Err("publishing cannot start", {{"error", media.status()}}), 1;
  ConnectorRules rules(connectors, (*media)->for_networks());
  ConnectorWriter writer(connectors, accounts, {config.dedupe_networks.begin(), config.dedupe_networks.end()}, (*media)->for_networks());

  // The ledger and who empties it. A commit wakes the relay; what a person schedules wakes the deliverer, too.
  LedgerStore ledger(stream, ToRecord, [&] { relay.Wake(); });
  const int calls_max = config.deliverer.calls_max;
  Executor callers({.name = "network", .threads = calls_max, .queue_max = calls_max});
  std::unique_ptr<bus::Consumer> commands;
  DelivererObserver observer = MakeDelivererObserver(metrics);
  observer.fenced = [&] { commands->StartOver(); };   // nothing is owned, and nothing claimed, before commands start
  Deliverer deliverer(ledger, writer, clock, [&](std::function<void()> task) { return callers.TrySubmit(std::move(task)); },
                      config.deliverer, std::move(observer));
  commands = MakeCommandConsumer(config.bus, offsets, producer, clock, metrics,
                                 {ledger, accounts, rules, clock, config.deliverer.rules.actor},
                                 [&](const std::vector<StreamPosition>& owned) { deliverer.SetOwned(owned); },
                                 [&] { deliverer.Wake(); });

  // What people and tools ask for.
  PgPostStore posts(api, ToRecord, [&] { relay.Wake(), deliverer.Wake(); });
  const PostContext context{posts, posts, accounts, rules, ids, clock, config.posts, &(*media)->store()};
  rpc::AccountsAuthenticator authenticator(accounts_client, config.authentication, clock, metrics);
  rpc::Runtime runtime("publishing", config.rpc, authenticator, clock, metrics);
  auto service = MakePublishingService({runtime, context, posts});
  auto media_services = (*media)->MakeServices(runtime, accounts, rules);
  rpc::Server server(config.rpc, runtime, {service.get(), media_services.media.get(), media_services.content.get()});

  process.AddReadyCheck("db_api", [&] { return api.Ping(); }, obs::Mode::kDatabaseAway);
  process.AddReadyCheck("db_stream", [&] { return clock.Measure(); }, obs::Mode::kDatabaseAway);
  process.AddReadyCheck("producer", [&] { return producer.Ready(); }, obs::Mode::kBusAway);
  process.AddReadyCheck("commands", [&] { return commands->Ready(); }, obs::Mode::kStreamStandsStill);
  return process.RunUntilSignal({
      {"clock", [&] { return (void)clock.Measure(), absl::OkStatus(); }, nullptr},   // the readiness check goes on trying
      {"relay", [&] { return relay.Start(); }, [&](absl::Duration limit) { relay.Stop(limit); }},
      {"callers", nullptr, [&](absl::Duration) { callers.Stop(); }},
      {"deliverer", [&] { return deliverer.Start(), absl::OkStatus(); }, [&](absl::Duration limit) { deliverer.Stop(limit); }},
      {"commands", [&] { return commands->Start(); }, [&](absl::Duration limit) { commands->Stop(limit); }},
      {"media", [&] { return (*media)->Start(), absl::OkStatus(); }, [&](absl::Duration) { (*media)->Stop(); }},
      {"executor", nullptr, [&](absl::Duration) { runtime.StopExecutor(); }},
      {"grpc",
       [&]() -> Status {
         PARVIS_RETURN_IF_ERROR(server.Start());
         process.Announce("grpc", server.address());
         return absl::OkStatus();
       },
       [&](absl::Duration limit) { server.Stop(limit); }},
  });
}

}  // namespace
}  // namespace parvis::publishing

int main(int argc, char** argv) {
  return parvis::publishing::Run(parvis::app::Load<parvis::publishing::PublishingConfig>("publishing", argc, argv));
}
