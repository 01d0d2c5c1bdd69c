#include "networks/wire/json.h"

#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

constexpr int kDepthMax = 100;
constexpr size_t kValuesMax = 200'000;  // a page of a hundred items has a few thousand

// Depth and number of values are bounded before parsing: nlohmann's own callback for that looks through all elements of
// an array after each object in it, so that a megabyte of "{}," would keep a thread for an hour.
bool WithinBounds(std::string_view text) {
  int depth = 0;
  size_t values = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if ((c == '[' || c == '{') && ++depth > kDepthMax) return false;
    if (c == ']' || c == '}') --depth;
    if (c == ',' && ++values > kValuesMax) return false;
  }
  return true;
}

}  // namespace

Json ParseJson(std::string_view text) {
  if (!WithinBounds(text)) return Json(Json::value_t::discarded);
  try {
    return Json::parse(text.begin(), text.end(), nullptr, false);
  } catch (const std::exception&) {
    return Json(Json::value_t::discarded);
  }
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

const Json& Member(const Json& object, const char* key) {
  static const Json* const null = new Json;
  if (!object.is_object()) return *null;
  const auto it = object.find(key);
  return it == object.end() ? *null : *it;
}

std::string Text(const Json& object, const char* key) {
  const Json& value = Member(object, key);
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  return "";
}

int64_t NumberOf(const Json& object, const char* key) {
  const Json& value = Member(object, key);
  return value.is_number_integer() ? value.get<int64_t>() : 0;
}

bool IsTrue(const Json& object, const char* key) {
  const Json& value = Member(object, key);
  return value.is_boolean() && value.get<bool>();
}

std::string CleanText(const Json& object, const char* key, size_t max) {
  return text::CutBytes(text::ToUtf8(Text(object, key)), max);
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= 20 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace parvis::networks
