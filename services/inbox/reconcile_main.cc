// parvis-reconcile: is everything that ingestion accepted in the inbox? Reads Kafka and the inbox's database, changes
// nothing, and prints for every workspace what was accepted, stored, dead-lettered and is on its way. Whatever is none
// of these is missing: it is named, and the exit status is 1.
//   parvis-reconcile --since=1h --bus_brokers=... --db_dsn=... --db_password_file=...
#include <cstdio>

#include "inbox/bus/reconcile_topics.h"
#include "inbox/storage/reconcile_store.h"
#include "platform/app/config.h"
#include "platform/obs/metrics.h"

namespace parvis::inbox {
namespace {

struct ReconcileConfig {
  absl::Duration since = absl::Hours(1);
  int activities_max = 2'000'000;
  int missing_shown = 20;
  std::string bus_brokers = "127.0.0.1:9092";
  db::PoolConfig db = db::PoolConfig::ForStreams();

  void Declare(app::Options& o) {
    o.Duration("since", &since, "How far back Kafka is read.", absl::Seconds(1), absl::Hours(24 * 30));
    o.Int("activities_max", &activities_max, "Activities that are held in memory; more are refused.", {1, 100'000'000});
    o.Int("missing_shown", &missing_shown, "Missing activities that are named, of each workspace.", {1, 100'000});
    o.String("bus_brokers", &bus_brokers, "Kafka's addresses: host:port,...");
    db.Declare(o, "db_");
  }
};

StatusOr<std::map<std::string, Tally>> Look(const ReconcileConfig& config, absl::Time from, db::Pool& stream) {
  parvis::bus::TopicReader reader;
  PARVIS_RETURN_IF_ERROR(reader.Connect(config.bus_brokers));
  PARVIS_ASSIGN_OR_RETURN(const std::vector<Accepted> accepted,
                          bus::ReadAccepted(reader, from, static_cast<size_t>(config.activities_max)));
  Stages stages;
  PARVIS_RETURN_IF_ERROR(bus::ReadStages(reader, from, stages));
  PARVIS_ASSIGN_OR_RETURN(stages.folded, storage::FoldedUntil(stream, bus::kFoldGroup, bus::kAssessmentTopic));
  PARVIS_ASSIGN_OR_RETURN(const std::vector<bool> stored, storage::FindStored(stream, accepted));
  return Reconcile(accepted, stored, stages);
}

bool Print(const std::map<std::string, Tally>& tallies, int missing_shown) {
  Tally all;
  size_t missing = 0;
  std::printf("%-36s %10s %10s %10s %10s %10s\n", "workspace", "accepted", "stored", "dead", "in flight", "missing");
  const auto row = [](const char* name, const Tally& tally, size_t lost) {
    std::printf("%-36s %10lld %10lld %10lld %10lld %10zu\n", name, static_cast<long long>(tally.accepted),
                static_cast<long long>(tally.stored), static_cast<long long>(tally.dead),
                static_cast<long long>(tally.in_flight), lost);
  };
  for (const auto& [workspace, tally] : tallies) {
    row(workspace.c_str(), tally, tally.missing.size());
    all.accepted += tally.accepted;
    all.stored += tally.stored;
    all.dead += tally.dead;
    all.in_flight += tally.in_flight;
    missing += tally.missing.size();
  }
  row("all", all, missing);
  for (const auto& [workspace, tally] : tallies) {
    for (size_t i = 0; i < tally.missing.size() && i < static_cast<size_t>(missing_shown); ++i) {
      const Accepted& item = tally.missing[i];
      std::printf("missing: workspace %s channel %s remote id %s activity %s (partition %d, offset %lld)\n",
                  workspace.c_str(), item.channel_id.c_str(), item.remote_key.c_str(), item.activity_id.c_str(),
                  item.partition, static_cast<long long>(item.offset));
    }
  }
  return missing == 0;
}

int Run(const ReconcileConfig& config) {
  RealClock clock;
  obs::Metrics metrics;
  db::Pool stream(config.db, clock, metrics);
  const auto tallies = Look(config, clock.WallNow() - config.since, stream);
  if (!tallies.ok()) {
    const Error error = ToError(tallies.status());
    std::fprintf(stderr, "parvis-reconcile: %s: %s\n", error.reason.c_str(), error.message.c_str());
    return 2;
  }
  return Print(*tallies, config.missing_shown) ? 0 : 1;
}

}  // namespace
}  // namespace parvis::inbox

int main(int argc, char** argv) {
  return parvis::inbox::Run(parvis::app::Load<parvis::inbox::ReconcileConfig>("reconcile", argc, argv));
}
