// Rate limits of the simulated networks: fixed windows per account and endpoint, with sizes that can be changed.
// Defaults are the numbers of the fact sheet (X: 3.5; Facebook: one rolling hour, 1.6, size configurable).
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <absl/time/time.h>

#include "sandbox/domain/model.h"

namespace parvis::sandbox {

struct LimitSize {
  int64_t limit = 0;  // calls in one window; 0: no limit
  absl::Duration window = absl::Minutes(15);
};

struct LimitState {
  bool limited = false;  // false: this endpoint has no limit, the other members mean nothing
  bool exceeded = false;
  int64_t limit = 0, used = 0, remaining = 0;
  absl::Time reset;  // when the window ends
};

// Thread-safe.
class Limits {
 public:
  Limits();
  // Counts one call (unless exceeded) and tells where the budget stands. `take` 0 only looks.
  LimitState Take(Network network, const std::string& account, const std::string& endpoint, absl::Time now,
                  int take = 1);
  void SetEnabled(Network network, bool enabled);
  // account "" changes the default of the endpoint; endpoint "" changes all endpoints of the network.
  void SetSize(Network network, const std::string& account, const std::string& endpoint, LimitSize size);
  // Uses up the current window, as if somebody else had.
  void Exhaust(Network network, const std::string& account, const std::string& endpoint, absl::Time now);
  void Reset();

  struct Row {
    Network network = Network::kFacebook;
    std::string account, endpoint;  // account "": the default
    LimitSize size;
    bool enabled = true;
  };
  std::vector<Row> List() const;

 private:
  struct Window {
    absl::Time start;
    int64_t used = 0;
  };
  using Key = std::tuple<Network, std::string, std::string>;  // network, account, endpoint
  LimitSize SizeOf(Network network, const std::string& account, const std::string& endpoint) const;
  Window& WindowOf(const Key& key, const LimitSize& size, absl::Time now);

  mutable std::mutex mutex_;
  std::set<Network> disabled_;
  std::map<Key, LimitSize> sizes_;
  std::map<Key, Window> windows_;
};

}  // namespace parvis::sandbox
