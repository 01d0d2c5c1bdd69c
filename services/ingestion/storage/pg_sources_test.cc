// The source store on a real PostgreSQL.
#include <gtest/gtest.h>

#include <thread>

#include "ingestion/domain/source_contract.h"
#include "ingestion/storage/pg_sources.h"
#include "ingestion/storage/testdata/database.h"

namespace parvis::ingestion {
namespace {

struct PgBackend {
  PgBackend() { Database().Clear(); }
  PgSourceStore pg{Database().api(), Database().stream()};
  SourceStore& store() { return pg; }
  // The store measures with the database's clock: instead of waiting, what is due moves closer.
  void Pass(absl::Duration d) {
    const std::string by = Interval(d);
    Database().Script("UPDATE sources SET next_poll = next_poll - " + by + ", lease_until = lease_until - " + by);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, SourceContract, PgBackend);

class PgSourcesTest : public SourceContract<PgBackend> {};

TEST_F(PgSourcesTest, ReplicasNeverShareAClaim) {
  std::vector<KnownChannel> channels;
  for (int i = 0; i < 200; ++i) channels.push_back(AChannel());
  ASSERT_TRUE(s_.Sync(channels, from_).ok());
  std::vector<std::string> claimed[4];
  std::vector<std::thread> replicas;
  for (auto& mine : claimed) {
    replicas.emplace_back([&] {
      while (true) {
        const std::vector<DueSource> due = Due(7);
        if (due.empty()) return;
        std::vector<Binding> wanted;
        for (const DueSource& one : due) wanted.push_back(one.binding);
        auto batch = s_.Claim(wanted, absl::Minutes(2));
        ASSERT_TRUE(batch.ok()) << batch.status();
        for (const Claimed& one : *batch) mine.push_back(one.source.binding.channel_id);
      }
    });
  }
  for (std::thread& replica : replicas) replica.join();
  std::set<std::string> all;
  size_t count = 0;
  for (const auto& mine : claimed) {
    all.insert(mine.begin(), mine.end());
    count += mine.size();
  }
  EXPECT_EQ(count, 200u);
  EXPECT_EQ(all.size(), 200u);
}

}  // namespace
}  // namespace parvis::ingestion
