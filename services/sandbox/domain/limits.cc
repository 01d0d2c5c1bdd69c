#include "sandbox/domain/limits.h"

#include <algorithm>

namespace parvis::sandbox {

Limits::Limits() { Reset(); }

void Limits::Reset() {
  std::lock_guard lock(mutex_);
  windows_.clear();
  sizes_.clear();
  disabled_.clear();
  auto x = [&](const char* endpoint, int64_t limit) {
    sizes_[{Network::kX, "", endpoint}] = {limit, absl::Minutes(15)};
  };
  x("tweets.create", 100);
  x("tweets.delete", 50);
  x("tweets.hidden", 50);
  x("tweets.lookup", 5000);
  x("tweets.show", 900);
  x("users.tweets", 900);
  x("users.mentions", 300);
  x("search.recent", 300);
  x("users.muting", 50);
  x("media", 1875);  // each of the calls of an upload has it; here they share it
  x("users.show", 900);
  x("users.me", 75);  // not in the fact sheet's table: a number of ours
  sizes_[{Network::kFacebook, "", "page"}] = {4800, absl::Hours(1)};
  sizes_[{Network::kInstagram, "", "user"}] = {4800, absl::Hours(1)};
  sizes_[{Network::kInstagram, "", "media_publish"}] = {100, absl::Hours(24)};  // 50 in one place, 100 in another (facts 2.2)
  auto bluesky = [&](const char* endpoint, int64_t limit, absl::Duration window) {
    sizes_[{Network::kBluesky, "", endpoint}] = {limit, window};
  };
  bluesky("http", 3000, absl::Minutes(5));  // calls by address; the others by account
  bluesky("repo.write.hour", 5000, absl::Hours(1));  // points: a create 3, a put 2, a delete 1
  bluesky("repo.write.day", 35'000, absl::Hours(24));
  bluesky("createSession", 30, absl::Minutes(5));
  bluesky("createSession.day", 300, absl::Hours(24));
  // LinkedIn tells its daily numbers in the portal only (facts 5.5): numbers of ours.
  for (const char* endpoint : {"posts", "socialActions", "media", "organizations", "statistics"}) {
    sizes_[{Network::kLinkedin, "", endpoint}] = {100'000, absl::Hours(24)};
  }
  auto mastodon = [&](const char* endpoint, int64_t limit, absl::Duration window) {
    sizes_[{Network::kMastodon, "", endpoint}] = {limit, window};
  };
  mastodon("api", 300, absl::Minutes(5));  // all calls; the others besides
  mastodon("media", 30, absl::Minutes(30));
  mastodon("delete", 30, absl::Minutes(30));
  mastodon("statuses", 300, absl::Hours(3));
  mastodon("reports", 400, absl::Hours(24));
  // Of the project, whose channels share it; per day (facts 4.1).
  for (const auto& [bucket, size] : {std::pair("units", 10'000), {"videos.insert", 100}}) {
    sizes_[{Network::kYoutube, "", bucket}] = {size, absl::Hours(24)};
  }
  sizes_[{Network::kDiscourse, "", "api"}] = {60, absl::Minutes(1)};
}

LimitSize Limits::SizeOf(Network network, const std::string& account, const std::string& endpoint) const {
  for (const Key& key : {Key{network, account, endpoint}, Key{network, account, ""}, Key{network, "", endpoint}}) {
    auto it = sizes_.find(key);
    if (it != sizes_.end()) return it->second;
  }
  return {};
}

Limits::Window& Limits::WindowOf(const Key& key, const LimitSize& size, absl::Time now) {
  Window& window = windows_[key];
  if (now >= window.start + size.window || now < window.start) window = {now, 0};
  return window;
}

LimitState Limits::Take(Network network, const std::string& account, const std::string& endpoint, absl::Time now,
                        int take) {
  std::lock_guard lock(mutex_);
  LimitState state;
  const LimitSize size = SizeOf(network, account, endpoint);
  if (disabled_.contains(network) || size.limit <= 0) return state;
  Window& window = WindowOf({network, account, endpoint}, size, now);
  state.limited = true;
  state.limit = size.limit;
  state.exceeded = window.used + take > size.limit;
  if (!state.exceeded) window.used += take;
  state.used = window.used;
  state.remaining = std::max<int64_t>(0, size.limit - window.used);
  state.reset = window.start + size.window;
  return state;
}

void Limits::SetEnabled(Network network, bool enabled) {
  std::lock_guard lock(mutex_);
  if (enabled) {
    disabled_.erase(network);
  } else {
    disabled_.insert(network);
  }
}

void Limits::SetSize(Network network, const std::string& account, const std::string& endpoint, LimitSize size) {
  std::lock_guard lock(mutex_);
  if (!endpoint.empty() || !account.empty()) {
    sizes_[{network, account, endpoint}] = size;
    return;
  }
  for (auto& [key, value] : sizes_) {
    if (std::get<0>(key) == network) value = size;
  }
}

void Limits::Exhaust(Network network, const std::string& account, const std::string& endpoint, absl::Time now) {
  std::lock_guard lock(mutex_);
  const LimitSize size = SizeOf(network, account, endpoint);
  if (size.limit > 0) WindowOf({network, account, endpoint}, size, now).used = size.limit;
}

std::vector<Limits::Row> Limits::List() const {
  std::lock_guard lock(mutex_);
  std::vector<Row> out;
  for (const auto& [key, size] : sizes_) {
    out.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), size, !disabled_.contains(std::get<0>(key))});
  }
  return out;
}

}  // namespace parvis::sandbox
