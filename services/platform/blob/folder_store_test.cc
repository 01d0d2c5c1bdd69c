#include "platform/blob/folder_store.h"

#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "platform/blob/blob_contract.h"
#include "platform/testing/fake_blob_store.h"

namespace parvis::blob {
namespace {

namespace fs = std::filesystem;

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = "/tmp/parvis-blob-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class FakeStoreContract : public BlobContract {
 public:
  BlobStore& store() override { return fake_; }

 private:
  testing::FakeBlobStore fake_;
};
PARVIS_BLOB_CONTRACT(FakeStoreContract);

class FolderStoreTest : public BlobContract {
 public:
  FolderStoreTest() { Reopen(1); }
  void Reopen(int64_t free_min_bytes) {
    auto opened =
        FolderStore::Open({.folder = folder_.path() + "/media/kept", .free_min_bytes = free_min_bytes}, clock_);
    EXPECT_EQ(opened.status(), absl::OkStatus());
    store_ = *std::move(opened);
  }
  BlobStore& store() override { return *store_; }
  std::string root() const { return folder_.path() + "/media/kept"; }
  int PartialFiles() const {
    int files = 0;
    for (const auto& entry : fs::directory_iterator(root() + "/.partial")) files += entry.is_regular_file();
    return files;
  }

 protected:
  RealClock clock_;
  TempFolder folder_;
  std::unique_ptr<FolderStore> store_;
};
PARVIS_BLOB_CONTRACT(FolderStoreTest);

TEST_F(FolderStoreTest, LeavesNothingBehind) {
  ASSERT_EQ(store_->Put(call(), "media/w/m/00000001", "x"), absl::OkStatus());
  EXPECT_TRUE(fs::exists(root() + "/media/w/m/00000001"));
  ASSERT_EQ(store_->Delete(call(), "media/w/m/00000001"), absl::OkStatus());
  EXPECT_FALSE(fs::exists(root() + "/media"));
  EXPECT_EQ(store_->Ping(call()), absl::OkStatus());
  EXPECT_EQ(PartialFiles(), 0);
}

TEST_F(FolderStoreTest, OutlivesTheProcess) {
  ASSERT_EQ(store_->Put(call(), "a/b", "kept"), absl::OkStatus());
  Reopen(1);
  EXPECT_EQ(All("a/b"), "kept");
}

TEST_F(FolderStoreTest, SweepsWhatACrashLeftLongAgoOnly) {
  const std::string old = root() + "/.partial/old", young = root() + "/.partial/young";
  std::ofstream(old) << "x";
  std::ofstream(young) << "x";
  const timeval long_ago[2] = {{.tv_sec = 1'000'000'000, .tv_usec = 0}, {.tv_sec = 1'000'000'000, .tv_usec = 0}};
  ASSERT_EQ(utimes(old.c_str(), long_ago), 0);
  Reopen(1);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(FolderStoreTest, ADiskThatWouldBeFullIsToldBeforeAnythingIsWritten) {
  Reopen(int64_t{1} << 60);
  const Status full = store_->Put(call(), "a/b", "x");
  EXPECT_EQ(Reason(full), "BLOB_STORE_FULL");
  EXPECT_EQ(full.code(), Code::kUnavailable) << "whoever uploads has not used up anything";
  EXPECT_TRUE(ToError(full).retry_after);
  EXPECT_EQ(Reason(store_->Ping(call())), "BLOB_STORE_FULL");
  EXPECT_EQ(PartialFiles(), 0);
  EXPECT_FALSE(fs::exists(root() + "/a"));
}

TEST_F(FolderStoreTest, FollowsNoLink) {
  const std::string outside = folder_.path() + "/outside";
  fs::create_directory(outside);
  std::ofstream(outside + "/secret") << "secret";
  fs::create_symlink(outside, root() + "/link");
  fs::create_symlink(outside + "/secret", root() + "/file");
  EXPECT_EQ(Reason(store_->Read(call(), "link/secret", 0, 10).status()), "BLOB_MISSING");
  EXPECT_FALSE(store_->Read(call(), "file", 0, 10).ok());
  EXPECT_FALSE(store_->Put(call(), "link/new", "x").ok());
  EXPECT_FALSE(fs::exists(outside + "/new"));
  ASSERT_EQ(store_->Delete(call(), "link/secret"), absl::OkStatus());
  EXPECT_TRUE(fs::exists(outside + "/secret"));
  ASSERT_EQ(store_->Put(call(), "file", "x"), absl::OkStatus());  // the link itself is replaced
  EXPECT_EQ(fs::file_size(outside + "/secret"), 6U);
  EXPECT_EQ(PartialFiles(), 0);
}

TEST_F(FolderStoreTest, AnObjectIsNoFolder) {
  ASSERT_EQ(store_->Put(call(), "a", "x"), absl::OkStatus());
  EXPECT_EQ(Reason(store_->Put(call(), "a/b", "x")), "BLOB_KEY");
  EXPECT_EQ(All("a/b"), "BLOB_MISSING");
  ASSERT_EQ(store_->Put(call(), "c/d", "x"), absl::OkStatus());
  EXPECT_EQ(Reason(store_->Put(call(), "c", "x")), "BLOB_KEY");
  EXPECT_EQ(All("c"), "BLOB_MISSING");
  EXPECT_EQ(PartialFiles(), 0);
}

TEST_F(FolderStoreTest, AFolderThatIsTakenAwayIsAway) {
  fs::remove_all(root());
  EXPECT_EQ(Reason(store_->Put(call(), "a/b", "x")), "BLOB_STORE_AWAY");
  EXPECT_EQ(Reason(store_->Ping(call())), "BLOB_STORE_AWAY");
  for (const char* key : {"a/b", "c"}) EXPECT_EQ(All(key), "BLOB_STORE_AWAY") << "it may well be there when the folder is";
}

TEST_F(FolderStoreTest, ALateCallDoesNothing) {
  Call late = call();
  late.deadline = clock_.Now();
  EXPECT_EQ(store_->Put(late, "a/b", "x").code(), Code::kDeadlineExceeded);
  EXPECT_EQ(store_->Read(late, "a/b", 0, 1).status().code(), Code::kDeadlineExceeded);
}

TEST(FolderStoreOpenTest, NamesTheFolderThatCannotBe) {
  TempFolder folder;
  RealClock clock;
  std::ofstream(folder.path() + "/file") << "x";
  const auto opened = FolderStore::Open({.folder = folder.path() + "/file/media"}, clock);
  EXPECT_EQ(ReasonOf(opened.status()), "BLOB_FOLDER");
  EXPECT_NE(ToError(opened.status()).message.find("/file/media"), std::string::npos);
}

}  // namespace
}  // namespace parvis::blob
