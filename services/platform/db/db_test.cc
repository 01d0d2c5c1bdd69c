// The pool, transactions and stream tables against a real PostgreSQL.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "platform/db/stream_tables.h"
#include "platform/testing/postgres.h"
#include "platform/testing/wait.h"

namespace parvis::db {
namespace {

constexpr char kSchema[] = "services/platform/db/testdata/schema";
constexpr char kA[] = "0190a0b1-c2d3-7eee-8fff-00000000000a";
constexpr char kB[] = "0190a0b1-c2d3-7eee-8fff-00000000000b";
constexpr char kInsert[] = "INSERT INTO things (workspace_id, thing_id, amount) VALUES ($1, $2, $3)";

class Db : public ::testing::Test {
 protected:
  static testing::ServiceDatabase& Sample() {
    static testing::ServiceDatabase database("sample", kSchema);
    return database;
  }
  void SetUp() override { Sample().Clear(); }
  Status Insert(Pool& pool, const std::string& workspace, const std::string& id, int64_t amount = 1) {
    return pool.Run(BackgroundCall("t", workspace), [&](Tx& tx) { return tx.Query(kInsert, {workspace, id, amount}).status(); });
  }
  int64_t Visible(const std::string& workspace) {
    int64_t count = -1;
    EXPECT_TRUE(Sample().api().Run(BackgroundCall("t", workspace), [&](Tx& tx) -> Status {
      PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query("SELECT count(*) FROM things"));
      count = rows.Int(0, 0);
      return absl::OkStatus();
    }).ok());
    return count;
  }
};

TEST_F(Db, ValuesComeBackAsTheyWent) {
  const absl::Time at = absl::FromUnixMicros(1'700'000'000'123'456);
  const std::vector<std::string> words = {"plain", "with \"quotes\" and \\", "", "NULL", "{a,b}", "line\nfeed"};
  const std::string raw("\0\x01\xff\\", 4);
  const Status status = Sample().api().Run(BackgroundCall("t", kA), [&](Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.Query("INSERT INTO things VALUES ($1, $2, $3, $4, $5, $6)",
                                    {kA, "é\t'x'", int64_t{7}, at, Array(words), Bytes(raw)}).status());
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query("SELECT thing_id, amount, at, words, raw, NULL::text, amount = 7, "
                                                      "amount / 2.0 FROM things"));
    EXPECT_EQ(rows.Text(0, 0), "é\t'x'");
    EXPECT_EQ(rows.Int(0, 1), 7);
    EXPECT_EQ(rows.Time(0, 2), at);
    EXPECT_EQ(rows.TextArray(0, 3), words);
    EXPECT_EQ(rows.Bytes(0, 4), raw);
    EXPECT_TRUE(rows.IsNull(0, 5));
    EXPECT_EQ(rows.View(0, 5), "");
    EXPECT_TRUE(rows.Bool(0, 6));
    EXPECT_EQ(rows.Double(0, 7), 3.5);
    PARVIS_ASSIGN_OR_RETURN(const Rows times, tx.Query("SELECT $1::timestamptz, $2::timestamptz, '2026-01-02 03:04:05Z'::timestamptz",
                                                       {absl::InfinitePast(), absl::InfiniteFuture()}));
    EXPECT_EQ(times.Time(0, 0), absl::InfinitePast());
    EXPECT_EQ(times.Time(0, 1), absl::InfiniteFuture());
    EXPECT_EQ(times.Time(0, 2), absl::FromCivil(absl::CivilSecond(2026, 1, 2, 3, 4, 5), absl::UTCTimeZone()));
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(Db, NulInATextIsRefusedAndNothingIsTruncated) {
  EXPECT_EQ(ReasonOf(Insert(Sample().api(), kA, std::string("a\0b", 3))), "TEXT_HAS_NUL");
  EXPECT_EQ(Visible(kA), 0);
}

TEST_F(Db, NoWorkspaceSeesNothingAndNoOtherWorkspaceIsSeen) {
  ASSERT_TRUE(Insert(Sample().api(), kA, "1").ok());
  EXPECT_EQ(Visible(kA), 1);
  EXPECT_EQ(Visible(kB), 0);
  EXPECT_EQ(Visible(""), 0);
  // A pooled connection that has served a workspace forgets it.
  PoolConfig one = Sample().ApiConfig();
  one.size = 1;
  Pool pool(one, Sample().clock(), Sample().metrics());
  for (const std::string& workspace : {std::string(kA), std::string(), std::string(kB)}) {
    int64_t count = -1;
    ASSERT_TRUE(pool.Run(BackgroundCall("t", workspace), [&](Tx& tx) -> Status {
      PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query("SELECT count(*) FROM things"));
      count = rows.Int(0, 0);
      return absl::OkStatus();
    }).ok());
    EXPECT_EQ(count, workspace == kA ? 1 : 0) << workspace;
  }
  // Writing into another workspace is refused; the error names no value.
  const Status status = Sample().api().Run(BackgroundCall("t", kB), [&](Tx& tx) { return tx.Query(kInsert, {kA, "2", 1}).status(); });
  EXPECT_FALSE(status.ok());
}

TEST_F(Db, StreamRoleSeesAllWorkspacesAndMayCopy) {
  std::string rows;
  for (int i = 0; i < 5000; ++i) AppendCopyRow(rows, {i % 2 ? kA : kB, "id\t" + std::to_string(i), i, std::nullopt});
  ASSERT_TRUE(Sample().stream().Run(BackgroundCall("t"), [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const int64_t count, tx.Copy("COPY things (workspace_id, thing_id, amount, at) FROM STDIN", rows));
    EXPECT_EQ(count, 5000);
    return absl::OkStatus();
  }).ok());
  EXPECT_EQ(Visible(kA), 2500);
  const Status refused = Sample().api().Run(BackgroundCall("t", kA), [&](Tx& tx) {
    return tx.Copy("COPY things (workspace_id, thing_id, amount, at) FROM STDIN", rows).status();
  });
  EXPECT_EQ(ReasonOf(refused), "DB_ERROR");
  EXPECT_EQ(Visible(kA), 2500);   // the connection is fit for use
}

TEST_F(Db, ErrorsBecomeReasonsWithoutValues) {
  Pool& api = Sample().api();
  ASSERT_TRUE(Insert(api, kA, "secret-value").ok());
  const Error twice = ToError(Insert(api, kA, "secret-value"));
  EXPECT_EQ(twice.reason, "UNIQUE_VIOLATION");
  EXPECT_EQ(twice.code, Code::kAlreadyExists);
  EXPECT_EQ(twice.metadata.at("constraint"), "things_pkey");
  EXPECT_EQ(twice.message.find("secret-value"), std::string::npos);
  EXPECT_EQ(ReasonOf(Insert(api, kA, "x", -1)), "CHECK_VIOLATION");
  const Error bad = ToError(api.Run(BackgroundCall("t", kA), [](Tx& tx) { return tx.Query("SELECT $1::uuid", {"secret-value"}).status(); }));
  EXPECT_EQ(bad.reason, "DB_ERROR");
  EXPECT_EQ(bad.message.find("secret-value"), std::string::npos);
  Call call = BackgroundCall("t", kA);
  call.deadline = Sample().clock().Now() + absl::Milliseconds(50);
  EXPECT_EQ(ReasonOf(api.Run(call, [](Tx& tx) { return tx.Query("SELECT pg_sleep(5)").status(); })), "DB_TIMEOUT");
  call.deadline = Sample().clock().Now();
  EXPECT_EQ(ReasonOf(api.Run(call, [](Tx& tx) { return tx.Query("SELECT 1").status(); })), "DB_TIMEOUT");
}

TEST_F(Db, BodyThatFailsOrHidesAnErrorLeavesNothing) {
  EXPECT_EQ(ReasonOf(Sample().api().Run(BackgroundCall("t", kA), [&](Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.Query(kInsert, {kA, "1", 1}).status());
    return MakeError(Code::kFailedPrecondition, "NO_THANKS", "no");
  })), "NO_THANKS");
  EXPECT_EQ(ReasonOf(Sample().api().Run(BackgroundCall("t", kA), [&](Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.Query(kInsert, {kA, "1", 1}).status());
    (void)tx.Query(kInsert, {kA, "1", 1});
    return absl::OkStatus();
  })), "UNIQUE_VIOLATION");
  EXPECT_EQ(Visible(kA), 0);
}

