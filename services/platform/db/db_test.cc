// The pool and transactions against a real PostgreSQL.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <absl/strings/str_cat.h>

#include "platform/db/pool.h"
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
    EXPECT_EQ(rows.MaybeTime(0, 5), std::nullopt);
    EXPECT_EQ(rows.MaybeTime(0, 2), at);
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

constexpr char kCopyThings[] = "COPY things (workspace_id, thing_id, amount, at, words, raw) FROM STDIN (FORMAT binary)";

TEST_F(Db, BinaryRowsComeBackAsTheyWent) {
  const absl::Time times[] = {absl::FromUnixMicros(1'700'000'000'123'456), absl::FromUnixMicros(-1), absl::InfinitePast(),
                              absl::InfiniteFuture()};
  const std::vector<std::string_view> words = {"plain", "with \"quotes\" and \\", "", "NULL", "{a,b}", "line\nfeed"};
  const std::string raw("\0\x01\xff\\", 4), big(100'000, 'x');   // more than is sent at once
  const Status status = Sample().stream().Run(BackgroundCall("t"), [&](Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.CopyRows(kCopyThings, 4, [&](size_t i, BinaryRows& out) {
      out.Row(6);
      out.Uuid(kA);
      out.Text("é\t'x'" + std::to_string(i) + (i == 2 ? big : ""));
      out.Int8(7);
      out.Time(times[i]);
      i ? out.TextArray(words) : out.TextArray({});
      i ? out.Text(raw) : out.Null();
    }));
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query("SELECT workspace_id, thing_id, amount, at, words, raw FROM things "
                                                      "ORDER BY left(thing_id, 8)"));
    EXPECT_EQ(rows.size(), 4);
    for (int i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows.Text(i, 0), kA);
      EXPECT_EQ(rows.Text(i, 1), "é\t'x'" + std::to_string(i) + (i == 2 ? big : ""));
      EXPECT_EQ(rows.Int(i, 2), 7);
      EXPECT_EQ(rows.Time(i, 3), times[i]);
      EXPECT_EQ(rows.TextArray(i, 4).size(), i ? words.size() : 0);
      for (size_t k = 0; i && k < words.size(); ++k) EXPECT_EQ(rows.TextArray(i, 4)[k], words[k]);
      EXPECT_EQ(rows.Bytes(i, 5), i ? raw : "");
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(Db, AnErrorOfBinaryRowsComesAtLatestFromRun) {
  const auto copy = [&](Tx& tx, const char* workspace) {
    return tx.CopyRows(kCopyThings, 1, [&](size_t, BinaryRows& out) {
      out.Row(6);
      out.Uuid(workspace);
      out.Text("one");
      out.Int8(1);
      out.Time(absl::UnixEpoch());
      out.TextArray({});
      out.Null();
    });
  };
  const auto run = [&](const Pool::Body& body) { return Sample().stream().Run(BackgroundCall("t"), body); };
  EXPECT_TRUE(run([&](Tx& tx) { return copy(tx, kA); }).ok());
  EXPECT_EQ(ReasonOf(run([&](Tx& tx) { return copy(tx, kA); })), "UNIQUE_VIOLATION");
  EXPECT_EQ(ReasonOf(run([&](Tx& tx) -> Status {
    EXPECT_TRUE(copy(tx, kA).ok());
    return tx.Query("SELECT 1").status();
  })), "UNIQUE_VIOLATION");
  EXPECT_EQ(ReasonOf(run([&](Tx& tx) -> Status {   // a body that hides it
    EXPECT_TRUE(copy(tx, kA).ok());
    EXPECT_FALSE(copy(tx, kB).ok());
    return absl::OkStatus();
  })), "UNIQUE_VIOLATION");
  EXPECT_EQ(ReasonOf(run([&](Tx& tx) { return copy(tx, "not-a-uuid"); })), "INVALID_VALUE");
  EXPECT_EQ(ReasonOf(run([&](Tx& tx) -> Status {   // rolled back while the answer is still to come
    EXPECT_TRUE(copy(tx, kB).ok());
    return MakeError(Code::kAborted, "MINE", "no");
  })), "MINE");
  EXPECT_TRUE(run([&](Tx& tx) { return copy(tx, kB); }).ok());
  EXPECT_EQ(Visible(kB), 1);
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
  for (int i = 0; i < 5000; ++i) rows += absl::StrCat(i % 2 ? kA : kB, "\tid\\t", i, "\t", i, "\t\\N\n");
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

TEST_F(Db, APlanOfAnEmptyTableDoesNotOutliveIt) {
  PoolConfig config = Sample().StreamConfig();
  config.size = 1;
  config.plan_max_age = absl::Milliseconds(1);   // every transaction plans anew
  obs::Metrics metrics;
  Pool pool(config, Sample().clock(), metrics);
  const auto count = [&] {
    int64_t found = 0;
    EXPECT_TRUE(pool.Run(BackgroundCall("t"), [&](Tx& tx) -> Status {
                      PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query("SELECT count(*) FROM things WHERE workspace_id = $1", {kA}));
                      found = rows.Int(0, 0);
                      return absl::OkStatus();
                    }).ok());
    return found;
  };
  EXPECT_EQ(count(), 0);
  ASSERT_TRUE(pool.Run(BackgroundCall("t"), [&](Tx& tx) { return tx.Query(kInsert, {kA, "a", 1}).status(); }).ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(count(), 1) << "DISCARD PLANS travels with BEGIN and disturbs nothing";
}

}  // namespace
}  // namespace parvis::db
