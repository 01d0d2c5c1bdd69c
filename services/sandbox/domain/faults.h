// Faults on demand: what goes wrong with a call, decided before the call has any effect.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/error.h"
#include "sandbox/domain/journal.h"
#include "sandbox/domain/model.h"
#include "sandbox/domain/random.h"

namespace parvis::sandbox {

enum class FaultKind {
  kAcceptThenReset,    // the write happens, the connection is closed without an answer
  kAcceptThen504,      // the write happens, a gateway's 504 is answered
  kGarbage,            // the write happens, 200 with a body that is not JSON is answered
  kResetBeforeAccept,  // nothing happens, the connection is closed
  kLimit,              // nothing happens, the network's own rate limit answer
  kForbid,             // nothing happens, the network's own "you may not" is answered
  kServerError,        // nothing happens, `http_status` is answered
  kEmptyPage,          // lists: an empty page with a cursor; nothing happens to other calls
  kOdd,                // all happens; the JSON answer has members that nobody knows; may come together with another fault
  kLocalise,           // refusals come in French, where the network localises; may come together with another fault
  kDelay,              // the answer comes `delay` later; may come together with another fault
};
std::string_view NameOf(FaultKind kind);  // "accept_then_reset", ...
std::optional<FaultKind> FaultKindOf(std::string_view name);
std::string FaultKindNames();             // "accept_then_reset, ..."

struct FaultRule {
  int64_t id = 0;  // set by Add
  FaultKind kind = FaultKind::kDelay;
  std::optional<Network> network;  // nullopt: all
  std::string account;             // "": all
  std::string operation;           // "" or "*": all; "write", "read", or one of the operations (README)
  double probability = 1;
  int64_t count = -1;  // how often it may still strike; -1: no end
  int64_t skip = 0;    // matching calls that pass before the rule begins to act
  uint64_t seed = 0;
  absl::Duration delay;   // kDelay
  int http_status = 500;  // kServerError: 500..599
  int64_t struck = 0;     // how often it did
};

// What the rules decided for one call.
struct FaultPlan {
  std::optional<FaultKind> before;  // kResetBeforeAccept, kLimit, kForbid or kServerError: the call has no effect
  bool odd = false, localise = false;
  Answer answer = Answer::kOk;      // how a call that succeeds is answered
  int http_status = 500;
  absl::Duration delay;
};

bool IsWrite(std::string_view operation);

// Thread-safe. Rules are tried in the order in which they were added; the first that strikes wins (delays add up).
class Faults {
 public:
  explicit Faults(int rules_max) : rules_max_(rules_max) {}
  StatusOr<int64_t> Add(FaultRule rule);  // RESOURCE_EXHAUSTED TOO_MANY_FAULTS, INVALID_ARGUMENT
  bool Remove(int64_t id);
  void Clear();
  std::vector<FaultRule> List() const;
  FaultPlan Decide(Network network, std::string_view account, std::string_view operation);

 private:
  struct Armed {
    FaultRule rule;
    Rng rng;
  };
  const int rules_max_;
  mutable std::mutex mutex_;
  int64_t next_id_ = 1;
  std::vector<Armed> rules_;
};

}  // namespace parvis::sandbox
