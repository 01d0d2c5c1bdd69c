// Which BlobStore a service has.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/app/config.h"
#include "platform/base/clock.h"
#include "platform/blob/blob_store.h"
#include "platform/net/http_client.h"

namespace parvis::blob {

struct BlobConfig {
  std::string store = "folder";  // or "s3"
  std::string folder = "/var/lib/parvis/blobs";
  int64_t folder_free_min_bytes = int64_t{256} << 20;
  std::string s3_endpoint, s3_bucket, s3_region = "us-east-1";
  std::string s3_credentials_file;  // one line, "<access key id>:<secret access key>"
  std::vector<std::string> s3_networks;
  void Declare(app::Options& o, const std::string& prefix = "blob_");
  // For a client of the store's own: the address of a private S3 server is then open to nothing else.
  net::HttpClientConfig HttpConfig() const;
};

// `http` (of HttpConfig()) is used by "s3" only; both must outlive the store. FAILED_PRECONDITION BLOB_CONFIG,
// BLOB_FOLDER, and those of ReadSecretFile. Whether an S3 server answers is told by Ping, not here.
StatusOr<std::unique_ptr<BlobStore>> MakeBlobStore(const BlobConfig& config, net::HttpClient& http, const Clock& clock);

}  // namespace parvis::blob
