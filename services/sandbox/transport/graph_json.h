// The words of the Graph API that Facebook and Instagram share: fields that are asked for, times, errors.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// The names at the top of `fields=id,from{name},comments.summary(true).limit(0)`: id, from, comments.
std::set<std::string> GraphFields(std::string_view fields);
// What stands behind `name` in it: "" where it is not asked for, or without more; ".limit(5){id,text}".
std::string GraphFieldDetail(std::string_view fields, std::string_view name);
// "id,text" of ".limit(5){id,text}", and the 5 of it.
std::string GraphDetailFields(std::string_view detail);
int GraphDetailLimit(std::string_view detail, int fallback);
// Keeps what was asked for; the id always comes along.
Json GraphOnly(Json all, const std::set<std::string>& fields);
// "2026-11-22T18:50:06+0000"
std::string GraphTime(absl::Time time);

struct GraphError {
  int http_status = 400;
  int code = 1;
  int subcode = 0;
  std::string message;
  std::string type = "OAuthException";
  bool transient = false;
  Json data;  // error_data, where there is one
};
net::HttpResponse GraphErrorResponse(const GraphError& error);
// Code 100 with this message.
net::HttpResponse GraphInvalid(std::string_view message);
// 100/33: not there, or not for this token.
net::HttpResponse GraphGone(std::string_view object);
net::HttpResponse GraphForbidden();
net::HttpResponse GraphFailed(const Status& status);

// "true", "1", "false", "0", or the fallback when `text` is empty.
bool GraphTrue(const std::string& text, bool fallback);
// A parameter that is JSON: in a form it is text, in a JSON body a member.
Json GraphStructured(const Request& request, const char* name);

}  // namespace parvis::sandbox
