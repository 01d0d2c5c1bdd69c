#include "platform/db/binary_rows.h"

#include <bit>

namespace parvis::db {
namespace {

constexpr std::string_view kHeader(
    "PGCOPY\n\377\r\n\0"
    "\0\0\0\0"
    "\0\0\0\0",
    19);
constexpr int kTextOid = 25;
constexpr int64_t kMicrosTo2000 = 946'684'800'000'000;  // PostgreSQL counts from 2000-01-01

// The value of a hex digit, else -1.
struct Nibbles {
  constexpr Nibbles() {
    for (int8_t& nibble : of) nibble = -1;
    for (int i = 0; i < 10; ++i) of['0' + i] = static_cast<int8_t>(i);
    for (int i = 0; i < 6; ++i) of['a' + i] = of['A' + i] = static_cast<int8_t>(10 + i);
  }
  int8_t of[256] = {};
};
constexpr Nibbles kNibbles;

}  // namespace

BinaryRows::BinaryRows() : bytes_(kHeader) {}

// Big-endian, as all of the format is.
void BinaryRows::PutInt(int64_t value, int size) {
  static_assert(std::endian::native == std::endian::little);
  const uint64_t bytes = __builtin_bswap64(static_cast<uint64_t>(value) << 8 * (8 - size));
  bytes_.append(reinterpret_cast<const char*>(&bytes), static_cast<size_t>(size));
}

void BinaryRows::PutSized(int64_t value, int size) {
  PutInt(size, 4);
  PutInt(value, size);
}

void BinaryRows::Row(int columns) { PutInt(columns, 2); }

void BinaryRows::Uuid(std::string_view text) {
  PutInt(16, 4);
  char bytes[16];
  size_t nibbles = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const int nibble = kNibbles.of[static_cast<unsigned char>(c)];
    if (nibble < 0 || nibbles == 32) {
      bad_ = true;
      break;
    }
    char& byte = bytes[nibbles / 2];
    byte = static_cast<char>(nibbles % 2 ? byte | nibble : nibble << 4);
    ++nibbles;
  }
  bad_ = bad_ || nibbles != 32;
  if (!bad_) bytes_.append(bytes, sizeof bytes);
}

void BinaryRows::Text(std::string_view text) {
  PutInt(static_cast<int64_t>(text.size()), 4);
  bytes_ += text;
}

void BinaryRows::Time(absl::Time time) {
  if (time == absl::InfinitePast()) return Int8(INT64_MIN);
  if (time == absl::InfiniteFuture()) return Int8(INT64_MAX);
  Int8(absl::ToUnixMicros(time) - kMicrosTo2000);
}

void BinaryRows::TextArray(const std::vector<std::string_view>& values) {
  size_t size = values.empty() ? 12 : 20;
  for (const std::string_view value : values) size += 4 + value.size();
  PutInt(static_cast<int64_t>(size), 4);
  PutInt(values.empty() ? 0 : 1, 4);  // dimensions
  PutInt(0, 4);                       // no NULLs
  PutInt(kTextOid, 4);
  if (values.empty()) return;
  PutInt(static_cast<int64_t>(values.size()), 4);
  PutInt(1, 4);  // lower bound
  for (const std::string_view value : values) Text(value);
}

}  // namespace parvis::db
