// Any bytes in the topics that the inbox reads: understood, left out or refused with a reason that the dead letters can
// tell; and what is understood is what PostgreSQL can hold (no U+0000) and belongs to a workspace.
#include <cstdint>
#include <cstdlib>

#include "inbox/bus/decode.h"
#include "platform/base/ids.h"

namespace parvis::inbox {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void Check(const FoldInput& input) {
  if (const auto* a = std::get_if<Assessed>(&input)) {
    Require(IsUuid(a->workspace_id) && IsUuid(a->channel_id));
    Require(!a->remote_id.empty() && !a->activity_id.empty() && !a->conversation.empty());
    for (const std::string* text : {&a->network, &a->remote_id, &a->thread, &a->conversation, &a->parent_remote_id,
                                    &a->post_remote_id, &a->permalink, &a->text, &a->author.name, &a->language}) {
      Require(text->find('\0') == std::string::npos);
    }
    for (const auto& reason : a->reasons) Require(reason.rule.find('\0') == std::string::npos);
    return;
  }
  const auto& d = std::get<DeliveryUpdate>(input);
  Require(IsUuid(d.workspace_id) && IsUuid(d.channel_id));
  for (const std::string* text : {&d.remote_id, &d.target_remote_id, &d.permalink, &d.reason, &d.detail}) {
    Require(text->find('\0') == std::string::npos);
  }
}

}  // namespace
}  // namespace parvis::inbox

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  parvis::StreamRecord record;
  record.payload.assign(reinterpret_cast<const char*>(data), size);
  for (const char* topic : {parvis::inbox::bus::kAssessmentTopic, parvis::inbox::bus::kDeliveryTopic}) {
    record.topic = topic;
    const auto decoded = parvis::inbox::bus::Decode(record);
    if (!decoded.ok()) {
      if (decoded.status().code() != parvis::Code::kInvalidArgument || parvis::ReasonOf(decoded.status()).empty())
        std::abort();
    } else if (decoded->has_value()) {
      parvis::inbox::Check(**decoded);
    }
  }
  return 0;
}
