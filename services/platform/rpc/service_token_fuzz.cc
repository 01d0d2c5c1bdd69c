// Any bytes as the token of another service: refused, whatever they are, unless we signed them; and any bytes as a
// traceparent.
#include <cstdint>
#include <cstdlib>

#include "platform/base/call.h"
#include "platform/rpc/client.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parvis;  // NOLINT: one function
  static const auto* const key = new Secret("0123456789abcdef0123456789abcdef");
  static const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  for (const std::string& token : {bytes, "svc." + bytes, "svc." + bytes + "." + bytes}) {
    if (rpc::CheckServiceToken(token, *key, now).ok()) std::abort();
  }
  if (size == 0) return 0;
  // One of ours in which something was changed: at most its base64 is written in another way.
  std::string ours = rpc::MakeServiceToken("inbox", *key, now);
  const size_t at = data[0] % ours.size();
  const std::string changed = ours.substr(0, at) + bytes.substr(1) + ours.substr(std::min(at + size - 1, ours.size()));
  const auto name = rpc::CheckServiceToken(changed, *key, now);
  if (name.ok() && *name != "inbox") std::abort();
  (void)Trace::FromTraceparent(bytes);
  return 0;
}
