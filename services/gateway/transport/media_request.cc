#include "gateway/transport/media_request.h"

#include <algorithm>

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "platform/base/ids.h"

namespace parvis::gateway {
namespace {

constexpr std::string_view kPrefix = "/media/", kBytes = "bytes=";
constexpr size_t kUuid = 36, kSignatureMax = 64, kDigitsMax = 15;

// nullopt for anything but digits.
std::optional<int64_t> Number(std::string_view text) {
  int64_t value = 0;
  const bool digits = !text.empty() && text.size() <= kDigitsMax && text.find_first_not_of("0123456789") == text.npos;
  if (!digits || !absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<AskedRange> ParseRange(std::string_view header) {
  if (!header.starts_with(kBytes)) return std::nullopt;
  header.remove_prefix(kBytes.size());
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::optional<int64_t> first = Number(header.substr(0, dash)), last = Number(header.substr(dash + 1));
  if ((dash > 0) != first.has_value() || (dash + 1 < header.size()) != last.has_value()) return std::nullopt;
  if ((!first && !last) || (first && last && *last < *first)) return std::nullopt;
  return AskedRange{first.value_or(-1), last.value_or(-1)};
}

std::optional<Part> PartOf(const AskedRange& range, int64_t size) {
  if (range.first < 0) {
    const int64_t length = std::min(range.last, size);
    return length > 0 ? std::optional(Part{size - length, length}) : std::nullopt;
  }
  if (range.first >= size) return std::nullopt;
  const int64_t last = range.last < 0 ? size - 1 : std::min(range.last, size - 1);
  return Part{range.first, last + 1 - range.first};
}

bool IsMediaPath(std::string_view path) { return path.starts_with(kPrefix); }

std::optional<MediaRequest> ParseMediaRequest(const net::HttpRequest& request) {
  const std::string& path = request.path;
  if (!IsMediaPath(path) || path.size() != kPrefix.size() + 2 * kUuid + 1 || path[kPrefix.size() + kUuid] != '/') {
    return std::nullopt;
  }
  const std::string workspace = path.substr(kPrefix.size(), kUuid), media = path.substr(path.size() - kUuid);
  auto query = net::ParseQuery(request.query);
  const std::optional<int64_t> expires = Number(query["expires"]);
  const std::string& signature = query["signature"];
  if (!IsUuid(workspace) || !IsUuid(media) || !expires || signature.empty() || signature.size() > kSignatureMax) {
    return std::nullopt;
  }
  // A string of protobuf is UTF-8, and a signature is plainer than that.
  if (!std::all_of(signature.begin(), signature.end(), [](char c) { return c > 0x20 && c < 0x7F; })) return std::nullopt;
  return MediaRequest{.name = absl::StrCat("workspaces/", workspace, "/media/", media),
                      .expires = *expires,
                      .signature = signature,
                      .head = request.method == "HEAD",
                      .range = ParseRange(net::HeaderOf(request.headers, "range")),
                      .if_range = net::HeaderOf(request.headers, "if-range")};
}

}  // namespace parvis::gateway
