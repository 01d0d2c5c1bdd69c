#include "ingestion/domain/fair_share.h"

namespace parvis::ingestion {

FairShare::Taken FairShare::Take(const std::string& whose, int64_t amount) {
  std::lock_guard lock(mutex_);
  const int64_t left = max_ - used_;
  if (amount > left) return Taken::kFull;
  const auto it = of_.find(whose);
  if (it != of_.end() && it->second + amount > left) return Taken::kOverShare;
  of_[whose] += amount;
  used_ += amount;
  return Taken::kYes;
}

void FairShare::Give(const std::string& whose, int64_t amount) {
  std::lock_guard lock(mutex_);
  used_ -= amount;
  const auto it = of_.find(whose);
  if ((it->second -= amount) <= 0) of_.erase(it);
}

bool FairShare::Fits(int64_t amount) const {
  std::lock_guard lock(mutex_);
  return amount <= max_ - used_;
}

int64_t FairShare::used() const {
  std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace parvis::ingestion
