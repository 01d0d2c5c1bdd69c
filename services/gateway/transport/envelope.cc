#include "gateway/transport/envelope.h"

#include <absl/strings/str_cat.h>

namespace parvis::gateway {
namespace {

constexpr size_t kHeader = 5;

Status Wrong(std::string_view reason, std::string_view message) {
  return MakeError(Code::kInvalidArgument, reason, message);
}

}  // namespace

std::string MakeEnvelope(uint8_t flags, std::string_view message) {
  const auto length = static_cast<uint32_t>(message.size());
  std::string out;
  out.reserve(kHeader + message.size());
  out += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(length >> shift & 0xFF);
  out += message;
  return out;
}

StatusOr<std::string_view> ReadOneEnvelope(std::string_view body, size_t message_max) {
  if (body.empty())
    return Wrong("ENVELOPE_MISSING", "the body must hold one enveloped message: 1 byte of flags, 4 of length");
  if (body.size() < kHeader) return Wrong("ENVELOPE_TRUNCATED", "the body ends inside the envelope's header");
  const auto flags = static_cast<uint8_t>(body[0]);
  if ((flags & kEnvelopeCompressed) != 0) {
    return MakeError(Code::kUnimplemented, "COMPRESSION", "compressed messages are not supported; supported: identity");
  }
  if (flags != 0) return Wrong("ENVELOPE_FLAGS", "the flags of a request's message must be 0");
  uint32_t length = 0;
  for (size_t i = 1; i < kHeader; ++i) length = length << 8 | static_cast<unsigned char>(body[i]);
  const std::string_view rest = body.substr(kHeader);
  if (length > message_max) {
    return Wrong("MESSAGE_TOO_LARGE",
                 absl::StrCat("the message has ", length, " bytes, at most ", message_max, " are allowed"));
  }
  if (rest.size() < length) {
    return Wrong("ENVELOPE_TRUNCATED",
                 absl::StrCat("the envelope announces ", length, " bytes, ", rest.size(), " came"));
  }
  if (rest.size() > length) return Wrong("ENVELOPE_EXTRA", "the body must hold one message and nothing else");
  return rest;
}

}  // namespace parvis::gateway
