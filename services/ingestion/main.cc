// parvis-ingestion: listens to the networks.
#include <grpcpp/impl/service_type.h>

#include <random>

#include "ingestion/bus/activity_sink.h"
#include "ingestion/clients/accounts_desk.h"
#include "ingestion/config.h"
#include "ingestion/measuring.h"
#include "ingestion/network/hubs.h"
#include "ingestion/network/opening.h"
#include "ingestion/network/polls.h"
#include "ingestion/network/secrets.h"
#include "ingestion/network/streams.h"
#include "ingestion/network/webhooks.h"
#include "ingestion/storage/pg_hubs.h"
#include "ingestion/storage/pg_shared_streams.h"
#include "ingestion/storage/pg_sources.h"
#include "ingestion/storage/pg_streams.h"
#include "ingestion/transport/ingestion_service.h"
#include "platform/app/process.h"
#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

double Uniform() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(random);
}

// Hubs of WebSub call back below a path of their own.
net::HttpServer::Handler Route(HubListener& hubs, Webhooks& webhooks) {
  return [&](net::HttpRequest request, net::Responder responder) {
    if (HubKeys::IsCallback(request.path)) return hubs.Handle(std::move(request), std::move(responder));
    webhooks.Handle(std::move(request), std::move(responder));
  };
}

int Run(const IngestionConfig& config) {
  app::Process process("ingestion", config.process);
  obs::Metrics& metrics = process.metrics();
  RealClock clock;
  StatusOr<WebhookSettings> settings = ReadWebhookSettings(
      config.webhook_secret_files, config.webhook_previous_secret_files, config.verify_token_files, config.replay_max);
  StatusOr<HubKeys> hub_keys = HubKeys::Read(config.public_url, config.hub_key_file, config.hub_previous_key_file);
  net::HttpClient http_client(config.http_client, clock, metrics);
  net::StreamClient stream_client(config.stream_client.Like(config.http_client), clock, metrics);
  const auto streaming = MakeStreaming(stream_client, config.jetstream_url, config.x_bearer_token_file, config.x_stream_url);
  for (const Status& read : {settings.status(), hub_keys.status(), streaming.status()}) {
    if (!read.ok()) return obs::Err("ingestion cannot start", {{"error", read}}), 1;
  }
  const Connectors connectors = networks::MakeConnectors(http_client, clock, *streaming);
  rpc::Client accounts("ingestion", config.accounts, clock, metrics);
  AccountsDesk desk(accounts, clock, config.find_channels_max);
  bus::Producer producer(config.bus, metrics);
  KafkaActivitySink sink(producer, clock, static_cast<size_t>(config.bus.record_max_bytes));

  Executor binding_executor({.name = "bindings", .threads = config.binding_threads, .queue_max = 1024});
  BindingCache bindings(desk, binding_executor, clock, config.bindings);
  HeardBook heard(100'000);
  Receiver receiver(bindings, sink, heard, clock, {settings->replay_max, config.replay_max_default});
  Webhooks webhooks(connectors, settings->secrets, receiver, clock, metrics,
                    {config.inflight_max_bytes, config.retry_after, config.refusal_hold});

  db::Pool api(config.db_api, clock, metrics), stream(config.db_stream, clock, metrics);
  PgSourceStore store(api, stream);
  const auto takes = [&](const std::string& network) { return webhooks.Takes(network); };
  PollListener polls(connectors, desk, store, sink, heard, takes, clock, config.poll, config.runner, config.poll_late_max,
                     metrics, Uniform);
  PgStreamStore stream_store(stream);
  PgSharedStreamStore shared_store(stream);
  StreamListener streams(connectors, desk, stream_store, shared_store, sink, clock, config.streams,
                         config.shared_stream_channels_max, metrics, Uniform);
  PgHubStore hub_store(stream);
  HubListener hubs(connectors, desk, *hub_keys, http_client, hub_store, store, receiver, clock, config.hubs, metrics,
                   Uniform);
  net::HttpServer http(config.http, "webhooks", metrics, Route(hubs, webhooks));
  Measuring measuring(config, connectors, desk, stream, producer, clock, metrics, &Uniform);
  Sources sources(store, clock);
  rpc::AccountsAuthenticator authenticator(accounts, config.authentication, clock, metrics);
  rpc::Runtime runtime("ingestion", config.rpc, authenticator, clock, metrics);
  auto service = MakeIngestionService(runtime, sources, clock);
  rpc::Server server(config.rpc, runtime, {service.get()});

  auto announced = [&](std::string_view name, auto& listener) -> Status {
    PARVIS_RETURN_IF_ERROR(listener.Start());
    process.Announce(name, listener.address());
    return absl::OkStatus();
  };
  process.AddReadyCheck("bus", [&] { return producer.Ready(); }, obs::Mode::kBusAway);
  process.AddReadyCheck("db", [&] { return stream.Ping(); }, obs::Mode::kDatabaseAway);
  process.AddReadyCheck("follow", [&] { return measuring.Ready(); }, obs::Mode::kStreamStandsStill);
  return process.RunUntilSignal({
      {"producer", nullptr, [&](absl::Duration limit) { (void)producer.Flush(limit); }},
      {"bindings", nullptr, [&](absl::Duration) { binding_executor.Stop(); }},
      {"hubs", [&] { return hubs.Start(); }, [&](absl::Duration) { hubs.Stop(); }},
      {"streams", [&] { return streams.Start(); }, [&](absl::Duration) { streams.Stop(); }},
      {"polling", [&] { return polls.Start(); }, [&](absl::Duration) { polls.Stop(); }},
      {"measuring", [&] { return measuring.Start(); }, [&](absl::Duration limit) { measuring.Stop(limit); }},
      {"executor", nullptr, [&](absl::Duration) { runtime.StopExecutor(); }},
      {"grpc", [&] { return announced("grpc", server); }, [&](absl::Duration limit) { server.Stop(limit); }},
      {"webhooks", [&] { return announced("http", http); }, [&](absl::Duration limit) { http.Stop(limit); }},
  });
}

}  // namespace
}  // namespace parvis::ingestion

int main(int argc, char** argv) {
  return parvis::ingestion::Run(parvis::app::Load<parvis::ingestion::IngestionConfig>("ingestion", argc, argv));
}
