// Certificates for tests: an authority that lives as long as the object, and what it signs, as PEM files.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "platform/rpc/tls.h"

namespace parvis::rpc::testing {

class Authority {
 public:
  // Files are named `folder`/`name`-*.pem.
  Authority(std::string folder, std::string name) : folder_(std::move(folder)), name_(std::move(name)) {
    key_ = EVP_EC_gen("P-256");
    certificate_ = Sign(key_, name_, "critical,CA:TRUE", nullptr);
    Write(Path("ca"), [&](FILE* file) { return PEM_write_X509(file, certificate_); });
  }
  ~Authority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  Authority(const Authority&) = delete;

  // A certificate for 127.0.0.1 and `dns`, good for a day; what was issued under that name before is replaced.
  TlsConfig Issue(const std::string& dns) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = Sign(key, dns, nullptr, ("IP:127.0.0.1,DNS:" + dns).c_str());
    Write(Path(dns + "-cert"), [&](FILE* file) { return PEM_write_X509(file, certificate); });
    Write(Path(dns + "-key"), [&](FILE* file) { return PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(certificate);
    EVP_PKEY_free(key);
    return {.certificate_file = Path(dns + "-cert"), .key_file = Path(dns + "-key"), .ca_file = Path("ca"),
            .refresh = absl::Seconds(1)};
  }

 private:
  std::string Path(const std::string& what) const { return folder_ + "/" + name_ + "-" + what + ".pem"; }
  template <class F>
  static void Write(const std::string& path, F write) {
    // In one step: who reads it meanwhile sees the old one or the new one.
    FILE* file = std::fopen((path + ".new").c_str(), "w");
    ASSERT_TRUE(file != nullptr && write(file) == 1) << path;
    std::fclose(file);
    ASSERT_EQ(std::rename((path + ".new").c_str(), path.c_str()), 0);
  }
  X509* Sign(EVP_PKEY* key, const std::string& subject, const char* constraints, const char* names) {
    X509* made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 24 * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(certificate_ ? certificate_ : made));
    X509_set_pubkey(made, key);
    if (constraints) Extend(made, NID_basic_constraints, constraints);
    if (names) Extend(made, NID_subject_alt_name, names);
    X509_sign(made, key_, EVP_sha256());
    return made;
  }
  static void Extend(X509* certificate, int nid, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  const std::string folder_, name_;
  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
  int serial_ = 0;
};

}  // namespace parvis::rpc::testing
