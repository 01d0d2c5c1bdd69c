// A bounded amount that many share, such as the bytes of webhook calls that wait for their acknowledgement. Whoever has
// some already gets more only while more than that is left: one who floods ends with half, two with a third each, and
// there is always some for who comes next (the dynamic threshold of Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace parvis::ingestion {

// Thread-safe.
class FairShare {
 public:
  enum class Taken { kYes, kFull, kOverShare };
  explicit FairShare(int64_t max) : max_(max) {}
  // kFull: nobody could take so much now. Give back what was taken with kYes.
  [[nodiscard]] Taken Take(const std::string& whose, int64_t amount);
  void Give(const std::string& whose, int64_t amount);
  bool Fits(int64_t amount) const;  // Take would not say kFull
  int64_t used() const;

 private:
  const int64_t max_;
  mutable std::mutex mutex_;
  int64_t used_ = 0;
  std::unordered_map<std::string, int64_t> of_;  // only who has some
};

}  // namespace parvis::ingestion
