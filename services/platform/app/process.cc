#include "platform/app/process.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include <absl/strings/str_cat.h>

#include "platform/app/admin_server.h"
#include "platform/obs/log.h"

namespace parvis::app {
namespace {

constexpr int kExitPartFailed = 1, kExitStopTooLong = 3, kExitFailed = 4;
// How often the ready checks run: soon again while something is missing, seldom once all is well.
constexpr auto kCheckAgain = std::chrono::milliseconds(100), kCheckIdle = std::chrono::milliseconds(1000);
// How often, and from which size on, unused memory is given back.
constexpr absl::Duration kTrimEvery = absl::Seconds(10);
constexpr int64_t kTrimAboveBytes = 128 << 20;
// A result older than this means that a check hangs.
constexpr absl::Duration kResultMaxAge = absl::Seconds(10);

obs::Level LevelOf(const std::string& name) {
  if (name == "debug") return obs::Level::kDebug;
  if (name == "warning") return obs::Level::kWarning;
  return name == "error" ? obs::Level::kError : obs::Level::kInfo;
}

int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// After a burst the allocator keeps what it needed, in every thread's arena: gives it back when most of a large process is
// free. Resident memory falls with it, so it is not done again until the next burst.
void GiveMemoryBack() {
  const int64_t resident = ResidentBytes();
  if (resident > kTrimAboveBytes && static_cast<int64_t>(mallinfo2().fordblks) > resident / 2) malloc_trim(0);
}

// A crash leaves no core file: neither in the working folder nor through a handler of the host's (which ignores the limit
// but not that the process may not be dumped).
void ForbidCoreDumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  prctl(PR_SET_DUMPABLE, 0);  // the leak check at the end of a sanitized process must be able to look at it
#endif
}

// A whole file or none: readers wait for it to exist.
Status WriteFileAtomically(const std::string& path, const std::string& text) {
  const std::string part = absl::StrCat(path, ".part.", getpid());
  {
    std::ofstream out(part, std::ios::trunc | std::ios::binary);
    out << text;
    out.flush();
    if (!out) return MakeError(Code::kFailedPrecondition, "READY_FILE", absl::StrCat("cannot write ", part));
  }
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    return MakeError(Code::kFailedPrecondition, "READY_FILE", absl::StrCat("cannot rename to ", path));
  }
  return absl::OkStatus();
}

}  // namespace

struct Process::Impl {
  struct Check {
    std::string name;
    ReadyCheck run;
    std::optional<obs::Mode> mode;
    std::string problem = "not checked yet";  // "" when it passes
    bool known = false;
  };

  Impl(std::string_view service, const ProcessConfig& config)
      : service(service), config(config), admin([this](std::string_view path) { return Serve(path); }) {}

  AdminResponse Serve(std::string_view path);
  AdminResponse Ready();
  void WatchReadiness();
  void RunChecks();
  Status StartAll(std::vector<Part>& parts, size_t& started);
  Status WriteReadyFile();
  void WaitForEnd();
  bool SignalPending() const;
  void StopAll(std::vector<Part>& parts, size_t started);

  const std::string service;
  const ProcessConfig config;
  RealClock clock;
  obs::Metrics metrics;
  AdminServer admin;
  int signal_fd = -1, fail_fd = -1;
  std::atomic<bool> failed{false};

  std::mutex mutex;
  std::condition_variable wake;
  std::string phase = "starting";  // "" while running
  std::vector<std::unique_ptr<Check>> checks;
  std::vector<std::pair<std::string, std::string>> addresses;
  Instant checked_at;
  bool stop_watching = false;
  std::thread watcher;
};

AdminResponse Process::Impl::Serve(std::string_view path) {
  if (path == "/livez") return {.body = "ok\n"};
  if (path == "/readyz") return Ready();
  if (path == "/metrics") {
    metrics.gauge("process_resident_memory_bytes", "Resident memory of the process.")
        .Set(static_cast<double>(ResidentBytes()));
    metrics.gauge("process_cpu_seconds_total", "Processor time used by the process.").Set(CpuSeconds());
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics.Expose()};
  }
  return {.status = 404, .body = "only /livez, /readyz and /metrics\n"};
}

