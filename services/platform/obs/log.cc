#include "platform/obs/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <memory>
#include <mutex>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

namespace parvis::obs {
namespace {

using Sink = std::function<void(std::string_view)>;

struct State {
  std::mutex mutex;  // guards service and sink; lines are short, so they are also written under it
  std::string service = "parvis";
  Sink sink;
  std::atomic<Level> threshold{Level::kInfo};
};

State& GlobalState() {
  static State* const state = new State;  // never destroyed: threads may log until the very end
  return *state;
}

const char* LevelName(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

// Length of the UTF-8 sequence that begins at text[i], or 0 if there is no well-formed one (Unicode 15, table 3-7).
size_t SequenceLength(std::string_view text, size_t i) {
  const auto byte = [&](size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
  const auto tail = [&](size_t k) { return (byte(k) & 0xC0u) == 0x80u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
    return byte(1) >= low && byte(1) <= high && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
    return byte(1) >= low && byte(1) <= high && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void AppendMember(std::string_view key, std::string_view value, std::string& line) {
  if (value.empty()) return;
  line += ',';
  AppendJsonString(key, line);
  line += ':';
  AppendJsonString(value, line);
}

void WriteAll(std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t n = write(STDERR_FILENO, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nowhere left to say it
    rest.remove_prefix(static_cast<size_t>(n));
  }
}

void Emit(Level level, const Call* call, std::string_view message, Fields fields) {
  State& state = GlobalState();
  if (level < state.threshold.load(std::memory_order_relaxed)) return;
  std::string line = "{\"time\":\"";
  line += absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", RealClock().WallNow(), absl::UTCTimeZone());
  line += "\",\"level\":\"";
  line += LevelName(level);
  line += '"';
  std::lock_guard lock(state.mutex);
  AppendMember("service", state.service, line);
  AppendMember("message", message.empty() ? std::string_view("-") : message, line);
  if (call != nullptr) {
    AppendMember("trace_id", call->trace.trace_id, line);
    AppendMember("span_id", call->trace.span_id, line);
    AppendMember("workspace", call->workspace_id.empty() ? call->principal.workspace_id : call->workspace_id, line);
    AppendMember("member", call->principal.member_id, line);
    AppendMember("key", call->principal.key_id, line);
    AppendMember("caller", call->principal.service, line);
  }
  for (const Field& field : fields) {
    line += ',';
    AppendJsonString(field.key, line);
    line += ':';
    line += field.json;
  }
  line += '}';
  if (state.sink) {
    state.sink(line);
  } else {
    WriteAll(std::move(line));
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const size_t length = SequenceLength(text, i);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++i;
      continue;
    }
    if (length > 1) {
      out.append(text.substr(i, length));
      i += length;
      continue;
    }
    const char c = text[i++];
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          out += absl::StrFormat("\\u%04x", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

Field::Field(std::string_view key, std::string_view value) : key(key) { AppendJsonString(value, json); }
Field::Field(std::string_view key, int64_t value) : key(key), json(absl::StrCat(value)) {}
Field::Field(std::string_view key, double value)
    : key(key), json(std::isfinite(value) ? absl::StrFormat("%.9g", value) : "null") {}
Field::Field(std::string_view key, bool value) : key(key), json(value ? "true" : "false") {}
Field::Field(std::string_view key, const Status& status) : key(key) {
  if (status.ok()) {
    AppendJsonString("OK", json);
    return;
  }
  const Error error = ToError(status);
  AppendJsonString(absl::StrCat(absl::StatusCodeToString(error.code), " ", error.reason, ": ", error.message), json);
}

void ConfigureLog(std::string_view service, Level threshold) {
  State& state = GlobalState();
  std::lock_guard lock(state.mutex);
  state.service = service;
  state.threshold = threshold;
}

void SetLogSink(std::function<void(std::string_view line)> sink) {
  State& state = GlobalState();
  std::lock_guard lock(state.mutex);
  state.sink = std::move(sink);
}

bool LogEnabled(Level level) { return level >= GlobalState().threshold.load(std::memory_order_relaxed); }

void Log(Level level, const Call& call, std::string_view message, Fields fields) {
  Emit(level, &call, message, fields);
}
void Log(Level level, std::string_view message, Fields fields) { Emit(level, nullptr, message, fields); }

}  // namespace parvis::obs
