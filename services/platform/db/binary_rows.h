// Rows for COPY ... FROM STDIN (FORMAT binary): PostgreSQL neither splits nor parses them, which is a third of what a
// COPY of text costs it. https://www.postgresql.org/docs/15/sql-copy.html ("Binary Format"); the values are in the form
// of their types' receive functions. The columns' types are not converted: each value must be written as its column's
// type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

namespace parvis::db {

// Not thread-safe. Values follow one another in the order of the columns, after Row().
class BinaryRows {
 public:
  BinaryRows();           // with the file's header
  void Row(int columns);  // begins a row
  void Null() { PutInt(-1, 4); }
  void Uuid(std::string_view text);  // 32 hex digits, hyphens anywhere; anything else: see bad()
  void MaybeUuid(std::string_view text) { text.empty() ? Null() : Uuid(text); }
  void Text(std::string_view text);  // text, and bytea
  void Int2(int64_t value) { PutSized(value, 2); }
  void Int8(int64_t value) { PutSized(value, 8); }
  void Bool(bool value) { PutSized(value, 1); }
  void Time(absl::Time time);  // timestamptz; InfinitePast/Future are -infinity/infinity
  void Time(const std::optional<absl::Time>& time) { time ? Time(*time) : Null(); }
  void TextArray(const std::vector<std::string_view>& values);
  void End() { PutInt(-1, 2); }  // after the last row

  std::string& bytes() { return bytes_; }  // what was written; whoever sends it takes it away
  bool bad() const { return bad_; }        // a value could not be written; the rows must not be stored

 private:
  void PutInt(int64_t value, int size);
  void PutSized(int64_t value, int size);
  std::string bytes_;
  bool bad_ = false;
};

}  // namespace parvis::db
