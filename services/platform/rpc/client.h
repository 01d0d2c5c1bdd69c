// Calling another service: a channel with keepalive and round_robin, a deadline on every call (the caller's remaining
// time, capped), retries on UNAVAILABLE only (AIP-194; within a RetryBudget), trace and a short-lived service token.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "platform/app/config.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "platform/obs/metrics.h"
#include "platform/rpc/tls.h"

namespace grpc {
class Channel;
class ClientContext;
class Status;
}  // namespace grpc

namespace parvis::rpc {

struct ClientConfig {
  std::string address;  // "dns:///accounts:8443" or "127.0.0.1:1234"
  absl::Duration call_max = absl::Seconds(5);
  int tries_max = 3;
  std::string service_key_file;
  TlsConfig tls;
  std::string tls_name;  // that the server's certificate must bear; empty: the host of `address`
  void Declare(app::Options& o, std::string_view prefix);  // e.g. "accounts_"
};

class Client {
 public:
  Client(std::string_view service, const ClientConfig& config, const Clock& clock, obs::Metrics& metrics);
  ~Client();
  // Reaches nobody when the configured files cannot be used; Invoke then says why (TlsConfig::Check, ReadSecretFile).
  std::shared_ptr<grpc::Channel> channel() const;
  // Blocking: runs `call_once` (a stub's method with a fresh context each try) on the caller's thread.
  //   client.Invoke(call, [&](grpc::ClientContext& ctx) { return stub->GetChannel(&ctx, request, &response); });
  Status Invoke(const Call& call, const std::function<grpc::Status(grpc::ClientContext&)>& call_once);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// grpc::Status ⇄ Status, with ErrorInfo, BadRequest and RetryInfo details.
grpc::Status ToGrpc(const Status& status, std::string_view domain);
Status FromGrpc(const grpc::Status& status);

// "svc.<base64url payload>.<base64url HMAC-SHA256>": payload "name|expiry unix seconds"; lives 60 s.
std::string MakeServiceToken(std::string_view service, const Secret& key, absl::Time now);
// UNAUTHENTICATED TOKEN_UNKNOWN / TOKEN_EXPIRED. Returns the service's name.
StatusOr<std::string> CheckServiceToken(std::string_view token, const Secret& key, absl::Time now);

}  // namespace parvis::rpc
