// How each type of option is read and printed.
#include <cstdlib>
#include <iostream>

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include "platform/app/config.h"

namespace parvis::app {
namespace {

Status Wrong(std::string_view text) { return MakeError(Code::kInvalidArgument, "CONFIG_VALUE", text); }

std::string BoundsText(int64_t min, int64_t max) {
  return max == INT64_MAX ? absl::StrCat("at least ", min) : absl::StrCat(min, " to ", max);
}

Status ParseInt(const std::string& text, const Bounds& bounds, int64_t& out) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) return Wrong("must be a whole number");
  if (value < bounds.min || value > bounds.max)
    return Wrong(absl::StrCat("must be ", BoundsText(bounds.min, bounds.max)));
  out = value;
  return absl::OkStatus();
}

Status ParseBool(const std::string& text, bool& out) {
  if (text != "true" && text != "false") return Wrong("must be true or false");
  out = text == "true";
  return absl::OkStatus();
}

Status ParseDuration(const std::string& text, absl::Duration min, absl::Duration max, absl::Duration& out) {
  absl::Duration value;
  if (!absl::ParseDuration(text, &value) || value == absl::InfiniteDuration() || value == -absl::InfiniteDuration()) {
    return Wrong("must be a duration such as 250ms, 5s, 10m or 24h");
  }
  if (value < min) return Wrong(absl::StrCat("must be at least ", absl::FormatDuration(min)));
  if (value > max) return Wrong(absl::StrCat("must be at most ", absl::FormatDuration(max)));
  out = value;
  return absl::OkStatus();
}

Status CheckAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return Wrong("must be host:port, with a port from 0 to 65535");
  }
  const std::string host = text.substr(0, colon);
  const bool brackets = host.front() == '[' && host.back() == ']' && host.size() > 2;
  if (host.find(':') != std::string::npos && !brackets) return Wrong("an IPv6 address needs brackets: [::1]:8080");
  return absl::OkStatus();
}

Status ParseMap(const std::string& text, std::map<std::string, std::string>& out) {
  std::map<std::string, std::string> value;
  for (absl::string_view item : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::vector<std::string> pair = absl::StrSplit(item, absl::MaxSplits('=', 1));
    if (pair.size() != 2 || pair[0].empty()) return Wrong("must be a list of name=value, separated by commas");
    if (!value.emplace(absl::StripAsciiWhitespace(pair[0]), absl::StripAsciiWhitespace(pair[1])).second) {
      return Wrong(absl::StrCat("names '", pair[0], "' twice"));
    }
  }
  out = std::move(value);
  return absl::OkStatus();
}

}  // namespace

Options::Field& Options::Add(std::string_view name, std::string_view type, std::string_view doc,
                             std::function<Status(const std::string& text)> parse, std::function<std::string()> print) {
  for (const Field& field : fields_) {
    if (field.name == name) {
      std::cerr << "option --" << name << " is declared twice\n";
      std::abort();
    }
  }
  std::string default_value = print();
  fields_.push_back({.name = std::string(name),
                     .type = std::string(type),
                     .doc = std::string(doc),
                     .default_value = std::move(default_value),
                     .parse = std::move(parse),
                     .print = std::move(print)});
  return fields_.back();
}

void Options::Int(std::string_view name, int64_t* field, std::string_view doc, Bounds bounds) {
  Add(
      name, "int", doc, [field, bounds](const std::string& text) { return ParseInt(text, bounds, *field); },
      [field] { return absl::StrCat(*field); })
      .bounds = BoundsText(bounds.min, bounds.max);
}

void Options::Int(std::string_view name, int* field, std::string_view doc, Bounds bounds) {
  Add(
      name, "int", doc,
      [field, bounds](const std::string& text) {
        int64_t value = 0;
        PARVIS_RETURN_IF_ERROR(ParseInt(text, {bounds.min, std::min<int64_t>(bounds.max, INT32_MAX)}, value));
        *field = static_cast<int>(value);
        return absl::OkStatus();
      },
      [field] { return absl::StrCat(*field); })
      .bounds = BoundsText(bounds.min, bounds.max);
}

void Options::Bool(std::string_view name, bool* field, std::string_view doc) {
  Add(
      name, "bool", doc, [field](const std::string& text) { return ParseBool(text, *field); },
      [field] { return *field ? "true" : "false"; });
}

void Options::String(std::string_view name, std::string* field, std::string_view doc) {
  Add(
      name, "string", doc,
      [field](const std::string& text) {
        *field = text;
        return absl::OkStatus();
      },
      [field] { return *field; });
}

void Options::Choice(std::string_view name, std::string* field, std::string_view doc,
                     std::vector<std::string> allowed) {
  std::string names = absl::StrJoin(allowed, ", ");
  Add(
      name, "choice", doc,
      [field, allowed, names](const std::string& text) {
        if (std::find(allowed.begin(), allowed.end(), text) == allowed.end()) {
          return Wrong(absl::StrCat("must be one of ", names));
        }
        *field = text;
        return absl::OkStatus();
      },
      [field] { return *field; })
      .bounds = names;
}

void Options::Address(std::string_view name, std::string* field, std::string_view doc) {
  Add(
      name, "host:port", doc,
      [field](const std::string& text) {
        PARVIS_RETURN_IF_ERROR(CheckAddress(text));
        *field = text;
        return absl::OkStatus();
      },
      [field] { return *field; });
}

void Options::Required(std::string_view name, std::string* field, std::string_view doc) {
  String(name, field, doc);
  fields_.back().required = true;
}

void Options::Duration(std::string_view name, absl::Duration* field, std::string_view doc, absl::Duration min,
                       absl::Duration max) {
  Add(
      name, "duration", doc,
      [field, min, max](const std::string& text) { return ParseDuration(text, min, max, *field); },
      [field] { return absl::FormatDuration(*field); })
      .bounds = max == absl::InfiniteDuration()
                    ? absl::StrCat("at least ", absl::FormatDuration(min))
                    : absl::StrCat(absl::FormatDuration(min), " to ", absl::FormatDuration(max));
}

void Options::List(std::string_view name, std::vector<std::string>* field, std::string_view doc) {
  Add(
      name, "list", doc,
      [field](const std::string& text) {
        field->clear();
        for (absl::string_view item : absl::StrSplit(text, ',')) {
          item = absl::StripAsciiWhitespace(item);
          if (!item.empty()) field->emplace_back(item);
        }
        return absl::OkStatus();
      },
      [field] { return absl::StrJoin(*field, ","); });
}

void Options::Map(std::string_view name, std::map<std::string, std::string>* field, std::string_view doc) {
  Add(
      name, "map", doc, [field](const std::string& text) { return ParseMap(text, *field); },
      [field] { return absl::StrJoin(*field, ",", absl::PairFormatter("=")); });
}

void ProcessConfig::Declare(Options& o) {
  o.Choice("log_level", &log_level, "Least severe level that is logged.", {"debug", "info", "warning", "error"});
  o.Address("admin_address", &admin_address, "Where /livez, /readyz and /metrics listen; port 0 takes a free one.");
  o.Duration("stop_deadline", &stop_deadline, "How long an orderly stop may take before the process ends anyway.",
             absl::Milliseconds(100), absl::Minutes(10));
  o.Bool("core_dumps", &core_dumps,
         "Whether a crash may leave a core file and debuggers may attach: it holds every secret that the process has.");
  o.String("ready_file", &ready_file, "If set, the listening addresses are written there once all parts run.");
}

}  // namespace parvis::app
