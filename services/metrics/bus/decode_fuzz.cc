// Any bytes in the topics that metrics counts: a fact with its ids, or a refusal with a reason.
#include <cstdint>
#include <cstdlib>

#include "metrics/bus/decode.h"
#include "platform/base/ids.h"

namespace {

template <class Fact>
void Check(const parvis::StatusOr<Fact>& fact) {
  if (!fact.ok()) {
    if (fact.status().code() != parvis::Code::kInvalidArgument || parvis::ReasonOf(fact.status()).empty()) std::abort();
  } else if (!parvis::IsUuid(fact->workspace_id) || !parvis::IsUuid(fact->channel_id)) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  parvis::StreamRecord record;
  record.payload.assign(reinterpret_cast<const char*>(data), size);
  Check(parvis::metrics::ToActivityFact(record));
  Check(parvis::metrics::ToDeliveryFact(record));
  Check(parvis::metrics::ToConversationFact(record));
  Check(parvis::metrics::ToSampleFact(record));
  return 0;
}
