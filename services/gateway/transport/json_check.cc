#include "gateway/transport/json_check.h"

#include <vector>

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

namespace parvis::gateway {
namespace {

// RFC 8259, strictly (protobuf's parser also takes trailing commas, single quotes and bare keys, which hides mistakes),
// without recursion: the open brackets are kept in a vector of at most depth_max.
class Checker {
 public:
  Checker(std::string_view text, int depth_max) : text_(text), depth_max_(depth_max) {}

  Status Run() {
    PARVIS_RETURN_IF_ERROR(Utf8());
    Space();
    if (Peek() != '{') return NotJson("the body must be a JSON object");
    PARVIS_RETURN_IF_ERROR(Value());
    while (!open_.empty()) PARVIS_RETURN_IF_ERROR(Next());
    Space();
    return at_ == text_.size() ? absl::OkStatus() : NotJson("something follows the JSON object");
  }

 private:
  Status NotJson(std::string_view what) const {
    return MakeError(Code::kInvalidArgument, "NOT_JSON", absl::StrCat(std::string(what), ", at byte ", at_));
  }

  Status Utf8() const {
    for (size_t i = 0; i < text_.size();) {
      const auto byte = [&](size_t k) { return i + k < text_.size() ? static_cast<unsigned char>(text_[i + k]) : 0u; };
      const auto tail = [&](size_t k) { return (byte(k) & 0xC0u) == 0x80u; };
      const unsigned b = byte(0), c = byte(1);
      size_t length = 0;
      if (b < 0x80) length = 1;
      if (b >= 0xC2 && b <= 0xDF && tail(1)) length = 2;
      if (b >= 0xE0 && b <= 0xEF && c >= (b == 0xE0 ? 0xA0u : 0x80u) && c <= (b == 0xED ? 0x9Fu : 0xBFu) && tail(2))
        length = 3;
      if (b >= 0xF0 && b <= 0xF4 && c >= (b == 0xF0 ? 0x90u : 0x80u) && c <= (b == 0xF4 ? 0x8Fu : 0xBFu) && tail(2) &&
          tail(3))
        length = 4;
      if (length == 0) {
        return MakeError(Code::kInvalidArgument, "NOT_UTF8", absl::StrCat("the body is not UTF-8, at byte ", i));
      }
      i += length;
    }
    return absl::OkStatus();
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void Space() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r') ++at_;
  }

  // A value; an object or array is only opened, Next goes on inside.
  Status Value() {
    Space();
    const char c = Peek();
    if (c == '{' || c == '[') {
      if (static_cast<int>(open_.size()) == depth_max_) {
        return MakeError(Code::kInvalidArgument, "TOO_DEEP",
                         absl::StrCat("the JSON is nested more than ", depth_max_, " deep, at byte ", at_));
      }
      ++at_;
      open_.push_back(c);
      first_ = true;
      return absl::OkStatus();
    }
    first_ = false;
    if (c == '"') return String();
    if (c == '-' || (c >= '0' && c <= '9')) return Number();
    for (const std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return absl::OkStatus();
      }
    }
    return NotJson(at_ == text_.size() ? "the JSON ends too early" : "a value is expected");
  }

  // The next member or element of the innermost open bracket, or its end.
  Status Next() {
    Space();
    const char close = open_.back() == '{' ? '}' : ']';
    if (Peek() == close) {
      ++at_;
      open_.pop_back();
      first_ = false;
      return absl::OkStatus();
    }
    if (!first_) {
      if (Peek() != ',')
        return NotJson(at_ == text_.size() ? "the JSON ends too early" : "a comma or a closing bracket is expected");
      ++at_;
      Space();
    }
    if (open_.back() == '{') {
      if (Peek() != '"')
        return NotJson(at_ == text_.size() ? "the JSON ends too early" : "a name in double quotes is expected");
      PARVIS_RETURN_IF_ERROR(String());
      Space();
      if (Peek() != ':') return NotJson("a colon is expected");
      ++at_;
    }
    return Value();
  }

