// A private server process of a test: started on loopback with its files in a folder of its own, ended by its process id,
// with nothing left behind however the test ends (a helper process waits for our end, even by SIGKILL, and cleans up).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "platform/base/error.h"

namespace parvis::testing {

// The folder that tests find the checkout's files in: the nearest above the working directory that has services/.
std::string Checkout();
// A port of 127.0.0.1 that was free a moment ago.
int FreePort();
// Runs a command to its end; `as_postgres` drops root for user postgres. Returns its exit status; output goes to `log`.
int RunCommand(const std::vector<std::string>& argv, const std::string& log, bool as_postgres = false);

class Server {
 public:
  // `name` is part of the folder's name. `stop_signal` is what ends the process for good. With `as_postgres` and root,
  // the folder belongs to user postgres and the process runs as it.
  Server(const std::string& name, int stop_signal, bool as_postgres);
  ~Server();
  Server(const Server&) = delete;

  const std::string& folder() const { return folder_; }
  // Starts the process (log in folder()/log). The first start also starts the helper.
  Status Start(const std::vector<std::string>& argv);
  // Sends `signal` and waits for the end of the process (SIGSTOP and SIGCONT: does not wait).
  void Signal(int signal);
  bool Running();
  std::string LogTail() const;

 private:
  void StartJanitor();
  const int stop_signal_;
  const bool as_postgres_;
  std::string folder_;
  pid_t pid_ = -1;
  pid_t janitor_ = -1;
  int janitor_pipe_ = -1;
};

}  // namespace parvis::testing
