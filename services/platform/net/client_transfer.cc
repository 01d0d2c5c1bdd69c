#include "platform/net/client_transfer.h"

#include <algorithm>
#include <memory>

namespace parvis::net {
namespace {

constexpr int64_t kResponseHeadersMax = 256 << 10;

Status UrlRefused(const std::string& why) { return MakeError(Code::kInvalidArgument, "URL_REFUSED", why); }

bool IsToken(std::string_view text) {  // RFC 9110 §5.6.2
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool IsFieldValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool IsForm(const ClientRequest& request) {
  if (request.method != "POST" && request.method != "PUT" && request.method != "PATCH") return false;
  const auto type = request.headers.find("Content-Type");
  return type == request.headers.end() || type->second.rfind("application/x-www-form-urlencoded", 0) == 0;
}

}  // namespace

void InitializeCurlOnce() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)code;
}

std::string Base64(std::string_view bytes) {
  static const char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = static_cast<unsigned char>(bytes[i]) << 16;
    if (i + 1 < bytes.size()) group |= static_cast<unsigned char>(bytes[i + 1]) << 8;
    if (i + 2 < bytes.size()) group |= static_cast<unsigned char>(bytes[i + 2]);
    out.push_back(kAlphabet[group >> 18]);
    out.push_back(kAlphabet[(group >> 12) & 63]);
    out.push_back(i + 1 < bytes.size() ? kAlphabet[(group >> 6) & 63] : '=');
    out.push_back(i + 2 < bytes.size() ? kAlphabet[group & 63] : '=');
  }
  return out;
}

StatusOr<std::string> OriginOf(const std::string& url) {
  if (url.size() > 16384) return UrlRefused("the URL is longer than 16384 bytes");
  for (char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return UrlRefused("the URL contains a blank or control character");
  }
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return UrlRefused("the URL cannot be parsed");
  }
  const auto part = [&](CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    std::string out;
    if (curl_url_get(parsed.get(), which, &text, flags) == CURLUE_OK && text != nullptr) out = text;
    curl_free(text);
    return out;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return UrlRefused("only http and https URLs are called");
  // The marker is looked for as well: "http://@host" has empty user information.
  const size_t authority = url.find("//");
  const std::string_view rest = authority == std::string::npos ? std::string_view(url) : std::string_view(url).substr(authority + 2);
  if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty() ||
      rest.substr(0, rest.find_first_of("/?#\\")).find('@') != std::string_view::npos) {
    return UrlRefused("user information in a URL is refused");
  }
  const std::string host = part(CURLUPART_HOST);
  if (host.empty()) return UrlRefused("the URL has no host");
  return scheme + "://" + host + ":" + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

Status CheckRequest(const ClientRequest& request) {
  const auto refuse = [](const std::string& why) { return MakeError(Code::kInvalidArgument, "HEADER_REFUSED", why); };
  if (!IsToken(request.method) || request.method.size() > 32) return refuse("the method is not a token");
  for (const auto& [name, value] : request.headers) {
    if (!IsToken(name)) return refuse("a header's name is not a token");
    if (!IsFieldValue(value)) return refuse("the header " + name + " contains a line break or NUL");
  }
  if (!IsFieldValue(request.bearer.Reveal())) return refuse("the bearer token contains a line break or NUL");
  return absl::OkStatus();
}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void Transfer::SetHeaders(const HttpClientConfig& config) {
  const auto add = [this](const std::string& line) {
    if (curl_slist* longer = curl_slist_append(headers_, line.c_str())) headers_ = longer;
  };
  for (const auto& [name, value] : request_.headers) add(value.empty() ? name + ";" : name + ": " + value);
  if (!request_.bearer.empty()) add("Authorization: Bearer " + request_.bearer.Reveal());
  if (!request_.basic.empty()) add("Authorization: Basic " + Base64(request_.basic.Reveal()));
  add("Expect:");  // "Expect: 100-continue" would cost a round trip, and old servers never answer it
  if (request_.headers.count("User-Agent") == 0) add("User-Agent: " + config.user_agent);
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
}

void Transfer::SetMethodAndBody() {
  std::string url = request_.url;
  if (!request_.secret_parameter.empty() && !request_.secret_value.empty()) {
    const std::string field = UrlEncode(request_.secret_parameter) + "=" + UrlEncode(request_.secret_value.Reveal());
    if (IsForm(request_)) {
      if (!request_.body.empty()) request_.body += "&";
      request_.body += field;
    } else {
      const size_t fragment = url.find('#');
      if (fragment != std::string::npos) url.resize(fragment);
      url += (url.find('?') == std::string::npos ? "?" : "&") + field;
    }
  }
  curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
  if (request_.method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (request_.method == "GET" && request_.body.empty()) {
    curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
  } else {
    if (request_.method != "DELETE" || !request_.body.empty()) {
      curl_easy_setopt(easy_, CURLOPT_POST, 1L);
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.c_str());
    }
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
}

Status Transfer::Prepare(const HttpClientConfig& config, const AddressGuard& guard, absl::Duration remaining) {
  easy_ = curl_easy_init();
  if (easy_ == nullptr) return MakeError(Code::kResourceExhausted, "HTTP_QUEUE_FULL", "no memory for another transfer");
  guard_ = &guard;
  response_max_ = config.response_max_bytes;
  const long total_ms = std::max<long>(1, absl::ToInt64Milliseconds(remaining));
  SetMethodAndBody();
  SetHeaders(config);
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");  // never what the environment says: a proxy would connect past the guard
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy_, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, total_ms);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                   std::min<long>(total_ms, std::max<long>(1, absl::ToInt64Milliseconds(config.connect_max))));
  curl_easy_setopt(easy_, CURLOPT_MAXAGE_CONN, 30L);  // an older idle connection is likely closed by the other side
  curl_easy_setopt(easy_, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::OnOpenSocket);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &Transfer::OnBeforeRequest);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  return absl::OkStatus();
}

