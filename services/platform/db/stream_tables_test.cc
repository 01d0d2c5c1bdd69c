// Offsets and the outbox in a service's schema, against a real PostgreSQL.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <mutex>
#include <thread>

#include "platform/db/stream_tables.h"
#include "platform/testing/postgres.h"
#include "platform/testing/wait.h"

namespace parvis::db {
namespace {

constexpr char kA[] = "0190a0b1-c2d3-7eee-8fff-00000000000a";
constexpr char kInsert[] = "INSERT INTO things (workspace_id, thing_id, amount) VALUES ($1, $2, $3)";

class StreamTables : public ::testing::Test {
 protected:
  static testing::ServiceDatabase& Sample() {
    static testing::ServiceDatabase database("sample", "services/platform/db/testdata/schema");
    return database;
  }
  void SetUp() override { Sample().Clear(); }
};

TEST_F(StreamTables, OffsetsMoveWithTheEffectsAndFenceTheOlderOwner) {
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
  EXPECT_EQ(Sample().Number("SELECT count(*) FROM things"), 2);
}

TEST_F(StreamTables, ALargerBatchThatBeginsWithWhatWasStoredIsFenced) {
  OffsetTable offsets(Sample().stream(), "sample");
  StreamPosition at = *offsets.Claim("sample.fold", "topic", 4);
  const auto advance = [&](int64_t from, int64_t next) {
    at.from = from, at.next = next;
    return Sample().stream().Run(BackgroundCall("t"), [&](Tx& tx) { return OffsetTable::Advance(tx, at); });
  };
  ASSERT_TRUE(advance(0, 5).ok());   // its answer is lost; when it is tried again, more has come
  EXPECT_EQ(ReasonOf(advance(0, 8)), "FENCED");
  EXPECT_TRUE(advance(5, 8).ok());
}

TEST_F(StreamTables, PositionsMoveTogetherOrNotAtAll) {
  OffsetTable offsets(Sample().stream(), "sample");
  StreamPosition one = *offsets.Claim("sample.fold", "topic", 1), two = *offsets.Claim("sample.fold", "topic", 2);
  const auto advance = [&](int64_t next) {
    one.next = two.next = next;
    return Sample().stream().Run(BackgroundCall("t"), [&](Tx& tx) {
      return OffsetTable::Advance(tx, StreamPositions(std::vector<StreamPosition>{one, two}));
    });
  };
  ASSERT_TRUE(advance(5).ok());
  two.epoch = offsets.Claim("sample.fold", "topic", 2)->epoch - 1;   // taken over
  EXPECT_EQ(ReasonOf(advance(9)), "FENCED");
  EXPECT_EQ(offsets.Claim("sample.fold", "topic", 1)->next, 5) << "the other partition of the batch has not moved either";
}

StreamRecord Record(const std::string& key, const std::string& payload) {
  return {.topic = "t", .key = key, .payload = payload, .headers = {{"a=b", "x\\n\ny="}, {"ce_id", "é"}}};
}

TEST_F(StreamTables, OutboxKeepsRecordsUntilTheyArePublished) {
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

TEST_F(StreamTables, TwoRelaysNeverPublishAtOnce) {
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
