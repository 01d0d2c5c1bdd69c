// The store of shared streams on a real PostgreSQL.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ingestion/domain/shared_stream_contract.h"
#include "ingestion/storage/pg_shared_streams.h"
#include "ingestion/storage/pg_sources.h"
#include "ingestion/storage/testdata/database.h"

namespace parvis::ingestion {
namespace {

struct PgSharedBackend {
  PgSharedBackend() { Database().Clear(); }
  PgSourceStore pg_sources{Database().api(), Database().stream()};
  PgSharedStreamStore pg{Database().stream()};
  SourceStore& sources() { return pg_sources; }
  SharedStreamStore& shared() { return pg; }
  // The store measures with the database's clock: instead of waiting, what is due moves closer.
  void Pass(absl::Duration d) {
    const std::string by = Interval(d);
    Database().Script("UPDATE sources SET next_poll = next_poll - " + by + ", lease_until = lease_until - " + by +
                      "; UPDATE streams SET next_try = next_try - " + by + ", heard_since = heard_since - " + by +
                      "; UPDATE shared_streams SET next_try = next_try - " + by + ", lease_until = lease_until - " + by);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, SharedStreamContract, PgSharedBackend);

class PgSharedStreamsTest : public SharedStreamContract<PgSharedBackend> {};

TEST_F(PgSharedStreamsTest, OneOfManyReplicasHasTheClaim) {
  Known({AChannel(), AChannel()});
  std::atomic<int> claims = 0;
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        auto claimed = s_.Claim({"x"}, absl::Minutes(2));
        ASSERT_TRUE(claimed.ok()) << claimed.status();
        claims += static_cast<int>(claimed->size());
      }
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(claims, 1);
}

// What people ask for goes by the request role, which sees whether a channel is heard and nothing of its neighbours.
TEST_F(PgSharedStreamsTest, TheRequestRoleSeesNoCursor) {
  const auto read = [&](const char* sql) {
    return Database().api().Run(BackgroundCall("test", ids_.New()),
                                [&](db::Tx& tx) -> Status { return tx.Query(sql).status(); });
  };
  EXPECT_TRUE(read("SELECT network, failures, connected_since, lease_until FROM shared_streams").ok());
  EXPECT_FALSE(read("SELECT cursor FROM shared_streams").ok());
}

}  // namespace
}  // namespace parvis::ingestion
