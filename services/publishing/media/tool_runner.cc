#include "publishing/media/tool_runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "platform/obs/log.h"

namespace parvis::publishing {
namespace {

constexpr size_t kOutputMax = 256 << 10;  // of standard output; of standard error the first kErrorMax are kept
constexpr size_t kErrorMax = 4 << 10;
constexpr absl::Duration kAskEvery = absl::Seconds(1);
constexpr char kUtilLinux[] = "/usr/bin/";

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(const Fd&) = delete;
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void Set(int fd) { fd_ = fd; }
  int get() const { return fd_; }

 private:
  int fd_;
};

Status MakePipe(Fd* read_end, Fd* write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return MakeError(Code::kResourceExhausted, "MEDIA_TOOLS_BUSY", "no descriptors are left");
  read_end->Set(ends[0]);
  write_end->Set(ends[1]);
  fcntl(read_end->get(), F_SETFL, O_NONBLOCK);
  return absl::OkStatus();
}

// Reads what is there. False: the other end is closed.
bool Drain(int fd, size_t max, std::string* out, bool* over) {
  char buffer[16 << 10];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    const size_t room = max - std::min(max, out->size());
    out->append(buffer, std::min(room, static_cast<size_t>(got)));
    if (static_cast<size_t>(got) > room) *over = true;
  }
}

std::vector<char*> Raw(const std::vector<std::string>& words) {
  std::vector<char*> raw;
  for (const std::string& word : words) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);
  return raw;
}

// A tool that finds no memory says so in one of these words, and its exit status means nothing.
bool SaysNoMemory(const std::string& text) {
  for (const char* words : {"ut of memory", "annot allocate memory", "emory exhausted", "failed to allocate",
                            "failed to map segment", "std::bad_alloc", "malloc of size"}) {
    if (text.find(words) != std::string::npos) return true;
  }
  return false;
}

Status OverLimit(const std::string& what) {
  return MakeError(Code::kResourceExhausted, "MEDIA_OVER_LIMIT",
                   "looking at it takes more " + what + " than is allowed");
}

}  // namespace

struct ToolRunner::Ended {
  int status = 0;  // of waitpid
  bool too_late = false, too_much = false, stopped = false;
  std::string out, err;
};

ToolRunner::ToolRunner(const MediaToolsConfig& config, const Clock& clock, obs::Metrics& metrics)
    : config_(config), clock_(clock), metrics_(metrics) {
  // A user namespace first: in it, a network namespace needs no privilege. Some machines do not allow them.
  const std::vector<std::string> unshare = {std::string(kUtilLinux) + "unshare", "--user", "--net", "--ipc", "--"};
  std::vector<std::string> probe = unshare;
  probe.push_back("/usr/bin/true");
  const auto ended = Execute(probe, config_.scratch_folder, clock_.Now() + absl::Seconds(20), nullptr);
  if (ended.ok() && ended->status == 0 && !ended->too_late) {
    cut_off_ = unshare;
  } else {
    obs::Warn(
        "media tools run with the network of this process: user namespaces are not allowed here (docs/security.md)");
  }
}

std::vector<std::string> ToolRunner::Limited(const std::string& path, const std::vector<std::string>& arguments,
                                             const ToolLimits& limits) const {
  const auto cpu = static_cast<int64_t>(std::ceil(absl::ToDoubleSeconds(limits.cpu)));
  std::vector<std::string> argv = cut_off_;
  const std::vector<std::string> before = {std::string(kUtilLinux) + "setpriv",
                                           "--pdeathsig",
                                           "KILL",
                                           "--no-new-privs",
                                           "--",
                                           std::string(kUtilLinux) + "prlimit",
                                           "--as=" + std::to_string(limits.memory_bytes),
                                           "--cpu=" + std::to_string(cpu) + ":" + std::to_string(cpu + 1),
                                           "--fsize=" + std::to_string(limits.file_bytes),
                                           "--core=0",
                                           "--nofile=64",
                                           "--"};
  argv.insert(argv.end(), before.begin(), before.end());
  if (limits.in_background) argv.insert(argv.end(), {"/usr/bin/nice", "-n", "15"});
  argv.push_back(path);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

StatusOr<ToolRunner::Ended> ToolRunner::Execute(const std::vector<std::string>& argv, const std::string& folder,
                                                Instant deadline, const std::function<bool()>& go_on) {
  Fd out, out_write, err, err_write;
  PARVIS_RETURN_IF_ERROR(MakePipe(&out, &out_write));
  PARVIS_RETURN_IF_ERROR(MakePipe(&err, &err_write));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out_write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err_write.get(), 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  // All that a tool learns of this process: nothing. VIPS_BLOCK_UNTRUSTED: libvips' readers that were never fuzzed stay
  // shut.
  const std::vector<std::string> environment = {
      "PATH=/usr/bin:/bin",     "LC_ALL=C",           "HOME=" + folder,    "TMPDIR=" + folder,
      "VIPS_BLOCK_UNTRUSTED=1", "VIPS_CONCURRENCY=1", "MALLOC_ARENA_MAX=1"};
  pid_t pid = -1;
  const int failed =
      posix_spawn(&pid, argv[0].c_str(), &actions, &attributes, Raw(argv).data(), Raw(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed == ENOENT)
    return MakeError(Code::kFailedPrecondition, "MEDIA_TOOLS_MISSING", argv[0] + " is not there (package util-linux)");
  if (failed != 0)
    return MakeError(Code::kResourceExhausted, "MEDIA_TOOLS_BUSY",
                     std::string("no process could be made: ") + std::strerror(failed));
  out_write.Close();
  err_write.Close();

  Ended ended;
  bool ignored = false;
  const absl::Duration wait_max = go_on ? kAskEvery : absl::Seconds(10);
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));  // glibc 2.36 declares no such function for C++
  while (true) {
    const absl::Duration left = deadline - clock_.Now();
    ended.too_late = left <= absl::ZeroDuration();
    ended.stopped = go_on && !go_on();
    if (ended.too_late || ended.too_much || ended.stopped || process.get() < 0) break;
    pollfd polled[3] = {{.fd = process.get(), .events = POLLIN},
                        {.fd = out.get(), .events = POLLIN},
                        {.fd = err.get(), .events = POLLIN}};
    const int millis = static_cast<int>(absl::ToInt64Milliseconds(std::min(left, wait_max)) + 1);
    if (poll(polled, 3, millis) < 0 && errno != EINTR) break;
    if (!Drain(out.get(), kOutputMax, &ended.out, &ended.too_much)) out.Close();  // poll leaves out what is closed
    if (!Drain(err.get(), kErrorMax, &ended.err, &ignored)) err.Close();
    if (polled[0].revents != 0) break;
  }
  kill(-pid, SIGKILL);  // the whole group, also what a tool may have started; its leader still has its number until it
                        // is waited for
  while (waitpid(pid, &ended.status, 0) < 0 && errno == EINTR) {
  }
  if (process.get() < 0) return MakeError(Code::kResourceExhausted, "MEDIA_TOOLS_BUSY", "no descriptors are left");
  if (out.get() >= 0) Drain(out.get(), kOutputMax, &ended.out, &ended.too_much);
  if (err.get() >= 0) Drain(err.get(), kErrorMax, &ended.err, &ignored);
  return ended;
}

