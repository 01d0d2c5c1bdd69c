// Any bytes as a page token: decoded or refused, never anything else; and what is encoded is decoded to the same.
#include <cstdint>
#include <cstdlib>

#include "platform/rpc/resource.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)parvis::rpc::DecodePageToken(bytes, "digest");
  if (size > 1000) return 0;
  const std::vector<std::string> keyset = {bytes, "x", bytes.substr(size / 2)};
  const auto again = parvis::rpc::DecodePageToken(parvis::rpc::EncodePageToken("digest", keyset), "digest");
  if (!again.ok() || *again != keyset) std::abort();
  return 0;
}
