#include "sandbox/journal/journal_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace parvis::sandbox {

StatusOr<JournalFile> JournalFile::Open(const std::string& path, bool fsync) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) {
    return MakeError(Code::kUnavailable, "JOURNAL_OPEN_FAILED", path + ": " + std::strerror(errno));
  }
  return JournalFile(file, fsync);
}

JournalFile::JournalFile(JournalFile&& other) noexcept : file_(other.file_), fsync_(other.fsync_) { other.file_ = -1; }

JournalFile::~JournalFile() {
  if (file_ >= 0) ::close(file_);
}

Status JournalFile::Append(std::string_view line) {
  std::string whole(line);
  whole.push_back('\n');
  for (size_t done = 0; done < whole.size();) {
    const ssize_t n = ::write(file_, whole.data() + done, whole.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return MakeError(Code::kUnavailable, "JOURNAL_WRITE_FAILED", std::strerror(errno));
    done += static_cast<size_t>(n);
  }
  if (fsync_ && ::fdatasync(file_) != 0) {
    return MakeError(Code::kUnavailable, "JOURNAL_WRITE_FAILED", std::strerror(errno));
  }
  return absl::OkStatus();
}

}  // namespace parvis::sandbox
