// What is asked for at GET /media/{workspace}/{media}?expires=...&signature=..., taken apart. Internal to transport.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/net/http_server.h"

namespace parvis::gateway {

// Of a Range header (RFC 9110 §14.2): from `first` to `last`, to the end when `last` is -1, or the last `last` bytes when
// `first` is -1.
struct AskedRange {
  int64_t first = -1, last = -1;
};
// nullopt for what is none, in another unit, or several at once: it is then as if nothing had been asked for.
std::optional<AskedRange> ParseRange(std::string_view header);

struct Part {
  int64_t offset = 0, length = 0;
};
// nullopt: there is nothing at that place.
std::optional<Part> PartOf(const AskedRange& range, int64_t size);

struct MediaRequest {
  std::string name;  // "workspaces/{workspace}/media/{media}"
  int64_t expires = 0;
  std::string signature;
  bool head = false;  // only what there is to know
  std::optional<AskedRange> range;
  std::string if_range;  // the range is meant only for what this names
};
bool IsMediaPath(std::string_view path);
// nullopt when nobody can have been given such an address.
std::optional<MediaRequest> ParseMediaRequest(const net::HttpRequest& request);

}  // namespace parvis::gateway
