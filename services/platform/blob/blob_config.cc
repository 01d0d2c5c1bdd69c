#include "platform/blob/blob_config.h"

#include <algorithm>

#include "platform/base/secret.h"
#include "platform/blob/folder_store.h"
#include "platform/blob/s3_store.h"

namespace parvis::blob {
namespace {

Status Wrong(const std::string& what) { return MakeError(Code::kFailedPrecondition, "BLOB_CONFIG", what); }

bool IsBucket(
    const std::string& name) {  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  return name.size() >= 3 && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

// "https://host" or "http://host:port", nothing behind it.
bool IsOrigin(const std::string& url) {
  const size_t host = url.rfind("https://", 0) == 0 ? 8 : url.rfind("http://", 0) == 0 ? 7 : std::string::npos;
  return host < url.size() && url.find_first_of("/?#@ ", host) == std::string::npos;
}

StatusOr<std::unique_ptr<BlobStore>> MakeS3Store(const BlobConfig& config, net::HttpClient& http, const Clock& clock) {
  S3StoreOptions options;
  options.endpoint = config.s3_endpoint;
  if (!options.endpoint.empty() && options.endpoint.back() == '/') options.endpoint.pop_back();
  if (!IsOrigin(options.endpoint)) return Wrong("s3_endpoint must be like https://s3.example.com, without a path");
  if (!IsBucket(config.s3_bucket)) return Wrong("s3_bucket must be 3 to 63 of a-z, 0-9, '-' and '.'");
  if (config.s3_region.empty()) return Wrong("s3_region must not be empty");
  PARVIS_ASSIGN_OR_RETURN(const Secret credentials, ReadSecretFile(config.s3_credentials_file));
  const size_t colon = credentials.Reveal().find(':');
  if (colon == 0 || colon == std::string::npos || colon + 1 == credentials.size()) {
    return Wrong("s3_credentials_file must have one line, the access key's id, ':' and its secret");
  }
  options.bucket = config.s3_bucket;
  options.key = {credentials.Reveal().substr(0, colon), Secret(credentials.Reveal().substr(colon + 1)),
                 config.s3_region};
  return std::make_unique<S3Store>(std::move(options), http, clock);
}

}  // namespace

void BlobConfig::Declare(app::Options& o, const std::string& prefix) {
  o.Choice(prefix + "store", &store, "Where large content is kept: in a folder, or by a server that speaks S3.",
           {"folder", "s3"});
  o.String(prefix + "folder", &folder, "The folder; with several replicas, a volume that all of them mount.");
  o.Int(prefix + "folder_free_min_bytes", &folder_free_min_bytes,
        "What stays free on the folder's disk (BLOB_STORE_FULL).", {.min = 0});
  o.String(prefix + "s3_endpoint", &s3_endpoint,
           "The S3 server, \"https://s3.eu-west-3.amazonaws.com\"; buckets are addressed path-style.");
  o.String(prefix + "s3_bucket", &s3_bucket, "The bucket, which must exist.");
  o.String(prefix + "s3_region", &s3_region, "The region that requests are signed for.");
  o.String(prefix + "s3_credentials_file", &s3_credentials_file, "One line: access key id, ':', secret access key.");
  o.List(prefix + "s3_networks", &s3_networks, "Private networks that the S3 server may be in, \"10.0.0.0/8\".");
}

net::HttpClientConfig BlobConfig::HttpConfig() const {
  net::HttpClientConfig http;
  http.connections_max = 32;
  http.queue_max = 256;
  http.response_max_bytes = kObjectMaxBytes + (1 << 20);
  http.allowed_networks = s3_networks;
  return http;
}

StatusOr<std::unique_ptr<BlobStore>> MakeBlobStore(const BlobConfig& config, net::HttpClient& http,
                                                   const Clock& clock) {
  if (config.store == "s3") return MakeS3Store(config, http, clock);
  return FolderStore::Open({.folder = config.folder, .free_min_bytes = config.folder_free_min_bytes}, clock);
}

}  // namespace parvis::blob
