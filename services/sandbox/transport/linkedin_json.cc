#include "sandbox/transport/linkedin_json.h"

#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/linkedin_urns.h"

namespace parvis::sandbox {

net::HttpResponse LinkedinRefusal(const LinkedinError& error) {
  Json json = {{"status", error.status}, {"message", error.message}};
  if (!error.code.empty()) json["code"] = error.code;
  if (error.service_code >= 0) json["serviceErrorCode"] = error.service_code;
  if (!error.field.empty()) {
    json["errorDetailType"] = "com.linkedin.common.error.BadRequest";
    json["errorDetails"] = {{"inputErrors",
                             {{{"code", error.code},
                               {"description", error.message},
                               {"input", {{"inputPath", {{"fieldPath", error.field}}}}}}}}};
  }
  return JsonResponse(error.status, json, false);
}

net::HttpResponse LinkedinGone(std::string_view what) {
  return LinkedinRefusal({.status = 404, .message = Cat("Could not find entity: ", what), .code = "NOT_FOUND"});
}

net::HttpResponse LinkedinFailed(const Status& status) {
  if (status.code() == Code::kNotFound) return LinkedinGone("it has gone");
  return LinkedinRefusal({.status = 500, .message = "Internal Server Error", .code = "INTERNAL_SERVER_ERROR"});
}

net::HttpResponse LinkedinEmpty(int status) {
  net::HttpResponse response;
  response.status = status;
  return response;
}

net::HttpResponse LinkedinInvalid(std::string_view field, std::string_view what) {
  return LinkedinRefusal(
      {.status = 422, .message = Cat("ERROR :: /", field, " :: ", what, "\n"), .code = "UNPROCESSABLE_ENTITY"});
}

std::optional<net::HttpResponse> LinkedinCheck(const Json& body, const std::vector<std::string_view>& required,
                                               const std::vector<std::string_view>& known) {
  if (!body.is_object())
    return LinkedinRefusal({.message = "Empty or malformed request body", .code = "ILLEGAL_ARGUMENT"});
  for (const std::string_view name : required) {
    if (!body.contains(name)) return LinkedinInvalid(name, "field is required but not found and has no default value");
  }
  for (const auto& [name, value] : body.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      return LinkedinInvalid(name, "unrecognized field found but not allowed");
    }
  }
  return std::nullopt;
}

Json LinkedinAt(const Json& json, std::initializer_list<const char*> names) {
  const Json* at = &json;
  for (const char* name : names) {
    if (!at->is_object() || !at->contains(name)) return Json();
    at = &at->at(name);
  }
  return *at;
}

Json LinkedinPost(const Item& item) {
  const int64_t created = absl::ToUnixMillis(item.created);
  Json json = {{"id", item.id},
               {"author", item.author_id},
               {"commentary", item.text},
               {"visibility", Extra(item, "visibility")},
               {"lifecycleState", item.published ? "PUBLISHED" : "DRAFT"},
               {"lifecycleStateInfo", {{"isEditedByAuthor", item.edited}}},
               {"isReshareDisabledByAuthor", Extra(item, "reshare_disabled") == "true"},
               {"createdAt", created},
               {"lastModifiedAt", absl::ToUnixMillis(item.changed)}};
  if (item.published) json["publishedAt"] = created;
  for (const char* name : {"distribution", "content"}) {
    const Json part = Json::parse(Extra(item, name), nullptr, false);
    if (part.is_object()) json[name] = part;
  }
  return json;
}

