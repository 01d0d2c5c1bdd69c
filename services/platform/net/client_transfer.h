// One transfer of the HTTP client: a libcurl easy handle and all that belongs to it. Internal to platform/net.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <string>

#include "platform/base/cancellation.h"
#include "platform/base/clock.h"
#include "platform/net/address_guard.h"
#include "platform/net/http_client.h"

namespace parvis::net {

// Checks scheme, host and user information, and names the host for the per-host limit ("https://host:port").
// INVALID_ARGUMENT URL_REFUSED.
StatusOr<std::string> OriginOf(const std::string& url);
// Checks what libcurl would pass on unseen: method, header names and values. INVALID_ARGUMENT HEADER_REFUSED.
Status CheckRequest(const ClientRequest& request);
std::string Base64(std::string_view bytes);
void InitializeCurlOnce();   // before anything else of libcurl

// Used by the I/O thread only, from Prepare() on.
class Transfer {
 public:
  Transfer(ClientRequest request, Instant deadline, std::function<void(ClientResult)> done,
           std::shared_ptr<const Cancellation> cancellation = nullptr)
      : request_(std::move(request)), deadline_(deadline), done_(std::move(done)), cancellation_(std::move(cancellation)) {}
  ~Transfer();
  Transfer(const Transfer&) = delete;

  // Makes the easy handle; after it, easy() may be given to the multi handle.
  Status Prepare(const HttpClientConfig& config, const AddressGuard& guard, absl::Duration remaining);
  // Turns curl's verdict into the result and calls back.
  void Finish(CURLcode code);
  // Ends it without curl: it never started, it is cancelled, or the client stops.
  void Fail(const Status& status);

  // For an answer without end: from the head of a 2xx answer on, the body goes to `sink` and not into the result. A sink that
  // returns false has taken nothing; the transfer is then paused until curl_easy_pause goes on with it.
  void StreamTo(std::function<bool(std::string_view)> sink) { sink_ = std::move(sink); }
  bool streaming() const { return streaming_; }
  // The answer without its body, once it is streaming.
  const ClientResult& head() const { return head_; }

  CURL* easy() const { return easy_; }
  Instant deadline() const { return deadline_; }
  bool cancellable() const { return cancellation_ != nullptr; }
  bool cancelled() const { return cancellation_ != nullptr && cancellation_->cancelled(); }

  std::string origin;
  Instant started;

 private:
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int OnBeforeRequest(void* self, char* to_ip, char* from_ip, int to_port, int from_port);
  void SetHeaders(const HttpClientConfig& config);
  void SetMethodAndBody();
  Sent HowFar() const;

  ClientRequest request_;
  const Instant deadline_;
  std::function<void(ClientResult)> done_;
  const std::shared_ptr<const Cancellation> cancellation_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  const AddressGuard* guard_ = nullptr;
  int64_t response_max_ = 0;
  int64_t header_bytes_ = 0;
  int attempts_ = 0;             // connections on which curl was about to send
  bool address_refused_ = false;
  bool too_large_ = false;
  std::function<bool(std::string_view)> sink_;
  bool streaming_ = false;
  ClientResult result_, head_;
};

}  // namespace parvis::net
