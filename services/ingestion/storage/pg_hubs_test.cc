// The store of hubs' subscriptions on a real PostgreSQL.
#include <gtest/gtest.h>

#include "ingestion/domain/hub_contract.h"
#include "ingestion/storage/pg_hubs.h"
#include "ingestion/storage/pg_sources.h"
#include "platform/testing/postgres.h"

namespace parvis::ingestion {
namespace {

testing::ServiceDatabase& HubsDatabase() {
  static auto* database = new testing::ServiceDatabase("ingestion");
  return *database;
}

struct PgHubsBackend {
  PgHubsBackend() { HubsDatabase().Clear(); }
  PgSourceStore pg_sources{HubsDatabase().api(), HubsDatabase().stream()};
  PgHubStore pg{HubsDatabase().stream()};
  SourceStore& sources() { return pg_sources; }
  HubStore& hubs() { return pg; }
  void Pass(absl::Duration d) {
    const std::string by = std::to_string(absl::ToInt64Milliseconds(d)) + " * interval '1 ms'";
    HubsDatabase().Script("UPDATE hub_subscriptions SET next_try = next_try - " + by + ", lease_end = lease_end - " +
                          by + ", answer_until = answer_until - " + by + ", claimed_until = claimed_until - " + by);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, HubContract, PgHubsBackend);

}  // namespace
}  // namespace parvis::ingestion
