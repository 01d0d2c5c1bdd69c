// Typed configuration: one struct a service, every field with name, default, bounds and documentation in one place.
// `--db_pool_size=8` ≡ `PARVIS_INBOX_DB_POOL_SIZE=8` ≡ the default in the struct, in this order of precedence.
// Secrets are only ever paths (`*_file`).
//
//   struct InboxConfig {
//     app::ProcessConfig process;
//     int64_t page_max = 200;
//     void Declare(app::Options& o) {
//       process.Declare(o);
//       o.Int("page_max", &page_max, "Largest page of a list, in items.", {.min = 1, .max = 1000});
//     }
//   };
//   InboxConfig config = app::Load<InboxConfig>("inbox", argc, argv);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "platform/base/error.h"

namespace parvis::app {

struct Bounds {
  int64_t min = 0;
  int64_t max = INT64_MAX;
};

// What a struct declares its fields on. Names are lower_snake with the unit last ("claim_seconds", "body_max_bytes").
class Options {
 public:
  struct Field {
    std::string name, type, doc, default_value, bounds;
    std::function<Status(const std::string& text)> parse;
    std::function<std::string()> print;
    bool required = false;
  };
  void Int(std::string_view name, int64_t* field, std::string_view doc, Bounds bounds = {});
  void Int(std::string_view name, int* field, std::string_view doc, Bounds bounds = {0, INT32_MAX});
  void Bool(std::string_view name, bool* field, std::string_view doc);
  void String(std::string_view name, std::string* field, std::string_view doc);
  // One of `allowed`.
  void Choice(std::string_view name, std::string* field, std::string_view doc, std::vector<std::string> allowed);
  // "host:port"; IPv6 as "[::1]:port".
  void Address(std::string_view name, std::string* field, std::string_view doc);
  // Like String, but an empty value refuses to start.
  void Required(std::string_view name, std::string* field, std::string_view doc);
  // "250ms", "5s", "10m", "24h".
  void Duration(std::string_view name, absl::Duration* field, std::string_view doc,
                absl::Duration min = absl::ZeroDuration(), absl::Duration max = absl::InfiniteDuration());
  // Comma-separated.
  void List(std::string_view name, std::vector<std::string>* field, std::string_view doc);
  // "a=1,b=2".
  void Map(std::string_view name, std::map<std::string, std::string>* field, std::string_view doc);
  const std::vector<Field>& fields() const { return fields_; }

 private:
  // Declaring the same name twice is a mistake in the program and aborts.
  Field& Add(std::string_view name, std::string_view type, std::string_view doc,
             std::function<Status(const std::string& text)> parse, std::function<std::string()> print);
  std::vector<Field> fields_;
};

// What every service has.
struct ProcessConfig {
  std::string log_level = "info";
  std::string admin_address = "127.0.0.1:0";  // /livez, /readyz, /metrics
  absl::Duration stop_deadline = absl::Seconds(20);
  bool core_dumps = false;  // a core file holds every secret that the process has
  std::string
      ready_file;  // if set: "admin=host:port\n<name>=host:port\n..." once all parts run (port 0 works); see Process
  void Declare(Options& o);
};

// Applies defaults < environment (PARVIS_<SERVICE>_<NAME>) < flags (`--name=value`, `--name value`, `--flag` for a
// boolean). Errors (all at once, INVALID_ARGUMENT with one
// violation each): unknown flag, unknown PARVIS_<SERVICE>_* variable, wrong type, out of bounds, missing.
Status Parse(std::string_view service, Options& options, const std::vector<std::string>& args,
             const std::map<std::string, std::string>& environment);

// One Markdown table row a field, for docs/reference/config.md: flag, environment variable, type and bounds, default,
// doc.
std::string ReferenceRows(std::string_view service, const Options& options);

// Handles --help, --check_config, --print_config (prints `name=value` and exits 0), --print_config_reference (Markdown
// rows for docs/reference/config.md) and errors (prints them and exits 2).
void ParseOrExit(std::string_view service, Options& options, int argc, char** argv);

template <class Config>
Config Load(std::string_view service, int argc, char** argv) {
  Config config;
  Options options;
  config.Declare(options);
  ParseOrExit(service, options, argc, argv);
  return config;
}

}  // namespace parvis::app