AdminResponse Process::Impl::Ready() {
  std::lock_guard lock(mutex);
  AdminResponse response;
  if (!phase.empty()) response = {.status = 503, .body = absl::StrCat(phase, "\n")};
  if (phase.empty() && !checks.empty() && clock.Now() - checked_at > kResultMaxAge) {
    response = {.status = 503, .body = "a readiness check hangs\n"};
  }
  for (const auto& check : checks) {
    if (!check->problem.empty()) response.status = 503;
    absl::StrAppend(&response.body, check->name, ": ", check->problem.empty() ? "ok" : check->problem, "\n");
  }
  response.body += metrics.degraded().Text();
  if (response.body.empty()) response.body = "ok\n";
  return response;
}

void Process::Impl::RunChecks() {
  std::vector<Check*> now;
  {
    std::lock_guard lock(mutex);
    for (const auto& check : checks) now.push_back(check.get());
  }
  for (Check* check : now) {
    const Status status = check->run();
    const std::string problem = status.ok() ? "" : absl::StrCat(ReasonOf(status), ": ", ToError(status).message);
    bool changed = false;
    {
      std::lock_guard lock(mutex);
      changed = !check->known || problem.empty() != check->problem.empty();
      check->known = true;
      check->problem = problem;
    }
    metrics.gauge("parvis_ready", "1 while the readiness check passes.", {{"check", check->name}})
        .Set(status.ok() ? 1 : 0);
    if (check->mode) metrics.degraded().Set(*check->mode, check->name, status);
    if (changed) {
      obs::Log(status.ok() ? obs::Level::kInfo : obs::Level::kWarning,
               status.ok() ? "ready check passes" : "ready check fails", {{"check", check->name}, {"error", status}});
    }
  }
  metrics.degraded().Tick();
  std::lock_guard lock(mutex);
  checked_at = clock.Now();
}

void Process::Impl::WatchReadiness() {
  pthread_setname_np(pthread_self(), "ready");
  Instant trimmed = clock.Now();
  std::unique_lock lock(mutex);
  while (!stop_watching) {
    lock.unlock();
    RunChecks();
    if (clock.Now() - trimmed > kTrimEvery) {
      GiveMemoryBack();
      trimmed = clock.Now();
    }
    lock.lock();
    bool all = true;
    for (const auto& check : checks) all = all && check->problem.empty();
    wake.wait_for(lock, all ? kCheckIdle : kCheckAgain, [this] { return stop_watching; });
  }
}

bool Process::Impl::SignalPending() const {
  pollfd fds[] = {{signal_fd, POLLIN, 0}, {fail_fd, POLLIN, 0}};
  return poll(fds, 2, 0) > 0;
}

Status Process::Impl::StartAll(std::vector<Part>& parts, size_t& started) {
  PARVIS_RETURN_IF_ERROR(admin.Start(config.admin_address));
  for (Part& part : parts) {
    if (SignalPending()) return absl::OkStatus();
    if (part.start) {
      if (const Status status = part.start(); !status.ok()) {
        obs::Err("part did not start", {{"part", part.name}, {"error", status}});
        return status;
      }
    }
    ++started;
    obs::Log(obs::Level::kDebug, "part started", {{"part", part.name}});
  }
  {
    std::lock_guard lock(mutex);
    phase.clear();
    checked_at = clock.Now();
  }
  watcher = std::thread([this] { WatchReadiness(); });
  return WriteReadyFile();
}

Status Process::Impl::WriteReadyFile() {
  std::string text = absl::StrCat("admin=", admin.address(), "\n");
  {
    std::lock_guard lock(mutex);
    for (const auto& [name, address] : addresses) absl::StrAppend(&text, name, "=", address, "\n");
  }
  obs::Info("running", {{"addresses", text.substr(0, text.size() - 1)}});
  return config.ready_file.empty() ? absl::OkStatus() : WriteFileAtomically(config.ready_file, text);
}

