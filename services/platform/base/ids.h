// Ids: UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits. Time-ordered, so indexes stay local.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "platform/base/clock.h"
#include "platform/base/splitmix64.h"

namespace parvis {

// Makes new ids; within one millisecond they still ascend (a 12-bit counter in rand_a, RFC 9562 §6.2 method 1).
// Thread-safe.
class Ids {
 public:
  explicit Ids(const Clock& clock);                 // random bits from the operating system
  Ids(const Clock& clock, uint64_t seed);           // reproducible, for tests and the simulation
  std::string New();                                // "0190a0b1-....", lower case

 private:
  uint64_t Random();
  const Clock& clock_;
  std::mutex mutex_;
  std::optional<SplitMix64> seeded_;
  int64_t last_millis_ = 0;
  uint32_t counter_ = 0;
};

// Canonical lower-case form of any UUID text, or "" if it is not one.
std::string NormalizeUuid(std::string_view text);
bool IsUuid(std::string_view text);            // canonical lower case only
absl::Time TimeOfUuid7(std::string_view uuid);  // the milliseconds inside; InfinitePast() if not a UUID

// A UUID (version 8, RFC 9562 §5.8: custom bits) that depends only on `name`: the same natural key gives the same id in
// every process and release. 128 bits of FNV-1a with a final mix: for identity among honest names, not for secrets.
std::string UuidOfName(std::string_view name);

// `n` random lower-case hex characters from the operating system.
std::string RandomHex(int n);
// `n` random bytes from the operating system (getrandom(2)).
std::string RandomBytes(int n);

}  // namespace parvis