TEST_F(Db, ConflictsAreRunAgain) {
  ASSERT_TRUE(Insert(Sample().api(), kA, "x", 0).ok());
  ASSERT_TRUE(Insert(Sample().api(), kA, "y", 0).ok());
  // Two transactions that lock in opposite order: one of them is the deadlock's victim, and both get through.
  std::atomic<int> first_tries{0};
  const auto cross = [&](const char* one, const char* two) {
    bool first = true;
    return Sample().api().Run(BackgroundCall("t", kA), [&](Tx& tx) -> Status {
      PARVIS_RETURN_IF_ERROR(tx.Query("UPDATE things SET amount = amount + 1 WHERE thing_id = $1", {one}).status());
      if (first) {
        first = false;
        ++first_tries;
        testing::WaitFor([&] { return first_tries == 2; });
      }
      return tx.Query("UPDATE things SET amount = amount + 1 WHERE thing_id = $1", {two}).status();
    });
  };
  Status other;
  std::thread thread([&] { other = cross("y", "x"); });
  EXPECT_TRUE(cross("x", "y").ok());
  thread.join();
  EXPECT_TRUE(other.ok()) << other;
  EXPECT_EQ(Sample().Number("SELECT sum(amount) FROM things"), 4);
}

TEST_F(Db, ASnapshotSeesOneMomentAndWritesNothing) {
  ASSERT_TRUE(Insert(Sample().api(), kA, "1").ok());
  std::vector<int64_t> seen;
  const auto count = [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query("SELECT count(*) FROM things"));
    seen.push_back(rows.Int(0, 0));
    return absl::OkStatus();
  };
  const auto twice = [&](const std::string& meanwhile) {
    return [&, meanwhile](Tx& tx) -> Status {
      PARVIS_RETURN_IF_ERROR(count(tx));
      PARVIS_RETURN_IF_ERROR(Insert(Sample().api(), kA, meanwhile));   // another transaction, committed
      return count(tx);
    };
  };
  ASSERT_TRUE(Sample().api().RunSnapshot(BackgroundCall("t", kA), twice("2")).ok());
  EXPECT_EQ(seen, (std::vector<int64_t>{1, 1}));
  seen.clear();
  ASSERT_TRUE(Sample().api().Run(BackgroundCall("t", kA), twice("3")).ok());
  EXPECT_EQ(seen, (std::vector<int64_t>{2, 3}));   // each statement of an ordinary one sees what is committed by then
  // Row-level security holds there too.
  seen.clear();
  ASSERT_TRUE(Sample().api().RunSnapshot(BackgroundCall("t", kB), count).ok());
  ASSERT_TRUE(Sample().api().RunSnapshot(BackgroundCall("t", ""), count).ok());
  EXPECT_EQ(seen, (std::vector<int64_t>{0, 0}));

  const Status wrote = Sample().api().RunSnapshot(BackgroundCall("t", kA), [&](Tx& tx) {
    return tx.Query(kInsert, {kA, "4", 1}).status();
  });
  EXPECT_EQ(wrote.code(), Code::kInternal);
  EXPECT_EQ(ReasonOf(wrote), "DB_WRITE_IN_SNAPSHOT");
  EXPECT_TRUE(Insert(Sample().api(), kA, "4").ok());   // the connection is as good as before
}

