// Any bytes in the topic of commands: a command of a known kind with the time it was asked for, or a refusal with a reason.
#include <cstdint>
#include <cstdlib>

#include "publishing/bus/command_consumer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parvis;  // NOLINT: one function
  StreamRecord record;
  record.topic = publishing::kCommandTopic;
  record.payload.assign(reinterpret_cast<const char*>(data), size);
  const auto command = publishing::DecodeCommand(record);
  if (command.ok()) {
    if (command->kind == publishing::DeliveryKind::kPost) std::abort();  // a post never comes from another service
  } else if (command.status().code() != Code::kInvalidArgument || ReasonOf(command.status()).empty()) {
    std::abort();
  }
  return 0;
}
