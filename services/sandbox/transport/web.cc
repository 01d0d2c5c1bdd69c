#include "sandbox/transport/web.h"

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"

namespace parvis::sandbox {
namespace {

constexpr int kDepthMax = 32;
constexpr int kPartsMax = 20;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// nlohmann recurses while parsing; the depth is bounded before it is asked.
bool TooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

// The value of a parameter of a header: `name="x"`.
std::string HeaderParameter(std::string_view header, std::string_view name) {
  const std::string key = Cat(name, "=");
  size_t at = header.find(key);
  while (at != std::string_view::npos && at > 0 && header[at - 1] != ' ' && header[at - 1] != ';') {
    at = header.find(key, at + 1);
  }
  if (at == std::string_view::npos) return "";
  std::string_view value = header.substr(at + key.size());
  if (!value.empty() && value[0] == '"') {
    value.remove_prefix(1);
    return std::string(value.substr(0, value.find('"')));
  }
  return std::string(value.substr(0, value.find_first_of("; ")));
}

Status ReadMultipart(std::string_view body, std::string_view boundary, Request& request) {
  const std::string mark = Cat("--", boundary);
  size_t at = body.find(mark);
  while (at != std::string_view::npos) {
    at += mark.size();
    if (body.substr(at, 2) == "--") return absl::OkStatus();
    const size_t head_end = body.find("\r\n\r\n", at);
    const size_t next = head_end == std::string_view::npos ? head_end : body.find(Cat("\r\n", mark), head_end + 2);
    if (next == std::string_view::npos || static_cast<int>(request.parts.size()) >= kPartsMax) break;
    Part part;
    std::string_view head = body.substr(at, head_end - at);
    while (!head.empty()) {
      const size_t line_end = std::min(head.find("\r\n"), head.size());
      const std::string_view line = head.substr(0, line_end);
      if (absl::StartsWithIgnoreCase(View(line), "content-disposition:")) {
        part.name = HeaderParameter(line, "name");
        part.filename = HeaderParameter(line, "filename");
      } else if (absl::StartsWithIgnoreCase(View(line), "content-type:")) {
        part.content_type = std::string(line.substr(13));
        part.content_type.erase(0, part.content_type.find_first_not_of(' '));
      }
      head.remove_prefix(std::min(line_end + 2, head.size()));
    }
    part.body = next >= head_end + 4 ? std::string(body.substr(head_end + 4, next - head_end - 4)) : "";
    if (part.filename.empty() && part.content_type.empty()) request.params[part.name] = part.body;
    request.parts.push_back(std::move(part));
    at = next + 2;
  }
  return MakeError(Code::kInvalidArgument, "BODY_MALFORMED", "The multipart body has no end.");
}

std::string DigestOf(const net::HttpRequest& http) {
  uint64_t hash = 1469598103934665603ull;
  for (std::string_view part :
       {std::string_view(http.method), std::string_view(http.path), std::string_view(http.body)}) {
    for (unsigned char c : part) hash = (hash ^ c) * 1099511628211ull;
    hash = (hash ^ 0xff) * 1099511628211ull;
  }
  std::string out(16, '0');
  for (int i = 15; i >= 0; --i, hash >>= 4) out[i] = "0123456789abcdef"[hash & 15];
  return out;
}

}  // namespace

std::string Request::Param(const std::string& name, std::string_view fallback) const {
  auto it = params.find(name);
  return it == params.end() ? std::string(fallback) : it->second;
}

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty() && out.size() < 16) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) out.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return out;
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    const size_t length = c < 0x80                ? 1
                          : c >= 0xc2 && c < 0xe0 ? 2
                          : c >= 0xe0 && c < 0xf0 ? 3
                          : c >= 0xf0 && c < 0xf5 ? 4
                                                  : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    const unsigned char second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
        (c == 0xf4 && second > 0x8f)) {
      return false;
    }
    i += length;
  }
  return true;
}

std::optional<std::string> BearerOf(const net::HttpRequest& http) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string header = net::HeaderOf(http.headers, "authorization");
  if (!header.starts_with(kScheme)) return std::nullopt;
  return header.substr(kScheme.size());
}