void Process::Impl::WaitForEnd() {
  pollfd fds[] = {{signal_fd, POLLIN, 0}, {fail_fd, POLLIN, 0}};
  while (poll(fds, 2, -1) <= 0) {
  }
  signalfd_siginfo info{};
  if (fds[0].revents != 0 && read(signal_fd, &info, sizeof info) == sizeof info) {
    obs::Info("stopping", {{"signal", static_cast<int>(info.ssi_signo)}});
  }
}

void Process::Impl::StopAll(std::vector<Part>& parts, size_t started) {
  const Instant deadline = clock.Now() + config.stop_deadline;
  {
    std::lock_guard lock(mutex);
    phase = "stopping";
    stop_watching = true;
  }
  wake.notify_all();
  if (!config.ready_file.empty()) std::remove(config.ready_file.c_str());
  // The watchdog ends the process when a part does not keep its promise, or when somebody insists.
  const int done_fd = eventfd(0, EFD_CLOEXEC);
  std::thread watchdog([this, deadline, done_fd] {
    pollfd fds[] = {{done_fd, POLLIN, 0}, {signal_fd, POLLIN, 0}};
    int n = 0;
    do {
      const int64_t left = std::max<int64_t>(0, absl::ToInt64Milliseconds(deadline - clock.Now()));
      n = poll(fds, 2, static_cast<int>(left) + 1);
    } while (n < 0);
    if (fds[0].revents != 0) return;
    obs::Err(n == 0 ? "the stop took too long" : "a second signal while stopping");
    _exit(kExitStopTooLong);
  });
  if (watcher.joinable()) watcher.join();
  for (size_t i = started; i-- > 0;) {
    if (!parts[i].stop) continue;
    const absl::Duration left = std::max(deadline - clock.Now(), absl::Milliseconds(1));
    parts[i].stop(left);
    obs::Log(obs::Level::kDebug, "part stopped", {{"part", parts[i].name}});
  }
  admin.Stop();
  const uint64_t one = 1;
  (void)!write(done_fd, &one, sizeof one);
  watchdog.join();
  close(done_fd);
  obs::Info("stopped");
}

Process::Process(std::string_view service, const ProcessConfig& config)
    : impl_(std::make_unique<Impl>(service, config)) {
  if (!config.core_dumps) ForbidCoreDumps();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  impl_->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  impl_->fail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  obs::ConfigureLog(service, LevelOf(config.log_level));
}

Process::~Process() {
  impl_->admin.Stop();
  close(impl_->signal_fd);
  close(impl_->fail_fd);
}

obs::Metrics& Process::metrics() { return impl_->metrics; }

void Process::AddReadyCheck(std::string_view name, ReadyCheck check, std::optional<obs::Mode> mode) {
  std::lock_guard lock(impl_->mutex);
  impl_->checks.push_back(std::make_unique<Impl::Check>(Impl::Check{std::string(name), std::move(check), mode}));
}

void Process::Announce(std::string_view name, std::string_view address) {
  std::lock_guard lock(impl_->mutex);
  impl_->addresses.emplace_back(name, address);
}

int Process::RunUntilSignal(std::vector<Part> parts) {
  size_t started = 0;
  const Status status = impl_->StartAll(parts, started);
  if (!status.ok()) {
    obs::Err("cannot start", {{"error", status}});
  } else {
    impl_->WaitForEnd();
  }
  impl_->StopAll(parts, started);
  if (!status.ok()) return kExitPartFailed;
  return impl_->failed ? kExitFailed : 0;
}

void Process::Fail(std::string_view why) {
  obs::Err("the process ends itself", {{"why", why}});
  impl_->failed = true;
  const uint64_t one = 1;
  (void)!write(impl_->fail_fd, &one, sizeof one);
}

}  // namespace parvis::app
