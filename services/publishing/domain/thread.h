// Threads: posts of ours that continue each other. The first part is a delivery like any other and carries the rest in its
// content. When a part has been delivered, the next becomes a delivery of its own, in the same transaction: only then is there
// something that it continues, and a crash in between can neither forget it nor make it twice.
//
// The parts' due times are a microsecond apart, so that in the channel's lane no later post comes between them. A part that
// fails for good ends the thread: what follows would hang in the air. A person can have it sent again, and so the rest.
#pragma once

#include <optional>
#include <string>

#include "publishing/domain/ledger.h"

namespace parvis::publishing {

// How long a network has to show a part, also to its own readers, before the next one names it.
inline constexpr absl::Duration kThreadPause = absl::Seconds(2);

// The delivery that follows `delivered`, or nullopt when it was the last part. Scheduled; or failed with NOT_FOUND when the
// network did not say under which id it took `delivered`. Its id follows from that of `delivered`: it is one, however often asked.
std::optional<Delivery> NextOfThread(const Delivery& delivered, absl::Time now);

// Its thread ended early at this part, failed or expired, and can go on there: nobody cancelled the post, and it is known what
// the part answers.
bool CanResume(const Delivery& part);

// failed, expired -> scheduled for `now`, on a person's word. Only for what CanResume. The network has answered that the part is
// not there, or never heard of it, so sending it again cannot double it; what follows it is made as always.
Change ResumePart(const Delivery& part, absl::Time now, absl::Time expire_time, const std::string& actor);

// FAILED_PRECONDITION NOTHING_TO_RESUME.
Status NothingToResume();

}  // namespace parvis::publishing
