#include "networks/wire/webhook_json.h"

#include <algorithm>

#include "networks/text/unicode.h"

namespace parvis::networks {

std::optional<JsonValue> ParseWebhookBody(std::string_view body, WebhookContent* content) {
  thread_local simdjson::dom::parser parser;
  const auto fail = [&](std::string_view reason, std::string_view detail) {
    content->unparsed.push_back({std::string(body), std::string(reason), std::string(detail)});
    return std::nullopt;
  };
  if (parser.max_depth() != kWebhookDepthMax || parser.capacity() < body.size()) {
    if (parser.allocate(std::max<size_t>(body.size(), 64 << 10), kWebhookDepthMax) != simdjson::SUCCESS) {
      return fail("NOT_JSON", "too large to parse");
    }
  }
  JsonValue root;
  const simdjson::error_code error = parser.parse(body.data(), body.size(), true).get(root);
  if (error == simdjson::SUCCESS) return root;
  if (error == simdjson::DEPTH_ERROR) return fail("TOO_DEEP", "nested deeper than " + std::to_string(kWebhookDepthMax));
  if (error == simdjson::UTF8_ERROR) return fail("NOT_UTF8", "the body is not UTF-8");
  return fail("NOT_JSON", simdjson::error_message(error));
}

std::optional<JsonValue> Get(const JsonValue& object, std::string_view key) {
  JsonValue value;
  if (!object.is_object() || object.at_key(key).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::string_view> GetText(const JsonValue& object, std::string_view key) {
  const auto value = Get(object, key);
  std::string_view text;
  if (!value || value->get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::string GetId(const JsonValue& object, std::string_view key) {
  const auto value = Get(object, key);
  if (!value) return "";
  std::string_view text;
  if (value->get_string().get(text) == simdjson::SUCCESS) {
    if (text.size() > 256) return "";
    return text.find('\0') == std::string_view::npos ? std::string(text) : text::ToUtf8(text);  // it is UTF-8 already
  }
  int64_t number;
  if (value->get_int64().get(number) == simdjson::SUCCESS) return std::to_string(number);
  uint64_t big;
  if (value->get_uint64().get(big) == simdjson::SUCCESS) return std::to_string(big);
  return "";
}

std::string GetString(const JsonValue& object, std::string_view key) {
  const auto value = GetText(object, key);
  if (!value) return "";
  if (value->find('\0') == std::string_view::npos && value->size() <= kHappeningTextMax) return std::string(*value);
  return text::CutBytes(text::ToUtf8(*value), kHappeningTextMax);
}

std::optional<int64_t> GetNumber(const JsonValue& object, std::string_view key) {
  const auto value = Get(object, key);
  if (!value) return std::nullopt;
  int64_t number;
  if (value->get_int64().get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value->get_string().get(text) != simdjson::SUCCESS || text.empty() || text.size() > 18) return std::nullopt;
  number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

void AddUnparsed(const JsonValue& part, std::string_view reason, std::string_view detail, WebhookContent* content) {
  content->unparsed.push_back({simdjson::minify(part), std::string(reason), std::string(detail)});
}

absl::Time TimeOfNumber(int64_t value) {
  constexpr int64_t kSecondsMax = 100'000'000'000;
  // Beyond what milliseconds can mean, the number is nonsense; a fixed time keeps the natural key stable.
  if (value < 0 || value > kSecondsMax * 1000) return absl::UnixEpoch();
  return value >= kSecondsMax ? absl::FromUnixMillis(value) : absl::FromUnixSeconds(value);
}

int64_t RevisionOf(absl::Time time) { return absl::ToUnixMicros(time); }

}  // namespace parvis::networks
