#include "platform/rpc/tls.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdio>

#include <absl/strings/str_cat.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace parvis::rpc {
namespace {

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;

// The first object of a PEM file, null if there is none. Never asks for a passphrase.
template <class T, class Read>
T ReadPem(const std::string& path, Read read) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (!file) return nullptr;
  static char no_passphrase[] = "";
  T object(read(file, nullptr, nullptr, no_passphrase));
  std::fclose(file);
  return object;
}

Status Unreadable(const char* what, const std::string& path) {
  return MakeError(Code::kFailedPrecondition, "TLS_FILE_UNREADABLE",
                   absl::StrCat("the ", what, " in ", path, " cannot be read; it must be a PEM file without a passphrase"));
}

std::shared_ptr<grpc::experimental::CertificateProviderInterface> Watch(const TlsConfig& config) {
  const int64_t seconds = std::max<int64_t>(1, absl::ToInt64Seconds(config.refresh));
  return std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      config.key_file, config.certificate_file, config.ca_file, static_cast<unsigned>(seconds));
}

}  // namespace

void TlsConfig::Declare(app::Options& o, std::string_view prefix) {
  const auto name = [&](const char* rest) { return absl::StrCat(std::string(prefix), rest); };
  o.String(name("certificate_file"), &certificate_file,
           "PEM file with our certificate and its chain. With this, the key and the authority, connections use mutual TLS.");
  o.String(name("key_file"), &key_file, "PEM file with the certificate's private key.");
  o.String(name("ca_file"), &ca_file, "PEM file with the authorities whose certificates are trusted.");
  o.Duration(name("refresh"), &refresh, "How often the files are looked at for renewed certificates.", absl::Seconds(1),
             absl::Hours(24));
}

Status TlsConfig::Check() const {
  if (!on()) return absl::OkStatus();
  if (certificate_file.empty() || key_file.empty() || ca_file.empty()) {
    return MakeError(Code::kFailedPrecondition, "TLS_FILES_INCOMPLETE",
                     "TLS needs a certificate, its key and an authority: set all three files, or none for plain text");
  }
  const auto certificate = ReadPem<Certificate>(certificate_file, PEM_read_X509);
  if (!certificate) return Unreadable("certificate", certificate_file);
  const auto key = ReadPem<Key>(key_file, PEM_read_PrivateKey);
  if (!key) return Unreadable("private key", key_file);
  if (!ReadPem<Certificate>(ca_file, PEM_read_X509)) return Unreadable("authority's certificate", ca_file);
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return MakeError(Code::kFailedPrecondition, "TLS_KEY_MISMATCH",
                     absl::StrCat("the key in ", key_file, " is not that of the certificate in ", certificate_file));
  }
  return absl::OkStatus();
}

StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const TlsConfig& config) {
  if (!config.on()) return grpc::InsecureServerCredentials();
  PARVIS_RETURN_IF_ERROR(config.Check());
  grpc::experimental::TlsServerCredentialsOptions options(Watch(config));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ChannelCredentials(const TlsConfig& config) {
  if (!config.on()) return grpc::InsecureChannelCredentials();
  PARVIS_RETURN_IF_ERROR(config.Check());
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Watch(config));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace parvis::rpc
