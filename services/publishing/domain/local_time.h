// "9:00 on the day" as a moment: local date-times in the workspace's time zone, with the two days a year on which clocks
// skip an hour or show it twice.
#pragma once

#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "platform/base/error.h"

namespace parvis::publishing {

enum class LocalTimeChoice { kNone, kFirst, kSecond };

// `text`: "2026-03-29T09:00" or "2026-03-29T09:00:30"; `zone`: IANA name. INVALID_ARGUMENT about `field`:
// LOCAL_TIME_MALFORMED; LOCAL_TIME_SKIPPED (clocks jump over it; the message names the moments around it);
// LOCAL_TIME_AMBIGUOUS (it exists twice and `choice` does not say which). FAILED_PRECONDITION TIME_ZONE_UNKNOWN.
StatusOr<absl::Time> ResolveLocalTime(std::string_view field, std::string_view text, const std::string& zone,
                                      LocalTimeChoice choice);

}  // namespace parvis::publishing
