#include "platform/app/config.h"

#include <cstdlib>
#include <iostream>
#include <set>

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

extern char** environ;

namespace parvis::app {
namespace {

// "inbox" -> "PARVIS_INBOX_".
std::string EnvironmentPrefix(std::string_view service) {
  std::string prefix = absl::AsciiStrToUpper(absl::StrCat("PARVIS_", std::string(service), "_"));
  return absl::StrReplaceAll(prefix, {{"-", "_"}});
}

std::string EnvironmentName(std::string_view service, const std::string& field) {
  return EnvironmentPrefix(service) + absl::AsciiStrToUpper(field);
}

struct Loader {
  std::string_view service;
  Options& options;
  std::vector<Violation> violations = {};

  const Options::Field* Find(const std::string& name) const {
    for (const Options::Field& field : options.fields()) {
      if (field.name == name) return &field;
    }
    return nullptr;
  }

  // `shown` is how the person wrote it: "--page_max" or "PARVIS_INBOX_PAGE_MAX".
  void Apply(const Options::Field& field, const std::string& shown, const std::string& text) {
    const Status status = field.parse(text);
    if (!status.ok()) violations.push_back({shown, ToError(status).message, "CONFIG_VALUE"});
  }

  void ApplyEnvironment(const std::map<std::string, std::string>& environment) {
    const std::string prefix = EnvironmentPrefix(service);
    for (const auto& [name, text] : environment) {
      if (!absl::StartsWith(name, prefix)) continue;
      const Options::Field* field = Find(absl::AsciiStrToLower(name.substr(prefix.size())));
      if (field == nullptr || EnvironmentName(service, field->name) != name) {
        violations.push_back({name, "is not a variable of this service; see --help", "CONFIG_UNKNOWN"});
      } else {
        Apply(*field, name, text);
      }
    }
  }

  void ApplyFlags(const std::vector<std::string>& args) {
    std::set<std::string> seen;
    for (size_t i = 0; i < args.size(); ++i) {
      const std::string& arg = args[i];
      if (!absl::StartsWith(arg, "--") || arg.size() == 2) {
        violations.push_back({arg, "is not a flag; flags are written --name=value", "CONFIG_UNKNOWN"});
        continue;
      }
      const size_t equals = arg.find('=');
      const std::string name = arg.substr(2, equals == std::string::npos ? equals : equals - 2);
      const Options::Field* field = Find(name);
      if (field == nullptr) {
        violations.push_back({"--" + name, "is not a flag of this service; see --help", "CONFIG_UNKNOWN"});
        if (equals == std::string::npos && i + 1 < args.size() && !absl::StartsWith(args[i + 1], "--")) ++i;
        continue;
      }
      if (!seen.insert(name).second) {
        violations.push_back({"--" + name, "is given twice", "CONFIG_TWICE"});
        continue;
      }
      if (equals != std::string::npos) {
        Apply(*field, "--" + name, arg.substr(equals + 1));
      } else if (field->type == "bool") {
        Apply(*field, "--" + name, "true");
      } else if (i + 1 < args.size() && !absl::StartsWith(args[i + 1], "--")) {
        Apply(*field, "--" + name, args[++i]);
      } else {
        violations.push_back({"--" + name, "needs a value", "CONFIG_VALUE"});
      }
    }
  }

  void CheckRequired() {
    for (const Options::Field& field : options.fields()) {
      if (field.required && field.print().empty()) {
        violations.push_back({"--" + field.name,
                              absl::StrCat("is required (or ", EnvironmentName(service, field.name), ")"),
                              "CONFIG_MISSING"});
      }
    }
  }
};

std::string Help(std::string_view service, const Options& options) {
  std::string out = absl::StrCat("parvis-", std::string(service), "\n\nFlags (each also as ",
                                 EnvironmentPrefix(service), "<NAME>):\n");
  for (const Options::Field& field : options.fields()) {
    absl::StrAppend(&out, "  --", field.name, "  (", field.type);
    if (!field.bounds.empty()) absl::StrAppend(&out, ", ", field.bounds);
    absl::StrAppend(&out, field.required ? ", required" : absl::StrCat(", default '", field.default_value, "'"),
                    ")\n      ", field.doc, "\n");
  }
  absl::StrAppend(&out,
                  "  --check_config  checks the configuration and exits\n"
                  "  --print_config  prints the configuration and exits\n"
                  "  --print_config_reference  prints it as rows of a Markdown table and exits\n");
  return out;
}

std::string Cell(std::string text) { return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}}); }

// Removes `flag` from `args`; true if it was there.
bool Take(std::vector<std::string>& args, std::string_view flag) {
  const auto it = std::find(args.begin(), args.end(), flag);
  if (it == args.end()) return false;
  args.erase(it);
  return true;
}

}  // namespace

Status Parse(std::string_view service, Options& options, const std::vector<std::string>& args,
             const std::map<std::string, std::string>& environment) {
  Loader loader{service, options};
  loader.ApplyEnvironment(environment);
  loader.ApplyFlags(args);
  loader.CheckRequired();
  return loader.violations.empty() ? absl::OkStatus() : InvalidFields(std::move(loader.violations));
}

std::string ReferenceRows(std::string_view service, const Options& options) {
  std::string out;
  for (const Options::Field& field : options.fields()) {
    const std::string type = field.bounds.empty() ? field.type : absl::StrCat(field.type, ", ", field.bounds);
    const std::string fallback = field.required                ? "*required*"
                                 : field.default_value.empty() ? "*empty*"
                                                               : absl::StrCat("`", field.default_value, "`");
    absl::StrAppend(&out, "| `--", field.name, "` | `", EnvironmentName(service, field.name), "` | ", Cell(type), " | ",
                    Cell(fallback), " | ", Cell(field.doc), " |\n");
  }
  return out;
}

void ParseOrExit(std::string_view service, Options& options, int argc, char** argv) {
  std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
  if (Take(args, "--help")) {
    std::cout << Help(service, options);
    std::exit(0);
  }
  if (Take(args, "--print_config_reference")) {
    std::cout << ReferenceRows(service, options);
    std::exit(0);
  }
  const bool check = Take(args, "--check_config"), print = Take(args, "--print_config");
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view pair = *entry;
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos) environment.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  const Status status = Parse(service, options, args, environment);
  if (!status.ok()) {
    std::cerr << "parvis-" << service << ": the configuration is wrong:\n";
    for (const Violation& v : ToError(status).violations) std::cerr << "  " << v.field << " " << v.description << "\n";
    std::exit(2);
  }
  if (print) {
    for (const Options::Field& field : options.fields()) std::cout << field.name << "=" << field.print() << "\n";
  }
  if (check) std::cout << "the configuration is right\n";
  if (print || check) std::exit(0);
}

}  // namespace parvis::app
