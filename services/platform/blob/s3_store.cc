#include "platform/blob/s3_store.h"

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "platform/base/ids.h"
#include "platform/blob/errors.h"

namespace parvis::blob {
namespace {

// As curl says it in Host: without the scheme's own port.
std::string HostOf(const std::string& endpoint) {
  std::string host = endpoint.substr(endpoint.find("//") + 2);
  const std::string own = endpoint.rfind("https:", 0) == 0 ? ":443" : ":80";
  if (host.size() > own.size() && host.compare(host.size() - own.size(), own.size(), own) == 0)
    host.resize(host.size() - own.size());
  return host;
}

// <Code>NoSuchKey</Code> of an answer that is an error; "" when there is none.
std::string CodeOf(const std::string& body) {
  const size_t begin = body.find("<Code>");
  if (begin == std::string::npos) return "";
  const size_t end = body.find("</Code>", begin);
  if (end == std::string::npos || end - begin > 70) return "";
  const std::string code = body.substr(begin + 6, end - begin - 6);
  const bool word = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
  return word ? code : "";
}

bool MayTryAgain(const net::ClientResult& result) {
  if (result.sent == net::Sent::kAnswered) {
    const int status = result.http_status;
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
  }
  return result.status.code() == Code::kUnavailable;  // a deadline is over, and what was refused will be refused again
}

// False: the deadline comes first.
bool Wait(const Call& call, const Clock& clock, absl::Duration wait) {
  if (clock.Now() + wait >= call.deadline) return false;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, absl::ToChronoNanoseconds(wait));
  return true;
}

}  // namespace

S3Store::S3Store(S3StoreOptions options, net::HttpClient& http, const Clock& clock)
    : options_(std::move(options)),
      host_(HostOf(options_.endpoint)),
      ping_key_("ping/" + RandomHex(16)),
      http_(http),
      clock_(clock) {}

net::ClientRequest S3Store::Signed(const std::string& method, const std::string& key, std::string body,
                                   const std::string& range) const {
  const std::string date = absl::FormatTime("%Y%m%dT%H%M%SZ", clock_.WallNow(), absl::UTCTimeZone());
  SigV4Request to_sign;
  to_sign.method = method;
  to_sign.path = "/" + options_.bucket + "/" + key;  // of characters that are never encoded: IsKey
  to_sign.payload_sha256 = Sha256Hex(body);
  to_sign.headers = {{"host", host_}, {"x-amz-content-sha256", to_sign.payload_sha256}, {"x-amz-date", date}};
  if (!range.empty()) to_sign.headers["range"] = range;
  net::ClientRequest request;
  request.method = method;
  request.url = options_.endpoint + to_sign.path;
  for (const auto& [name, value] : to_sign.headers) {
    if (name != "host") request.headers[name] = value;
  }
  if (method == "PUT") request.headers["Content-Type"] = "application/octet-stream";
  request.headers["Authorization"] = SigV4Authorization(to_sign, options_.key, date);
  request.body = std::move(body);
  return request;
}

net::ClientResult S3Store::Send(const Call& call, const std::string& method, const std::string& key, std::string body,
                                const std::string& range) {
  Backoff backoff(options_.retry);
  while (true) {
    // Signed anew each time: a signature holds for minutes only.
    net::ClientResult result = http_.Send(call, Signed(method, key, body, range));
    if (!MayTryAgain(result) || backoff.Exhausted() || !Wait(call, clock_, backoff.Next())) return result;
  }
}

// The next ping does not go by the last one any more.
Status S3Store::Failed(const net::ClientResult& result, const std::string& key) {
  Status status = ErrorOf(result, key);
  if (status.code() == Code::kUnavailable) {
    const std::lock_guard lock(mutex_);
    pinged_ = Instant{};
  }
  return status;
}

