#include "publishing/domain/sha256.h"

#include <cstdio>

namespace parvis::publishing {
namespace {

std::string Hex(uint32_t word) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", word);
  return text;
}

// Of exactly `digits` lower-case hex digits.
std::optional<uint64_t> FromHex(std::string_view text) {
  uint64_t value = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit);
  }
  return value;
}

}  // namespace

std::optional<Sha256> Sha256::Resume(std::string_view saved) {
  if (saved.empty()) return Sha256();
  if (saved.size() != 80) return std::nullopt;
  Sha256 out;
  for (size_t i = 0; i < 8; ++i) {
    const auto word = FromHex(saved.substr(i * 8, 8));
    if (!word) return std::nullopt;
    out.state_.state[i] = static_cast<uint32_t>(*word);
  }
  const auto size = FromHex(saved.substr(64));
  if (!size || *size % 64 != 0) return std::nullopt;
  out.state_.count = *size * 8;   // in bits
  return out;
}

std::string Sha256::Save() const {
  std::string out;
  for (const uint32_t word : state_.state) out += Hex(word);
  const uint64_t size = state_.count / 8;
  return out + Hex(static_cast<uint32_t>(size >> 32)) + Hex(static_cast<uint32_t>(size));
}

void Sha256::Add(std::string_view bytes) {
  crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::string Sha256::Finish() {
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_final(&state_, digest);
  std::string out;
  for (size_t i = 0; i < sizeof digest; i += 4) {
    out += Hex(uint32_t{digest[i]} << 24 | uint32_t{digest[i + 1]} << 16 | uint32_t{digest[i + 2]} << 8 | digest[i + 3]);
  }
  return out;
}

std::string Sha256::Of(std::string_view bytes) {
  Sha256 hash;
  hash.Add(bytes);
  return hash.Finish();
}

bool IsSha256(std::string_view text) {
  if (text.size() != 64) return false;
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

}  // namespace parvis::publishing
