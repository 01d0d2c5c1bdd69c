#include "platform/testing/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/testing/wait.h"

namespace parvis::testing {
namespace {

namespace fs = std::filesystem;

const passwd* PostgresUser() {
  static const passwd* user = getpwnam("postgres");
  return user;
}

// In the child: becomes `argv`, with its output in `log`. Only async-signal-safe calls.
[[noreturn]] void Become(char* const* argv, const char* log, uid_t uid, gid_t gid) {
  setsid();
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (uid != 0 && (setgroups(0, nullptr) != 0 || setgid(gid) != 0 || setuid(uid) != 0)) _exit(126);
  execvp(argv[0], argv);
  _exit(127);
}

pid_t Spawn(const std::vector<std::string>& argv, const std::string& log, bool as_postgres) {
  std::vector<char*> raw;
  for (const std::string& argument : argv) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  const bool drop = as_postgres && geteuid() == 0 && PostgresUser();
  const uid_t uid = drop ? PostgresUser()->pw_uid : 0;
  const gid_t gid = drop ? PostgresUser()->pw_gid : 0;
  const pid_t pid = fork();
  if (pid == 0) Become(raw.data(), log.c_str(), uid, gid);
  return pid;
}

std::string Base() {
  struct statvfs shm;
  const bool roomy = statvfs("/dev/shm", &shm) == 0 && shm.f_bavail * shm.f_frsize > (uint64_t{2} << 30);
  return roomy ? "/dev/shm" : "/tmp";
}

}  // namespace

std::string Checkout() {
  for (fs::path at = fs::current_path(); at != at.root_path(); at = at.parent_path()) {
    if (fs::exists(at / "services" / "platform" / "base")) return at.string();
  }
  return fs::current_path().string();
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int port = 0;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  close(fd);
  return port;
}

int RunCommand(const std::vector<std::string>& argv, const std::string& log, bool as_postgres) {
  const pid_t pid = Spawn(argv, log, as_postgres);
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Server::Server(const std::string& name, int stop_signal, bool as_postgres)
    : stop_signal_(stop_signal), as_postgres_(as_postgres) {
  std::string pattern = Base() + "/parvis-" + name + "-XXXXXX";
  folder_ = mkdtemp(pattern.data()) ? pattern : "";
  if (as_postgres_ && geteuid() == 0 && PostgresUser()) {
    if (chown(folder_.c_str(), PostgresUser()->pw_uid, PostgresUser()->pw_gid) != 0) folder_.clear();
  }
  StartJanitor();
}

Server::~Server() {
  if (Running()) Signal(stop_signal_);
  close(janitor_pipe_);
  int status;
  waitpid(janitor_, &status, 0);   // it removes the folder
}

void Server::StartJanitor() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  janitor_pipe_ = ends[1];
  const std::string script =
      "cat >/dev/null; p=$(cat \"$0/pid\" 2>/dev/null) && kill -CONT $p 2>/dev/null; kill -" +
      std::to_string(stop_signal_) + " $p 2>/dev/null; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
      "kill -0 $p 2>/dev/null || break; sleep 0.1; done; kill -9 $p 2>/dev/null; rm -rf \"$0\"";
  janitor_ = fork();
  if (janitor_ != 0) {
    close(ends[0]);
    return;
  }
  setsid();
  dup2(ends[0], 0);
  const int null = open("/dev/null", O_WRONLY);
  dup2(null, 1);
  dup2(null, 2);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_IGN);
  execl("/bin/sh", "sh", "-c", script.c_str(), folder_.c_str(), nullptr);
  _exit(127);
}

Status Server::Start(const std::vector<std::string>& argv) {
  if (folder_.empty()) return MakeError(Code::kInternal, "SERVER_FOLDER", "no folder could be made");
  pid_ = Spawn(argv, folder_ + "/log", as_postgres_);
  if (pid_ < 0) return MakeError(Code::kInternal, "SERVER_START", "fork failed");
  std::ofstream(folder_ + "/pid") << pid_;
  return absl::OkStatus();
}

bool Server::Running() {
  if (pid_ <= 0) return false;
  int status;
  if (waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

void Server::Signal(int signal) {
  if (pid_ <= 0) return;
  kill(pid_, signal);
  if (signal == SIGSTOP) {   // it runs on for a moment
    siginfo_t stopped = {};
    WaitFor([&] { return waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WNOHANG) == 0 && stopped.si_pid == pid_; });
  }
  if (signal == SIGSTOP || signal == SIGCONT) return;
  if (!WaitFor([this] { return !Running(); }, absl::Seconds(20))) {
    kill(pid_, SIGKILL);
    WaitFor([this] { return !Running(); });
  }
  fs::remove(folder_ + "/pid");
}

std::string Server::LogTail() const {
  std::ifstream file(folder_ + "/log");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  return all.size() > 2000 ? all.substr(all.size() - 2000) : all;
}

}  // namespace parvis::testing