size_t Transfer::OnBody(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  const size_t bytes = size * count;
  if (transfer->streaming_) return transfer->sink_({data, bytes}) ? bytes : CURL_WRITEFUNC_PAUSE;
  if (static_cast<int64_t>(transfer->result_.body.size() + bytes) > transfer->response_max_) {
    transfer->too_large_ = true;
    return 0;
  }
  transfer->result_.body.append(data, bytes);
  return bytes;
}

size_t Transfer::OnHeader(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  const size_t bytes = size * count;
  transfer->header_bytes_ += static_cast<int64_t>(bytes);
  if (transfer->header_bytes_ > kResponseHeadersMax) {
    transfer->too_large_ = true;
    return 0;
  }
  std::string_view line(data, bytes);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.rfind("HTTP/", 0) == 0) transfer->result_.headers.clear();  // after a 1xx answer the real one follows
  if (line.empty() && transfer->sink_) {
    long status = 0;
    curl_easy_getinfo(transfer->easy_, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 == 2 && !transfer->streaming_) {
      transfer->streaming_ = true;
      transfer->head_.sent = Sent::kAnswered;
      transfer->head_.http_status = static_cast<int>(status);
      transfer->head_.headers = transfer->result_.headers;
    }
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return bytes;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  auto [it, is_new] = transfer->result_.headers.try_emplace(std::string(line.substr(0, colon)), value);
  if (!is_new) it->second += ", " + std::string(value);
  return bytes;
}

curl_socket_t Transfer::OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address) {
  auto* transfer = static_cast<Transfer*>(self);
  // This very address is what curl connects to next: whatever the name resolves to later changes nothing.
  const auto bytes = AddressOf(&address->addr);
  if (purpose != CURLSOCKTYPE_IPCXN || !bytes.ok() || !transfer->guard_->Allows(*bytes)) {
    transfer->address_refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int Transfer::OnBeforeRequest(void* self, char*, char*, int, int) {
  // curl sends a request again by itself when a reused connection dies before the first byte of the answer. The network
  // may have acted on the first one, so the second is refused: who calls decides.
  auto* transfer = static_cast<Transfer*>(self);
  return ++transfer->attempts_ == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

Sent Transfer::HowFar() const {
  if (attempts_ == 0) return Sent::kNo;
  long request_bytes = 0;  // bytes of the request's head that were written; 0 when not even the first write succeeded
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request_bytes);
  return request_bytes == 0 ? Sent::kNo : Sent::kMaybe;
}

void Transfer::Finish(CURLcode code) {
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    result_.sent = Sent::kAnswered;
    result_.http_status = static_cast<int>(status);
    result_.status = absl::OkStatus();
    done_(std::move(result_));
    return;
  }
  const Sent sent = HowFar();
  Status status;
  if (too_large_) {
    status = MakeError(Code::kResourceExhausted, "RESPONSE_TOO_LARGE", "the answer is larger than the limit");
  } else if (address_refused_ && attempts_ == 0) {
    status = MakeError(Code::kPermissionDenied, "ADDRESS_REFUSED",
                       "the host's address is private, local or reserved and not in allowed_networks");
  } else if (code == CURLE_OPERATION_TIMEDOUT) {
    status = MakeError(Code::kDeadlineExceeded, "HTTP_TIMEOUT", "no answer in time");
  } else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    status = UrlRefused("the URL cannot be called");
  } else if (attempts_ == 0) {
    status = MakeError(Code::kUnavailable, "CONNECT_FAILED", std::string("no connection: ") + curl_easy_strerror(code));
  } else {
    status = MakeError(Code::kUnavailable, "CONNECTION_LOST", std::string("the connection was lost: ") + curl_easy_strerror(code));
  }
  ClientResult failed;
  failed.sent = sent;
  failed.status = std::move(status);
  done_(std::move(failed));
}

void Transfer::Fail(const Status& status) {
  ClientResult failed;
  failed.sent = easy_ == nullptr ? Sent::kNo : HowFar();
  failed.status = status;
  done_(std::move(failed));
}

}  // namespace parvis::net
