// Between what web clients send (JSON or binary protobuf) and what gRPC carries (binary), by descriptor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <google/protobuf/descriptor.h>

#include "platform/base/error.h"

namespace parvis::gateway {

enum class Encoding { kJson, kProto };

// A Content-Type of the Connect protocol.
struct Format {
  Encoding encoding = Encoding::kJson;
  bool stream = false;
  std::string_view ContentType() const;
};
// "application/json; charset=utf-8" and the like, without case; nothing for all else (other charsets too).
std::optional<Format> ParseContentType(std::string_view header);

struct DecodeLimits {
  size_t message_max_bytes = 1 << 20;
  int json_depth_max = 64;
};

// The request as gRPC carries it. An empty JSON body is an empty message. INVALID_ARGUMENT: MESSAGE_TOO_LARGE,
// NOT_UTF8, TOO_DEEP, NOT_JSON, UNKNOWN_FIELD and WRONG_VALUE (a violation names the field), NOT_PROTO.
StatusOr<std::string> DecodeRequest(Encoding encoding, std::string_view body, const google::protobuf::Descriptor& type,
                                    const DecodeLimits& limits);

// The response as the client reads it: JSON with lowerCamel names, enums as names, int64 as strings, defaults printed.
// INTERNAL BAD_RESPONSE when the backend's bytes are not a message of `type`.
StatusOr<std::string> EncodeResponse(Encoding encoding, std::string wire, const google::protobuf::Descriptor& type);

}  // namespace parvis::gateway
