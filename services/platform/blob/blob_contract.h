// What every BlobStore does, whatever it is made of: run on the fake, on FolderStore and on S3Store before a real
// server.
//
//   class FolderStoreContract : public BlobContract { ... blob::BlobStore& store() override; };
//   PARVIS_BLOB_CONTRACT(FolderStoreContract);
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "platform/base/ids.h"
#include "platform/blob/blob_store.h"

namespace parvis::blob {

class BlobContract : public ::testing::Test {
 public:
  virtual BlobStore& store() = 0;
  Call call() const { return BackgroundCall("test"); }
  // A key that no other test has, so that a server may be shared.
  std::string Key(const std::string& name) const { return "test/" + space_ + "/" + name; }
  std::string Reason(const Status& status) const { return ReasonOf(status); }
  std::string All(const std::string& key) {
    const auto bytes = store().Read(call(), key, 0, kObjectMaxBytes);
    return bytes.ok() ? *bytes : ReasonOf(bytes.status());
  }
  static std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 131 + i / 256) & 255);
    return bytes;
  }

  void GivesBackWhatWasPut() {
    const std::string bytes = Bytes(100'000);
    ASSERT_EQ(store().Put(call(), Key("a"), bytes), absl::OkStatus());
    EXPECT_TRUE(All(Key("a")) == bytes);
    ASSERT_EQ(store().Put(call(), Key("a"), "shorter"), absl::OkStatus());
    EXPECT_EQ(All(Key("a")), "shorter");
    ASSERT_EQ(store().Put(call(), Key("empty"), ""), absl::OkStatus());
    EXPECT_EQ(All(Key("empty")), "");
  }
  void ReadsRanges() {
    ASSERT_EQ(store().Put(call(), Key("r"), "0123456789"), absl::OkStatus());
    EXPECT_EQ(*store().Read(call(), Key("r"), 0, 3), "012");
    EXPECT_EQ(*store().Read(call(), Key("r"), 3, 1), "3");
    EXPECT_EQ(*store().Read(call(), Key("r"), 8, 100), "89");
    EXPECT_EQ(*store().Read(call(), Key("r"), 10, 5), "");
    EXPECT_EQ(*store().Read(call(), Key("r"), int64_t{1} << 40, 5), "");
    EXPECT_EQ(*store().Read(call(), Key("r"), 2, 0), "");
    EXPECT_EQ(*store().Read(call(), Key("r"), 0, INT64_MAX), "0123456789");
  }
  void ForgetsWhatWasDeleted() {
    ASSERT_EQ(store().Put(call(), Key("d/1"), "x"), absl::OkStatus());
    ASSERT_EQ(store().Put(call(), Key("d/2"), "y"), absl::OkStatus());
    ASSERT_EQ(store().Delete(call(), Key("d/1")), absl::OkStatus());
    EXPECT_EQ(All(Key("d/1")), "BLOB_MISSING");
    EXPECT_EQ(All(Key("d/2")), "y");
    EXPECT_EQ(store().Delete(call(), Key("d/1")), absl::OkStatus());
    EXPECT_EQ(store().Delete(call(), Key("never/was/there")), absl::OkStatus());
    EXPECT_EQ(All(Key("never")), "BLOB_MISSING");
    ASSERT_EQ(store().Delete(call(), Key("d/2")), absl::OkStatus());
    ASSERT_EQ(store().Put(call(), Key("d/2"), "again"), absl::OkStatus());
    EXPECT_EQ(All(Key("d/2")), "again");
  }
  void RefusesOddKeysAndTooMuch() {
    const std::vector<std::string> odd = {
        "",    "/a",    "a/", "a//b", "..",   "a/../b", ".partial/a",           "A",
        "a b", "a%2fb", "ü",  "a.b",  "a\\b", "a\n",    std::string("a\0b", 3), std::string(201, 'a')};
    for (const std::string& key : odd) {
      EXPECT_FALSE(IsKey(key)) << key;
      EXPECT_EQ(Reason(store().Put(call(), key, "x")), "BLOB_KEY") << key;
      EXPECT_EQ(Reason(store().Read(call(), key, 0, 1).status()), "BLOB_KEY") << key;
      EXPECT_EQ(Reason(store().Delete(call(), key)), "BLOB_KEY") << key;
    }
    EXPECT_EQ(Reason(store().Put(call(), Key("big"), std::string(kObjectMaxBytes + 1, 'x'))), "BLOB_TOO_LARGE");
    EXPECT_EQ(All(Key("big")), "BLOB_MISSING");
  }
  void TakesTheLargestObject() {
    const std::string bytes = Bytes(kObjectMaxBytes);
    ASSERT_EQ(store().Put(call(), Key("largest"), bytes), absl::OkStatus());
    EXPECT_TRUE(All(Key("largest")) == bytes);
    EXPECT_TRUE(*store().Read(call(), Key("largest"), kObjectMaxBytes - 5, 100) == bytes.substr(bytes.size() - 5));
    EXPECT_EQ(store().Delete(call(), Key("largest")), absl::OkStatus());
  }
  // Writers of one key: a reader sees one of the objects as a whole, never a mixture, and neighbours' deletes disturb
  // nobody.
  void IsWholeForManyAtOnce() {
    const std::string key = Key("one/place");
    ASSERT_EQ(store().Put(call(), key, std::string(50'000, 'a')), absl::OkStatus());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 10; ++i) {
          EXPECT_EQ(store().Put(call(), key, std::string(50'000 - t, static_cast<char>('a' + t))), absl::OkStatus());
          const std::string seen = All(key);
          EXPECT_TRUE(seen == std::string(50'000 - (seen[0] - 'a'), seen[0])) << seen.substr(0, 40);
          const std::string own = Key("own/" + std::to_string(t) + "/x");
          EXPECT_EQ(store().Put(call(), own, "x"), absl::OkStatus());
          EXPECT_EQ(store().Delete(call(), own), absl::OkStatus());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  void AnswersPings() { EXPECT_EQ(store().Ping(call()), absl::OkStatus()); }

 private:
  const std::string space_ = RandomHex(12);
};

#define PARVIS_BLOB_CONTRACT(Suite)                                       \
  TEST_F(Suite, GivesBackWhatWasPut) { GivesBackWhatWasPut(); }           \
  TEST_F(Suite, ReadsRanges) { ReadsRanges(); }                           \
  TEST_F(Suite, ForgetsWhatWasDeleted) { ForgetsWhatWasDeleted(); }       \
  TEST_F(Suite, RefusesOddKeysAndTooMuch) { RefusesOddKeysAndTooMuch(); } \
  TEST_F(Suite, TakesTheLargestObject) { TakesTheLargestObject(); }       \
  TEST_F(Suite, IsWholeForManyAtOnce) { IsWholeForManyAtOnce(); }         \
  TEST_F(Suite, AnswersPings) { AnswersPings(); }                         \
  static_assert(true)

}  // namespace parvis::blob
