#include "publishing/media/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "publishing/media/sniff.h"

namespace parvis::publishing {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "parvis-media-";
constexpr int64_t kPieceBytes = 1 << 20;
constexpr int kBoxesMax = 10'000;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

Status NoScratch(int error) {
  if (error == ENOSPC || error == EDQUOT) {
    return MakeError(Code::kResourceExhausted, "MEDIA_TOOLS_BUSY", "the scratch folder has no room now");
  }
  return MakeError(Code::kInternal, "MEDIA_SCRATCH",
                   std::string("the scratch folder cannot be used: ") + std::strerror(error));
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return NoScratch(wrote == 0 ? ENOSPC : errno);
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

Status Cut(const std::string& why) { return MakeError(Code::kInvalidArgument, "MEDIA_UNREADABLE", why); }

}  // namespace

Scratch::~Scratch() {
  std::error_code error;  // a tool has made files at most: it has ended, and its group with it
  if (!folder_.empty()) fs::remove_all(folder_, error);
}

Status Scratch::Make(const std::string& above) {
  std::string pattern = above + "/" + kPrefix + "XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) return NoScratch(errno);
  folder_ = pattern;
  return absl::OkStatus();
}

Status Scratch::Fill(const Call& call, const MediaBytes& content) {
  const File file(open((folder_ + "/in").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return NoScratch(errno);
  for (int64_t at = 0; at < content.size;) {
    PARVIS_ASSIGN_OR_RETURN(const std::string piece, content.read(call, at, std::min(kPieceBytes, content.size - at)));
    if (piece.empty()) return Cut("the content ends before its size");
    PARVIS_RETURN_IF_ERROR(WriteAll(file.get(), piece));
    at += static_cast<int64_t>(piece.size());
  }
  return absl::OkStatus();
}

Status Scratch::CheckBoxes(const std::string& name) const {
  const File file(open((folder_ + "/" + name).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about;
  if (file.get() < 0 || fstat(file.get(), &about) != 0) return NoScratch(errno);
  const int64_t end = about.st_size;
  int64_t at = 0;
  for (int boxes = 0; at < end; ++boxes) {
    if (boxes == kBoxesMax) return Cut("the file is of too many boxes");
    char head[16];
    const ssize_t got = pread(file.get(), head, sizeof head, at);
    if (got < 0) return NoScratch(errno);
    const int64_t bytes = BoxBytes(std::string_view(head, static_cast<size_t>(got)));
    if (bytes == 0) return absl::OkStatus();
    if (bytes < 0) return Cut("the file is damaged");
    if (bytes > end - at) return Cut("the file was cut off, or says wrong sizes");
    at += bytes;
  }
  return absl::OkStatus();
}

StatusOr<MediaBytes> Scratch::Open(const std::string& name, int64_t max_bytes) const {
  const auto file =
      std::make_shared<const File>(open((folder_ + "/" + name).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about;
  if (file->get() < 0 || fstat(file->get(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0) {
    return Cut("nothing could be made of it");
  }
  if (about.st_size > max_bytes)
    return MakeError(Code::kResourceExhausted, "MEDIA_OVER_LIMIT", "what was made of it is too large");
  MediaBytes made;
  made.size = about.st_size;
  made.read = [file, size = made.size](const Call&, int64_t offset, int64_t length) -> StatusOr<std::string> {
    std::string bytes(static_cast<size_t>(std::clamp<int64_t>(length, 0, std::max<int64_t>(0, size - offset))), '\0');
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t got =
          pread(file->get(), bytes.data() + at, bytes.size() - at, static_cast<off_t>(offset) + static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return NoScratch(got == 0 ? EIO : errno);
      at += static_cast<size_t>(got);
    }
    return bytes;
  };
  return made;
}

StatusOr<std::string> Scratch::Take(const std::string& name, int64_t max_bytes) const {
  PARVIS_ASSIGN_OR_RETURN(const MediaBytes made, Open(name, max_bytes));
  return made.read({}, 0, made.size);
}

void SweepScratch(const std::string& above, absl::Time before) {
  std::error_code error;
  for (fs::directory_iterator at(above, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().rfind(kPrefix, 0) != 0) continue;
    struct stat about;
    if (lstat(at->path().c_str(), &about) != 0 || !S_ISDIR(about.st_mode) || about.st_uid != geteuid()) continue;
    std::error_code ignored;
    if (absl::TimeFromTimespec(about.st_mtim) < before) fs::remove_all(at->path(), ignored);
  }
}

}  // namespace parvis::publishing
