#include "platform/blob/s3_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "platform/base/ids.h"
#include "platform/blob/blob_config.h"
#include "platform/net/raw_socket.h"
#include "platform/obs/metrics.h"

namespace parvis::blob {
namespace {

// The four worked examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html ("Examples:
// Signature calculations"), with its own, public, example key.
TEST(SigV4Test, SignsAmazonsExamples) {
  const SigV4Key key{"AKIAIOSFODNN7EXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), "us-east-1"};
  const std::string date = "20130524T000000Z", host = "examplebucket.s3.amazonaws.com", nothing = Sha256Hex("");
  const auto signature = [&](const SigV4Request& request) {
    const std::string value = SigV4Authorization(request, key, date);
    EXPECT_EQ(
        value.rfind(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=", 0),
        0U);
    return value.substr(value.find("Signature=") + 10);
  };
  const std::map<std::string, std::string> plain = {
      {"host", host}, {"x-amz-content-sha256", nothing}, {"x-amz-date", date}};
  auto ranged = plain;
  ranged["range"] = "bytes=0-9";
  EXPECT_EQ(signature({"GET", "/test.txt", "", ranged, nothing}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  const std::string payload = Sha256Hex("Welcome to Amazon S3.");
  EXPECT_EQ(payload, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  auto put = plain;
  put["x-amz-content-sha256"] = payload;
  put["date"] = "Fri, 24 May 2013 00:00:00 GMT";
  put["x-amz-storage-class"] = "REDUCED_REDUNDANCY";
  EXPECT_EQ(signature({"PUT", "/test%24file.text", "", put, payload}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(signature({"GET", "/", "lifecycle=", plain, nothing}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature({"GET", "/", "max-keys=2&prefix=J", plain, nothing}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// A server that gives the answers of `answers` one after the other, the last one again and again; "" hangs up.
class Answers {
 public:
  explicit Answers(std::vector<std::string> answers)
      : answers_(std::move(answers)), server_([this](net::RawSocket& peer, int) {
          peer.Read([](const std::string& head) { return head.find("\r\n\r\n") != std::string::npos; });
          const size_t number = std::min<size_t>(static_cast<size_t>(asked++), answers_.size() - 1);
          if (!answers_[number].empty()) peer.Send(answers_[number]);
        }) {}
  std::atomic<int> asked{0};
  int port() const { return server_.port; }

 private:
  const std::vector<std::string> answers_;
  net::RawServer server_;
};

std::string Answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string ErrorAnswer(int status, const std::string& code) {
  return Answer(status, "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>m</Message></Error>");
}

class S3StoreTest : public ::testing::Test {
 public:
  // What a call gives when the server answers so.
  std::string Put(std::vector<std::string> answers) {
    return With(std::move(answers), [&](S3Store& s) { return s.Put(call_, "a/b", ""); });
  }
  std::string Read(std::vector<std::string> answers) {
    return With(std::move(answers), [&](S3Store& s) -> Status {
      const auto bytes = s.Read(call_, "a/b", 2, 3);
      read_ = bytes.ok() ? *bytes : "";
      return bytes.status();
    });
  }
  std::string Delete(std::vector<std::string> answers) {
    return With(std::move(answers), [&](S3Store& s) { return s.Delete(call_, "a/b"); });
  }
  int asked_ = 0;
  std::string read_;

 private:
  std::string With(std::vector<std::string> answers, const std::function<Status(S3Store&)>& act) {
    Answers server(std::move(answers));
    S3StoreOptions options{.endpoint = "http://127.0.0.1:" + std::to_string(server.port()),
                           .bucket = "bucket",
                           .key = {"id", Secret("secret"), "r"}};
    options.retry.initial = absl::Milliseconds(1);
    BlobConfig config;
    config.s3_networks = {"127.0.0.0/8"};
    net::HttpClient http(config.HttpConfig(), clock_, metrics_);
    S3Store store(options, http, clock_);
    const Status status = act(store);
    asked_ = server.asked;
    return status.ok() ? "OK" : ReasonOf(status);
  }
  RealClock clock_;
  obs::Metrics metrics_;
  const Call call_ = BackgroundCall("test");
};

TEST_F(S3StoreTest, WhatAnswersMean) {
  EXPECT_EQ(Put({Answer(200, "")}), "OK");
  EXPECT_EQ(Put({ErrorAnswer(403, "SignatureDoesNotMatch")}), "BLOB_STORE_REFUSED");
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(Put({ErrorAnswer(403, "RequestTimeTooSkewed")}), "BLOB_STORE_REFUSED");
  EXPECT_EQ(Put({ErrorAnswer(404, "NoSuchBucket")}), "BLOB_STORE_REFUSED");
  EXPECT_EQ(Put({Answer(301, "")}), "BLOB_STORE_REFUSED");
  EXPECT_EQ(Put({Answer(204, "")}), "BLOB_STORE_REFUSED");  // S3 answers 200; anything else is something else
  EXPECT_EQ(Put({ErrorAnswer(507, "XMinioStorageFull")}), "BLOB_STORE_FULL");
  EXPECT_EQ(Put({ErrorAnswer(403, "QuotaExceeded")}), "BLOB_STORE_FULL");
  EXPECT_EQ(Read({ErrorAnswer(404, "NoSuchKey")}), "BLOB_MISSING");
  EXPECT_EQ(Read({ErrorAnswer(404, "NoSuchBucket")}), "BLOB_STORE_REFUSED");
  EXPECT_EQ(Read({ErrorAnswer(416, "InvalidRange")}), "OK");
  EXPECT_EQ(Delete({Answer(204, "")}), "OK");
  EXPECT_EQ(Delete({ErrorAnswer(404, "NoSuchKey")}), "OK");
  EXPECT_EQ(Delete({ErrorAnswer(403, "AccessDenied")}), "BLOB_STORE_REFUSED");
}

TEST_F(S3StoreTest, ABusyServerIsAskedThriceAndNoMore) {
  EXPECT_EQ(Put({ErrorAnswer(503, "SlowDown"), ErrorAnswer(500, "InternalError"), Answer(200, "")}), "OK");
  EXPECT_EQ(asked_, 3);
  EXPECT_EQ(Put({ErrorAnswer(503, "SlowDown")}), "BLOB_STORE_AWAY");
  EXPECT_EQ(asked_, 3);
  EXPECT_EQ(Read({"", Answer(206, "cde")}), "OK");  // hung up first
  EXPECT_EQ(read_, "cde");
  EXPECT_EQ(Delete({""}), "BLOB_STORE_AWAY");
}

TEST_F(S3StoreTest, AServerThatKnowsNoRangesIsCut) {
  EXPECT_EQ(Read({Answer(200, "abcdefgh")}), "OK");
  EXPECT_EQ(read_, "cde");
  EXPECT_EQ(Read({Answer(200, "a")}), "OK");
  EXPECT_EQ(read_, "");
  EXPECT_EQ(Read({Answer(206, "cdefg")}), "BLOB_STORE_AWAY");  // more than was asked for
  EXPECT_EQ(Read({Answer(206, "c")}), "OK");
  EXPECT_EQ(read_, "c");
}

TEST(BlobConfigTest, SaysWhatIsWrong) {
  RealClock clock;
  obs::Metrics metrics;
  net::HttpClient http({}, clock, metrics);
  const std::string file = "/tmp/parvis-blob-credentials-" + RandomHex(8);
  const auto reason = [&](const std::string& endpoint, const std::string& bucket, const std::string& credentials) {
    std::ofstream(file) << credentials;
    BlobConfig config;
    config.store = "s3";
    config.s3_endpoint = endpoint;
    config.s3_bucket = bucket;
    config.s3_credentials_file = file;
    const Status status = MakeBlobStore(config, http, clock).status();
    EXPECT_EQ(ToError(status).message.find("verysecret"), std::string::npos);
    return status.ok() ? "OK" : ReasonOf(status);
  };
  EXPECT_EQ(reason("https://s3.example.com", "bucket", "id:verysecret\n"), "OK");
  EXPECT_EQ(reason("https://s3.example.com/", "bucket", "id:very:secret"), "OK");
  EXPECT_EQ(reason("s3.example.com", "bucket", "id:verysecret"), "BLOB_CONFIG");
  EXPECT_EQ(reason("https://s3.example.com/path", "bucket", "id:verysecret"), "BLOB_CONFIG");
  EXPECT_EQ(reason("https://", "bucket", "id:verysecret"), "BLOB_CONFIG");
  EXPECT_EQ(reason("https://me:verysecret@s3.example.com", "bucket", "id:verysecret"), "BLOB_CONFIG");
  EXPECT_EQ(reason("https://s3.example.com", "b/../c", "id:verysecret"), "BLOB_CONFIG");
  EXPECT_EQ(reason("https://s3.example.com", "bucket", "verysecret"), "BLOB_CONFIG");
  EXPECT_EQ(reason("https://s3.example.com", "bucket", ":verysecret"), "BLOB_CONFIG");
  EXPECT_EQ(reason("https://s3.example.com", "bucket", "id:"), "BLOB_CONFIG");
  EXPECT_EQ(reason("https://s3.example.com", "bucket", "\n"), "SECRET_FILE_EMPTY");
  std::remove(file.c_str());
}

}  // namespace
}  // namespace parvis::blob
