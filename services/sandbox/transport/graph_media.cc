// What is uploaded to Meta's upload hosts (facts 1.2, 2.2), and what the Graph API counts (facts 1.3, 2.3).
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/graph.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kFileMax = int64_t{1} << 40;

net::HttpResponse UploadError(int status, bool retriable, std::string_view message) {
  return JsonResponse(
      status, {{"debug_info", {{"retriable", retriable}, {"type", "ProcessingFailedError"}, {"message", message}}}});
}

}  // namespace

std::string Graph::UploadUrl(const Asked& asked, const std::string& id) const {
  return Cat(asked.request.base_url, product_.prefix, "/", product_.uploads, "/", asked.version, "/", id);
}

int64_t Graph::Number(const Item& item, const char* name) {
  const auto it = item.extra.find(name);
  return it == item.extra.end() ? 0 : ReadNumber(it->second, 0, 0, kFileMax).value_or(0);
}

bool Graph::Arrived(const Item& item) {
  return item.extra.contains("size") && Number(item, "received") == Number(item, "size");
}

Json Graph::UploadingPhase(const Item& item) {
  return {{"status", Arrived(item) ? "complete" : "in_progress"}, {"bytes_transferred", Number(item, "received")}};
}

// All that is left of the file in one request, from the offset at which the last one stopped; or its address.
net::HttpResponse Graph::TakeBytes(const Asked& asked) {
  const net::HttpRequest& http = asked.request.http;
  const ItemPtr item = Target(asked);
  if (http.method != "POST") return UploadError(400, false, "Only POST is taken here");
  if (item == nullptr || !item->extra.contains("upload"))
    return UploadError(404, false, "There is no such upload session");
  std::map<std::string, std::string> now;
  if (const std::string url = net::HeaderOf(http.headers, "file_url"); !url.empty()) {
    if (!url.starts_with("http")) return UploadError(400, false, "file_url is not an address");
    now = {{"size", "1"}, {"received", "1"}, {"source", url}};
  } else {
    const auto offset = ReadNumber(net::HeaderOf(http.headers, "offset"), -1, 0, kFileMax);
    const auto size = ReadNumber(net::HeaderOf(http.headers, "file_size"), -1, 1, kFileMax);
    if (!offset || *offset < 0 || !size || *size < 0) return UploadError(400, false, "offset and file_size are needed");
    if (*offset != Number(*item, "received"))
      return UploadError(400, true, "The offset is not where the upload stopped");
    if (*offset + static_cast<int64_t>(http.body.size()) != *size)
      return UploadError(400, false, "PartialRequestError: partial bodies are not taken");
    now = {{"size", std::to_string(*size)}, {"received", std::to_string(*size)}, {"source", http.body.substr(0, 16)}};
  }
  const auto taken = context_.world.SetExtra(product_.network, item->id, now);
  return taken.ok() ? JsonResponse(200, {{"success", true}})
                    : UploadError(404, false, "There is no such upload session");
}

// One name that is not known refuses the whole request.
net::HttpResponse Graph::Insights(const Asked& asked, const std::vector<std::string_view>& known, const ItemPtr& item,
                                  bool totals) const {
  std::string names = asked.Param("metric");
  if (names.empty()) {
    return GraphErrorResponse(
        {.code = 3001, .subcode = 1504028, .message = "(#3001) No metric was specified to be fetched."});
  }
  Json data = Json::array();
  for (size_t at = 0; at <= names.size();) {
    const size_t end = std::min(names.find(',', at), names.size());
    const std::string name = names.substr(at, end - at);
    at = end + 1;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return GraphInvalid(Cat("The value must be a valid insights metric: ", name));
    }
    const std::string period = asked.Param("period").empty() ? "lifetime" : asked.Param("period");
    const int64_t value = item == nullptr ? 0 : Number(*item, name.c_str());
    Json one = {{"name", name},
                {"period", period},
                {"title", name},
                {"description", ""},
                {"id", Cat(asked.object, "/insights/", name, "/", period)}};
    if (totals) {
      one["total_value"] = {{"value", value}};
    } else {
      one["values"] = {{{"value", value}}};
    }
    data.push_back(std::move(one));
  }
  return JsonResponse(200, {{"data", std::move(data)}});
}

}  // namespace parvis::sandbox
