// SHA-256 (FIPS 180-4) that can be put aside: an upload comes in chunks, to whichever replica, and is hashed as it comes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parvis::publishing {

class Sha256 {
 public:
  // Between two chunks only: the number of bytes so far is a multiple of 64.
  static std::optional<Sha256> Resume(std::string_view saved);   // nullopt unless it is what Save() gave
  std::string Save() const;

  // All pieces but the last have a multiple of 64 bytes.
  void Add(std::string_view bytes);
  std::string Finish();   // 64 lower-case hex characters; nothing may follow

  static std::string Of(std::string_view bytes);

 private:
  void Block(const unsigned char* block);
  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint64_t size_ = 0;
  std::string rest_;   // of the last piece: less than a block
};

// Whether it is one in lower-case hex.
bool IsSha256(std::string_view text);

}  // namespace parvis::publishing