size_t CodePoints(std::string_view text) {
  size_t n = 0;
  for (char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

int64_t ExtraNumber(const Item& item, const std::string& name) {
  return ReadNumber(Extra(item, name), 0, 0, INT64_MAX).value_or(0);
}

std::optional<int64_t> ReadNumber(std::string_view text, int64_t fallback, int64_t min, int64_t max) {
  if (text.empty()) return fallback;
  int64_t value = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9' || i >= 18) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  if (value < min || value > max) return std::nullopt;
  return value;
}

StatusOr<Request> ReadRequest(const net::HttpRequest& http, std::string_view prefix) {
  Request request{.http = http};
  request.path = SplitPath(std::string_view(http.path).substr(std::min(prefix.size(), http.path.size())));
  request.params = net::ParseQuery(http.query);
  request.digest = DigestOf(http);
  const auto host = http.headers.find("host");
  request.base_url = Cat("http://", host == http.headers.end() ? "localhost" : host->second);
  const std::string type = net::HeaderOf(http.headers, "content-type");
  if (!http.body.empty() && absl::StartsWithIgnoreCase(type, "application/json")) {
    if (!IsUtf8(http.body)) return MakeError(Code::kInvalidArgument, "BODY_NOT_UTF8", "The body is not UTF-8.");
    if (TooDeep(http.body)) return MakeError(Code::kInvalidArgument, "BODY_TOO_DEEP", "The body is nested too deeply.");
    request.json = Json::parse(http.body, nullptr, false);
    if (request.json.is_discarded()) return MakeError(Code::kInvalidArgument, "BODY_NOT_JSON", "The body is not JSON.");
    if (request.json.is_object()) {
      for (const auto& [name, value] : request.json.items()) {
        if (value.is_string())
          request.params[name] = value.get<std::string>();
        else if (!value.is_structured() && !value.is_null())
          request.params[name] = value.dump();
      }
    }
  } else if (absl::StartsWithIgnoreCase(type, "application/x-www-form-urlencoded")) {
    for (auto& [name, value] : net::ParseQuery(http.body)) request.params[name] = value;
  } else if (absl::StartsWithIgnoreCase(type, "multipart/form-data")) {
    PARVIS_RETURN_IF_ERROR(ReadMultipart(http.body, HeaderParameter(type, "boundary"), request));
  }
  for (const auto& [name, value] : request.params) {
    if (!IsUtf8(value)) return MakeError(Code::kInvalidArgument, "BODY_NOT_UTF8", "A parameter is not UTF-8.");
  }
  return request;
}

Json Member(const Json& json, const char* name) {
  if (!json.is_object()) return Json();
  const auto it = json.find(name);
  return it == json.end() ? Json() : *it;
}

std::vector<std::string> AllOf(std::string_view query, std::string_view name) {
  std::vector<std::string> out;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(part.find('='), part.size());
    const auto key = net::UrlDecode(part.substr(0, equals), true);
    auto value = net::UrlDecode(part.substr(std::min(equals + 1, part.size())), true);
    if (key.ok() && value.ok() && *key == name) out.push_back(*std::move(value));
  }
  return out;
}

net::HttpResponse JsonResponse(int status, const Json& json, bool ascii) {
  net::HttpResponse response;
  response.status = status;
  response.headers["Content-Type"] = "application/json; charset=UTF-8";
  response.body = json.dump(-1, ' ', ascii, Json::error_handler_t::replace);
  return response;
}

net::HttpResponse GatewayError(int status) {
  net::HttpResponse response;
  response.status = status;
  response.headers["Content-Type"] = "text/html";
  response.body =
      Cat("<html><head><title>", status, "</title></head><body><center><h1>", status, "</h1></center></body></html>\n");
  return response;
}

namespace {

// Members that no client knows, in every object down to a depth: what a network may start to send any day.
void AddOddMembers(Json& json, int depth) {
  if (depth > 4) return;
  if (json.is_object()) {
    for (auto& [name, value] : json.items()) AddOddMembers(value, depth + 1);
    json["x_novelty"] = {{"state", "SPARKLING"}, {"since", 9007199254740993}, {"parts", {1, nullptr, "🛸"}}};
  } else if (json.is_array()) {
    for (Json& value : json) AddOddMembers(value, depth + 1);
  }
}

// Sentences of a refusal in another language. What a sentence names (urn:..., numbers' owners) stays, as networks keep it.
void Translate(Json& json) {
  if (json.is_string()) {
    const std::string text = json.get<std::string>();
    if (text.find(' ') == std::string::npos && !text.starts_with("[[")) return;   // a code, not a sentence
    std::string said = "Une erreur est survenue, veuillez réessayer plus tard";
    const size_t urn = text.find("urn:");
    if (urn != std::string::npos) Append(said, " : ", text.substr(urn, text.find(' ', urn) - urn));
    json = said;
  } else if (json.is_structured()) {
    for (Json& value : json) Translate(value);
  }
}

void Change(net::HttpResponse& response, void (*change)(Json&)) {
  Json json = Json::parse(response.body, nullptr, false);
  if (json.is_discarded()) return;
  change(json);
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Reply UnderFaults(Context& context, Network network, const std::string& account, std::string_view operation,
                  const Refusals& refusals, const std::function<net::HttpResponse(Answer)>& perform) {
  const FaultPlan plan = context.faults.Decide(network, account, operation);
  Reply reply;
  reply.delay = plan.delay;
  if (plan.before == FaultKind::kLimit) {
    reply.response = refusals.limited();
  } else if (plan.before == FaultKind::kForbid) {
    reply.response = refusals.forbidden();
  } else if (plan.before == FaultKind::kServerError) {
    reply.response = GatewayError(plan.http_status);
  } else if (plan.before) {
    reply.abort = true;
  } else {
    reply.response = perform(plan.answer);
  }
  if (reply.response.status >= 400 && plan.localise && NatureOf(network).localised) Change(reply.response, Translate);
  if (plan.before || reply.response.status >= 400) return reply;  // nothing was accepted: the refusal is the answer
  if (plan.odd) Change(reply.response, [](Json& json) { AddOddMembers(json, 0); });
  switch (plan.answer) {
    case Answer::kOk:
    case Answer::kEmptyPage:  // `perform` has seen to it
      break;
    case Answer::kReset:
      reply.abort = true;
      break;
    case Answer::kGatewayTimeout:
      reply.response = GatewayError(504);
      break;
    case Answer::kGarbage:
      reply.response.status = 200;
      reply.response.headers = {{"Content-Type", "text/html"}};   // none of the network's own: ids stand in headers, too
      reply.response.body = "<!DOCTYPE html><title>Sorry</title>{\"data\":[";
  }
  return reply;
}

}  // namespace parvis::sandbox
