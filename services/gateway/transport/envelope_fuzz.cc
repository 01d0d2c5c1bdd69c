// Any bytes as the body of a Connect request: framing, JSON check and decoding end with a message or an
// INVALID_ARGUMENT or UNIMPLEMENTED error, never in any other way.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "gateway/transport/codec.h"
#include "gateway/transport/envelope.h"
#include "parvis/platform/rpctest/v1/echo_service.pb.h"

namespace {

void Check(const absl::Status& status) {
  if (!status.ok() && status.code() != absl::StatusCode::kInvalidArgument &&
      status.code() != absl::StatusCode::kUnimplemented) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parvis::gateway;  // NOLINT: a fuzz target
  if (size == 0) return 0;
  const auto encoding = (data[0] & 1) != 0 ? Encoding::kProto : Encoding::kJson;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const DecodeLimits limits{.message_max_bytes = 1 << 16, .json_depth_max = 32};
  const auto& type = *parvis::rpctest::v1::EchoRequest::descriptor();
  const auto envelope = ReadOneEnvelope(bytes, limits.message_max_bytes);
  Check(envelope.status());
  if (envelope.ok()) Check(DecodeRequest(encoding, *envelope, type, limits).status());
  Check(DecodeRequest(encoding, bytes, type, limits).status());
  (void)ParseContentType(bytes);
  if (*ReadOneEnvelope(MakeEnvelope(0, bytes), size) != bytes) std::abort();
  return 0;
}
