// Which channels are bound to an account: a bounded cache over accounts, so that the webhook path asks nobody. Expired
// answers are asked for again, one question per account at a time, off the caller's thread; an answer that cannot be
// renewed because accounts is away goes on being used for a while.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingestion/domain/activity.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"

namespace parvis::ingestion {

// Port: asks accounts. Blocks; thread-safe. Accounts without a channel are simply missing in the answer.
class ChannelFinder {
 public:
  virtual ~ChannelFinder() = default;
  virtual StatusOr<std::multimap<std::string, Binding>> FindChannels(const std::string& network,
                                                                     const std::vector<std::string>& accounts) = 0;
};

class BindingCache {
 public:
  struct Options {
    int entries_max = 100'000;
    int waiting_max = 10'000;  // callers waiting for answers; beyond: RESOURCE_EXHAUSTED
    absl::Duration found_for = absl::Seconds(30);
    absl::Duration unknown_for = absl::Seconds(2);  // short: a channel may be connected any moment
    absl::Duration stale_for = absl::Hours(1);      // how long an old answer is used while accounts is away
  };
  using Bindings = std::shared_ptr<const std::vector<Binding>>;  // empty: no channel
  using Answer = std::map<std::string, Bindings>;                // by account
  using Done = std::function<void(StatusOr<Answer>)>;

  BindingCache(ChannelFinder& finder, Executor& executor, const Clock& clock, const Options& options);
  // Calls `done` once: on this thread when all is known, else later on one of the executor's. Callers that wait for the
  // same account are answered in the order in which they came. UNAVAILABLE when accounts cannot be asked;
  // RESOURCE_EXHAUSTED BINDINGS_OVERLOADED when too many wait.
  void Lookup(const std::string& network, std::vector<std::string> accounts, Done done);
  // The workspace an account is known to belong to (the first, of several), "" if it is not known. Asks nobody.
  std::string WorkspaceOf(const std::string& network, const std::string& account) const;
  int size() const;

 private:
  using Key = std::pair<std::string, std::string>;  // network, account
  struct Entry {
    Bindings bindings;  // null: never answered
    Instant fresh_until, stale_until;
    bool asking = false;
    std::list<Key>::iterator used;  // place in lru_
  };
  struct Waiter {
    std::string network;
    std::vector<std::string> accounts;
    Done done;
    int open = 0;  // accounts still being asked for
    Status failure;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return std::hash<std::string>()(key.first) * 31 + std::hash<std::string>()(key.second);
    }
  };
  void Ask(const std::string& network, const std::vector<std::string>& accounts);
  void Settle(const std::string& network, const std::vector<std::string>& accounts,
              const StatusOr<std::multimap<std::string, Binding>>& found);
  Entry& Touch(const Key& key);                      // finds or makes, marks as used, drops the oldest; under mutex_
  StatusOr<Answer> AnswerFor(const Waiter& waiter);  // under mutex_

  ChannelFinder& finder_;
  Executor& executor_;
  const Clock& clock_;
  const Options options_;
  mutable std::mutex mutex_;
  std::unordered_map<Key, Entry, KeyHash> entries_;
  std::list<Key> lru_;  // least recently used first
  std::map<Key, std::deque<std::shared_ptr<Waiter>>> waiting_;
  int waiters_ = 0;
};

}  // namespace parvis::ingestion
