// What polling and streams have in common: how long to wait, and waiting for the sink.
#pragma once

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "ingestion/domain/activity.h"
#include "ingestion/domain/poll_schedule.h"
#include "ingestion/domain/sink.h"
#include "platform/base/error.h"

namespace parvis::ingestion {

// Refused because we asked too often.
bool RefusedForRate(const Status& why);

// Hands over and waits until all of it is safe. The sink promises to end (its own deadline), so there is none here.
Status SendAndWait(ActivitySink& sink, std::vector<Activity> activities, std::vector<RawPart> parts,
                   const std::string& source);

// At most `max` bytes, without cutting a character.
std::string Shortened(std::string text, size_t max);

// `uniform` is a random number in [0, 1).
absl::Duration Jittered(absl::Duration wait, double uniform);   // ±10 %
absl::Duration Scattered(absl::Duration wait, double uniform);  // half of it to all
// What a network asks us to wait, made up to a tenth longer and never absurd (it may say anything): at most `wait_max`.
absl::Duration AskedWait(absl::Duration wait, absl::Duration wait_max, double uniform);
// What is left of a budget makes us wait: a used-up window for its end, or as long as was asked for; zero when nothing does.
absl::Duration BudgetWait(const RateLimit& rate, absl::Duration wait_max, double uniform);
// `first`, doubled by every failure in a row after the first one, at most `max`.
absl::Duration Doubled(absl::Duration first, int failures, absl::Duration max);

}  // namespace parvis::ingestion
