#include "platform/db/binary_rows.h"

namespace parvis::db {
namespace {

constexpr std::string_view kHeader("PGCOPY\n\377\r\n\0" "\0\0\0\0" "\0\0\0\0", 19);
constexpr int kTextOid = 25;
constexpr int64_t kMicrosTo2000 = 946'684'800'000'000;   // PostgreSQL counts from 2000-01-01

int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

BinaryRows::BinaryRows() : bytes_(kHeader) {}

// Big-endian.
void BinaryRows::PutInt(int64_t value, int size) {
  char bytes[8];
  for (int i = size - 1; i >= 0; --i, value >>= 8) bytes[i] = static_cast<char>(value & 0xFF);
  bytes_.append(bytes, size);
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
    const int nibble = Nibble(c);
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
  PutInt(values.empty() ? 0 : 1, 4);   // dimensions
  PutInt(0, 4);                        // no NULLs
  PutInt(kTextOid, 4);
  if (values.empty()) return;
  PutInt(static_cast<int64_t>(values.size()), 4);
  PutInt(1, 4);                        // lower bound
  for (const std::string_view value : values) Text(value);
}

}  // namespace parvis::db
