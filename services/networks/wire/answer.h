// From an HTTP result to what a connector returns: the same rules for every network, so that "may I try again?" has one
// answer. What a network's own error body means is the network's classifier's business (facts 0.5).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "networks/connector.h"
#include "networks/wire/json.h"

namespace parvis::networks {

// What a network said no to.
struct Refusal {
  ErrorClass error = ErrorClass::kNone;   // kNone: it said yes
  std::string message;
};

// A parsed answer. `json` is discarded when the body is no JSON object or array.
struct Answer {
  net::ClientResult http;
  Json json;
  Refusal refusal;
  RateState rate;
  bool answered() const { return http.sent == net::Sent::kAnswered; }
  bool ok() const { return answered() && refusal.error == ErrorClass::kNone; }
};

// What an HTTP status alone says, for networks that mean by it what the standard means (RFC 9110): kNone for 2xx. A network's
// classifier asks it after all that it knows better.
ErrorClass ClassOfStatus(int status);
// UPPER_SNAKE, as Outcome::reason.
const char* ReasonName(ErrorClass error);
// `message` shortened to one line of 300 bytes, every value of `credentials` taken out.
std::string SafeMessage(std::string_view message, const Credentials& credentials);

// For a write that did not succeed: kNotSent, kRefused or kUnknown. `effect`: false when this call could not have had an
// effect that anyone sees (an upload before the post): then an unclear end is kNotSent.
Outcome FailedWrite(const Answer& answer, const Account& account, bool effect = true);
// For a write whose answer need not tell anything: accepted when the network said yes with JSON or with nothing at all.
// Anything else with a success status is some gateway's page, not the network speaking.
Outcome SettledWrite(const Answer& answer, const Account& account, std::string remote_id);
// A write that was answered with success, but unintelligibly: it may have happened.
Outcome UnclearWrite(const Answer& answer);
// The same of a step before the effect, as an upload: nothing was sent.
Outcome Unusable(const Answer& answer);
// Whether a step may be repeated where it stopped: no connection, a lost one, or a host in trouble.
bool MayGoOn(const Answer& answer);
Outcome RefusedBeforeSending(ErrorClass error, std::string_view message);
// For a read that did not succeed.
Status FailedRead(const Answer& answer, const Account& account);
// UNAVAILABLE TRANSIENT: answered with success, but not with what was asked for.
Status UnintelligibleRead();
// RESOURCE_EXHAUSTED READ_BACK_TOO_LONG: there is more than kReadBackPagesMax requests show.
Status UnfinishedRead();
// FAILED_PRECONDITION READ_BACK_IMPOSSIBLE: the network does not show whether it happened; a person settles it.
Status CannotReadBack(WriteKind kind, const Capabilities& capabilities);
// Requests of one reading back, a hundred items each.
inline constexpr int kReadBackPagesMax = 32;
// Reads a list to its end: `ask` asks for the page at a place ("" = the first), `take` takes its items and gives the place of
// the next page ("" = this was the last). UnfinishedRead when the list is longer than kReadBackPagesMax requests, or when a
// page leads to itself: what lies behind it was not seen.
Status ReadPages(const Account& account, const std::function<Answer(const std::string& place)>& ask,
                 const std::function<StatusOr<std::string>(const Answer& answer)>& take);
// Most items of one page that are looked at: no list is asked for more, and a network that sends a million of them, each
// of which would become a record or a dead letter, is not what it says it is (then UnintelligibleRead).
inline constexpr size_t kPageItemsMax = 1000;

// What several answers say of the budget together: the latest that says something, but once it is used up, or a wait is asked
// for, that.
void TakeRate(const Answer& answer, RateState* rate);

// Header values as numbers; nullopt when missing or malformed.
std::optional<int64_t> HeaderNumber(const net::Headers& headers, std::string_view name);
std::optional<int> HeaderCount(const net::Headers& headers, std::string_view name);   // at most INT32_MAX
// Retry-After in seconds (the HTTP-date form is not used by these networks), at most a day.
std::optional<absl::Duration> RetryAfter(const net::Headers& headers);

// "2026-11-22T19:00:00+0000", "...Z", "....000Z", "...+00:00"; without an offset it is UTC (WordPress's *_gmt).
std::optional<absl::Time> ParseIsoTime(std::string_view text);
std::string FormatIsoTime(absl::Time time);   // "2026-11-22T19:00:00Z"

}  // namespace parvis::networks