std::optional<LinkedinPaging> ReadPaging(const Request& request, int64_t count_max) {
  const auto start = ReadNumber(request.Param("start"), 0, 0, 1'000'000'000);
  const auto count = ReadNumber(request.Param("count"), 10, 0, 1'000'000);
  if (!start || !count) return std::nullopt;
  return LinkedinPaging{*start, std::min(*count, count_max)};
}

net::HttpResponse LinkedinPage(const Request& request, const LinkedinPaging& paging, size_t total, Json elements,
                               bool empty) {
  if (empty) elements = Json::array();
  Json links = Json::array();
  const int64_t next = paging.start + static_cast<int64_t>(elements.size());
  if (paging.count > 0 && next < static_cast<int64_t>(total)) {
    // Every parameter again, in the form in which it came: lists have literal parentheses.
    std::string query;
    for (std::string_view rest = request.http.query; !rest.empty();) {
      const std::string_view part = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(part.size() + 1, rest.size()));
      if (part.starts_with("start=") || part.starts_with("count=")) continue;
      Append(query, part, "&");
    }
    const std::string target = request.http.target.substr(0, request.http.target.find('?'));
    const std::string path = target.starts_with("/linkedin") ? target.substr(9) : target;
    links.push_back({{"type", "application/json"},
                     {"rel", "next"},
                     {"href", Cat(path, "?", query, "start=", next, "&count=", paging.count)}});
  }
  return JsonResponse(
      200,
      {{"paging", {{"start", paging.start}, {"count", paging.count}, {"total", total}, {"links", links}}},
       {"elements", std::move(elements)}},
      false);
}

std::optional<std::vector<std::string>> LinkedinList(std::string_view query, std::string_view name) {
  std::vector<std::string> out;
  const std::string key = Cat(name, "=");
  for (std::string_view rest = query; !rest.empty();) {
    std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (!part.starts_with(key)) continue;
    part.remove_prefix(key.size());
    if (!part.starts_with("List(") || !part.ends_with(')')) return std::nullopt;
    part = part.substr(5, part.size() - 6);
    while (!part.empty()) {
      const std::string_view member = part.substr(0, part.find(','));
      part.remove_prefix(std::min(member.size() + 1, part.size()));
      auto decoded = net::UrlDecode(member, true);
      if (!decoded.ok()) return std::nullopt;
      out.push_back(*std::move(decoded));
    }
  }
  return out;
}

namespace {

constexpr std::string_view kReserved = "|{}@[]()<>#*_~";

// "@[Name](urn:li:organization:1)" at `at`: the name, and `at` moves behind it; "" when it is none.
std::string TakeMention(std::string_view text, size_t& at) {
  const size_t close = text.find("](", at), end = close == std::string_view::npos ? close : text.find(')', close);
  if (text.substr(at, 2) != "@[" || end == std::string_view::npos) return "";
  std::string name = LittleTextShown(text.substr(at + 2, close - at - 2));
  at = end + 1;
  return name;
}

// "{hashtag|\#|tag}" at `at`: "#tag", and `at` moves behind it.
std::string TakeHashtag(std::string_view text, size_t& at) {
  constexpr std::string_view kOpen = "{hashtag|\\#|";
  const size_t end = text.find('}', at);
  if (!text.substr(at).starts_with(kOpen) || end == std::string_view::npos) return "";
  std::string tag = Cat("#", text.substr(at + kOpen.size(), end - at - kOpen.size()));
  at = end + 1;
  return tag;
}

}  // namespace

std::string LittleTextShown(std::string_view commentary) {
  std::string out;
  for (size_t at = 0; at < commentary.size();) {
    const char c = commentary[at];
    if (c == '\\' && at + 1 < commentary.size()) {
      out.push_back(commentary[at + 1]);
      at += 2;
      continue;
    }
    const std::string element = c == '@' ? TakeMention(commentary, at) : c == '{' ? TakeHashtag(commentary, at) : "";
    if (!element.empty()) {
      out += element;
      continue;
    }
    // A lone '#' makes a hashtag as people write it, and '@', '*', '_', '~' stay; brackets end the text without a word.
    if (kReserved.find(c) != std::string_view::npos && std::string_view("#@*_~").find(c) == std::string_view::npos)
      break;
    out.push_back(c);
    ++at;
  }
  return out;
}

}  // namespace parvis::sandbox
