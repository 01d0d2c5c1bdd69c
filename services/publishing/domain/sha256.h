// SHA-256 (FIPS 180-4, by libsodium, whose state is a plain struct) that can be put aside: an upload comes in chunks, to whichever
// replica, and is hashed as it comes.
#pragma once

#include <sodium/crypto_hash_sha256.h>

#include <optional>
#include <string>
#include <string_view>

namespace parvis::publishing {

class Sha256 {
 public:
  Sha256() { crypto_hash_sha256_init(&state_); }
  // Between two chunks only: the number of bytes so far is a multiple of 64.
  static std::optional<Sha256> Resume(std::string_view saved);   // nullopt unless it is what Save() gave
  std::string Save() const;

  // All pieces but the last have a multiple of 64 bytes.
  void Add(std::string_view bytes);
  std::string Finish();   // 64 lower-case hex characters; nothing may follow

  static std::string Of(std::string_view bytes);

 private:
  crypto_hash_sha256_state state_;   // between two pieces its buffer is empty
};

// Whether it is one in lower-case hex.
bool IsSha256(std::string_view text);

}  // namespace parvis::publishing
