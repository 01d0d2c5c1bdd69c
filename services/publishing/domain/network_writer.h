// Port: writing to networks, as the deliverer sees it. Implemented by network/ over services/networks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/base/call.h"
#include "platform/base/error.h"
#include "publishing/domain/delivery.h"

namespace parvis::publishing {

// How a call ended. kNotSent: no byte arrived, trying again is safe. kUnknown: nobody can tell.
enum class WriteResult { kAccepted, kRefused, kNotSent, kUnknown };
enum class Refusal { kNone, kTokenExpired, kPermission, kRateLimited, kDuplicate, kNotFound, kInvalid, kTransient };

// What the network's headers say about its budget.
struct RateSignal {
  std::optional<int> limit, remaining;
  std::optional<absl::Duration> reset_in, retry_after;
};

struct WriteOutcome {
  WriteResult result = WriteResult::kUnknown;
  Refusal refusal = Refusal::kNone;
  std::string reason, message;          // without secrets
  std::string remote_id, permalink;     // kAccepted
  RateSignal rate;
  std::string credentials_version;      // of the credentials that were used; "" when none were
  bool ours = false;                    // kNotSent for want of something of ours: says nothing of the network
  std::optional<std::string> budget;    // that `rate` tells of, where it is not BudgetOf the delivery's kind
};

// One item found on the network that could be what we wrote. For hide, unhide and delete: the target itself.
struct FoundItem {
  std::string remote_id, permalink;
  bool hidden = false;
};

// What a network offers against doubles.
struct NetworkTraits {
  bool idempotency_key = false;   // recognises our key
  bool content_dedupe = false;    // refuses the same content again
  bool hide_reads_back = true;    // a hidden comment can be told from a visible one by reading it
  absl::Duration settle = absl::Seconds(2);   // how long after a call a read shows its effect
};

class NetworkWriter {
 public:
  virtual ~NetworkWriter() = default;
  // One call, never repeated in here; blocks until the call's deadline or its cancellation at most. Thread-safe.
  virtual WriteOutcome Write(const Call& call, const Delivery& delivery) = 0;
  // Items that match what `delivery` wrote or would have written, made since `since`.
  virtual StatusOr<std::vector<FoundItem>> ReadBack(const Call& call, const Delivery& delivery, absl::Time since) = 0;
  virtual NetworkTraits Traits(const std::string& network) const = 0;
  // Name of the rate budget that such a delivery draws on. Kinds with the same name share one; networks that do not count
  // kinds apart give "" for all of them.
  virtual std::string BudgetOf(const std::string& network, DeliveryKind kind) const = 0;
  // Version of the channel's present credentials, past every cache: has somebody renewed them?
  virtual StatusOr<std::string> CredentialsVersion(const Call& call, const std::string& workspace_id,
                                                   const std::string& channel_id) = 0;
};

}  // namespace parvis::publishing
