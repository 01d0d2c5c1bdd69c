// parvis-moderation: what is let through, held, hidden or deleted, and why.
#include <grpcpp/impl/service_type.h>

#include "moderation/bus/assess_stage.h"
#include "moderation/bus/codec.h"
#include "moderation/bus/queue_stage.h"
#include "moderation/config.h"
#include "moderation/storage/pg_policies.h"
#include "moderation/storage/pg_queue.h"
#include "moderation/storage/pg_reviews.h"
#include "moderation/transport/moderation_service.h"
#include "platform/bus/outbox_relay.h"
#include "platform/db/stream_tables.h"

namespace parvis::moderation {
namespace {

int Run(const ModerationConfig& config) {
  app::Process process("moderation", config.process);
  obs::Metrics& metrics = process.metrics();
  RealClock clock;
  Ids ids(clock);
  Normalizer normalizer;

  db::Pool api(config.db_api, clock, metrics);
  db::Pool stream(config.db_stream, clock, metrics);
  PgPolicyStore policy_store(api, config.quota);
  PgActivePolicyStore active_policies(stream);
  PgReviewStore review_store(api, ToRecord);
  PgQueueStore queue_store(stream, ToRecord);
  db::OffsetTable offsets(stream, "moderation");
  db::OutboxTable outbox(stream);

  bus::Producer producer(config.bus, metrics);
  bus::OutboxRelay relay(outbox, producer, metrics);
  Executor compiler({.name = "compile", .threads = 1, .queue_max = 64});
  PolicyCache cache(active_policies, normalizer, compiler, clock,
                    {.fresh = config.policy_fresh, .entries_max = config.policies_max, .limits = config.Limits()});
  AssessStage assess(cache, normalizer, producer, clock, metrics);
  QueueStage queue(queue_store, clock, metrics, [&] { relay.Wake(); });

  bus::Consumer assess_consumer(
      config.bus, {.group = "moderation.assess", .topics = {kActivityTopic}, .offsets = bus::Consumer::Offsets::kKafka},
      nullptr, producer, clock, metrics,
      [&](const StreamPositions&, const std::vector<bus::Received>& batch) { return assess.Handle(batch); });
  bus::Consumer queue_consumer(
      config.bus,
      {.group = "moderation.queue", .topics = {kAssessmentTopic}, .offsets = bus::Consumer::Offsets::kDatabase},
      &offsets, producer, clock, metrics,
      [&](const StreamPositions& positions, const std::vector<bus::Received>& batch) {
        return queue.Handle(positions, batch);
      });

  Policies policies(policy_store, normalizer, config.Limits(), ids, clock);
  Reviews reviews(review_store, clock, config.claim_time, [&] { relay.Wake(); });
  rpc::Client accounts("moderation", config.accounts, clock, metrics);
  rpc::AccountsAuthenticator authenticator(accounts, config.authentication, clock, metrics);
  rpc::Runtime runtime("moderation", config.rpc, authenticator, clock, metrics);
  auto service = MakeModerationService(runtime, policies, reviews);
  rpc::Server server(config.rpc, runtime, {service.get()});

  process.AddReadyCheck("db_api", [&] { return api.Ping(); }, obs::Mode::kDatabaseAway);
  process.AddReadyCheck("db_stream", [&] { return stream.Ping(); }, obs::Mode::kDatabaseAway);
  process.AddReadyCheck("producer", [&] { return producer.Ready(); }, obs::Mode::kBusAway);
  process.AddReadyCheck("assess", [&] { return assess_consumer.Ready(); }, obs::Mode::kStreamStandsStill);
  process.AddReadyCheck("queue", [&] { return queue_consumer.Ready(); }, obs::Mode::kStreamStandsStill);
  return process.RunUntilSignal({
      {"relay", [&] { return relay.Start(); }, [&](absl::Duration limit) { relay.Stop(limit); }},
      // Its tasks use the cache: ended before the cache is.
      {"compiler", nullptr, [&](absl::Duration) { compiler.Stop(); }},
      {"assess", [&] { return assess_consumer.Start(); }, [&](absl::Duration limit) { assess_consumer.Stop(limit); }},
      {"queue", [&] { return queue_consumer.Start(); }, [&](absl::Duration limit) { queue_consumer.Stop(limit); }},
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
}  // namespace parvis::moderation

int main(int argc, char** argv) {
  return parvis::moderation::Run(parvis::app::Load<parvis::moderation::ModerationConfig>("moderation", argc, argv));
}
