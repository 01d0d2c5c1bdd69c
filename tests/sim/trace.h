// What happened, in order: a running hash of everything (same seed, same hash) and the latest steps for a person to
// read.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace parvis::sim {

class Trace {
 public:
  // `what` is a literal; `who` the process's name (a literal or one that outlives the trace); a, b whatever tells most.
  void Note(int64_t time, std::string_view who, const char* what, int64_t a = 0, int64_t b = 0);
  uint64_t hash() const { return hash_; }
  int64_t steps() const { return steps_; }
  // Prints each step to stderr as it is noted.
  void set_loud(bool loud) { loud_ = loud; }
  std::string Latest(int lines) const;

 private:
  struct Step {
    int64_t time = 0, a = 0, b = 0;
    std::string_view who;
    const char* what = "";
  };
  static std::string Line(const Step& step);
  static constexpr size_t kKept = 1024;
  std::array<Step, kKept> latest_;
  int64_t steps_ = 0;
  uint64_t hash_ = 0xcbf29ce484222325ULL;
  bool loud_ = false;
};

}  // namespace parvis::sim
