// Parameters and results: the text forms of PostgreSQL's types.
#include <libpq-fe.h>

#include <charconv>
#include <cstdlib>
#include <utility>

#include "platform/db/pool.h"

namespace parvis::db {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// Every batch passes through here as text: what follows writes runs of bytes, not one after the other.
std::string HexOf(std::string_view bytes) {
  std::string out(2 + 2 * bytes.size(), '\0');
  char* to = out.data();
  *to++ = '\\';
  *to++ = 'x';
  for (const unsigned char c : bytes) {
    *to++ = kHex[c >> 4];
    *to++ = kHex[c & 15];
  }
  return out;
}

void PutDigits(char* to, int64_t value, int count) {
  for (int i = count - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

// "2026-11-22 18:50:43.123456+00": what PostgreSQL reads, and what it writes with TimeZone = UTC.
std::string TimeText(absl::Time time) {
  if (time == absl::InfinitePast()) return "-infinity";
  if (time == absl::InfiniteFuture()) return "infinity";
  const absl::CivilSecond second = absl::ToCivilSecond(time, absl::UTCTimeZone());
  if (second.year() < 1 || second.year() > 9999) {
    return absl::FormatTime("%E4Y-%m-%d %H:%M:%E6S+00", time, absl::UTCTimeZone());
  }
  std::string out = "0000-00-00 00:00:00.000000+00";
  PutDigits(&out[0], second.year(), 4);
  PutDigits(&out[5], second.month(), 2);
  PutDigits(&out[8], second.day(), 2);
  PutDigits(&out[11], second.hour(), 2);
  PutDigits(&out[14], second.minute(), 2);
  PutDigits(&out[17], second.second(), 2);
  PutDigits(&out[20], absl::ToInt64Microseconds(time - absl::FromCivil(second, absl::UTCTimeZone())), 6);
  return out;
}

int Digits(std::string_view text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count && i < text.size(); ++i) value = value * 10 + (text[i] - '0');
  return value;
}

// Array literals: every element quoted, so that no element is taken for NULL or for syntax.
void AppendQuoted(std::string_view element, std::string& out) {
  out += '"';
  size_t begin = 0;
  for (size_t i = 0; i < element.size(); ++i) {
    if (element[i] != '"' && element[i] != '\\') continue;
    out.append(element, begin, i - begin) += '\\';
    begin = i;
  }
  out.append(element, begin) += '"';
}

template <class Values, class Append>
Param ArrayOf(const Values& values, Append append) {
  std::string out = "{";
  bool first = true;
  for (const auto& value : values) {
    if (!first) out += ',';
    first = false;
    append(value, out);
  }
  return Param(out + "}");
}

}  // namespace

Param::Param(int64_t number) : value(std::to_string(number)) {}
Param::Param(bool flag) : value(flag ? "t" : "f") {}
Param::Param(double number) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  value = std::string(buffer, end);
}
Param::Param(absl::Time time) : value(TimeText(time)) {}

Param Array(const std::vector<std::string>& values) { return ArrayOf(values, AppendQuoted); }
Param Array(const std::vector<std::optional<std::string>>& values) {
  return ArrayOf(values, [](const std::optional<std::string>& value, std::string& out) {
    value ? AppendQuoted(*value, out) : void(out += "NULL");
  });
}
Param Array(const std::vector<int64_t>& values) {
  return ArrayOf(values, [](int64_t value, std::string& out) { out += std::to_string(value); });
}
Param Array(const std::vector<bool>& values) {
  return ArrayOf(values, [](bool value, std::string& out) { out += value ? 't' : 'f'; });
}
Param Array(const std::vector<double>& values) {
  return ArrayOf(values, [](double value, std::string& out) { out += *Param(value).value; });
}
Param Array(const std::vector<absl::Time>& values) {
  return ArrayOf(values, [](absl::Time value, std::string& out) { AppendQuoted(TimeText(value), out); });
}
Param Bytes(std::string_view bytes) { return Param(HexOf(bytes)); }
Param BytesArray(const std::vector<std::string>& values) {
  return ArrayOf(values, [](const std::string& value, std::string& out) { AppendQuoted(HexOf(value), out); });
}

Rows::Rows(pg_result* result) : result_(result) {}
Rows::Rows(Rows&& other) noexcept : result_(std::exchange(other.result_, nullptr)) {}
Rows& Rows::operator=(Rows&& other) noexcept {
  std::swap(result_, other.result_);
  return *this;
}
Rows::~Rows() { PQclear(result_); }

int Rows::size() const { return PQntuples(result_); }
int64_t Rows::affected() const { return std::atoll(PQcmdTuples(result_)); }
bool Rows::IsNull(int row, int column) const { return PQgetisnull(result_, row, column) != 0; }
std::string_view Rows::View(int row, int column) const {
  return {PQgetvalue(result_, row, column), static_cast<size_t>(PQgetlength(result_, row, column))};
}
std::string Rows::Text(int row, int column) const { return std::string(View(row, column)); }
int64_t Rows::Int(int row, int column) const {
  int64_t value = 0;
  const std::string_view text = View(row, column);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}
double Rows::Double(int row, int column) const { return std::strtod(PQgetvalue(result_, row, column), nullptr); }
bool Rows::Bool(int row, int column) const { return View(row, column) == "t"; }

absl::Time Rows::Time(int row, int column) const {
  const std::string_view text = View(row, column);
  if (text == "infinity") return absl::InfiniteFuture();
  if (text.size() < 19 || text == "-infinity") return absl::InfinitePast();
  const absl::CivilSecond second(Digits(text, 0, 4), Digits(text, 5, 2), Digits(text, 8, 2), Digits(text, 11, 2),
                                 Digits(text, 14, 2), Digits(text, 17, 2));
  int64_t micros = 0;
  if (text[19 < text.size() ? 19 : 0] == '.') {
    int scale = 100'000;
    for (size_t i = 20; i < text.size() && text[i] >= '0' && text[i] <= '9' && scale > 0; ++i, scale /= 10) {
      micros += scale * (text[i] - '0');
    }
  }
  return absl::FromCivil(second, absl::UTCTimeZone()) + absl::Microseconds(micros);
}
std::optional<absl::Time> Rows::MaybeTime(int row, int column) const {
  return IsNull(row, column) ? std::nullopt : std::optional(Time(row, column));
}

std::string Rows::Bytes(int row, int column) const {
  const std::string_view text = View(row, column);
  if (text.size() < 4) return {};
  const auto nibble = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
  std::string out(text.size() / 2 - 1, '\0');
  const char* from = text.data() + 2;
  for (char& byte : out) {
    byte = static_cast<char>(nibble(from[0]) << 4 | nibble(from[1]));
    from += 2;
  }
  return out;
}

std::vector<std::string> Rows::TextArray(int row, int column) const {
  const std::string_view text = View(row, column);
  std::vector<std::string> out;
  if (text.size() < 3) return out;
  std::string element;
  bool quoted = false;
  for (size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      element += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || i + 1 == text.size())) {
      out.push_back(std::exchange(element, {}));
    } else {
      element += c;
    }
  }
  return out;
}

}  // namespace parvis::db
