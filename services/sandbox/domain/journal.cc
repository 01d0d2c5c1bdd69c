#include "sandbox/domain/journal.h"

#include <algorithm>
#include <cstdio>

namespace parvis::sandbox {

std::string_view NameOf(Answer answer) {
  switch (answer) {
    case Answer::kOk:
      return "ok";
    case Answer::kReset:
      return "reset";
    case Answer::kGatewayTimeout:
      return "504";
    case Answer::kGarbage:
      return "garbage";
    case Answer::kEmptyPage:
      return "empty_page";
  }
  return "unknown";
}

void AppendJson(std::string_view text, std::string& out) {
  out.push_back('"');
  for (char c : text) {
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
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          char escaped[8];
          std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
          out += escaped;
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

namespace {

void Member(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out += ",\"";
  out += name;
  out += "\":";
  AppendJson(value, out);
}

}  // namespace

std::string ToLine(const JournalEntry& entry) {
  std::string out;
  out.reserve(320 + entry.text.size());
  out += "{\"seq\":";
  out += std::to_string(entry.seq);
  Member("time", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", entry.time, absl::UTCTimeZone()), out);
  Member("network", NameOf(entry.network), out);
  Member("account", entry.account, out);
  Member("kind", entry.kind, out);
  Member("by", entry.by, out);
  Member("remote_id", entry.remote_id, out);
  Member("parent", entry.parent, out);
  Member("post", entry.post, out);
  Member("thread", entry.thread, out);
  if (entry.thread_seq > 0) out += ",\"thread_seq\":" + std::to_string(entry.thread_seq);
  Member("author", entry.author, out);
  Member("text", entry.text, out);
  Member("expanded", entry.expanded, out);
  Member("status", entry.status, out);
  Member("label", entry.label, out);
  Member("language", entry.language, out);
  Member("digest", entry.digest, out);
  Member("answered", NameOf(entry.answered), out);
  out.push_back('}');
  return out;
}

Journal::Journal(int64_t entries_max, Sink sink) : entries_max_(entries_max), sink_(std::move(sink)) {}

StatusOr<int64_t> Journal::Append(JournalEntry entry) {
  std::lock_guard lock(mutex_);
  if (static_cast<int64_t>(lines_.size()) >= entries_max_) {
    return MakeError(Code::kResourceExhausted, "JOURNAL_FULL", "The journal is full; reset the sandbox.");
  }
  entry.seq = first_seq_ + static_cast<int64_t>(lines_.size());
  std::string line = ToLine(entry);
  if (sink_) PARVIS_RETURN_IF_ERROR(sink_(line));
  lines_.push_back(std::move(line));
  ++counts_[{entry.network, entry.account, entry.kind, entry.by, std::string(NameOf(entry.answered))}];
  return entry.seq;
}

std::string Journal::Read(int64_t after, int64_t limit, int64_t bytes_max) const {
  std::lock_guard lock(mutex_);
  std::string out;
  int64_t index = std::max<int64_t>(0, after - first_seq_ + 1);
  for (int64_t n = 0; n < limit && index < static_cast<int64_t>(lines_.size()); ++n, ++index) {
    if (static_cast<int64_t>(out.size()) >= bytes_max) break;
    out += lines_[index];
    out.push_back('\n');
  }
  return out;
}

int64_t Journal::last_seq() const {
  std::lock_guard lock(mutex_);
  return first_seq_ + static_cast<int64_t>(lines_.size()) - 1;
}

std::vector<Journal::Count> Journal::Summary() const {
  std::lock_guard lock(mutex_);
  std::vector<Count> out;
  out.reserve(counts_.size());
  for (const auto& [key, count] : counts_) {
    out.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key), std::get<4>(key), count});
  }
  return out;
}

void Journal::Reset() {
  std::lock_guard lock(mutex_);
  first_seq_ += static_cast<int64_t>(lines_.size());
  lines_.clear();
  counts_.clear();
}

}  // namespace parvis::sandbox