TEST_F(Db, PoolIsBoundedAndSaysSo) {
  PoolConfig small = Sample().ApiConfig();
  small.size = 1;
  small.acquire_max = absl::Milliseconds(30);
  Pool pool(small, Sample().clock(), Sample().metrics());
  EXPECT_TRUE(pool.Run(BackgroundCall("t", kA), [&](Tx& tx) -> Status {
    EXPECT_EQ(ReasonOf(Insert(pool, kA, "inner")), "DB_POOL_EXHAUSTED");
    return absl::OkStatus();
  }).ok());
  EXPECT_TRUE(Insert(pool, kA, "after").ok());
}

TEST_F(Db, ManyStatementsKeepThePreparedOnesBounded) {
  PoolConfig small = Sample().ApiConfig();
  small.size = 1;
  Pool pool(small, Sample().clock(), Sample().metrics());
  for (int i = 0; i < 600; ++i) {
    const std::string sql = "SELECT " + std::to_string(i);
    ASSERT_TRUE(pool.Run(BackgroundCall("t"), [&](Tx& tx) { return tx.Query(sql.c_str()).status(); }).ok()) << i;
  }
  ASSERT_TRUE(pool.Run(BackgroundCall("t"), [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query("SELECT count(*) FROM pg_prepared_statements"));
    EXPECT_LE(rows.Int(0, 0), 260);
    return absl::OkStatus();
  }).ok());
}

