// parvis-inbox: conversations, answers, notes and complaint cases.
#include <grpcpp/impl/service_type.h>

#include "inbox/bus/encode.h"
#include "inbox/bus/fold_consumer.h"
#include "inbox/config.h"
#include "inbox/storage/conversation_store.h"
#include "inbox/storage/event_outbox.h"
#include "inbox/storage/feed_store.h"
#include "inbox/storage/fold_store.h"
#include "inbox/transport/convert.h"
#include "platform/bus/outbox_relay.h"
#include "platform/db/stream_tables.h"

namespace parvis::inbox {
namespace {

int Run(const InboxConfig& config) {
  app::Process process("inbox", config.process);
  obs::Metrics& metrics = process.metrics();
  RealClock clock;
  Ids ids(clock);

  db::Pool api(config.db_api, clock, metrics);
  db::Pool stream(config.db_stream, clock, metrics);
  storage::PgEventOutbox outbox(stream, bus::EventRecord);
  db::OffsetTable offsets(stream, "inbox");
  parvis::bus::Producer producer(config.bus, metrics);
  parvis::bus::OutboxRelay relay(outbox, producer, metrics);

  storage::PgFeedStore feeds(api, stream);
  WatchHub watch(feeds, config.watch, clock);
  const auto changed = [&relay, &watch] {
    relay.Wake();
    watch.Wake();
  };
  const storage::Encoders encoders{.event = EncodeEvent, .delivery = bus::CommandRecord};
  storage::PgConversationStore conversations(api, encoders, changed);
  storage::PgFoldStore fold_store(stream, encoders, changed);
  storage::PgUpkeepStore upkeep_store(stream, encoders);
  Upkeep upkeep(upkeep_store, config.upkeep, changed);

  const bus::FoldHandler fold(fold_store, clock, metrics);
  parvis::bus::Consumer consumer(config.bus, bus::FoldOptions(), &offsets, producer, clock, metrics, fold);

  rpc::Client accounts("inbox", config.accounts, clock, metrics);
  rpc::AccountsAuthenticator authenticator(accounts, config.authentication, clock, metrics);
  rpc::Runtime runtime("inbox", config.rpc, authenticator, clock, metrics);
  auto service = MakeInboxService({runtime, conversations, watch, ids, clock}, config.service);
  rpc::Server server(config.rpc, runtime, {service.get()});

  process.AddReadyCheck("db_api", [&] { return api.Ping(); }, obs::Mode::kDatabaseAway);
  process.AddReadyCheck("db_stream", [&] { return stream.Ping(); }, obs::Mode::kDatabaseAway);
  process.AddReadyCheck("producer", [&] { return producer.Ready(); }, obs::Mode::kBusAway);
  process.AddReadyCheck("consumer", [&] { return consumer.Ready(); }, obs::Mode::kStreamStandsStill);
  return process.RunUntilSignal({
      {"producer", nullptr, [&](absl::Duration limit) { (void)producer.Flush(limit); }},
      {"relay", [&] { return relay.Start(); }, [&](absl::Duration limit) { relay.Stop(limit); }},
      {"fold", [&] { return consumer.Start(); }, [&](absl::Duration limit) { consumer.Stop(limit); }},
      {"upkeep",
       [&] {
         upkeep.Start();
         return absl::OkStatus();
       },
       [&](absl::Duration) { upkeep.Stop(); }},
      {"executor", nullptr, [&](absl::Duration) { runtime.StopExecutor(); }},
      {"grpc",
       [&]() -> Status {
         PARVIS_RETURN_IF_ERROR(server.Start());
         process.Announce("grpc", server.address());
         return absl::OkStatus();
       },
       [&](absl::Duration limit) { server.Stop(limit); }},
      // Stopped first: open streams end before the server waits for its calls.
      {"watch",
       [&] {
         watch.Start();
         return absl::OkStatus();
       },
       [&](absl::Duration) { watch.Stop(); }},
  });
}

}  // namespace
}  // namespace parvis::inbox

int main(int argc, char** argv) {
  return parvis::inbox::Run(parvis::app::Load<parvis::inbox::InboxConfig>("inbox", argc, argv));
}
