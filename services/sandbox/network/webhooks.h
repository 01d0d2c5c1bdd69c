// Webhooks: tells the targets what happened on the networks, batched and signed, with the oddities that were asked for.
//
// A target has lanes; what happens in one thread (or to one item, if threads are not kept in order) always takes the
// same lane, and a lane has one request under way: so that order holds and others do not wait for it. A lane whose request failed tries again, at once
// and then ever more rarely, until the network's style gives up.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/secret.h"
#include "platform/net/http_client.h"
#include "sandbox/domain/random.h"
#include "sandbox/network/style.h"

namespace parvis::sandbox {

struct WebhookTarget {
  Network network = Network::kFacebook;  // one with a style
  std::string account;                   // "" = all accounts of the network
  StyleSettings style;                   // secrets, shape, the target's url
  int batch_max = 50;          // events in one request, where the network puts several into one
  int lanes = 8;               // requests under way at once
  bool threads_in_order = true;  // false: only what happens to one item is in order, as no network promises more
  double duplicate_ratio = 0;  // events that are delivered twice
  double reorder_ratio = 0;    // events that change places with the one before
  double odd_ratio = 0;        // requests that are followed by one of an unknown kind
  double broken_ratio = 0;     // requests that are followed by one whose body is cut off (and rightly signed)
  absl::Duration late;         // how much later than they happened events are sent ...
  double late_ratio = 1;       // ... and how many of them; less than 1 lets the others overtake
  bool paused = false;
  int attempts_max = 0;  // 0: the network's own; -1: no end
  absl::Duration retry_min = absl::Seconds(1), retry_max = absl::Minutes(5);
  absl::Duration challenge_every = absl::Seconds(30);  // on average; zero: only before the first event
  uint64_t seed = 1;
  // Of a hub's subscribers, who are asked whether they want it before they are added (transport/hub.h):
  bool verified = false;             // no challenges; a secret is not demanded
  Instant until = Instant::Max();    // when the lease ends, and with it the target
};

struct WebhookStats {
  int64_t id = 0;
  Network network = Network::kFacebook;
  std::string account, url;
  bool verified = false, paused = false;
  int64_t events = 0;   // notices taken for this target
  int64_t acked = 0;    // of those: answered 200 at least once
  int64_t pending = 0;  // waiting or under way
  int64_t dropped = 0;  // given up, or no room
  int64_t requests = 0, failures = 0, duplicates = 0, reordered = 0, challenges = 0, challenges_failed = 0;
  int64_t oddities = 0, oddities_refused = 0;  // odd and broken requests; how many were not answered 200
};

// Thread-safe.
class Webhooks {
 public:
  struct Config {
    int targets_max = 32;
    int64_t queue_max = 100'000;  // events waiting in one target; the audience is held back at half of it
  };
  Webhooks(const Config& config, net::HttpClient& client, const Clock& clock);
  ~Webhooks();  // Stop()

  // INVALID_ARGUMENT, RESOURCE_EXHAUSTED TOO_MANY_TARGETS.
  StatusOr<int64_t> Add(const WebhookTarget& target);
  // As Add; where the same url is told of the same account already, that one has the secret and the lease from now on.
  StatusOr<int64_t> Subscribe(const WebhookTarget& target);
  void Unsubscribe(const WebhookTarget& target);  // by network, account and url
  bool Remove(int64_t id);
  void RemoveAll();
  // Pause, resume and change the oddities of a target: `change` works on its settings.
  bool Change(int64_t id, const std::function<void(WebhookTarget&)>& change);
  std::vector<WebhookStats> Stats() const;

  void Notify(const Notice& notice);  // never blocks, never calls back
  bool MayWrite() const;              // false while some target has too much waiting
  // A GET of `url` with `query` added. `answered` comes on a thread of the client's, and not any more after Stop.
  void Ask(const std::string& url, const std::string& query,
           std::function<void(const net::ClientResult&)> answered);
  void Stop();

 private:
  struct Event {
    Notice notice;
    Instant ready;
    bool copy = false;
  };
  struct Lane {
    std::deque<Event> queue;
    std::vector<Event> set_aside;  // late ones that others may overtake
    int under_way = 0;             // events at the front that are being sent
    int attempts = 0;
    Instant retry_at;
  };
  struct Target {
    int64_t id = 0;
    WebhookTarget settings;
    Rng rng{1};
    std::vector<Lane> lanes;
    WebhookStats stats;
    bool challenging = false;
    Instant challenge_at;
    int challenge_attempts = 0;
    const WebhookStyle* how = nullptr;   // the network's
  };
  struct Sending {
    net::ClientRequest request;
    int64_t target = 0;
    int lane = 0;
    std::string expected;
  };

  StatusOr<int64_t> AddLocked(const WebhookTarget& settings);
  Target* FindLocked(const WebhookTarget& like);
  void Run();
  // Collects what can be sent now; the time when there may be more. Under the mutex.
  Instant Collect(Instant now, std::vector<Sending>& out);
  Instant CollectLane(Target& target, int lane, Instant now, std::vector<Sending>& out);
  std::optional<Sending> ChallengeOf(Target& target);
  // A signed POST of `body`, which tells of `like`.
  Sending Signed(const Target& target, int lane, std::string body, const Notice& like) const;
  void AddOddities(Target& target, const Notice& like, std::vector<Sending>& out);
  void Send(Sending sending);
  void Delivered(int64_t target, int lane, const net::ClientResult& result);
  void Challenged(int64_t target, const std::string& expected, const net::ClientResult& result);
  void Enqueue(Target& target, const Notice& notice);

  const Config config_;
  net::HttpClient& client_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, look_again_ = false;
  int under_way_ = 0;
  int64_t next_id_ = 1;
  std::map<int64_t, std::unique_ptr<Target>> targets_;
  std::thread thread_;
};

}  // namespace parvis::sandbox