TEST_F(Db, BrokenConnectionsAreReplacedUnnoticed) {
  ASSERT_TRUE(Insert(Sample().api(), kA, "1").ok());
  Sample().Script("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sample_api'");
  EXPECT_TRUE(Insert(Sample().api(), kA, "2").ok());
  // In the middle of a transaction: it is run again from its beginning.
  int runs = 0;
  EXPECT_TRUE(Sample().api().Run(BackgroundCall("t", kA), [&](Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.Query(kInsert, {kA, "3", 1}).status());
    if (++runs == 1) Sample().Script("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sample_api'");
    return tx.Query(kInsert, {kA, "4", 1}).status();
  }).ok());
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Visible(kA), 4);
}

TEST_F(Db, AlteredTableDoesNotBreakPreparedStatements) {
  const auto all = [&] { return Sample().api().Run(BackgroundCall("t", kA), [](Tx& tx) { return tx.Query("SELECT * FROM things").status(); }); };
  ASSERT_TRUE(all().ok());
  Sample().Script("ALTER TABLE things ADD COLUMN later text");
  EXPECT_TRUE(all().ok());
}

TEST_F(Db, LostCommitAnswerIsUnavailableAndUnknown) {
  // A deferred trigger runs at COMMIT and ends the connection from inside it: COMMIT was sent, its answer never comes.
  Sample().Script("CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN "
                  "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END$$;"
                  "CREATE CONSTRAINT TRIGGER dying AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED "
                  "FOR EACH ROW EXECUTE FUNCTION die()");
  const Error error = ToError(Insert(Sample().api(), kA, "1"));
  Sample().Script("DROP TRIGGER dying ON things; DROP FUNCTION die()");
  EXPECT_EQ(error.reason, "DB_UNAVAILABLE");
  EXPECT_EQ(error.metadata.at("commit"), "unknown");
  EXPECT_TRUE(Insert(Sample().api(), kA, "1").ok());
}

