// JSON as networks send and take it: read without exceptions and within bounds, written whatever the text holds.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace parvis::networks {

using Json = nlohmann::json;

// Never throws; a discarded value for what is no JSON, is nested deeper than 100 or has more than 200,000 values.
Json ParseJson(std::string_view text);
// Never throws: what is not UTF-8 becomes U+FFFD.
std::string Dump(const Json& json);
// The member, or a null value.
const Json& Member(const Json& object, const char* key);
// The member as text: strings as they are, integers in decimal; "" for anything else or when missing.
std::string Text(const Json& object, const char* key);
// The same as UTF-8 of at most `max` bytes, for what ends in a record: names, ids, addresses.
std::string CleanText(const Json& object, const char* key, size_t max = 256);
// The member as a whole number; 0 for anything else or when missing.
int64_t NumberOf(const Json& object, const char* key);
// Whether the member is true; false for anything else or when missing.
bool IsTrue(const Json& object, const char* key);
// Whether `text` is a number as ids are: 1 to 20 digits (64 bits), no sign.
bool IsNumber(std::string_view text);

}  // namespace parvis::networks
