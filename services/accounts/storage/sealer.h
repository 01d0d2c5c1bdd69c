// Seals credentials: XChaCha20-Poly1305 (libsodium, crypto_aead_xchacha20poly1305_ietf) with a random 192-bit nonce and
// "workspace|channel" as associated data, so that a sealed value copied to another row does not open.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace parvis::accounts {

class Sealer {
 public:
  struct Sealed {
    std::string key_id;
    std::string bytes;  // nonce, ciphertext, tag
  };
  // Keys from the lines "<key id> <base64 of 32 bytes>" of a file; the first is current, the others open what was
  // sealed before. Empty lines and lines that start with '#' are skipped. FAILED_PRECONDITION SEAL_KEYS (which line,
  // never what).
  static StatusOr<Sealer> FromFile(const std::string& path);
  static StatusOr<Sealer> FromText(std::string_view text);

  StatusOr<Sealed> Seal(std::string_view associated, const Secret& plain) const;
  // INTERNAL CREDENTIALS_UNREADABLE: no such key, or the value or its associated data were changed.
  StatusOr<Secret> Open(std::string_view associated, std::string_view key_id, std::string_view bytes) const;
  const std::string& current_key_id() const { return current_; }

 private:
  std::map<std::string, Secret, std::less<>> keys_;
  std::string current_;
};

// BLAKE2b-256 of an API key's secret (see domain/api_keys.h for why a fast hash is enough).
std::string HashKeySecret(const Secret& secret);

}  // namespace parvis::accounts
