// Whom a WebSocket trusts: a server with a certificate of its own making is believed only by who was told to, and only under
// its name.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>

#include "platform/net/raw_socket.h"
#include "platform/net/stream_client.h"

namespace parvis::net {
namespace {

// A key and a certificate for "localhost", signed by itself.
struct Identity {
  Identity() : key(EVP_RSA_gen(2048)), certificate(X509_new()) {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
  }
  ~Identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  EVP_PKEY* key;
  X509* certificate;
};

std::string OpenAt(const std::string& host, int port) {
  RealClock clock;
  obs::Metrics metrics;
  StreamClientConfig config;
  config.allowed_networks = {"127.0.0.0/8", "::1"};
  StreamClient client(config, clock, metrics);
  Call call = BackgroundCall("test");
  call.deadline = clock.Now() + absl::Seconds(10);
  std::unique_ptr<WebSocket> socket;
  const auto result = client.OpenSocket(call, {"wss://" + host + ":" + std::to_string(port) + "/", {}, {}}, &socket);
  return result.status.ok() ? std::to_string(result.http_status) : ReasonOf(result.status);
}

TEST(StreamTls, CertificatesAndNamesAreVerified) {
  const Identity identity;
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, identity.certificate);
  SSL_CTX_use_PrivateKey(context, identity.key);
  RawServer server([&](RawSocket& peer, int) {
    SSL* secure = SSL_new(context);
    SSL_set_fd(secure, peer.fd());
    if (SSL_accept(secure) == 1) {
      char head[4096];
      SSL_read(secure, head, sizeof head);
      const std::string no = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
      SSL_write(secure, no.data(), static_cast<int>(no.size()));
      SSL_shutdown(secure);
    }
    SSL_free(secure);
  });
  EXPECT_EQ(OpenAt("localhost", server.port), "CONNECT_FAILED");   // nobody vouches for it
  const std::string file = ::testing::TempDir() + "/parvis-stream-ca-" + std::to_string(getpid()) + ".pem";
  FILE* out = fopen(file.c_str(), "w");
  ASSERT_NE(out, nullptr);
  PEM_write_X509(out, identity.certificate);
  fclose(out);
  setenv("SSL_CERT_FILE", file.c_str(), 1);
  EXPECT_EQ(OpenAt("localhost", server.port), "403");              // believed, and heard
  EXPECT_EQ(OpenAt("127.0.0.1", server.port), "CONNECT_FAILED");   // another name
  unsetenv("SSL_CERT_FILE");
  std::filesystem::remove(file);
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace parvis::net
