#include "platform/base/secret.h"

#include <fstream>
#include <sstream>

#include <absl/strings/str_cat.h>

namespace parvis {

Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.Wipe(); }

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    Wipe();
    value_ = other.value_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    value_ = std::move(other.value_);
    other.Wipe();
  }
  return *this;
}

Secret::~Secret() { Wipe(); }

void Secret::Wipe() {
  // volatile: the compiler may not drop stores to memory that is about to be freed.
  volatile char* bytes = value_.data();
  for (size_t i = 0; i < value_.size(); ++i) bytes[i] = 0;
  value_.clear();
}

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  volatile unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = difference | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  return difference == 0;
}

bool Secret::Equals(std::string_view other) const { return ConstantTimeEquals(value_, other); }

StatusOr<Secret> ReadSecretFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (!file || !(content << file.rdbuf())) {
    return MakeError(Code::kFailedPrecondition, "SECRET_FILE_UNREADABLE", absl::StrCat("cannot read the secret file ", path));
  }
  std::string value = content.str();
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
  if (value.empty()) {
    return MakeError(Code::kFailedPrecondition, "SECRET_FILE_EMPTY", absl::StrCat("the secret file ", path, " is empty"));
  }
  return Secret(std::move(value));
}

}  // namespace parvis
