// The journal's file: append-only NDJSON, one line per entry.
#pragma once

#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace parvis::sandbox {

class JournalFile {
 public:
  // An existing file is replaced: the state that it tells of is gone with the process that wrote it.
  // UNAVAILABLE JOURNAL_OPEN_FAILED.
  static StatusOr<JournalFile> Open(const std::string& path, bool fsync);
  JournalFile(JournalFile&& other) noexcept;
  JournalFile(const JournalFile&) = delete;
  ~JournalFile();
  // Writes the line and a line feed; with fsync, returns when it is on the disk. UNAVAILABLE JOURNAL_WRITE_FAILED.
  Status Append(std::string_view line);

 private:
  JournalFile(int file, bool fsync) : file_(file), fsync_(fsync) {}
  int file_;
  bool fsync_;
};

}  // namespace parvis::sandbox
