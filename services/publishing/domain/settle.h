// The rules of the ledger: what becomes of a delivery after a call, after a crash, after reading back. Pure functions from
// (delivery, what happened, now) to the Change that follows; the one place where "never twice" is decided.
//
// Section 4 of the fault plan: a definitive answer settles; "no byte was sent" is tried again; anything else is unknown,
// and unknown is read back before anything else happens.
#pragma once

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "publishing/domain/ledger.h"
#include "publishing/domain/network_writer.h"

namespace parvis::publishing {

struct SettleRules {
  absl::Duration retry_initial = absl::Seconds(1);    // backoff after "not sent" and transient refusals
  absl::Duration retry_max = absl::Minutes(5);
  absl::Duration rate_wait = absl::Seconds(60);       // rate limited, and the network does not say until when
  absl::Duration rate_wait_max = absl::Hours(24);     // longest wait that a network can order
  absl::Duration read_spacing = absl::Seconds(10);    // between two readings back
  absl::Duration read_give_up = absl::Hours(1);       // reading back has failed for so long: a person decides
  int empty_reads = 2;                                // listings without it before it counts as not there
  int resends_max = 1;                                // second tries after an unknown
  absl::Duration key_window = absl::Minutes(30);      // how long a network remembers our key (Mastodon: 1 h)
  std::string actor;                                  // "publishing/<replica>"
};

// claimed -> sent: the intent. The lease covers the longest possible call; the lane's order is checked.
Change BeginSend(const Delivery& delivery, absl::Time now, absl::Time lease_until, const SettleRules& rules);
// claimed -> scheduled, untouched: given back.
Change Release(const Delivery& delivery, absl::Time ready_time, const std::string& reason, const std::string& message,
               const SettleRules& rules);
// scheduled or claimed -> expired; -> unknown, for a person, when it waited for its second try: the first may be there.
Change Expire(const Delivery& delivery, absl::Time now, const SettleRules& rules);

// sent -> whatever the outcome means. Also applies when the row has become unknown meanwhile and nobody reads back yet.
// `jitter` in [0, 1) spreads the retries.
Change AfterCall(const Delivery& delivery, const WriteOutcome& outcome, const NetworkTraits& traits, absl::Time now,
                 double jitter, const SettleRules& rules);

// What a new owner, or a sweep, does with a row that nobody works on: claimed -> scheduled, sent -> unknown.
Change Recover(const Delivery& delivery, const NetworkTraits& traits, absl::Time now, const SettleRules& rules);

// unknown -> unknown, being read back: from here on a late outcome of the call does not count.
Change BeginReadBack(const Delivery& delivery, absl::Time now, absl::Time lease_until, const SettleRules& rules);

// After a reading back. `found`: matching items that belong to no other delivery; or why it could not be read.
Change AfterReadBack(const Delivery& delivery, const StatusOr<std::vector<FoundItem>>& found,
                     const NetworkTraits& traits, absl::Time now, const SettleRules& rules);

// True when the channel's credentials are no longer good and every delivery to it must wait.
bool PausesChannel(const WriteOutcome& outcome);

}  // namespace parvis::publishing