TEST_F(Db, ServerGoneAndBack) {
  testing::Postgres own(/*durable=*/true);
  testing::ServiceDatabase sample("sample", kSchema, own);
  ASSERT_TRUE(Insert(sample.api(), kA, "1").ok());
  own.Kill();
  EXPECT_EQ(ReasonOf(Insert(sample.api(), kA, "2")), "DB_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(sample.api().Ping()), "DB_UNAVAILABLE");
  own.Start();
  EXPECT_TRUE(Insert(sample.api(), kA, "2").ok());
  EXPECT_EQ(sample.Number("SELECT count(*) FROM things"), 2);
}

TEST_F(Db, OffsetsMoveWithTheEffectsAndFenceTheOlderOwner) {
  OffsetTable offsets(Sample().stream(), "sample");
  auto mine = offsets.Claim("sample.fold", "topic", 3);
  ASSERT_TRUE(mine.ok()) << mine.status();
  EXPECT_EQ(mine->next, 0);
  const auto apply = [&](StreamPosition position, int64_t next, const std::string& id) {
    position.next = next;
    return Sample().stream().Run(BackgroundCall("t"), [&](Tx& tx) -> Status {
      PARVIS_RETURN_IF_ERROR(tx.Query(kInsert, {kA, id, 1}).status());
      return OffsetTable::Advance(tx, position);
    });
  };
  ASSERT_TRUE(apply(*mine, 5, "a").ok());
  auto theirs = offsets.Claim("sample.fold", "topic", 3);
  ASSERT_TRUE(theirs.ok());
  EXPECT_EQ(theirs->next, 5);
  EXPECT_EQ(theirs->epoch, mine->epoch + 1);
  EXPECT_EQ(ReasonOf(apply(*mine, 9, "zombie")), "FENCED");
  EXPECT_TRUE(apply(*theirs, 9, "b").ok());
  EXPECT_EQ(ReasonOf(apply(*theirs, 8, "backwards")), "FENCED");
  EXPECT_EQ(Visible(kA), 2);
}

StreamRecord Record(const std::string& key, const std::string& payload) {
  return {.topic = "t", .key = key, .payload = payload, .headers = {{"a=b", "x\\n\ny="}, {"ce_id", "é"}}};
}

TEST_F(Db, OutboxKeepsRecordsUntilTheyArePublished) {
  OutboxTable outbox(Sample().stream());
  const std::vector<StreamRecord> records = {Record("k", std::string("\0p", 2)), Record("k", "q")};
  ASSERT_TRUE(Sample().api().Run(BackgroundCall("t", kA), [&](Tx& tx) { return OutboxTable::Append(tx, records); }).ok());
  EXPECT_GT(*outbox.OldestAge(), absl::ZeroDuration());
  const auto refuse = [](const std::vector<OutboxRow>&) { return MakeError(Code::kUnavailable, "NO", "no"); };
  EXPECT_EQ(ReasonOf(outbox.Drain(10, refuse).status()), "NO");
  std::vector<OutboxRow> got;
  const auto take = [&](const std::vector<OutboxRow>& rows) {
    got.insert(got.end(), rows.begin(), rows.end());
    return absl::OkStatus();
  };
  EXPECT_EQ(*outbox.Drain(1, take), 1);
  EXPECT_EQ(*outbox.Drain(10, take), 1);
  EXPECT_EQ(*outbox.Drain(10, take), 0);
  ASSERT_EQ(got.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(got[i].record.payload, records[i].payload);
    EXPECT_EQ(got[i].record.headers, records[i].headers);
    EXPECT_EQ(got[i].record.topic, "t");
  }
  EXPECT_EQ(*outbox.OldestAge(), absl::ZeroDuration());
  // The api role cannot read other workspaces' records there.
  EXPECT_FALSE(Sample().api().Run(BackgroundCall("t", kA), [](Tx& tx) { return tx.Query("SELECT * FROM outbox").status(); }).ok());
}

TEST_F(Db, TwoRelaysNeverPublishAtOnce) {
  OutboxTable outbox(Sample().stream());
  std::vector<StreamRecord> records;
  for (int i = 0; i < 500; ++i) records.push_back(Record("k", std::to_string(i)));
  ASSERT_TRUE(Sample().api().Run(BackgroundCall("t", kA), [&](Tx& tx) { return OutboxTable::Append(tx, records); }).ok());
  std::atomic<int> inside{0}, most{0};
  std::mutex mutex;
  std::vector<int> order;
  const auto relay = [&] {
    testing::WaitFor([&] {
      const auto drained = outbox.Drain(7, [&](const std::vector<OutboxRow>& rows) {
        most = std::max<int>(most, ++inside);
        const std::lock_guard lock(mutex);
        for (const OutboxRow& row : rows) order.push_back(std::stoi(row.record.payload));
        --inside;
        return absl::OkStatus();
      });
      EXPECT_TRUE(drained.ok());
      const std::lock_guard lock(mutex);
      return order.size() >= records.size();
    });
  };
  std::thread other(relay);
  relay();
  other.join();
  EXPECT_EQ(most, 1);
  ASSERT_EQ(order.size(), records.size());
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(StreamTablesSql, EveryServiceHasItUnchanged) {
  const std::filesystem::path root = std::filesystem::path(testing::Checkout()) / "services";
  const std::string expected = ReadFile(root / "platform/db/stream_tables.sql");
  ASSERT_FALSE(expected.empty());
  for (const auto& service : std::filesystem::directory_iterator(root)) {
    const auto schema = service.path() / "storage" / "schema";
    if (!std::filesystem::exists(schema)) continue;
    std::string first;
    for (const auto& file : std::filesystem::directory_iterator(schema)) {
      if (file.path().filename().string().starts_with("V001__")) first = ReadFile(file.path());
    }
    EXPECT_NE(first.find(expected), std::string::npos) << schema << ": V001__*.sql must contain the text of "
        "services/platform/db/stream_tables.sql, unchanged";
  }
}

}  // namespace
}  // namespace parvis::db
