#include "platform/base/ids.h"

#include <sys/random.h>

#include <cctype>
#include <cstdlib>

namespace parvis {
namespace {

constexpr char kHex[] = "0123456789abcdef";

std::string Format(uint64_t high, uint64_t low) {
  std::string out;
  out.reserve(36);
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) out += '-';
    const uint64_t word = nibble < 16 ? high : low;
    out += kHex[(word >> (60 - 4 * (nibble % 16))) & 15];
  }
  return out;
}

}  // namespace

std::string RandomBytes(int n) {
  std::string bytes(n, '\0');
  for (int done = 0; done < n;) {
    const ssize_t got = getrandom(bytes.data() + done, n - done, 0);
    if (got < 0) std::abort();  // Linux: only for a bad pointer, or before boot has entropy with GRND_NONBLOCK
    done += static_cast<int>(got);
  }
  return bytes;
}

std::string RandomHex(int n) {
  std::string out;
  for (const unsigned char byte : RandomBytes((n + 1) / 2)) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  out.resize(n);
  return out;
}

Ids::Ids(const Clock& clock) : clock_(clock) {}
Ids::Ids(const Clock& clock, uint64_t seed) : clock_(clock), seeded_(seed) {}

uint64_t Ids::Random() {
  if (seeded_) return seeded_->Next();
  uint64_t word = 0;
  const std::string bytes = RandomBytes(8);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&word));
  return word;
}

std::string Ids::New() {
  const std::lock_guard lock(mutex_);
  const int64_t now = absl::ToUnixMillis(clock_.WallNow());
  if (now > last_millis_) {
    last_millis_ = now;
    counter_ = static_cast<uint32_t>(Random() & 0x7ff);  // leaves room to count up within this millisecond
  } else if (++counter_ > 0xfff) {
    ++last_millis_;  // borrowed from the future rather than going backwards; also covers a wall clock stepped back
    counter_ = 0;
  }
  const uint64_t high = (static_cast<uint64_t>(last_millis_) << 16) | 0x7000 | counter_;
  const uint64_t low = (Random() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return Format(high, low);
}

std::string NormalizeUuid(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
    if (c == '-' && text.size() == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) continue;
    if (!std::isxdigit(static_cast<unsigned char>(c))) return "";
    digits += c;
  }
  if (digits.size() != 32) return "";
  for (const int at : {8, 13, 18, 23}) digits.insert(at, 1, '-');
  return digits;
}

bool IsUuid(std::string_view text) { return text.size() == 36 && NormalizeUuid(text) == text; }

absl::Time TimeOfUuid7(std::string_view uuid) {
  if (!IsUuid(uuid)) return absl::InfinitePast();
  const std::string millis = std::string(uuid.substr(0, 8)) + std::string(uuid.substr(9, 4));
  return absl::FromUnixMillis(static_cast<int64_t>(std::strtoull(millis.c_str(), nullptr, 16)));
}

std::string UuidOfName(std::string_view name) {
  // FNV-1a, 128 bits (http://www.isthe.com/chongo/tech/comp/fnv/): prime 2^88 + 2^8 + 0x3b.
  __extension__ using Wide = unsigned __int128;
  Wide hash = (Wide{0x6c62272e07bb0142ULL} << 64) | 0x62b821756295c58dULL;
  const Wide prime = (Wide{0x0000000001000000ULL} << 64) | 0x000000000000013bULL;
  for (const unsigned char c : name) hash = (hash ^ c) * prime;
  uint64_t a = static_cast<uint64_t>(hash >> 64), b = static_cast<uint64_t>(hash);
  a ^= b;  // FNV's high bits mix slowly for short names
  const uint64_t high = SplitMix64(a).Next(), low = SplitMix64(b).Next() ^ high;  // a mixer for the last step
  return Format((high & 0xffffffffffff0fffULL) | 0x8000, (low & 0x3fffffffffffffffULL) | 0x8000000000000000ULL);
}

}  // namespace parvis
