// What is checked of a JSON body before protobuf's parser sees it, and how that parser's complaints become errors of
// ours.
#pragma once

#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace parvis::gateway {

// INVALID_ARGUMENT NOT_UTF8 (with the byte's position), TOO_DEEP, NOT_JSON (not an object). One pass, no recursion.
Status CheckJson(std::string_view body, int depth_max);

// "(thing) no_such: Cannot find field." and the like -> UNKNOWN_FIELD, WRONG_VALUE with a violation naming the field,
// or NOT_JSON.
Status JsonError(const std::string& complaint);

}  // namespace parvis::gateway