  Status String() {
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return absl::OkStatus();
      }
      if (static_cast<unsigned char>(c) < 0x20) return NotJson("a control character in a string must be escaped");
      if (c != '\\') continue;
      ++at_;
      if (Peek() == 'u') {
        for (int k = 0; k < 4; ++k) {
          ++at_;
          if (std::string_view("0123456789abcdefABCDEF").find(Peek()) == std::string_view::npos)
            return NotJson("\\u needs four hex digits");
        }
      } else if (at_ == text_.size() || std::string_view("\"\\/bfnrt").find(Peek()) == std::string_view::npos) {
        return NotJson("an escape that JSON does not have");
      }
    }
    return NotJson("a string does not end");
  }

  bool Digits() {
    const size_t from = at_;
    while (Peek() >= '0' && Peek() <= '9') ++at_;
    return at_ > from;
  }

  Status Number() {
    if (Peek() == '-') ++at_;
    const bool zero = Peek() == '0';
    const size_t from = at_;
    if (!Digits() || (zero && at_ > from + 1)) return NotJson("a number is malformed");
    if (Peek() == '.') {
      ++at_;
      if (!Digits()) return NotJson("a number is malformed");
    }
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      if (!Digits()) return NotJson("a number is malformed");
    }
    return absl::OkStatus();
  }

  const std::string_view text_;
  const int depth_max_;
  size_t at_ = 0;
  bool first_ = false;  // just after an opening bracket
  std::vector<char> open_;
};

constexpr size_t kShownMax = 60;

std::string Shown(std::string text) {
  if (text.size() <= kShownMax) return text;
  size_t end = kShownMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string TypeInWords(const std::string& type) {
  if (type == "TYPE_STRING") return "a string";
  if (type == "TYPE_BOOL") return "true or false";
  if (type == "TYPE_BYTES") return "bytes in base64";
  if (type == "TYPE_INT32" || type == "TYPE_UINT32") return "a whole number of 32 bits";
  if (type == "TYPE_INT64" || type == "TYPE_UINT64") return "a whole number of 64 bits";
  if (type == "TYPE_DOUBLE" || type == "TYPE_FLOAT") return "a number";
  return absl::StrCat("a ", type.substr(type.rfind('/') + 1));
}

}  // namespace

Status CheckJson(std::string_view body, int depth_max) { return Checker(body, depth_max).Run(); }

Status JsonError(const std::string& complaint) {
  // "(where) rest" or "(where): rest"
  std::string where, rest = complaint;
  if (const size_t close = complaint.find(')');
      !complaint.empty() && complaint[0] == '(' && close != std::string::npos) {
    where = complaint.substr(1, close - 1);
    rest = complaint.substr(close + 1);
  }
  const size_t colon = rest.find(": ");
  const std::string subject = colon == std::string::npos ? "" : rest.substr(0, colon);
  const size_t from = subject.find_first_not_of(' ');
  const std::string name = from == std::string::npos ? "" : subject.substr(from);
  const std::string field = name.empty() ? where : where.empty() ? name : absl::StrCat(where, ".", name);
  const std::string what = colon == std::string::npos ? rest : rest.substr(colon + 2);
  if (absl::StartsWith(what, "Cannot find field")) {
    return InvalidField(Shown(field), "UNKNOWN_FIELD", "is not a field of this request");
  }
  constexpr char kInvalid[] = "invalid value ", kForType[] = " for type ";
  const size_t type_at = what.rfind(kForType);
  if (absl::StartsWith(what, kInvalid) && type_at != std::string::npos) {
    const std::string value = what.substr(sizeof kInvalid - 1, type_at - (sizeof kInvalid - 1));
    const std::string type = what.substr(type_at + sizeof kForType - 1);
    if (absl::StartsWith(value, "Starting an object")) {
      // Inside a list the parser names the element before, so only the list is told.
      const std::string named = field.empty() ? type : field.substr(0, field.rfind('['));
      return InvalidField(Shown(named), "WRONG_VALUE", "must not be an object");
    }
    return InvalidField(Shown(field), "WRONG_VALUE",
                        absl::StrCat("must be ", TypeInWords(type), ", not ", Shown(value)));
  }
  if (absl::StrContains(what, "not repeating")) return InvalidField(Shown(field), "WRONG_VALUE", "must not be a list");
  if (!field.empty() && what != complaint) return InvalidField(Shown(field), "WRONG_VALUE", Shown(what));
  return MakeError(Code::kInvalidArgument, "NOT_JSON", Shown(complaint.substr(0, complaint.find('\n'))));
}

}  // namespace parvis::gateway
