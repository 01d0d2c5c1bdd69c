// JSON of webhooks, by simdjson: bounded in depth, UTF-8 checked, ids as text whether they came as text or as numbers.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

#include "networks/connector.h"

namespace parvis::networks {

inline constexpr size_t kWebhookDepthMax = 64;
inline constexpr size_t kWebhookPartsMax = 10000;   // things in one call; networks batch up to 1000
inline constexpr size_t kHappeningTextMax = 64 << 10;

using JsonValue = simdjson::dom::element;

// Parses `body` into the parser of this thread: the value is good until the next call on it. Otherwise adds the whole body
// to `content.unparsed` (NOT_JSON, TOO_DEEP, NOT_UTF8) and returns nullopt.
std::optional<JsonValue> ParseWebhookBody(std::string_view body, WebhookContent* content);

// nullopt when missing or of another type.
std::optional<JsonValue> Get(const JsonValue& object, std::string_view key);
std::optional<std::string_view> GetText(const JsonValue& object, std::string_view key);
std::string GetId(const JsonValue& object, std::string_view key);      // text or integer; "" otherwise
std::string GetString(const JsonValue& object, std::string_view key);  // "" otherwise; cut at kHappeningTextMax, NUL left out
std::optional<int64_t> GetNumber(const JsonValue& object, std::string_view key);   // integer, or text of digits

// Adds `part` as it came (minified) to the unparsed.
void AddUnparsed(const JsonValue& part, std::string_view reason, std::string_view detail, WebhookContent* content);

// Seconds, or milliseconds where a network mixes them: whatever lies after the year 5138 in seconds is milliseconds.
absl::Time TimeOfNumber(int64_t value);
int64_t RevisionOf(absl::Time time);   // microseconds since 1970

}  // namespace parvis::networks
