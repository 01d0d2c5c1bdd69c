// Mutual TLS between services: who listens asks for a certificate, who calls shows one, both trust the same authority.
// It says that a process belongs to the installation; what it may do, its service token or key says (access.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "platform/app/config.h"
#include "platform/base/error.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace parvis::rpc {

// PEM files. They are read again every `refresh`, so that renewed certificates need no restart; connections that are
// open keep those that they began with.
struct TlsConfig {
  std::string certificate_file;  // our own, with the chain up to the authority
  std::string key_file;
  std::string ca_file;  // whom we trust
  absl::Duration refresh = absl::Minutes(1);

  bool on() const { return !certificate_file.empty() || !key_file.empty() || !ca_file.empty(); }
  void Declare(app::Options& o, std::string_view prefix);  // e.g. "rpc_tls_"
  // FAILED_PRECONDITION TLS_FILES_INCOMPLETE (all three or none), TLS_FILE_UNREADABLE (not there, or not PEM),
  // TLS_KEY_MISMATCH (the key is not the certificate's). OK when TLS is off.
  Status Check() const;
};

// Plain text when TLS is off, else TLS 1.2 or newer with a certificate from both sides. Errors: those of Check.
// There is no way back to plain text: a caller that gets an error must not connect.
StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const TlsConfig& config);
StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ChannelCredentials(const TlsConfig& config);

}  // namespace parvis::rpc
