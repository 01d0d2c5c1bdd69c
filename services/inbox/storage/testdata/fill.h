// An inbox that holds something already, for benches: fill.sql beside this file.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "platform/testing/postgres.h"

namespace parvis::inbox::testing {

inline constexpr char kFillWorkspace[] = "0190a0b1-0000-7000-8000-000000000001";
inline constexpr char kFillChannelStem[] = "0190a0b1-0000-7000-8000-0000000000c";   // channels c0 to cf

// `messages` in two thirds as many conversations; without `with_messages` the conversations alone.
inline void Fill(parvis::testing::ServiceDatabase& db, parvis::testing::Postgres& postgres, int64_t messages,
                 bool with_messages = true) {
  if (messages <= 0) return;
  std::ifstream file(parvis::testing::Checkout() + "/services/inbox/storage/testdata/fill.sql");
  std::string sql{std::istreambuf_iterator<char>(file), {}};
  const auto put = [&sql](const std::string& name, const std::string& value) {
    for (size_t at = sql.find(name); at != std::string::npos; at = sql.find(name, at + value.size())) {
      sql.replace(at, name.size(), value);
    }
  };
  put(":workspace", kFillWorkspace);
  put(":channel_stem", kFillChannelStem);
  put(":messages", std::to_string(messages));
  put(":with_messages", with_messages ? "1" : "0");
  db.Script(sql);
  postgres.Script("CHECKPOINT");
}

}  // namespace parvis::inbox::testing
