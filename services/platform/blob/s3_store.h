// BlobStore in a bucket of Amazon S3 or of anything else that speaks its API (MinIO, Ceph, Garage, versitygw, ...): one
// object of the bucket for each of ours, under the same key, addressed path-style. Requests are signed (sigv4.h), the
// content's SHA-256 included.
//
// API: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html (PutObject, GetObject, DeleteObject; codes
// of errors in
// .../API/ErrorResponses.html). All calls may be repeated without harm, and are, up to two times, within the call's
// deadline, when the server is busy or was not reached.
#pragma once

#include <mutex>
#include <string>

#include "platform/base/backoff.h"
#include "platform/base/clock.h"
#include "platform/blob/blob_store.h"
#include "platform/blob/sigv4.h"
#include "platform/net/http_client.h"

namespace parvis::blob {

struct S3StoreOptions {
  std::string endpoint;  // "https://s3.eu-west-3.amazonaws.com", "http://127.0.0.1:7070": no path
  std::string bucket;
  SigV4Key key;
  Backoff::Options retry = {.initial = absl::Milliseconds(50), .max = absl::Seconds(1), .attempts_max = 2};
  absl::Duration ping_every = absl::Seconds(10);  // a ping writes and reads; one that went well holds for so long, or until a call fails
};

class S3Store : public BlobStore {
 public:
  // The client's response_max_bytes must be above kObjectMaxBytes, and its allowed networks have the endpoint's if that
  // is private.
  S3Store(S3StoreOptions options, net::HttpClient& http, const Clock& clock);
  Status Put(const Call& call, const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Read(const Call& call, const std::string& key, int64_t offset, int64_t length) override;
  Status Delete(const Call& call, const std::string& key) override;
  Status Ping(const Call& call) override;

 private:
  net::ClientResult Send(const Call& call, const std::string& method, const std::string& key, std::string body,
                         const std::string& range);
  net::ClientRequest Signed(const std::string& method, const std::string& key, std::string body,
                            const std::string& range) const;
  Status Failed(const net::ClientResult& result, const std::string& key);
  Status ErrorOf(const net::ClientResult& result, const std::string& key) const;
  const S3StoreOptions options_;
  const std::string host_, ping_key_;
  net::HttpClient& http_;
  const Clock& clock_;
  std::mutex mutex_;
  Instant pinged_;  // the last ping that went well; 0: none, or a call has failed since
};

}  // namespace parvis::blob
