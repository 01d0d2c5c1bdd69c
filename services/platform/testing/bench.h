// What every bench binary speaks with tests/load: the name of a side a line on standard input, one figure a line on
// standard output. "notes" is answered with one line of JSON. Header only.
#pragma once

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace parvis::testing {

// Measures one slice: items per second, or microseconds where the row says so.
using BenchSide = std::function<double()>;

// Serves until standard input ends; the exit status of main(). `notes` returns a JSON object in one line.
inline int ServeBench(const std::map<std::string, BenchSide>& sides,
                      const std::function<std::string()>& notes = [] { return "{}"; }) {
  for (std::string side; std::getline(std::cin, side);) {
    if (side == "notes") {
      std::printf("%s\n", notes().c_str());
    } else if (const auto it = sides.find(side); it != sides.end()) {
      std::printf("%.6g\n", it->second());
    } else {
      std::fprintf(stderr, "no such side: %s\n", side.c_str());
      return 2;
    }
    std::fflush(stdout);
  }
  return 0;
}

// A bench that fails has no figure: says why and ends.
inline void BenchCheck(const Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  std::exit(1);
}

// Nearest-rank percentile in microseconds.
inline double PercentileMicros(std::vector<absl::Duration>& times, double share) {
  if (times.empty()) return 0;
  const size_t rank = std::min(times.size() - 1, static_cast<size_t>(share * static_cast<double>(times.size())));
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(rank), times.end());
  return absl::ToDoubleMicroseconds(times[rank]);
}

// The number after "--name=" or "--name", else `otherwise`.
inline int64_t BenchOption(int argc, char** argv, const std::string& name, int64_t otherwise) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i], key = "--" + name;
    if (argument.rfind(key + "=", 0) == 0) return std::stoll(argument.substr(key.size() + 1));
    if (argument == key && i + 1 < argc) return std::stoll(argv[i + 1]);
  }
  return otherwise;
}
inline std::string BenchText(int argc, char** argv, const std::string& name) {
  const std::string key = "--" + name + "=";
  for (int i = 1; i < argc; ++i) {
    if (const std::string argument = argv[i]; argument.rfind(key, 0) == 0) return argument.substr(key.size());
  }
  return "";
}

}  // namespace parvis::testing
