// Secret: a value that cannot be printed, logged, compared in variable time or copied by accident into a message.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

#include "platform/base/error.h"

namespace parvis {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();  // overwrites the bytes

  // The only way to the bytes. Grep for it: every use is a place to review.
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  size_t size() const { return value_.size(); }
  // Constant time in the length of the shorter; false when the lengths differ.
  bool Equals(std::string_view other) const;

 private:
  void Wipe();
  std::string value_;
};

// Printing is a compile error, for streams and for absl::StrCat alike.
std::ostream& operator<<(std::ostream&, const Secret&) = delete;

// Constant-time comparison of two byte strings.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

// Reads a secret from a file, without its trailing line feed. Errors: FAILED_PRECONDITION SECRET_FILE_UNREADABLE,
// SECRET_FILE_EMPTY; the message names the file, never its content.
StatusOr<Secret> ReadSecretFile(const std::string& path);

}  // namespace parvis
