#include "platform/base/call.h"

#include <algorithm>
#include <cstring>

#include <absl/strings/str_cat.h>

#include "platform/base/ids.h"

namespace parvis {
namespace {

bool IsLowerHex(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
// Trace and span ids tell calls apart and protect nothing: no call of the kernel for each. xorshift128+ (Vigna 2016), a
// generator for each thread, begun at random.
uint64_t TraceRandom() {
  struct State {
    uint64_t a, b;
  };
  thread_local State state = [] {
    State begun{};
    const std::string bytes = RandomBytes(sizeof begun);
    std::memcpy(&begun, bytes.data(), sizeof begun);
    begun.a |= 1;  // never all zero
    return begun;
  }();
  uint64_t x = state.a;
  const uint64_t y = state.b;
  state.a = y;
  x ^= x << 23;
  state.b = x ^ y ^ (x >> 18) ^ (y >> 5);
  return state.b + y;
}

// 16 hex characters for each word, never all zero.
std::string TraceHex(int words) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out(static_cast<size_t>(words) * 16, '0');
  for (size_t at = 0; at < out.size(); at += 16) {
    uint64_t word = TraceRandom();
    for (size_t i = 0; i < 16; ++i, word >>= 4) out[at + i] = kHex[word & 15];
  }
  if (out.find_first_not_of('0') == std::string::npos) out.back() = '1';
  return out;
}

bool AllZero(std::string_view s) { return s.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

bool Implies(Role held, Role needed) {
  if (held == needed) return needed != Role::kUnspecified;
  const bool ladder =
      held >= Role::kAnalyst && held <= Role::kOwner && needed >= Role::kAnalyst && needed <= Role::kOwner;
  return ladder && held > needed;
}

const char* RoleName(Role role) {
  switch (role) {
    case Role::kAnalyst:
      return "analyst";
    case Role::kModerator:
      return "moderator";
    case Role::kManager:
      return "manager";
    case Role::kOwner:
      return "owner";
    case Role::kApprover:
      return "approver";
    case Role::kService:
      return "service";
    case Role::kOperator:
      return "operator";
    case Role::kUnspecified:
      break;
  }
  return "unspecified";
}

bool Principal::Has(Role needed) const {
  return std::any_of(roles.begin(), roles.end(), [&](Role held) { return Implies(held, needed); });
}

std::string Trace::ToTraceparent() const {
  return trace_id.empty() ? "" : absl::StrCat("00-", trace_id, "-", span_id, "-01");
}

Trace Trace::FromTraceparent(std::string_view header) {
  // version(2) '-' trace-id(32) '-' parent-id(16) '-' flags(2); later versions may append fields.
  if (header.size() < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-') return {};
  const std::string_view trace = header.substr(3, 32), span = header.substr(36, 16);
  if (header.substr(0, 2) == "ff" || !IsLowerHex(trace) || !IsLowerHex(span) || AllZero(trace) || AllZero(span))
    return {};
  return {std::string(trace), std::string(span)};
}

Trace Trace::New() { return {TraceHex(2), TraceHex(1)}; }

Trace Trace::Child() const { return trace_id.empty() ? New() : Trace{trace_id, TraceHex(1)}; }

Call BackgroundCall(std::string_view service, std::string_view workspace_id, Trace trace) {
  Call call;
  call.principal.service = std::string(service);
  call.principal.roles = {Role::kService};
  call.deadline = Instant::Max();
  call.trace = std::move(trace);
  call.workspace_id = std::string(workspace_id);
  return call;
}

}  // namespace parvis
