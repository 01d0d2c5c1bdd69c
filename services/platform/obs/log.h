// One JSON object per line on standard error:
// {"time","level","service","message","trace_id","span_id","workspace",...}. The sink is process-wide (the only global
// of Parvis); app::Process configures it before anything else starts. Values are JSON-escaped; a Secret does not
// convert to a Field, so it cannot be logged.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::obs {

enum class Level { kDebug, kInfo, kWarning, kError };

struct Field {
  Field(std::string_view key, std::string_view value);
  Field(std::string_view key, const char* value) : Field(key, std::string_view(value)) {}
  Field(std::string_view key, const std::string& value) : Field(key, std::string_view(value)) {}
  Field(std::string_view key, int64_t value);
  Field(std::string_view key, int value) : Field(key, static_cast<int64_t>(value)) {}
  Field(std::string_view key, uint64_t value) : Field(key, static_cast<int64_t>(value)) {}
  Field(std::string_view key, double value);
  Field(std::string_view key, bool value);
  Field(std::string_view key, const Status& status);  // code, reason and message in one string
  std::string key;
  std::string json;  // the encoded value
};
using Fields = std::initializer_list<Field>;

// Names the service in every line and sets the threshold. Call once, before threads start.
void ConfigureLog(std::string_view service, Level threshold);
// Redirects lines (without line feed) to `sink`; nullptr restores standard error. For tests.
void SetLogSink(std::function<void(std::string_view line)> sink);

// Whether a line of this level would be written; for fields that cost something to make.
bool LogEnabled(Level level);

// With a Call, the line carries its trace, workspace, member and key id. Thread-safe.
void Log(Level level, const Call& call, std::string_view message, Fields fields = {});
void Log(Level level, std::string_view message, Fields fields = {});
inline void Info(std::string_view message, Fields fields = {}) { Log(Level::kInfo, message, fields); }
inline void Warn(std::string_view message, Fields fields = {}) { Log(Level::kWarning, message, fields); }
inline void Err(std::string_view message, Fields fields = {}) { Log(Level::kError, message, fields); }

// Appends `text` as a JSON string literal, quotes included; bytes that are not UTF-8 become U+FFFD.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace parvis::obs
