#include "platform/blob/folder_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "platform/base/ids.h"
#include "platform/blob/errors.h"

namespace parvis::blob {
namespace {

constexpr char kPartial[] = ".partial";  // no key begins with a dot
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int kTries = 32;  // a Put meets a Delete that removes its empty folder
constexpr absl::Duration kPartialAge = absl::Hours(1);

// A descriptor that is closed at the end.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Reset(-1); }
  Fd(const Fd&) = delete;
  void Reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Status FromErrno(const char* what, int error) {
  const std::string why = std::string(what) + ": " + std::strerror(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Full(why);
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
      return Refused(why);
    case EISDIR:
    case ENOTDIR:
      return MakeError(Code::kInvalidArgument, "BLOB_KEY", "one object's key is another one's folder");
    default:
      return Away(why);
  }
}

struct Split {
  std::string folder, name;  // "media/a", "00000001"
};
Split SplitKey(const std::string& key) {
  const size_t slash = key.rfind('/');
  if (slash == std::string::npos) return {"", key};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

// Opens `path` below `root`, one segment after the other, so that no link is followed. With `make`, missing folders are
// made and made to last.
StatusOr<int> OpenFolder(int root, const std::string& path, bool make) {
  Fd at(dup(root));
  for (size_t begin = 0; at.ok() && begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string segment = path.substr(begin, end - begin);
    int next = openat(at.get(), segment.c_str(), kFolderFlags);
    if (next < 0 && errno == ENOENT && make) {
      if (mkdirat(at.get(), segment.c_str(), 0700) != 0 && errno != EEXIST) {
        // ENOENT: a Delete has just removed the folder in which it was to be made.
        return errno == ENOENT ? Missing(path) : FromErrno("a folder cannot be made", errno);
      }
      if (fsync(at.get()) != 0) return FromErrno("a folder cannot be synced", errno);
      next = openat(at.get(), segment.c_str(), kFolderFlags);
    }
    if (next < 0) return errno == ENOENT ? Missing(path) : FromErrno("a folder cannot be opened", errno);
    at.Reset(next);
    begin = end + 1;
  }
  const int fd = fcntl(at.get(), F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return FromErrno("a folder cannot be opened", errno);
  return fd;
}

// What OpenFolder says of a key that no object can have now.
bool NoFolder(const Status& status) {
  return status.code() == Code::kNotFound || status.code() == Code::kInvalidArgument;
}

}  // namespace

FolderStore::FolderStore(const FolderStoreOptions& options, const Clock& clock, int root, int partial)
    : options_(options), clock_(clock), root_(root), partial_(partial) {}

FolderStore::~FolderStore() {
  close(partial_);
  close(root_);
}

StatusOr<std::unique_ptr<FolderStore>> FolderStore::Open(const FolderStoreOptions& options, const Clock& clock) {
  const auto wrong = [&](const char* why) {
    return MakeError(Code::kFailedPrecondition, "BLOB_FOLDER",
                     options.folder + " " + why + ": " + std::strerror(errno));
  };
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);  // opening it tells whether that went well
  Fd root(open(options.folder.c_str(),
               O_RDONLY | O_DIRECTORY | O_CLOEXEC));  // itself it may be a link: that is the operator's
  if (!root.ok()) return wrong("cannot be opened as a folder");
  if (mkdirat(root.get(), kPartial, 0700) != 0 && errno != EEXIST) return wrong("cannot be written to");
  Fd partial(openat(root.get(), kPartial, kFolderFlags));
  if (!partial.ok()) return wrong("has no folder .partial that can be opened");
  std::unique_ptr<FolderStore> store(
      new FolderStore(options, clock, fcntl(root.get(), F_DUPFD_CLOEXEC, 3), fcntl(partial.get(), F_DUPFD_CLOEXEC, 3)));
  store->Sweep();
  return store;
}

// What is younger may be another replica's write that is under way.
void FolderStore::Sweep() {
  DIR* listing = fdopendir(openat(partial_, ".", kFolderFlags));
  if (listing == nullptr) return;
  const absl::Time old = clock_.WallNow() - kPartialAge;
  while (const dirent* entry = readdir(listing)) {
    struct stat at;
    if (entry->d_name[0] == '.' || fstatat(partial_, entry->d_name, &at, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (absl::TimeFromTimespec(at.st_mtim) < old) unlinkat(partial_, entry->d_name, 0);
  }
  closedir(listing);
}

Status FolderStore::CheckSpace(int64_t bytes) const {
  struct statvfs disk;
  if (fstatvfs(root_, &disk) != 0) return FromErrno("the folder's disk cannot be asked", errno);
  const auto free = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
  if (free - bytes >= options_.free_min_bytes) return absl::OkStatus();
  return Full("the disk has " + std::to_string(free) + " bytes left, " + std::to_string(options_.free_min_bytes) +
              " stay free");
}

// Where the folder itself was removed, which shows by .partial, nothing can be said of an object.
Status FolderStore::NotThere(const std::string& key) const {
  struct stat at;
  const bool well = fstatat(root_, kPartial, &at, AT_SYMLINK_NOFOLLOW) == 0;
  return well ? Missing(key) : Away("the folder is not there any more");
}

Status FolderStore::WritePart(const std::string& name, std::string_view bytes) {
  const Fd file(openat(partial_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return FromErrno("a file cannot be made", errno);
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = write(file.get(), bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return FromErrno("a file cannot be written", wrote == 0 ? ENOSPC : errno);
    done += static_cast<size_t>(wrote);
  }
  if (fsync(file.get()) != 0) return FromErrno("a file cannot be synced", errno);
  return absl::OkStatus();
}

Status FolderStore::PutOnce(const std::string& key, const std::string& part) {
  const Split at = SplitKey(key);
  PARVIS_ASSIGN_OR_RETURN(const int opened, OpenFolder(root_, at.folder, /*make=*/true));
  const Fd folder(opened);
  if (renameat(partial_, part.c_str(), folder.get(), at.name.c_str()) != 0) {
    return errno == ENOENT ? Missing(key) : FromErrno("a file cannot be renamed", errno);
  }
  if (fsync(folder.get()) != 0) return FromErrno("a folder cannot be synced", errno);
  return absl::OkStatus();
}

Status FolderStore::Put(const Call& call, const std::string& key, std::string_view bytes) {
  PARVIS_RETURN_IF_ERROR(CheckObject(key, bytes));
  if (call.Expired(clock_)) return TooLate();
  PARVIS_RETURN_IF_ERROR(CheckSpace(static_cast<int64_t>(bytes.size())));
  const std::string part = RandomHex(32);
  Status status = WritePart(part, bytes);
  // A folder that a Delete removed between opening and renaming is made once more.
  for (int i = 0; status.ok() && i < kTries; ++i) {
    const Status put = PutOnce(key, part);
    if (put.ok()) return put;
    if (put.code() == Code::kNotFound && i + 1 < kTries) continue;
    status = put.code() == Code::kNotFound ? Away("the object's folder is removed again and again") : put;
  }
  unlinkat(partial_, part.c_str(), 0);
  return status;
}

StatusOr<std::string> FolderStore::Read(const Call& call, const std::string& key, int64_t offset, int64_t length) {
  PARVIS_RETURN_IF_ERROR(CheckKey(key));
  if (call.Expired(clock_)) return TooLate();
  const Split at = SplitKey(key);
  const StatusOr<int> opened = OpenFolder(root_, at.folder, /*make=*/false);
  if (!opened.ok()) return NoFolder(opened.status()) ? NotThere(key) : opened.status();
  const Fd folder(*opened);
  const Fd file(openat(folder.get(), at.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.ok()) return errno == ENOENT ? NotThere(key) : FromErrno("a file cannot be opened", errno);
  std::string bytes(static_cast<size_t>(std::clamp<int64_t>(length, 0, kObjectMaxBytes)), '\0');
  size_t done = 0;
  while (offset >= 0 && done < bytes.size()) {
    const ssize_t got =
        pread(file.get(), bytes.data() + done, bytes.size() - done, offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EISDIR ? Missing(key) : FromErrno("a file cannot be read", errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

Status FolderStore::Delete(const Call& call, const std::string& key) {
  PARVIS_RETURN_IF_ERROR(CheckKey(key));
  if (call.Expired(clock_)) return TooLate();
  Split at = SplitKey(key);
  const StatusOr<int> opened = OpenFolder(root_, at.folder, /*make=*/false);
  if (!opened.ok()) return NoFolder(opened.status()) ? absl::OkStatus() : opened.status();
  Fd folder(*opened);
  if (unlinkat(folder.get(), at.name.c_str(), 0) != 0) {
    return errno == ENOENT || errno == EISDIR ? absl::OkStatus() : FromErrno("a file cannot be removed", errno);
  }
  if (fsync(folder.get()) != 0) return FromErrno("a folder cannot be synced", errno);
  // Folders that are empty now go as well, from the inside out; the first one that is not stays with all above it.
  while (!at.folder.empty()) {
    at = SplitKey(at.folder);
    const StatusOr<int> above = OpenFolder(root_, at.folder, /*make=*/false);
    if (!above.ok()) break;
    folder.Reset(*above);
    if (unlinkat(folder.get(), at.name.c_str(), AT_REMOVEDIR) != 0) break;
  }
  return absl::OkStatus();
}

Status FolderStore::Ping(const Call& call) {
  if (call.Expired(clock_)) return TooLate();
  PARVIS_RETURN_IF_ERROR(CheckSpace(0));
  const std::string name = RandomHex(32);
  const Fd file(openat(partial_, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.ok()) return FromErrno("a file cannot be made", errno);
  char read = 0;
  const bool well = pwrite(file.get(), "p", 1, 0) == 1 && pread(file.get(), &read, 1, 0) == 1 && read == 'p';
  const int error = errno;
  unlinkat(partial_, name.c_str(), 0);
  return well ? absl::OkStatus() : FromErrno("a file cannot be written and read", error);
}

}  // namespace parvis::blob
