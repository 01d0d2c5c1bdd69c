// The streams that the simulated networks have open: who listens, what each is told, heartbeats, and what goes wrong with
// them. One thread writes to all, in the order in which things happened. What a stream cannot take in time closes it.
//
// Faults of the operation `event` strike when a stream is to be told of something: accept_then_reset (half of it, then the
// connection is cut), reset_before_accept (cut before it), garbage (what nobody can read, then it), accept_then_504
// (silence from now on, without heartbeat), server_error (the network ends the stream), limit and forbid (it says why before).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>

#include "platform/net/http_server.h"
#include "sandbox/domain/faults.h"
#include "sandbox/domain/world.h"

namespace parvis::sandbox {

struct StreamOpening {
  Network network = Network::kMastodon;
  std::string account;          // whose faults strike
  net::HttpResponse head;       // 200, or 101 for a WebSocket
  std::string first;            // said at once
  std::string heartbeat;        // "" = none
  absl::Duration heartbeat_every = absl::Seconds(15);
  std::string garbage, goodbye;
  // All of these run on the thread of Streams and may ask the World.
  std::function<std::string(const Notice&)> tell;   // "" = nothing
  // What comes before everything else, at most `max` bytes: when that is not `all`, the stream ends behind it. May be null.
  std::function<std::string(size_t max, bool* all)> replay;
};

// Thread-safe.
class Streams {
 public:
  Streams(Faults& faults, const Clock& clock, int open_max, size_t waiting_max);
  ~Streams();  // Stop()
  // Answers with the stream; 429 when too many are open.
  void Open(std::shared_ptr<const StreamOpening> opening, net::Responder responder);
  // For World::Listen: quick.
  void Notify(const Notice& notice);
  void Stop();  // cuts all

 private:
  struct Asked {
    std::shared_ptr<const StreamOpening> opening;
    net::Responder responder;
  };
  struct Live {
    std::shared_ptr<const StreamOpening> opening;
    net::Responder responder;
    Instant next_heartbeat;
    Instant cut_at = Instant::Max();
    bool silent = false, over = false;
  };
  void Work();
  void Begin(const Asked& asked);
  void Tell(Live& live, const Notice& notice);
  // Heartbeats and cuts that are due; when the next one is.
  Instant Tick();

  Faults& faults_;
  const Clock& clock_;
  const int open_max_;
  const size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, overrun_ = false;
  std::deque<std::variant<Asked, Notice>> waiting_;
  std::list<Live> live_;   // of the thread alone
  std::thread thread_;
};

}  // namespace parvis::sandbox
