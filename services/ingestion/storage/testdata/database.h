// The database that ingestion's storage tests share: each begins with Clear().
#pragma once

#include <string>

#include "platform/testing/postgres.h"

namespace parvis::ingestion {

inline testing::ServiceDatabase& Database() {
  static auto* database = new testing::ServiceDatabase("ingestion");
  return *database;
}

// `d` as SQL, for tests that move times closer instead of waiting: the stores measure with the database's clock.
inline std::string Interval(absl::Duration d) { return std::to_string(absl::ToInt64Milliseconds(d)) + " * interval '1 ms'"; }

}  // namespace parvis::ingestion
