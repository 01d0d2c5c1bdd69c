#include "publishing/domain/settle.h"

#include <algorithm>
#include <cmath>

namespace parvis::publishing {
namespace {

using State = DeliveryState;

Change From(const Delivery& delivery, std::vector<State> from, const SettleRules& rules) {
  Change change;
  change.after = delivery;
  change.from = std::move(from);
  change.fence = delivery.fence;
  change.actor = rules.actor;
  return change;
}

void SetError(Delivery& delivery, const std::string& reason, const std::string& message) {
  delivery.error_reason = reason;
  delivery.error_message = message;
}

std::string Sentence(const std::string& reason, const std::string& message) {
  return message.empty() ? reason : reason + ": " + message;
}

// Exponential, with the upper half jittered: never sooner than half the step, so that a network that is down is left alone.
absl::Duration RetryWait(int tries, double jitter, const SettleRules& rules) {
  const double factor = std::pow(2.0, std::min(tries, 20));
  return std::min(rules.retry_max, rules.retry_initial * factor) * (0.5 + 0.5 * jitter);
}

void WaitAgain(Change& change, absl::Time ready, const std::string& reason, const std::string& message) {
  change.after.state = State::kScheduled;
  change.after.ready_time = std::max(ready, change.after.due_time);
  change.after.check_time = absl::InfiniteFuture();
  change.after.reconciling = false;
  SetError(change.after, reason, message);
  change.detail = Sentence(reason, message);
}

void Finish(Change& change, State state, const std::string& reason, const std::string& message) {
  change.after.state = state;
  change.after.check_time = absl::InfiniteFuture();
  change.after.needs_human = false;
  SetError(change.after, reason, message);
  change.detail = reason.empty() ? message : Sentence(reason, message);
}

void Deliver(Change& change, const std::string& remote_id, const std::string& permalink, absl::Time now,
             const std::string& detail) {
  Finish(change, State::kDelivered, "", "");
  if (!remote_id.empty()) change.after.remote_id = remote_id;
  if (!permalink.empty()) change.after.permalink = permalink;
  change.after.delivered_time = now;
  change.detail = detail;
}

void BecomeUnknown(Change& change, absl::Time check, const std::string& message) {
  change.after.state = State::kUnknown;
  change.after.check_time = check;
  change.after.empty_reads = 0;
  SetError(change.after, "OUTCOME_UNKNOWN", message);
  change.detail = Sentence("OUTCOME_UNKNOWN", message);
}

// Sent a second time after an unknown: what becomes of the second try says nothing about the first, which may have arrived
// after it was looked for.
bool IsSecondTry(const Delivery& delivery) { return delivery.resends > 0 && !IsIdempotent(delivery.kind); }

bool IsFinalRefusal(Refusal refusal) {
  return refusal != Refusal::kTokenExpired && refusal != Refusal::kRateLimited && refusal != Refusal::kTransient;
}

void Refused(Change& change, const WriteOutcome& outcome, const NetworkTraits& traits, absl::Time now, double jitter,
             const SettleRules& rules) {
  Delivery& after = change.after;
  if (IsSecondTry(after) && IsFinalRefusal(outcome.refusal)) {
    const bool there = outcome.refusal == Refusal::kDuplicate;
    return BecomeUnknown(change, now + traits.settle,
                         there ? "the network has the content already; looking for it"
                               : "the second try was refused (" + Sentence(outcome.reason, outcome.message) +
                                     "); looking for the first");
  }
  switch (outcome.refusal) {
    case Refusal::kTokenExpired:
      return WaitAgain(change, now, "TOKEN_EXPIRED", outcome.message);
    case Refusal::kRateLimited: {
      const absl::Duration wait = outcome.rate.retry_after.value_or(outcome.rate.reset_in.value_or(rules.rate_wait));
      return WaitAgain(change, now + std::clamp(wait, absl::Seconds(1), rules.rate_wait_max), "RATE_LIMITED",
                       outcome.message);
    }
    case Refusal::kTransient:
      after.tries += 1;
      return WaitAgain(change, now + RetryWait(after.tries - 1, jitter, rules), "TRANSIENT", outcome.message);
    case Refusal::kDuplicate:
      return Finish(change, State::kFailed, "DUPLICATE", outcome.message);
    case Refusal::kNotFound:
      if (after.kind == DeliveryKind::kDelete) return Deliver(change, "", "", now, "it was gone already");
      return Finish(change, State::kFailed, "NOT_FOUND", outcome.message);
    case Refusal::kPermission:
      return Finish(change, State::kFailed, "PERMISSION_DENIED", outcome.message);
    case Refusal::kInvalid:
    case Refusal::kNone:
      return Finish(change, State::kFailed, outcome.reason.empty() ? "REJECTED" : outcome.reason, outcome.message);
  }
}

// The network does not show at all whether it happened.
void AfterBlindness(Change& change, absl::Time now, const SettleRules& rules) {
  Delivery& after = change.after;
  if (IsIdempotent(after.kind)) {
    after.tries += 1;
    return WaitAgain(change, now + RetryWait(after.tries - 1, 1.0, rules), "TRANSIENT",
                     "the network does not show whether it was done; doing it again is safe");
  }
  after.needs_human = true;
  after.check_time = absl::InfiniteFuture();
  SetError(after, "OUTCOME_UNKNOWN", "the network does not show whether it was done; a person must look and settle it");
  change.detail = "cannot be read back";
}

// Whatever may be done twice: what the target looks like decides, and doing it again does no harm.
void AfterTargetRead(Change& change, const std::vector<FoundItem>& found, const NetworkTraits& traits, absl::Time now,
                     const SettleRules& rules) {
  Delivery& after = change.after;
  const bool there = !found.empty();
  if (after.kind == DeliveryKind::kDelete) {
    if (!there) return Deliver(change, "", "", now, "read back: it is gone");
  } else if (!there) {
    return Finish(change, State::kFailed, "NOT_FOUND", "the target is gone");
  } else if (traits.hide_reads_back && TurnsOn(after.kind) == found.front().hidden) {
    return Deliver(change, "", "", now, "read back: it was done");
  }
  after.tries += 1;
  WaitAgain(change, now + RetryWait(after.tries - 1, 1.0, rules), "TRANSIENT",
            "read back: not done; doing it again is safe");
}

}  // namespace

Change BeginSend(const Delivery& delivery, absl::Time now, absl::Time lease_until, const SettleRules& rules) {
  // From sent, too: when the commit's answer was lost the row may be sent already. Only the holder of this fence can have
  // done that, and it calls nobody before it knows that the intent is committed.
  Change change = From(delivery, {State::kClaimed, State::kSent}, rules);
  change.after.state = State::kSent;
  change.after.sent_time = now;
  if (change.after.first_sent_time == absl::InfinitePast()) change.after.first_sent_time = now;
  change.after.check_time = lease_until;
  change.after.attempts += 1;
  SetError(change.after, "", "");
  change.detail = "intent recorded";
  change.in_lane_order = true;
  return change;
}

Change Release(const Delivery& delivery, absl::Time ready_time, const std::string& reason, const std::string& message,
               const SettleRules& rules) {
  Change change = From(delivery, {State::kClaimed}, rules);
  WaitAgain(change, ready_time, reason, message);
  if (reason.empty()) change.detail = "given back";
  change.after.fence += 1;
  return change;
}

Change Expire(const Delivery& delivery, absl::Time now, const SettleRules& rules) {
  Change change = From(delivery, {State::kScheduled, State::kClaimed}, rules);
  const std::string why = delivery.error_reason.empty()
                              ? "its time passed before it could be sent"
                              : "its time passed while it waited: " + Sentence(delivery.error_reason, delivery.error_message);
  change.after.fence += 1;
  if (IsSecondTry(delivery)) {
    BecomeUnknown(change, absl::InfiniteFuture(), why + "; the first try may have arrived, a person must settle it");
    change.after.needs_human = true;
    return change;
  }
  Finish(change, State::kExpired, "EXPIRED", why);
  return change;
}

Change AfterCall(const Delivery& delivery, const WriteOutcome& outcome, const NetworkTraits& traits, absl::Time now,
                 double jitter, const SettleRules& rules) {
  Change change = From(delivery, {State::kSent, State::kUnknown}, rules);
  change.after.tries = delivery.tries;
  switch (outcome.result) {
    case WriteResult::kAccepted:
      Deliver(change, outcome.remote_id, outcome.permalink, now,
              outcome.message.empty() ? "accepted by the network" : "accepted by the network: " + outcome.message);
      break;
    case WriteResult::kRefused:
      Refused(change, outcome, traits, now, jitter, rules);
      break;
    case WriteResult::kNotSent:
      change.after.attempts = std::max(0, delivery.attempts - 1);
      change.after.tries += 1;
      // Nothing arrived: the first call that may have is still to come.
      if (change.after.attempts == 0) change.after.first_sent_time = absl::InfinitePast();
      WaitAgain(change, now + RetryWait(change.after.tries - 1, jitter, rules), "TRANSIENT",
                outcome.message.empty() ? outcome.reason : outcome.message);
      break;
    case WriteResult::kUnknown:
      BecomeUnknown(change, now + traits.settle,
                    outcome.message.empty() ? "the call's end is not known" : outcome.message);
      break;
  }
  return change;
}

Change Recover(const Delivery& delivery, const NetworkTraits& traits, absl::Time now, const SettleRules& rules) {
  if (delivery.state == State::kClaimed) {
    Change change = Release(delivery, delivery.ready_time, "", "", rules);
    change.detail = "claim taken back from an owner that is gone";
    return change;
  }
  Change change = From(delivery, {State::kSent}, rules);
  BecomeUnknown(change, now + traits.settle, "the sender stopped before it recorded the outcome");
  return change;
}

Change BeginReadBack(const Delivery& delivery, absl::Time now, absl::Time lease_until, const SettleRules& rules) {
  Change change = From(delivery, {State::kUnknown}, rules);
  change.after.reconciling = true;
  change.after.check_time = lease_until;
  change.after.fence += 1;
  change.detail = "reading the channel back";
  return change;
}

Change AfterReadBack(const Delivery& delivery, const StatusOr<std::vector<FoundItem>>& found,
                     const NetworkTraits& traits, absl::Time now, const SettleRules& rules) {
  Change change = From(delivery, {State::kUnknown}, rules);
  Delivery& after = change.after;
  if (!found.ok() && ToError(found.status()).reason == "READ_BACK_IMPOSSIBLE") {
    AfterBlindness(change, now, rules);
    return change;
  }
  if (!found.ok()) {
    // Without a reading nothing is known; a person is asked only when it has been impossible for long.
    if (now - delivery.sent_time > rules.read_give_up) after.needs_human = true;
    after.check_time = now + rules.read_spacing;
    change.detail = "could not be read back: " + ToError(found.status()).reason;
    return change;
  }
  if (IsIdempotent(delivery.kind)) {
    AfterTargetRead(change, *found, traits, now, rules);
    return change;
  }
  if (!found->empty()) {
    Deliver(change, found->front().remote_id, found->front().permalink, now, "found on the network");
    return change;
  }
  after.empty_reads += 1;
  if (after.empty_reads < rules.empty_reads) {
    after.check_time = now + rules.read_spacing;
    change.detail = "read back: not there yet";
    return change;
  }
  const bool key_remembered = traits.idempotency_key && now - delivery.first_sent_time < rules.key_window;
  // Networks keep posts and comments from doubling, not what goes to one person.
  const bool kept_single = delivery.kind == DeliveryKind::kPost || delivery.kind == DeliveryKind::kReply;
  if (kept_single && (key_remembered || traits.content_dedupe) && delivery.resends < rules.resends_max && now < delivery.expire_time) {
    after.resends += 1;
    after.empty_reads = 0;
    WaitAgain(change, now, "OUTCOME_UNKNOWN", "not there; the network keeps a second try from doubling it");
    return change;
  }
  after.needs_human = true;
  after.check_time = absl::InfiniteFuture();
  SetError(after, "OUTCOME_UNKNOWN", "reading back did not show it; a person must look and settle it");
  change.detail = "read back: not there; a person must settle it";
  return change;
}

bool PausesChannel(const WriteOutcome& outcome) {
  return outcome.result == WriteResult::kRefused && outcome.refusal == Refusal::kTokenExpired;
}

}  // namespace parvis::publishing