Status ToolRunner::Judge(const std::string& tool, const Ended& ended, bool call_expired) const {
  if (ended.stopped) return MakeError(Code::kAborted, "MEDIA_STOPPED", "the work was ended early");
  if (ended.too_late && call_expired)
    return MakeError(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED", "too late while the content was looked at");
  if (ended.too_late) return OverLimit("time");
  if (ended.too_much) return OverLimit("room for what there is to tell of it");
  if (WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 0) return absl::OkStatus();
  if (SaysNoMemory(ended.err)) return OverLimit("memory");
  if (WIFSIGNALED(ended.status)) {
    const int signal = WTERMSIG(ended.status);
    if (signal == SIGXCPU || signal == SIGKILL)
      return OverLimit("processor time");  // SIGKILL: the hard limit, or the kernel's lack of memory
    if (signal == SIGXFSZ) return OverLimit("disk");
  } else if (WEXITSTATUS(ended.status) == 126 || WEXITSTATUS(ended.status) == 127) {
    return MakeError(Code::kFailedPrecondition, "MEDIA_TOOLS_MISSING",
                     tool + " cannot be run: " + ended.err.substr(0, 200));
  }
  return MakeError(Code::kInvalidArgument, "MEDIA_UNREADABLE",
                   "the content is damaged, cut off, or not what its first bytes say");
}

StatusOr<std::string> ToolRunner::Run(const Call& call, const std::string& tool,
                                      const std::vector<std::string>& arguments, const std::string& folder) {
  return Run(call, tool, arguments, folder,
             {.time = config_.tool_max,
              .cpu = config_.cpu_max,
              .memory_bytes = config_.memory_max_bytes,
              .file_bytes = config_.file_max_bytes});
}

StatusOr<std::string> ToolRunner::Run(const Call& call, const std::string& tool,
                                      const std::vector<std::string>& arguments, const std::string& folder,
                                      const ToolLimits& limits) {
  const std::string path = config_.tools_folder + "/" + tool;
  if (access(path.c_str(), X_OK) != 0) {
    return MakeError(Code::kFailedPrecondition, "MEDIA_TOOLS_MISSING",
                     path + " is not there (packages libvips-tools, ffmpeg)");
  }
  const Instant began = clock_.Now();
  auto ended =
      Execute(Limited(path, arguments, limits), folder, std::min(call.deadline, began + limits.time), limits.go_on);
  const Status status = ended.ok() ? Judge(tool, *ended, call.Expired(clock_)) : ended.status();
  const std::string outcome = status.ok() ? "ok" : ReasonOf(status);
  metrics_.counter("parvis_media_tool_runs_total", "Runs of media tools.", {{"tool", tool}, {"outcome", outcome}})
      .Add();
  metrics_.histogram("parvis_media_tool_duration_seconds", "Time that a run of a media tool took.", {{"tool", tool}})
      .Observe(absl::ToDoubleSeconds(clock_.Now() - began));
  if (status.ok()) return std::move(ended->out);
  if (ended.ok())
    obs::Log(obs::Level::kInfo, call, "media tool failed",
             {{"tool", tool}, {"outcome", outcome}, {"said", ended->err.substr(0, 300)}});
  return status;
}

}  // namespace parvis::publishing
