#include "ingestion/domain/binding_cache.h"

#include <algorithm>
#include <utility>

namespace parvis::ingestion {
namespace {

constexpr size_t kAskedAtOnce = 500;

}  // namespace

BindingCache::BindingCache(ChannelFinder& finder, Executor& executor, const Clock& clock, const Options& options)
    : finder_(finder), executor_(executor), clock_(clock), options_(options) {}

int BindingCache::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(entries_.size());
}

std::string BindingCache::WorkspaceOf(const std::string& network, const std::string& account) const {
  std::lock_guard lock(mutex_);
  const auto it = entries_.find({network, account});
  if (it == entries_.end() || !it->second.bindings || it->second.bindings->empty()) return "";
  return it->second.bindings->front().workspace_id;
}

BindingCache::Entry& BindingCache::Touch(const Key& key) {
  auto it = entries_.find(key);
  if (it != entries_.end()) {
    lru_.splice(lru_.end(), lru_, it->second.used);
    return it->second;
  }
  // Entries that somebody waits for stay; there are at most as many as waiters.
  for (auto old = lru_.begin(); static_cast<int>(entries_.size()) >= options_.entries_max && old != lru_.end();) {
    auto entry = entries_.find(*old);
    if (entry->second.asking) {
      ++old;
      continue;
    }
    old = lru_.erase(old);
    entries_.erase(entry);
  }
  Entry& entry = entries_[key];
  entry.used = lru_.insert(lru_.end(), key);
  return entry;
}

StatusOr<BindingCache::Answer> BindingCache::AnswerFor(const Waiter& waiter) {
  if (!waiter.failure.ok()) return waiter.failure;
  Answer answer;
  for (const std::string& account : waiter.accounts) {
    auto it = entries_.find({waiter.network, account});
    if (it == entries_.end() || it->second.bindings == nullptr) {
      return MakeError(Code::kUnavailable, "BINDINGS_UNAVAILABLE", "who owns the account could not be found out");
    }
    answer[account] = it->second.bindings;
  }
  return answer;
}

void BindingCache::Lookup(const std::string& network, std::vector<std::string> accounts, Done done) {
  std::sort(accounts.begin(), accounts.end());
  accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
  auto waiter = std::make_shared<Waiter>();
  waiter->network = network;
  waiter->accounts = std::move(accounts);
  std::vector<std::string> to_ask;
  StatusOr<Answer> answer = Answer();
  {
    std::lock_guard lock(mutex_);
    const Instant now = clock_.Now();
    for (const std::string& account : waiter->accounts) {
      const Key key{network, account};
      auto known = entries_.find(key);
      if (known != entries_.end() && !known->second.asking && known->second.bindings &&
          now < known->second.fresh_until) {
        lru_.splice(lru_.end(), lru_, known->second.used);
        continue;
      }
      if (waiters_ >= options_.waiting_max) {
        answer = MakeError(Code::kResourceExhausted, "BINDINGS_OVERLOADED", "too many calls wait for accounts");
        break;
      }
      ++waiter->open;
      if (waiter->open == 1) ++waiters_;
      Entry& entry = Touch(key);
      if (!entry.asking) {
        entry.asking = true;
        to_ask.push_back(account);
      }
      waiting_[key].push_back(waiter);
    }
    if (answer.ok() && waiter->open > 0) {
      waiter->done = std::exchange(done, nullptr);
    } else if (answer.ok()) {
      answer = AnswerFor(*waiter);
    }
  }
  if (done) done(std::move(answer));  // known, or refused
  for (size_t i = 0; i < to_ask.size(); i += kAskedAtOnce) {
    std::vector<std::string> part(to_ask.begin() + i, to_ask.begin() + std::min(to_ask.size(), i + kAskedAtOnce));
    if (executor_.TrySubmit([this, network, part] { Ask(network, part); })) continue;
    Settle(network, part,
           MakeError(Code::kResourceExhausted, "BINDINGS_OVERLOADED", "too many calls wait for accounts"));
  }
}

void BindingCache::Ask(const std::string& network, const std::vector<std::string>& accounts) {
  Settle(network, accounts, finder_.FindChannels(network, accounts));
}

void BindingCache::Settle(const std::string& network, const std::vector<std::string>& accounts,
                          const StatusOr<std::multimap<std::string, Binding>>& found) {
  std::vector<std::pair<std::shared_ptr<Waiter>, StatusOr<Answer>>> ready;
  {
    std::lock_guard lock(mutex_);
    const Instant now = clock_.Now();
    for (const std::string& account : accounts) {
      const Key key{network, account};
      Entry& entry = Touch(key);
      entry.asking = false;
      if (found.ok()) {
        auto bindings = std::make_shared<std::vector<Binding>>();
        for (auto [it, end] = found->equal_range(account); it != end; ++it) bindings->push_back(it->second);
        entry.fresh_until = now + (bindings->empty() ? options_.unknown_for : options_.found_for);
        entry.stale_until = now + options_.stale_for;
        entry.bindings = std::move(bindings);
      } else if (entry.bindings && (now >= entry.stale_until || entry.bindings->empty())) {
        entry.bindings = nullptr;  // too old to go by, and "nobody's" is never believed without asking
      }
      const bool answered = entry.bindings != nullptr;
      auto waiting = waiting_.extract(key);
      if (waiting.empty()) continue;
      for (std::shared_ptr<Waiter>& waiter : waiting.mapped()) {
        if (!answered) waiter->failure = found.status();
        if (--waiter->open == 0) {
          --waiters_;
          if (waiter->done) ready.emplace_back(waiter, AnswerFor(*waiter));
        }
      }
    }
  }
  for (auto& [waiter, answer] : ready) waiter->done(std::move(answer));
}

}  // namespace parvis::ingestion
