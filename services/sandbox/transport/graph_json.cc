#include "sandbox/transport/graph_json.h"

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

// Calls `take` with every name at the top and what stands behind it.
void EachField(std::string_view fields, const std::function<void(std::string name, std::string_view detail)>& take) {
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= fields.size(); ++i) {
    if (i < fields.size()) {
      if (fields[i] == '{' || fields[i] == '(') ++depth;
      if (fields[i] == '}' || fields[i] == ')') --depth;
      if (depth != 0 || fields[i] != ',') continue;
    }
    std::string_view one = fields.substr(begin, i - begin);
    begin = i + 1;
    const size_t end = std::min(one.find_first_of("{(."), one.size());
    std::string name(one.substr(0, end));
    std::erase(name, ' ');
    if (!name.empty()) take(std::move(name), one.substr(end));
  }
}

}  // namespace

std::set<std::string> GraphFields(std::string_view fields) {
  std::set<std::string> out;
  EachField(fields, [&](std::string name, std::string_view) { out.insert(std::move(name)); });
  return out;
}

std::string GraphFieldDetail(std::string_view fields, std::string_view name) {
  std::string out;
  EachField(fields, [&](const std::string& one, std::string_view detail) {
    if (one == name) out = detail;
  });
  return out;
}

std::string GraphDetailFields(std::string_view detail) {
  const size_t begin = detail.find('{'), end = detail.rfind('}');
  return begin == std::string_view::npos || end == std::string_view::npos || end < begin
             ? ""
             : std::string(detail.substr(begin + 1, end - begin - 1));
}

int GraphDetailLimit(std::string_view detail, int fallback) {
  constexpr std::string_view kLimit = ".limit(";
  const std::string_view outer = detail.substr(0, std::min(detail.find('{'), detail.size()));
  const size_t at = outer.find(kLimit);
  if (at == std::string_view::npos) return fallback;
  const std::string_view number = outer.substr(at + kLimit.size());
  return static_cast<int>(
      ReadNumber(number.substr(0, std::min(number.find(')'), number.size())), fallback, 0, 100).value_or(fallback));
}

Json GraphOnly(Json all, const std::set<std::string>& fields) {
  Json out = Json::object();
  for (auto& [name, value] : all.items()) {
    if (name == "id" || fields.contains(name)) out[name] = std::move(value);
  }
  return out;
}

std::string GraphTime(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%S+0000", time, absl::UTCTimeZone()); }

net::HttpResponse GraphErrorResponse(const GraphError& error) {
  Json json = {
      {"message", error.message}, {"type", error.type}, {"code", error.code}, {"fbtrace_id", Cat("A", RandomHex(21))}};
  if (error.subcode != 0) {
    json["error_subcode"] = error.subcode;
    json["error_user_title"] = "Une erreur est survenue";  // localised: never to be matched on
    json["error_user_msg"] = "Veuillez réessayer plus tard.";
  }
  if (error.transient) json["is_transient"] = true;
  if (!error.data.is_null()) json["error_data"] = error.data;
  net::HttpResponse response = JsonResponse(error.http_status, {{"error", std::move(json)}});
  response.headers["Facebook-API-Version"] = "v23.0";
  return response;
}

net::HttpResponse GraphInvalid(std::string_view message) {
  return GraphErrorResponse({.code = 100, .message = Cat("(#100) ", message)});
}

net::HttpResponse GraphGone(std::string_view object) {
  return GraphErrorResponse({.code = 100,
                             .subcode = 33,
                             .message = Cat("Unsupported request. Object with ID '", object,
                                            "' does not exist, cannot be loaded due to "
                                            "missing permissions, or does not support this operation"),
                             .type = "GraphMethodException"});
}

net::HttpResponse GraphForbidden() {
  return GraphErrorResponse({.http_status = 403, .code = 200, .message = "(#200) Permissions error"});
}

net::HttpResponse GraphFailed(const Status& status) {
  if (status.code() == Code::kNotFound) return GraphGone("?");
  return GraphErrorResponse({.http_status = 500,
                             .code = 2,
                             .message = "An unexpected error has occurred. Please retry your request later.",
                             .transient = true});
}

bool GraphTrue(const std::string& text, bool fallback) {
  return text.empty() ? fallback : text == "true" || text == "1";
}

Json GraphStructured(const Request& request, const char* name) {
  if (request.json.is_object() && request.json.contains(name)) return request.json.at(name);
  return Json::parse(request.Param(name), nullptr, false);
}

}  // namespace parvis::sandbox
