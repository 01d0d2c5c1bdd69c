// S3Store against a real S3 server, versitygw: a process of this test with its bucket in a folder of its own.
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include "platform/blob/blob_config.h"
#include "platform/blob/blob_contract.h"
#include "platform/blob/s3_store.h"
#include "platform/obs/metrics.h"
#include "platform/testing/server.h"
#include "platform/testing/wait.h"

namespace parvis::blob {
namespace {

constexpr char kId[] = "PARVISTESTID", kSecret[] = "not/a+secret", kBucket[] = "parvis-test";

// What tests/s3/versitygw.py prints: the path of the program, or why there is none.
std::string Program(std::string* why) {
  const std::string out = "/tmp/parvis-versitygw-" + RandomHex(8);
  const int status = testing::RunCommand({"/usr/bin/python3", testing::Checkout() + "/tests/s3/versitygw.py"}, out);
  std::ifstream file(out);
  std::string line, path;
  while (std::getline(file, line)) *why += line + "\n", path = line;
  std::filesystem::remove(out);
  return status == 0 ? path : "";
}

class S3ServerTest : public BlobContract {
 public:
  static void SetUpTestSuite() {
    std::string why;
    const std::string program = Program(&why);
    if (program.empty()) {
      ADD_FAILURE() << why;  // not skipped: nothing else shows that S3 is spoken as servers understand it
      return;
    }
    server_ = std::make_unique<testing::Server>("versitygw", SIGTERM, /*as_postgres=*/false);
    port_ = testing::FreePort();
    const std::string data = server_->folder() + "/data";
    std::filesystem::create_directories(data + "/" + kBucket);
    std::filesystem::create_directories(server_->folder() + "/sidecar");
    Launch(program, data);
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    ASSERT_NE(server_, nullptr) << "there is no server";
    store_ = Make(kSecret);
    ASSERT_TRUE(testing::WaitFor([&] { return store_->Ping(call()).ok(); }, absl::Seconds(20)))
        << store_->Ping(call()) << server_->LogTail();
  }
  std::unique_ptr<BlobStore> Make(const std::string& secret, const std::string& bucket = kBucket) {
    const std::string file = server_->folder() + "/credentials-" + RandomHex(4);
    std::ofstream(file) << kId << ":" << secret << "\n";
    BlobConfig config;
    config.store = "s3";
    config.s3_endpoint = "http://127.0.0.1:" + std::to_string(port_);
    config.s3_bucket = bucket;
    config.s3_credentials_file = file;
    config.s3_networks = {"127.0.0.0/8"};
    http_.push_back(std::make_unique<net::HttpClient>(config.HttpConfig(), clock_, metrics_));
    auto store = MakeBlobStore(config, *http_.back(), clock_);
    EXPECT_EQ(store.status(), absl::OkStatus());
    return *std::move(store);
  }
  BlobStore& store() override { return *store_; }

 protected:
  static void Launch(const std::string& program, const std::string& data) {
    const Status started = server_->Start({program, "--access", kId, "--secret", kSecret, "--region", "us-east-1",
                                           "--port", "127.0.0.1:" + std::to_string(port_), "posix", "--sidecar",
                                           server_->folder() + "/sidecar", data});
    EXPECT_EQ(started, absl::OkStatus());
  }
  static std::unique_ptr<testing::Server> server_;
  static int port_;
  RealClock clock_;
  obs::Metrics metrics_;
  std::vector<std::unique_ptr<net::HttpClient>> http_;
  std::unique_ptr<BlobStore> store_;
};
std::unique_ptr<testing::Server> S3ServerTest::server_;
int S3ServerTest::port_ = 0;

PARVIS_BLOB_CONTRACT(S3ServerTest);

TEST_F(S3ServerTest, AWrongSecretOrBucketIsToldAsRefused) {
  const auto wrong = Make("another/secret");
  EXPECT_EQ(Reason(wrong->Put(call(), Key("a"), "x")), "BLOB_STORE_REFUSED");
  EXPECT_EQ(Reason(wrong->Read(call(), Key("a"), 0, 1).status()), "BLOB_STORE_REFUSED");
  EXPECT_NE(ToError(wrong->Ping(call())).message.find("SignatureDoesNotMatch"), std::string::npos)
      << wrong->Ping(call());
  const auto nowhere = Make(kSecret, "no-such-bucket");
  EXPECT_EQ(Reason(nowhere->Put(call(), Key("a"), "x")), "BLOB_STORE_REFUSED");
  EXPECT_EQ(Reason(nowhere->Read(call(), Key("a"), 0, 1).status()), "BLOB_STORE_REFUSED");
}

TEST_F(S3ServerTest, AServerThatStandsStillIsAwayByTheDeadline) {
  ASSERT_EQ(store().Put(call(), Key("a"), "x"), absl::OkStatus());
  server_->Signal(SIGSTOP);
  const auto soon = [&] {
    Call call = this->call();
    call.deadline = clock_.Now() + absl::Milliseconds(500);
    return call;
  };
  EXPECT_EQ(Reason(store().Read(soon(), Key("a"), 0, 1).status()), "BLOB_STORE_AWAY");
  EXPECT_EQ(Reason(store().Ping(soon())), "BLOB_STORE_AWAY") << "the ping that went well before does not count any more";
  server_->Signal(SIGCONT);
  EXPECT_TRUE(testing::WaitFor([&] { return All(Key("a")) == "x"; }));
}

}  // namespace
}  // namespace parvis::blob