Status S3Store::ErrorOf(const net::ClientResult& result, const std::string& key) const {
  if (result.sent != net::Sent::kAnswered) {
    const Error error = ToError(result.status);
    const std::string why = "the object store was not reached: " + error.message;
    return error.code == Code::kInvalidArgument || error.code == Code::kPermissionDenied ? Refused(why) : Away(why);
  }
  const int status = result.http_status;
  const std::string code = CodeOf(result.body);
  const std::string why = "the object store answered " + std::to_string(status) + (code.empty() ? "" : " " + code);
  if (status == 404 && code != "NoSuchBucket") return Missing(key);
  if (status == 507 || code == "QuotaExceeded" || code == "XMinioStorageFull" || code == "InsufficientStorage" ||
      code == "XMinioAdminBucketQuotaExceeded") {
    return Full(why);
  }
  if (status == 429 || status >= 500) return Away(why);
  return Refused(why);  // wrong key, region, bucket, clock or endpoint: it takes a person
}

Status S3Store::Put(const Call& call, const std::string& key, std::string_view bytes) {
  PARVIS_RETURN_IF_ERROR(CheckObject(key, bytes));
  const net::ClientResult result = Send(call, "PUT", key, std::string(bytes), "");
  if (result.sent == net::Sent::kAnswered && result.http_status == 200) return absl::OkStatus();
  const Status failed = Failed(result, key);
  return failed.code() == Code::kNotFound ? Refused("the object store has no such bucket") : failed;
}

StatusOr<std::string> S3Store::Read(const Call& call, const std::string& key, int64_t offset, int64_t length) {
  PARVIS_RETURN_IF_ERROR(CheckKey(key));
  offset = std::max<int64_t>(offset, 0);
  length = std::clamp<int64_t>(length, 0, kObjectMaxBytes);
  // There is no empty range: for nothing one byte is read, which tells whether the object is there.
  const int64_t last =
      (offset > INT64_MAX - kObjectMaxBytes ? INT64_MAX - kObjectMaxBytes : offset) + std::max<int64_t>(length, 1) - 1;
  net::ClientResult result = Send(call, "GET", key, "", "bytes=" + std::to_string(offset) + "-" + std::to_string(last));
  if (result.sent == net::Sent::kAnswered) {
    if (result.http_status == 416) return std::string();  // begins beyond the end
    if (result.http_status == 200) {                      // a server that gives the whole object
      if (offset >= static_cast<int64_t>(result.body.size())) return std::string();
      return result.body.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
    }
    if (result.http_status == 206) {
      if (static_cast<int64_t>(result.body.size()) > std::max<int64_t>(length, 1))
        return Away("the object store gave more than was asked for");
      result.body.resize(std::min(result.body.size(), static_cast<size_t>(length)));
      return std::move(result.body);
    }
  }
  return Failed(result, key);
}

Status S3Store::Delete(const Call& call, const std::string& key) {
  PARVIS_RETURN_IF_ERROR(CheckKey(key));
  const net::ClientResult result = Send(call, "DELETE", key, "", "");
  if (result.sent == net::Sent::kAnswered && (result.http_status == 204 || result.http_status == 200))
    return absl::OkStatus();
  const Status failed = Failed(result, key);
  return failed.code() == Code::kNotFound ? absl::OkStatus() : failed;
}

Status S3Store::Ping(const Call& call) {
  {
    const std::lock_guard lock(mutex_);
    if (pinged_.nanos != 0 && clock_.Now() - pinged_ < options_.ping_every) return absl::OkStatus();
  }
  const std::string mark = RandomHex(16);
  PARVIS_RETURN_IF_ERROR(Put(call, ping_key_, mark));
  PARVIS_ASSIGN_OR_RETURN(const std::string read, Read(call, ping_key_, 0, kObjectMaxBytes));
  if (read != mark) return Away("the object store does not give back what was written");
  PARVIS_RETURN_IF_ERROR(Delete(call, ping_key_));
  const std::lock_guard lock(mutex_);
  pinged_ = clock_.Now();
  return absl::OkStatus();
}

}  // namespace parvis::blob
