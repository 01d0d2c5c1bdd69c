// What is measured, on a real PostgreSQL.
#include "ingestion/storage/pg_measure.h"

#include <gtest/gtest.h>

#include <thread>

#include "ingestion/domain/measure_contract.h"
#include "ingestion/storage/pg_sources.h"
#include "ingestion/storage/testdata/database.h"
#include "platform/db/stream_tables.h"

namespace parvis::ingestion {
namespace {

struct PgMeasureBackend {
  PgMeasureBackend() {
    Database().Clear();
    position = *db::OffsetTable(Database().stream(), "ingestion").Claim("g", "t", 0);
  }
  MeasureStore& store() { return pg; }
  void Source(const Binding& binding, const std::string& network, bool active, const std::string& host) {
    EXPECT_TRUE(sources.Sync({{binding, network, "r", 1, true, absl::Seconds(5)}}, absl::UnixEpoch()).ok());
    Database().Script("UPDATE sources SET state = '" + std::string(active ? "active" : "broken") + "', host = '" +
                      host + "' WHERE channel_id = '" + binding.channel_id + "'");
  }
  StreamPosition Next() {
    ++position.next;
    return position;
  }
  // The store measures with the database's clock: instead of waiting, what is due moves closer.
  void Pass(absl::Duration d) {
    const std::string by = Interval(d);
    Database().Script("UPDATE measured_posts SET next_measure = next_measure - " + by +
                      "; UPDATE measured_channels SET own_time = own_time - " + by + ", due_time = due_time - " + by +
                      ", paused_until = paused_until - " + by + ", lease_until = lease_until - " + by);
  }
  PgSourceStore sources{Database().api(), Database().stream()};
  PgMeasureStore pg{Database().stream()};
  StreamPosition position;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, MeasureContract, PgMeasureBackend);

class PgMeasureTest : public MeasureContract<PgMeasureBackend> {};

// Posts are followed while their channels are measured: none of them is forgotten.
TEST_F(PgMeasureTest, APostThatIsFollowedWhileItsChannelIsReleasedIsMeasured) {
  const Binding page = AChannel();
  Follow({Delivered(page, "first", absl::ZeroDuration())});
  std::thread follower([&] {
    for (int i = 0; i < 100; ++i) Follow({Delivered(page, std::to_string(i), absl::ZeroDuration())});
  });
  std::set<std::string> measured;
  for (int idle = 0; measured.size() < 101 && idle < 2000;) {
    const std::vector<MeasureJob> jobs = Claim();
    idle = jobs.empty() ? idle + 1 : 0;
    for (const MeasureJob& job : jobs) {
      measured.merge(PostsOf(job));
      Release(job, AllIn(job, absl::Hours(1)));
    }
  }
  follower.join();
  EXPECT_EQ(measured.size(), 101u);
}

TEST_F(PgMeasureTest, AnotherWorkspaceSeesNothing) {
  const Binding page = AChannel();
  Follow({Delivered(page, "1", absl::ZeroDuration())});
  const auto seen = [&](const std::string& workspace) {
    int64_t rows = -1;
    EXPECT_TRUE(Database()
                    .api()
                    .Run(BackgroundCall("test", workspace),
                         [&](db::Tx& tx) -> Status {
                           PARVIS_ASSIGN_OR_RETURN(const db::Rows found,
                                                   tx.Query("SELECT count(*) FROM measured_posts"));
                           rows = found.Int(0, 0);
                           return absl::OkStatus();
                         })
                    .ok());
    return rows;
  };
  EXPECT_EQ(seen(page.workspace_id), 1);
  EXPECT_EQ(seen(ids_.New()), 0);
}

}  // namespace
}  // namespace parvis::ingestion
