// AWS Signature Version 4 in the Authorization header, as S3 and all that speaks S3 checks it:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "platform/base/secret.h"

namespace parvis::blob {

struct SigV4Request {
  std::string method;  // "PUT"
  std::string path;    // as it is sent: absolute, every segment URI-encoded once
  std::string query;   // as it is sent: sorted by name, "name=value" with '&' between; "" = none
  std::map<std::string, std::string>
      headers;                 // lower-case names; all of them are signed; host and x-amz-date among them
  std::string payload_sha256;  // lower-case hex; what x-amz-content-sha256 says
};
struct SigV4Key {
  std::string id;
  Secret secret;
  std::string region;
};

std::string Sha256Hex(std::string_view bytes);
// The value of the Authorization header. `amz_date`: "20130524T000000Z", as in x-amz-date.
std::string SigV4Authorization(const SigV4Request& request, const SigV4Key& key, const std::string& amz_date);

}  // namespace parvis::blob
