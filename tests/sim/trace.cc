#include "tests/sim/trace.h"

#include <algorithm>
#include <cstdio>

namespace parvis::sim {
namespace {

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 32);
}

}  // namespace

void Trace::Note(int64_t time, std::string_view who, const char* what, int64_t a, int64_t b) {
  Step& step = latest_[static_cast<size_t>(steps_) % kKept];
  step = {time, a, b, who, what};
  ++steps_;
  hash_ = Mix(Mix(Mix(hash_, static_cast<uint64_t>(time)), static_cast<uint64_t>(a)), static_cast<uint64_t>(b));
  for (const char c : who) hash_ = Mix(hash_, static_cast<unsigned char>(c));
  for (const char* c = what; *c != '\0'; ++c) hash_ = Mix(hash_, static_cast<unsigned char>(*c));
  if (loud_) std::fputs(Line(step).c_str(), stderr);
}

std::string Trace::Line(const Step& step) {
  char buffer[160];
  std::snprintf(buffer, sizeof buffer, "%12.6f  %-14.*s %-28s %lld %lld\n", static_cast<double>(step.time) / 1e9,
                static_cast<int>(step.who.size()), step.who.data(), step.what, static_cast<long long>(step.a),
                static_cast<long long>(step.b));
  return buffer;
}

std::string Trace::Latest(int lines) const {
  std::string out;
  const int64_t count = std::min<int64_t>({lines, steps_, static_cast<int64_t>(kKept)});
  for (int64_t at = steps_ - count; at < steps_; ++at) out += Line(latest_[static_cast<size_t>(at) % kKept]);
  return out;
}

}  // namespace parvis::sim
