#include <algorithm>

#include "networks/meta/graph.h"

namespace parvis::networks::meta {
namespace {

struct Known {
  int64_t first, last;
  ErrorClass error;
};

// Facts 1.6 and 2.3; 0.5 for the token's.
constexpr Known kSubcodes[] = {
    {33, 33, ErrorClass::kNotFound},
    {458, 458, ErrorClass::kTokenExpired},       // the app was removed
    {460, 460, ErrorClass::kTokenExpired},       // password changed, or logged out
    {463, 463, ErrorClass::kTokenExpired},       // expired
    {467, 467, ErrorClass::kTokenExpired},       // invalid
    {1346003, 1346003, ErrorClass::kInvalid},    // content flagged
    {1349125, 1349125, ErrorClass::kInvalid},    // bad content
    {1363047, 1363047, ErrorClass::kTransient},
    {1366046, 1366046, ErrorClass::kInvalid},    // photo over 4 MB, or wrong type
    {1366051, 1366051, ErrorClass::kDuplicate},  // photos already posted
    {1390008, 1390008, ErrorClass::kRateLimited},
    {1404078, 1404078, ErrorClass::kPermission},
    {1404102, 1404102, ErrorClass::kInvalid},    // content flagged
    {1404112, 1404112, ErrorClass::kPermission},
    {1609008, 1609008, ErrorClass::kInvalid},    // facebook.com link
    {1609010, 1609010, ErrorClass::kTransient},
    {2018278, 2018278, ErrorClass::kPermission}, // outside the 24 h window
    {2061006, 2061006, ErrorClass::kInvalid},    // bad URL
    {2207001, 2207001, ErrorClass::kTransient},  // Instagram: server error
    {2207003, 2207003, ErrorClass::kTransient},  // Instagram: the media took too long to download
    {2207004, 2207005, ErrorClass::kInvalid},    // Instagram: size, type
    {2207006, 2207006, ErrorClass::kTransient},  // Instagram: the container is not there (any more)
    {2207008, 2207008, ErrorClass::kTransient},  // Instagram: the container is not there (any more)
    {2207009, 2207010, ErrorClass::kInvalid},    // Instagram: aspect ratio, caption
    {2207020, 2207020, ErrorClass::kTransient},  // Instagram: the container expired
    {2207023, 2207023, ErrorClass::kInvalid},    // Instagram: unknown media type
    {2207026, 2207026, ErrorClass::kInvalid},    // Instagram: video format
    {2207027, 2207027, ErrorClass::kTransient},  // Instagram: not ready yet
    {2207028, 2207028, ErrorClass::kInvalid},    // Instagram: size of the carousel
    {2207032, 2207032, ErrorClass::kTransient},  // Instagram: no container could be made
    {2207042, 2207042, ErrorClass::kRateLimited},  // Instagram: posts of the day
    {2207050, 2207051, ErrorClass::kPermission},   // Instagram: restricted account; taken for spam
    {2207052, 2207052, ErrorClass::kInvalid},    // Instagram: the media could not be fetched
    {2207053, 2207053, ErrorClass::kTransient},  // Instagram: unknown upload error
    {2207057, 2207057, ErrorClass::kInvalid},    // Instagram: thumb_offset
    {2207082, 2207082, ErrorClass::kTransient},
    {4854002, 4854002, ErrorClass::kPermission},
};
constexpr Known kCodes[] = {
    {1, 2, ErrorClass::kTransient},
    {3, 3, ErrorClass::kPermission},
    {4, 4, ErrorClass::kRateLimited},
    {10, 10, ErrorClass::kPermission},
    {17, 17, ErrorClass::kRateLimited},
    {32, 32, ErrorClass::kRateLimited},
    {102, 102, ErrorClass::kTokenExpired},
    {104, 104, ErrorClass::kTokenExpired},
    {190, 190, ErrorClass::kTokenExpired},
    {200, 299, ErrorClass::kPermission},
    {506, 506, ErrorClass::kDuplicate},
    {613, 613, ErrorClass::kRateLimited},
    {803, 803, ErrorClass::kNotFound},
    {36003, 36003, ErrorClass::kInvalid},  // Instagram: aspect ratio
    {80000, 80014, ErrorClass::kRateLimited},
};

template <size_t n>
ErrorClass Find(const Known (&table)[n], int64_t number) {
  for (const Known& known : table) {
    if (number >= known.first && number <= known.last) return known.error;
  }
  return ErrorClass::kNone;
}

ErrorClass ByHttpStatus(int status) {
  if (status >= 200 && status < 300) return ErrorClass::kNone;
  if (status >= 500 || status == 408) return ErrorClass::kTransient;
  if (status == 401) return ErrorClass::kTokenExpired;
  if (status == 403) return ErrorClass::kPermission;
  if (status == 404) return ErrorClass::kNotFound;
  if (status == 429) return ErrorClass::kRateLimited;
  return ErrorClass::kInvalid;
}

// The upload hosts have an error body of their own: {"debug_info":{"retriable":true,"type":"..","message":".."}}.
Refusal OfUploadHost(const net::ClientResult& http, const Json& debug) {
  Refusal refusal{ByHttpStatus(http.http_status), Text(debug, "message")};
  if (refusal.error == ErrorClass::kInvalid && IsTrue(debug, "retriable")) refusal.error = ErrorClass::kTransient;
  return refusal;
}

void TakeUsage(const Json& usage, int64_t* percent, int64_t* minutes) {
  for (const char* key : {"call_count", "total_cputime", "total_time"}) *percent = std::max(*percent, NumberOf(usage, key));
  *minutes = std::max(*minutes, NumberOf(usage, "estimated_time_to_regain_access"));
}

}  // namespace

ErrorClass ClassOfSubcode(int64_t subcode) { return Find(kSubcodes, subcode); }

int64_t SubcodeOf(const Json& json) { return NumberOf(Member(json, "error"), "error_subcode"); }

Refusal Classify(const net::ClientResult& http, const Json& json) {
  const Json& error = Member(json, "error");
  if (!error.is_object()) {
    if (const Json& debug = Member(json, "debug_info"); debug.is_object()) return OfUploadHost(http, debug);
    return {ByHttpStatus(http.http_status), "HTTP " + std::to_string(http.http_status)};
  }
  const int64_t code = NumberOf(error, "code"), subcode = NumberOf(error, "error_subcode");
  Refusal refusal;
  refusal.message = Text(error, "message") + " (code " + std::to_string(code) + (subcode != 0 ? "/" + std::to_string(subcode) : "") + ")";
  // Subcode 33 means "no such object" below code 100 only.
  if (subcode != 33 || code == 100) refusal.error = Find(kSubcodes, subcode);
  if (refusal.error == ErrorClass::kNone) refusal.error = Find(kCodes, code);
  if (refusal.error == ErrorClass::kNone && IsTrue(error, "is_transient")) refusal.error = ErrorClass::kTransient;
  if (refusal.error == ErrorClass::kNone) {
    refusal.error = http.http_status >= 500 ? ErrorClass::kTransient : ErrorClass::kInvalid;
  }
  return refusal;
}

RateState Rate(const net::Headers& headers, const std::string& id) {
  RateState rate;
  int64_t percent = -1, minutes = 0;
  for (const char* name : {"X-App-Usage", "X-Page-Usage"}) {
    if (const auto it = headers.find(name); it != headers.end()) TakeUsage(ParseJson(it->second), &percent, &minutes);
  }
  if (const auto it = headers.find("X-Business-Use-Case-Usage"); it != headers.end()) {
    const Json usage = ParseJson(it->second);
    const Json& ours = Member(usage, id.c_str());
    if (ours.is_array()) {
      for (const Json& one : ours) TakeUsage(one, &percent, &minutes);
    }
  }
  if (percent >= 0) {
    rate.limit = 100;
    rate.remaining = static_cast<int>(std::max<int64_t>(0, 100 - percent));
  }
  if (minutes > 0) rate.retry_after = absl::Minutes(std::min<int64_t>(minutes, 24 * 60));
  if (const auto wait = RetryAfter(headers)) rate.retry_after = wait;
  return rate;
}

}  // namespace parvis::networks::meta
