// Enveloped messages of Connect streams: one byte of flags, four bytes of length (big-endian), the message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace parvis::gateway {

inline constexpr uint8_t kEnvelopeCompressed = 1, kEnvelopeEndStream = 2;

std::string MakeEnvelope(uint8_t flags, std::string_view message);

// The one message of a server-streaming request's body; the view is into `body`. INVALID_ARGUMENT ENVELOPE_MISSING,
// ENVELOPE_TRUNCATED, ENVELOPE_EXTRA, ENVELOPE_FLAGS, MESSAGE_TOO_LARGE; UNIMPLEMENTED COMPRESSION.
StatusOr<std::string_view> ReadOneEnvelope(std::string_view body, size_t message_max);

}  // namespace parvis::gateway
