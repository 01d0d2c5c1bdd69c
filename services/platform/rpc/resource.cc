#include "platform/rpc/resource.h"

#include <openssl/sha.h>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "platform/base/ids.h"

namespace parvis::rpc {
namespace {

constexpr char kVersion = '\x01';
constexpr size_t kTokenMax = 4096, kPartsMax = 16, kSumSize = 4;

std::string Sha256(std::string_view bytes, size_t length) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return std::string(reinterpret_cast<const char*>(digest), length);
}

Status BadToken() {
  return ToStatus({.code = Code::kInvalidArgument,
                   .reason = "PAGE_TOKEN_INVALID",
                   .message = "page_token is not one that this server gave",
                   .violations = {{"page_token", "must be a next_page_token of an earlier page, unchanged",
                                   "PAGE_TOKEN_INVALID"}}});
}

// Two bytes of length, then the bytes: a keyset's parts are short.
void AppendPart(std::string_view part, std::string& out) {
  out += static_cast<char>(part.size() >> 8);
  out += static_cast<char>(part.size() & 0xFF);
  out += part;
}

bool TakePart(std::string_view& rest, std::string& part) {
  if (rest.size() < 2) return false;
  const size_t length =
      static_cast<size_t>(static_cast<unsigned char>(rest[0])) << 8 | static_cast<unsigned char>(rest[1]);
  if (rest.size() < 2 + length) return false;
  part = rest.substr(2, length);
  rest.remove_prefix(2 + length);
  return true;
}

}  // namespace

StatusOr<std::vector<std::string>> ParseName(std::string_view field, std::string_view name, std::string_view pattern) {
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(name.data(), name.size()), '/');
  const std::vector<std::string> wanted = absl::StrSplit(absl::string_view(pattern.data(), pattern.size()), '/');
  std::vector<std::string> ids;
  bool right = parts.size() == wanted.size();
  for (size_t i = 0; right && i < parts.size(); ++i) {
    if (wanted[i] == "*") {
      right = IsUuid(parts[i]);
      ids.push_back(parts[i]);
    } else {
      right = parts[i] == wanted[i];
    }
  }
  if (right) return ids;
  return ToStatus(
      {.code = Code::kInvalidArgument,
       .reason = "INVALID_NAME",
       .message = absl::StrCat(std::string(field), " is not a name of the form ", std::string(pattern)),
       .violations = {{std::string(field),
                       absl::StrCat("must be ", std::string(pattern), ", with a lower-case UUID for each *"),
                       "INVALID_NAME"}}});
}

std::string EncodePageToken(std::string_view query_digest, const std::vector<std::string>& keyset) {
  std::string body(1, kVersion);
  AppendPart(query_digest, body);
  for (const std::string& part : keyset) AppendPart(part, body);
  return absl::WebSafeBase64Escape(Sha256(body, kSumSize) + body);
}

StatusOr<std::vector<std::string>> DecodePageToken(std::string_view token, std::string_view query_digest) {
  std::string bytes;
  if (token.size() > kTokenMax || !absl::WebSafeBase64Unescape(absl::string_view(token.data(), token.size()), &bytes) ||
      bytes.size() < kSumSize + 3) {
    return BadToken();
  }
  std::string_view body = std::string_view(bytes).substr(kSumSize);
  if (Sha256(body, kSumSize) != bytes.substr(0, kSumSize) || body[0] != kVersion) return BadToken();
  body.remove_prefix(1);
  std::string digest;
  if (!TakePart(body, digest)) return BadToken();
  if (digest != query_digest) {
    return ToStatus({.code = Code::kInvalidArgument,
                     .reason = "PAGE_TOKEN_OF_ANOTHER_QUERY",
                     .message = "page_token belongs to a request with other arguments",
                     .violations = {{"page_token", "must come with the same arguments as the page it continues",
                                     "PAGE_TOKEN_OF_ANOTHER_QUERY"}}});
  }
  std::vector<std::string> keyset;
  while (!body.empty()) {
    std::string part;
    if (keyset.size() == kPartsMax || !TakePart(body, part)) return BadToken();
    keyset.push_back(std::move(part));
  }
  return keyset;
}

std::string QueryDigest(const google::protobuf::Message& request) {
  const std::unique_ptr<google::protobuf::Message> query(request.New());
  query->CopyFrom(request);
  for (const char* name : {"page_size", "page_token"}) {
    const auto* field = query->GetDescriptor()->FindFieldByName(name);
    if (field != nullptr) query->GetReflection()->ClearField(query.get(), field);
  }
  std::string bytes = query->GetDescriptor()->full_name() + "|";
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    query->SerializePartialToCodedStream(&out);
  }
  return Sha256(bytes, 8);
}

StatusOr<int> PageSize(int requested, int default_size, int max) {
  if (requested < 0) return InvalidField("page_size", "PAGE_SIZE", "must not be negative");
  return std::min(requested == 0 ? default_size : requested, max);
}

Status CheckRequestId(std::string_view request_id) {
  if (request_id.empty() || !NormalizeUuid(request_id).empty()) return absl::OkStatus();
  return InvalidField("request_id", "REQUEST_ID", "must be a UUID, the same for every try of one request");
}

}  // namespace parvis::rpc
