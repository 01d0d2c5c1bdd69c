// The stream store on a real PostgreSQL.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "ingestion/domain/stream_contract.h"
#include "ingestion/storage/pg_sources.h"
#include "ingestion/storage/pg_streams.h"
#include "ingestion/storage/testdata/database.h"

namespace parvis::ingestion {
namespace {

struct PgStreamsBackend {
  PgStreamsBackend() { Database().Clear(); }
  PgSourceStore pg_sources{Database().api(), Database().stream()};
  PgStreamStore pg{Database().stream()};
  SourceStore& sources() { return pg_sources; }
  StreamStore& store() { return pg; }
  // The store measures with the database's clock: instead of waiting, what is due moves closer.
  void Pass(absl::Duration d) {
    const std::string by = Interval(d);
    Database().Script("UPDATE sources SET next_poll = next_poll - " + by + ", lease_until = lease_until - " +
                             by + "; UPDATE streams SET next_try = next_try - " + by +
                             ", lease_until = lease_until - " + by +
                             "; UPDATE stream_keepers SET seen_until = seen_until - " + by);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, StreamContract, PgStreamsBackend);

class PgStreamsTest : public StreamContract<PgStreamsBackend> {};

TEST_F(PgStreamsTest, ReplicasNeverShareAClaim) {
  std::vector<KnownChannel> channels;
  for (int i = 0; i < 200; ++i) channels.push_back(AChannel());
  Known(channels);
  std::vector<std::string> claimed[4];
  std::vector<std::thread> replicas;
  for (auto& mine : claimed) {
    replicas.emplace_back([&] {
      while (mine.size() < 50) {
        auto batch = s_.Claim(networks_, 7, absl::Minutes(2));
        ASSERT_TRUE(batch.ok()) << batch.status();
        for (const ClaimedStream& one : *batch) mine.push_back(one.source.binding.channel_id);
        if (batch->empty()) return;
      }
    });
  }
  for (std::thread& replica : replicas) replica.join();
  std::vector<ClaimedStream> rest = Claim(200);
  std::set<std::string> all;
  size_t count = rest.size();
  for (const ClaimedStream& one : rest) all.insert(one.source.binding.channel_id);
  for (const auto& mine : claimed) {
    all.insert(mine.begin(), mine.end());
    count += mine.size();
  }
  EXPECT_EQ(count, 200u);
  EXPECT_EQ(all.size(), 200u);
}

}  // namespace
}  // namespace parvis::ingestion
