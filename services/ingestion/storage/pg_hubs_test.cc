// The store of hubs' subscriptions on a real PostgreSQL.
#include <gtest/gtest.h>

#include "ingestion/domain/hub_contract.h"
#include "ingestion/storage/pg_hubs.h"
#include "ingestion/storage/pg_sources.h"
#include "ingestion/storage/testdata/database.h"

namespace parvis::ingestion {
namespace {

struct PgHubsBackend {
  PgHubsBackend() { Database().Clear(); }
  PgSourceStore pg_sources{Database().api(), Database().stream()};
  PgHubStore pg{Database().stream()};
  SourceStore& sources() { return pg_sources; }
  HubStore& hubs() { return pg; }
  void Pass(absl::Duration d) {
    const std::string by = Interval(d);
    Database().Script("UPDATE hub_subscriptions SET next_try = next_try - " + by + ", lease_end = lease_end - " +
                          by + ", answer_until = answer_until - " + by + ", claimed_until = claimed_until - " + by);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, HubContract, PgHubsBackend);

}  // namespace
}  // namespace parvis::ingestion
