#include "platform/db/migrations.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "platform/testing/postgres.h"

namespace parvis::db {
namespace {

namespace fs = std::filesystem;

class Migrations : public ::testing::Test {
 protected:
  void SetUp() override {
    static int count = 0;
    database_ = "migrations_" + std::to_string(++count);
    testing::Postgres::Shared().Script("CREATE DATABASE " + database_);
    folder_ = fs::temp_directory_path() / ("parvis-" + database_ + "-" + std::to_string(getpid()));
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Write(const std::string& name, const std::string& sql) { std::ofstream(folder_ / name) << sql; }
  StatusOr<int> Run() {
    return Migrate({.dsn = testing::Postgres::Shared().Dsn(database_), .schema = "part", .folder = folder_.string()});
  }
  std::string database_;
  fs::path folder_;
};

TEST_F(Migrations, AppliesWhatIsMissingInOrder) {
  Write("V001__one.sql", "CREATE TABLE a (x integer);");
  EXPECT_EQ(*Run(), 1);
  EXPECT_EQ(*Run(), 0);
  Write("V002__two.sql", "ALTER TABLE a ADD y integer; INSERT INTO a VALUES (1, 2);");
  EXPECT_EQ(*Run(), 1);
  testing::Postgres::Shared().Script("SELECT x / y FROM part.a", database_);
}

TEST_F(Migrations, RefusesAChangedOrMissingFile) {
  Write("V001__one.sql", "CREATE TABLE a (x integer);");
  Write("V002__two.sql", "CREATE TABLE b (x integer);");
  ASSERT_EQ(*Run(), 2);
  Write("V001__one.sql", "CREATE TABLE a (x bigint);");
  EXPECT_EQ(ReasonOf(Run().status()), "MIGRATION_CHANGED");
  Write("V001__one.sql", "CREATE TABLE a (x integer);");
  fs::remove(folder_ / "V002__two.sql");
  EXPECT_EQ(ReasonOf(Run().status()), "MIGRATION_MISSING");
}

TEST_F(Migrations, RefusesGapsAndOddNames) {
  EXPECT_EQ(ReasonOf(Run().status()), "MIGRATION_MISSING");
  Write("V002__two.sql", "SELECT 1;");
  EXPECT_EQ(ReasonOf(Run().status()), "MIGRATION_GAP");
  Write("V1_two.sql", "SELECT 1;");
  EXPECT_EQ(ReasonOf(Run().status()), "MIGRATION_NAME");
}

TEST_F(Migrations, AFailedFileLeavesNothingAndNamesItself) {
  Write("V001__one.sql", "CREATE TABLE a (x integer); SELECT * FROM nowhere;");
  const Error error = ToError(Run().status());
  EXPECT_NE(error.message.find("V001__one.sql"), std::string::npos);
  EXPECT_NE(error.message.find("nowhere"), std::string::npos);
  Write("V001__one.sql", "CREATE TABLE a (x integer);");
  EXPECT_EQ(*Run(), 1);
}

TEST_F(Migrations, RefusesAFileThatEndsItsTransaction) {
  Write("V001__one.sql", "CREATE TABLE a (x integer); COMMIT;");
  EXPECT_EQ(ReasonOf(Run().status()), "MIGRATION_TRANSACTION");
}

TEST_F(Migrations, SeveralAtOnceApplyEachFileOnce) {
  for (int i = 1; i <= 9; ++i) {
    Write("V00" + std::to_string(i) + "__t.sql", "CREATE TABLE t" + std::to_string(i) + " (x integer); SELECT pg_sleep(0.01);");
  }
  std::atomic<int> applied{0}, failed{0};
  std::vector<std::thread> runners;
  for (int i = 0; i < 4; ++i) {
    runners.emplace_back([&] {
      const auto count = Run();
      count.ok() ? void(applied += *count) : void(++failed);
    });
  }
  for (std::thread& runner : runners) runner.join();
  EXPECT_EQ(applied, 9);
  EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace parvis::db
