// Call: who asks, until when, and under which trace. The first parameter of every use case.
#pragma once

#include <memory>
#include <set>
#include <string>

#include <absl/time/time.h>

#include "platform/base/cancellation.h"
#include "platform/base/clock.h"

namespace parvis {

// Mirrors parvis.platform.v1.Role. Owner ⊃ manager ⊃ moderator ⊃ analyst; the others stand alone.
enum class Role { kUnspecified, kAnalyst, kModerator, kManager, kOwner, kApprover, kService, kOperator };

// Owner implies manager implies moderator implies analyst; every other role implies only itself.
bool Implies(Role held, Role needed);
const char* RoleName(Role role);  // "moderator"

struct Principal {
  std::string workspace_id;     // "" for operators, services and organisation-wide keys
  std::string organization_id;  // "" for services and operators
  std::string member_id;        // the person behind the key, "" if none
  std::string key_id;           // which key was shown, for logs and limits; never the key
  std::string service;          // the calling service's name when role is kService
  std::set<Role> roles;
  bool Has(Role needed) const;
};

// W3C Trace Context (https://www.w3.org/TR/trace-context/), lower-case hex. Empty means no trace yet.
struct Trace {
  std::string trace_id;  // 32 hex characters
  std::string span_id;   // 16 hex characters
  std::string ToTraceparent() const;                        // "" when empty
  static Trace FromTraceparent(std::string_view header);    // empty Trace when malformed
  static Trace New();                                       // random
  Trace Child() const;                                      // same trace, new span
};

struct Call {
  Principal principal;
  Instant deadline;        // monotonic; Instant::Max() for background work
  Trace trace;
  std::string workspace_id;  // the workspace this call is about, already checked against the principal; "" if none
  std::shared_ptr<const Cancellation> cancellation = nullptr;  // null: only the deadline ends it

  absl::Duration Remaining(const Clock& clock) const { return deadline - clock.Now(); }
  bool Expired(const Clock& clock) const { return clock.Now() >= deadline; }
  bool Cancelled() const { return cancellation != nullptr && cancellation->cancelled(); }
};

// A call made by the service itself (consumers, relays, timers): no deadline, role kService.
Call BackgroundCall(std::string_view service, std::string_view workspace_id = "", Trace trace = Trace::New());

}  // namespace parvis
