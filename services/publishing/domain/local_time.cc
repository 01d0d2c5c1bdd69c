#include "publishing/domain/local_time.h"

#include <absl/time/civil_time.h>

namespace parvis::publishing {
namespace {

// Exactly "YYYY-MM-DDTHH:MM[:SS]", every field in its range (absl would normalise 25:00 into the next day).
bool ParseCivil(std::string_view text, absl::CivilSecond& civil) {
  if (text.size() != 16 && text.size() != 19) return false;
  const std::string_view shape = "dddd-dd-ddTdd:dd:dd";
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !digit : text[i] != shape[i]) return false;
  }
  const auto number = [&](size_t at, size_t length) {
    int value = 0;
    for (size_t i = at; i < at + length; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2), hour = number(11, 2), minute = number(14, 2);
  const int second = text.size() == 19 ? number(17, 2) : 0;
  civil = absl::CivilSecond(year, month, day, hour, minute, second);
  return civil.year() == year && civil.month() == month && civil.day() == day && civil.hour() == hour &&
         civil.minute() == minute && civil.second() == second;
}

std::string Show(absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, zone);
}

}  // namespace

StatusOr<absl::Time> ResolveLocalTime(std::string_view field, std::string_view text, const std::string& zone,
                                      LocalTimeChoice choice) {
  absl::TimeZone tz;
  if (zone.empty() || !absl::LoadTimeZone(zone, &tz)) {
    return MakeError(Code::kFailedPrecondition, "TIME_ZONE_UNKNOWN",
                     "the workspace's time zone \"" + zone + "\" is not a known IANA time zone");
  }
  absl::CivilSecond civil;
  if (!ParseCivil(text, civil)) {
    return InvalidField(field, "LOCAL_TIME_MALFORMED",
                        "must be an existing date and time like 2026-03-29T09:00, without a time zone");
  }
  const absl::TimeZone::TimeInfo info = tz.At(civil);
  if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) {
    return InvalidField(field, "LOCAL_TIME_SKIPPED",
                        "clocks in " + zone + " skip this time; the nearest that exist are " +
                            Show(info.trans - absl::Seconds(1), tz) + " and " + Show(info.trans, tz));
  }
  if (info.kind == absl::TimeZone::TimeInfo::REPEATED) {
    if (choice == LocalTimeChoice::kNone) {
      return InvalidField(field, "LOCAL_TIME_AMBIGUOUS",
                          "clocks in " + zone + " show this time twice: " + Show(info.pre, tz) + " and " +
                              Show(info.post, tz) + "; set local_time_choice to FIRST or SECOND");
    }
    return choice == LocalTimeChoice::kFirst ? info.pre : info.post;
  }
  return info.pre;
}

}  // namespace parvis::publishing
