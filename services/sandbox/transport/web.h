// What the simulated networks share: reading a request in any of the forms a network accepts, answering, and the point
// where a fault strikes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/net/http.h"
#include "platform/net/http_server.h"
#include "sandbox/domain/faults.h"
#include "sandbox/domain/limits.h"
#include "sandbox/domain/oauth.h"
#include "sandbox/domain/world.h"
#include "sandbox/network/fetcher.h"

namespace parvis::sandbox {

using Json = nlohmann::json;

struct StreamOpening;   // streams.h
class Webhooks;

// How a request is answered: with `response` after `delay`, by closing the connection, or with a stream.
struct Reply {
  net::HttpResponse response;
  bool abort = false;
  absl::Duration delay;
  std::shared_ptr<const StreamOpening> stream;
};

// What every network's handler works on. Not owned.
struct Context {
  World& world;
  Faults& faults;
  Limits& limits;
  const Clock& clock;
};

struct Part {  // of multipart/form-data
  std::string name, filename, content_type, body;
};

struct Request {
  const net::HttpRequest& http;
  std::vector<std::string> path;              // segments behind the network's prefix: {"v23.0", "me"}
  std::map<std::string, std::string> params;  // query, then form fields, then JSON members that are not objects
  Json json;                                  // the JSON body, or null
  std::vector<Part> parts;
  std::string digest;    // of method, path and body
  std::string base_url;  // "http://127.0.0.1:1234", as the caller sees us: for links in answers
  std::string Param(const std::string& name, std::string_view fallback = "") const;
};

// INVALID_ARGUMENT BODY_NOT_JSON, BODY_NOT_UTF8, BODY_TOO_DEEP, BODY_MALFORMED.
StatusOr<Request> ReadRequest(const net::HttpRequest& http, std::string_view prefix);

// What follows "Bearer " in Authorization; nullopt without it.
std::optional<std::string> BearerOf(const net::HttpRequest& http);
// Members of the path: "/a//b/" -> {"a", "b"}.
std::vector<std::string> SplitPath(std::string_view path);
bool IsUtf8(std::string_view text);
// Base-10 number within the bounds, or the fallback when `text` is empty; nullopt when it is wrong.
std::optional<int64_t> ReadNumber(std::string_view text, int64_t fallback, int64_t min, int64_t max);
// The item's extra as a number; 0 without it, or when it is none.
int64_t ExtraNumber(const Item& item, const std::string& name);
size_t CodePoints(std::string_view text);

// The member, or null where `json` has none or is no object.
Json Member(const Json& json, const char* name);
// The values of a parameter that may come several times, as `name=a&name=b`.
std::vector<std::string> AllOf(std::string_view query, std::string_view name);

// JSON as PHP-made networks send it (all but ASCII escaped), or plain UTF-8.
net::HttpResponse JsonResponse(int status, const Json& json, bool ascii = true);
net::HttpResponse GatewayError(int status);

// What a network answers when it refuses whatever is asked.
struct Refusals {
  std::function<net::HttpResponse()> limited;    // too many calls
  std::function<net::HttpResponse()> forbidden;  // the account may not
};

// Runs one operation: first what the faults forbid, then `perform`, whose success is then answered as the faults say.
Reply UnderFaults(Context& context, Network network, const std::string& account, std::string_view operation,
                  const Refusals& refusals, const std::function<net::HttpResponse(Answer)>& perform);

// One simulated network: everything below its prefix. Thread-safe; all state is the Context's.
class Face {
 public:
  virtual ~Face() = default;
  virtual Reply Handle(const net::HttpRequest& http) = 0;
  // The addresses that the network fetches before it answers the request, of those that it can reach from here.
  virtual std::vector<std::string> Fetches(const net::HttpRequest&) const { return {}; }
  // The same as Handle, with what was found there.
  virtual Reply HandleFetched(const net::HttpRequest& http, const Fetched&) { return Handle(http); }
};
struct Served {
  std::string prefix;   // "/x": the face has all paths below it
  Network network;
  std::unique_ptr<Face> face;
};
std::vector<Served> MakeFaces(Context& context, OAuth& oauth, Webhooks& webhooks);

}  // namespace parvis::sandbox
