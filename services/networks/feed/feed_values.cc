// Dates and addresses as feeds write them.
#include <algorithm>
#include <array>

#include "networks/feed/feed_document.h"
#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view Trimmed(std::string_view text) {
  const size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text) {
    if (kBlanks.find(c) != std::string_view::npos || c == ',') {
      if (out.empty() || !out.back().empty()) out.emplace_back();
    } else {
      if (out.empty()) out.emplace_back();
      out.back().push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
    }
  }
  out.erase(std::remove(out.begin(), out.end(), ""), out.end());
  return out;
}

// 1 to 4 digits and nothing else; -1 otherwise.
int NumberIn(std::string_view text) {
  if (text.empty() || text.size() > 4 || !std::all_of(text.begin(), text.end(), IsDigit)) return -1;
  int out = 0;
  for (const char c : text) out = out * 10 + (c - '0');
  return out;
}

// Minutes east of Greenwich; RFC 822 §5.1. What is unknown, the military letters too, is UTC (RFC 2822 §4.3).
int ZoneOf(const std::string& zone) {
  struct Named {
    std::string_view name;
    int hours;
  };
  static constexpr Named kZones[] = {{"est", -5}, {"edt", -4}, {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6},
                                     {"pst", -8}, {"pdt", -7}, {"cet", 1},  {"cest", 2}, {"bst", 1}};
  for (const Named& named : kZones) {
    if (zone == named.name) return named.hours * 60;
  }
  if (zone.size() < 5 || (zone[0] != '+' && zone[0] != '-')) return 0;
  const bool colon = zone[3] == ':';
  const int hours = NumberIn(zone.substr(1, 2)), minutes = NumberIn(zone.substr(colon ? 4 : 3, 2));
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return 0;
  return (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

// "02 Jan 2006 15:04:05 +0000" with or without the day's name, the seconds and the zone.
std::optional<absl::Time> Rfc822(std::string_view text) {
  std::vector<std::string> words = Words(text);
  if (!words.empty() && !IsDigit(words[0][0])) words.erase(words.begin());
  if (words.size() < 3 || words[1].size() < 3) return std::nullopt;
  static constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
  const size_t month = kMonths.find(words[1].substr(0, 3));
  const int day = NumberIn(words[0]);
  int year = NumberIn(words[2]);
  if (month == std::string_view::npos || month % 3 != 0 || day < 1 || day > 31 || year < 0) return std::nullopt;
  if (words[2].size() <= 2) year += year < 50 ? 2000 : 1900;
  if (words[2].size() == 3) year += 1900;  // RFC 2822 §4.3
  std::array<int, 3> clock{0, 0, 0};
  if (words.size() > 3) {
    size_t at = 0, part = 0;
    while (part < clock.size() && at <= words[3].size()) {
      const size_t colon = std::min(words[3].find(':', at), words[3].size());
      clock[part] = NumberIn(std::string_view(words[3]).substr(at, colon - at));
      if (clock[part] < 0 || clock[part] > (part == 0 ? 23 : 60)) return std::nullopt;
      at = colon + 1;
      ++part;
    }
    if (part < 2) return std::nullopt;
  }
  const absl::CivilSecond civil(year, static_cast<int>(month / 3) + 1, day, clock[0], clock[1], clock[2]);
  if (absl::CivilDay(year, static_cast<int>(month / 3) + 1, day).day() != day) return std::nullopt;  // 31 February
  return absl::FromCivil(civil, absl::UTCTimeZone()) - absl::Minutes(words.size() > 4 ? ZoneOf(words[4]) : 0);
}

struct Parts {
  std::string_view scheme, authority, path, query, fragment;
  bool has_authority = false, has_query = false, has_fragment = false;
};

// RFC 3986, appendix B.
Parts Split(std::string_view url) {
  Parts out;
  if (const size_t hash = url.find('#'); hash != std::string_view::npos) {
    out.has_fragment = true;
    out.fragment = url.substr(hash + 1);
    url = url.substr(0, hash);
  }
  if (const size_t mark = url.find('?'); mark != std::string_view::npos) {
    out.has_query = true;
    out.query = url.substr(mark + 1);
    url = url.substr(0, mark);
  }
  const size_t colon = url.find(':');
  if (colon != std::string_view::npos && colon > 0 && url.find('/') > colon) {
    out.scheme = url.substr(0, colon);
    url = url.substr(colon + 1);
  }
  if (url.substr(0, 2) == "//") {
    const size_t end = std::min(url.find('/', 2), url.size());
    out.has_authority = true;
    out.authority = url.substr(2, end - 2);
    url = url.substr(end);
  }
  out.path = url;
  return out;
}

// RFC 3986 §5.2.4, by segments.
std::string WithoutDots(std::string_view path) {
  std::vector<std::string_view> kept;
  bool open = false;  // ends with a slash
  const bool absolute = path.substr(0, 1) == "/";
  for (size_t at = absolute ? 1 : 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    open = part == "." || part == "..";
    if (part == ".." && !kept.empty()) kept.pop_back();
    if (!open) kept.push_back(part);
    at = end + 1;
  }
  std::string out;
  for (size_t i = 0; i < kept.size(); ++i) out += (i > 0 || absolute ? "/" : "") + std::string(kept[i]);
  return open ? out + "/" : out;
}

std::string Lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

}  // namespace

std::optional<absl::Time> ParseFeedTime(std::string_view text) {
  text = Trimmed(text);
  if (text.empty() || text.size() > 80) return std::nullopt;
  std::optional<absl::Time> out;
  if (text.size() >= 10 && text[4] == '-' && text[7] == '-') {
    std::string iso(text);
    if (iso.size() == 10) iso += "T00:00:00Z";
    if (iso[10] == ' ' || iso[10] == 't') iso[10] = 'T';
    if (iso.back() == 'z') iso.back() = 'Z';
    out = ParseIsoTime(iso);
  } else {
    out = Rfc822(text);
  }
  static const absl::Time end = absl::FromUnixSeconds(7258118400);  // 2200
  if (!out || *out < absl::UnixEpoch() || *out >= end) return std::nullopt;
  return out;
}

std::string ResolveUrl(const std::string& base, std::string_view reference) {
  reference = Trimmed(reference);
  if (reference.empty() || reference.size() > 2000) return "";
  const bool blank = std::any_of(reference.begin(), reference.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '<' || c == '>' || c == 0x7F;
  });
  if (blank) return "";
  const Parts from = Split(base), to = Split(reference);
  const bool whole = !to.scheme.empty(), host = whole || to.has_authority;
  const std::string scheme = Lowered(whole ? to.scheme : from.scheme);
  const std::string_view authority = host ? to.authority : from.authority;
  if ((scheme != "http" && scheme != "https") || authority.empty()) return "";
  std::string path;
  bool keeps_query = false;
  if (host || to.path.substr(0, 1) == "/") {
    path = WithoutDots(to.path);
  } else if (to.path.empty()) {
    path = std::string(from.path);
    keeps_query = !to.has_query;
  } else {
    const size_t slash = from.path.rfind('/');
    const std::string before = slash == std::string_view::npos ? "/" : std::string(from.path.substr(0, slash + 1));
    path = WithoutDots(before + std::string(to.path));
  }
  std::string out = scheme + "://" + std::string(authority) + path;
  if (to.has_query || (keeps_query && from.has_query)) out += "?" + std::string(keeps_query ? from.query : to.query);
  if (to.has_fragment) out += "#" + std::string(to.fragment);
  return out.size() > 2000 ? "" : out;
}

}  // namespace parvis::networks
