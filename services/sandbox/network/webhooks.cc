#include "sandbox/network/webhooks.h"

#include <algorithm>

#include "platform/obs/log.h"
#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

constexpr int kChallenge = -1, kOddity = -2;  // in place of a lane

Status CheckTarget(const WebhookTarget& t) {
  if (StyleOf(t.network) == nullptr)
    return InvalidField("network", "NO_WEBHOOKS", Cat(NameOf(t.network), " has no webhooks: it is read"));
  if (t.style.url.rfind("http://", 0) != 0 && t.style.url.rfind("https://", 0) != 0) {
    return InvalidField("url", "NOT_A_URL", "must begin with http:// or https://");
  }
  if (t.style.secret.empty() && !t.verified)
    return InvalidField("secret", "REQUIRED", "webhooks are signed: give app_secret or consumer_secret");
  if (t.account.empty() && StyleOf(t.network)->per_account())
    return InvalidField("account", "REQUIRED", "a subscription is to one account's feed");
  for (double ratio : {t.duplicate_ratio, t.reorder_ratio, t.late_ratio, t.odd_ratio, t.broken_ratio}) {
    if (!(ratio >= 0 && ratio <= 1)) return InvalidField("ratio", "OUT_OF_RANGE", "ratios lie between 0 and 1");
  }
  if (t.batch_max < 1 || t.batch_max > 1000) return InvalidField("batch_max", "OUT_OF_RANGE", "1 to 1000");
  if (t.lanes < 1 || t.lanes > 64) return InvalidField("lanes", "OUT_OF_RANGE", "1 to 64");
  if (t.late < absl::ZeroDuration() || t.late > absl::Hours(1))
    return InvalidField("late_ms", "OUT_OF_RANGE", "0 to 3600000");
  return absl::OkStatus();
}

std::string With(const std::string& url, const std::string& query) {
  return Cat(url, url.find('?') == std::string::npos ? "?" : "&", query);
}

}  // namespace

Webhooks::Webhooks(const Config& config, net::HttpClient& client, const Clock& clock)
    : config_(config), client_(client), clock_(clock), thread_([this] { Run(); }) {}

Webhooks::~Webhooks() { Stop(); }

void Webhooks::Stop() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    // Answers still under way come back to this object: they are awaited (the client bounds how long they take).
    wake_.wait(lock, [&] { return under_way_ == 0; });
  }
  if (thread_.joinable()) thread_.join();
}

StatusOr<int64_t> Webhooks::Add(const WebhookTarget& settings) {
  PARVIS_RETURN_IF_ERROR(CheckTarget(settings));
  std::lock_guard lock(mutex_);
  return AddLocked(settings);
}

StatusOr<int64_t> Webhooks::AddLocked(const WebhookTarget& settings) {
  if (static_cast<int>(targets_.size()) >= config_.targets_max) {
    return MakeError(Code::kResourceExhausted, "TOO_MANY_TARGETS", "Remove some webhook targets first.");
  }
  auto target = std::make_unique<Target>();
  target->id = next_id_++;
  target->settings = settings;
  target->settings.style.account = settings.account;
  target->how = StyleOf(settings.network);
  if (settings.attempts_max == 0) target->settings.attempts_max = target->how->attempts_max();
  target->rng = Rng(settings.seed);
  target->lanes.resize(static_cast<size_t>(settings.lanes));
  target->stats.verified = settings.verified;
  if (settings.verified) target->challenge_at = Instant::Max();
  const int64_t id = target->id;
  targets_[id] = std::move(target);
  look_again_ = true;
  wake_.notify_all();
  return id;
}

Webhooks::Target* Webhooks::FindLocked(const WebhookTarget& like) {
  const auto it = std::ranges::find_if(targets_, [&](const auto& entry) {
    const WebhookTarget& known = entry.second->settings;
    return known.network == like.network && known.account == like.account && known.style.url == like.style.url;
  });
  return it == targets_.end() ? nullptr : it->second.get();
}

StatusOr<int64_t> Webhooks::Subscribe(const WebhookTarget& settings) {
  PARVIS_RETURN_IF_ERROR(CheckTarget(settings));
  std::lock_guard lock(mutex_);
  Target* known = FindLocked(settings);
  if (known == nullptr) return AddLocked(settings);
  known->settings.style.secret = settings.style.secret;
  known->settings.until = settings.until;
  return known->id;
}

void Webhooks::Unsubscribe(const WebhookTarget& like) {
  std::lock_guard lock(mutex_);
  if (const Target* known = FindLocked(like)) targets_.erase(known->id);
}

bool Webhooks::Remove(int64_t id) {
  std::lock_guard lock(mutex_);
  return targets_.erase(id) > 0;
}

void Webhooks::RemoveAll() {
  std::lock_guard lock(mutex_);
  targets_.clear();
}

bool Webhooks::Change(int64_t id, const std::function<void(WebhookTarget&)>& change) {
  std::lock_guard lock(mutex_);
  auto it = targets_.find(id);
  if (it == targets_.end()) return false;
  const int lanes = it->second->settings.lanes;
  change(it->second->settings);
  it->second->settings.lanes = lanes;  // what waits stays in its lane
  look_again_ = true;
  wake_.notify_all();
  return true;
}

std::vector<WebhookStats> Webhooks::Stats() const {
  std::lock_guard lock(mutex_);
  std::vector<WebhookStats> out;
  for (const auto& [id, target] : targets_) {
    WebhookStats stats = target->stats;
    stats.id = id;
    stats.network = target->settings.network;
    stats.account = target->settings.account;
    stats.url = target->settings.style.url;
    stats.paused = target->settings.paused;
    out.push_back(std::move(stats));
  }
  return out;
}

bool Webhooks::MayWrite() const {
  std::lock_guard lock(mutex_);
  return std::ranges::none_of(targets_,
                              [&](const auto& entry) { return entry.second->stats.pending > config_.queue_max / 2; });
}

void Webhooks::Notify(const Notice& notice) {
  const WebhookStyle* style = StyleOf(notice.item->network);
  if (style == nullptr || !style->Tells(notice)) return;
  std::lock_guard lock(mutex_);
  for (auto& [id, target] : targets_) {
    const WebhookTarget& settings = target->settings;
    if (settings.network != notice.item->network) continue;
    if (!settings.account.empty() && settings.account != notice.account->id) continue;
    Enqueue(*target, notice);
  }
  look_again_ = true;
  wake_.notify_all();
}

void Webhooks::Enqueue(Target& target, const Notice& notice) {
  WebhookStats& stats = target.stats;
  const WebhookTarget& settings = target.settings;
  ++stats.events;
  if (stats.pending >= config_.queue_max) {
    ++stats.dropped;
    return;
  }
  const size_t hash =
      std::hash<std::string>{}(settings.threads_in_order ? notice.item->thread : notice.item->id) ^ (std::hash<std::string>{}(notice.account->id) << 1);
  Lane& lane = target.lanes[hash % target.lanes.size()];
  const bool late = settings.late > absl::ZeroDuration() && target.rng.Chance(settings.late_ratio);
  Event event{notice, late ? clock_.Now() + settings.late : Instant{}};
  ++stats.pending;
  if (late && settings.late_ratio < 1) {
    lane.set_aside.push_back(std::move(event));
    return;
  }
  lane.queue.push_back(event);
  const size_t n = lane.queue.size();
  if (n >= 2 && static_cast<int>(n) - 2 >= lane.under_way && target.rng.Chance(settings.reorder_ratio)) {
    std::swap(lane.queue[n - 1], lane.queue[n - 2]);
    ++stats.reordered;
  }
  if (target.rng.Chance(settings.duplicate_ratio)) {
    event.copy = true;
    lane.queue.push_back(std::move(event));
    ++stats.pending;
    ++stats.duplicates;
  }
}

void Webhooks::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    look_again_ = false;
    std::vector<Sending> ready;
    const Instant now = clock_.Now();
    const Instant next = Collect(now, ready);
    if (!ready.empty()) {
      lock.unlock();
      for (Sending& sending : ready) Send(std::move(sending));
      lock.lock();
      continue;
    }
    const absl::Duration wait =
        std::min<absl::Duration>(next == Instant::Max() ? absl::Seconds(1) : next - now, absl::Seconds(1));
    wake_.wait_for(lock, absl::ToChronoMicroseconds(std::max(wait, absl::Microseconds(200))),
                   [&] { return stopping_ || look_again_; });
  }
}

Instant Webhooks::Collect(Instant now, std::vector<Sending>& out) {
  Instant next = Instant::Max();
  std::erase_if(targets_, [now](const auto& entry) { return entry.second->settings.until <= now; });
  for (auto& [id, target] : targets_) {
    if (target->settings.paused) continue;
    if (!target->challenging && now >= target->challenge_at) {
      if (auto challenge = ChallengeOf(*target)) {
        out.push_back(*std::move(challenge));
        ++under_way_;
      }
    }
    next = std::min(next, target->challenge_at);
    if (!target->stats.verified) continue;
    for (int lane = 0; lane < static_cast<int>(target->lanes.size()); ++lane) {
      next = std::min(next, CollectLane(*target, lane, now, out));
    }
  }
  return next;
}

Instant Webhooks::CollectLane(Target& target, int index, Instant now, std::vector<Sending>& out) {
  Lane& lane = target.lanes[static_cast<size_t>(index)];
  const WebhookTarget& settings = target.settings;
  Instant next = Instant::Max();
  for (size_t i = 0; i < lane.set_aside.size();) {
    if (lane.set_aside[i].ready <= now) {
      lane.queue.push_back(std::move(lane.set_aside[i]));
      lane.set_aside.erase(lane.set_aside.begin() + static_cast<ptrdiff_t>(i));
    } else {
      next = std::min(next, lane.set_aside[i++].ready);
    }
  }
  if (lane.queue.empty() || lane.under_way > 0) return next;
  const Instant ready = std::max(lane.retry_at, lane.queue.front().ready);
  if (ready > now) return std::min(next, ready);
  std::vector<Notice> batch;
  const int bound = target.how->batch_max();
  const int most = bound > 0 ? std::min(bound, settings.batch_max) : settings.batch_max;
  for (const Event& event : lane.queue) {
    if (static_cast<int>(batch.size()) >= most || event.ready > now) break;
    if (!batch.empty() && !target.how->Together(settings.style, batch.front(), event.notice)) break;
    batch.push_back(event.notice);
  }
  out.push_back(Signed(target, index, target.how->Body(settings.style, batch, clock_.WallNow()), batch.front()));
  lane.under_way = static_cast<int>(batch.size());
  ++target.stats.requests;
  ++under_way_;
  AddOddities(target, batch.front(), out);
  return next;
}

Webhooks::Sending Webhooks::Signed(const Target& target, int lane, std::string body, const Notice& like) const {
  Sending sending{.target = target.id, .lane = lane};
  sending.request.method = "POST";
  sending.request.url = target.settings.style.url;
  target.how->Dress(target.settings.style, body, like, &sending.request.headers);
  sending.request.body = std::move(body);
  return sending;
}

void Webhooks::AddOddities(Target& target, const Notice& like, std::vector<Sending>& out) {
  const bool odd = target.rng.Chance(target.settings.odd_ratio);
  const bool broken = target.rng.Chance(target.settings.broken_ratio);
  std::string body = odd || broken ? target.how->Odd(target.settings.style, like, clock_.WallNow()) : "";
  for (const bool cut : {false, true}) {
    if (!(cut ? broken : odd)) continue;
    out.push_back(Signed(target, kOddity, cut ? body.substr(0, body.size() / 2) : body, like));
    ++target.stats.oddities;
    ++under_way_;
  }
}

// A GET before the first event, and again at random moments; nullopt where the network asks for none.
std::optional<Webhooks::Sending> Webhooks::ChallengeOf(Target& target) {
  target.challenge_at = Instant::Max();
  auto challenge = target.how->MakeChallenge(target.settings.style, target.rng);
  if (!challenge) {
    target.stats.verified = true;
    return std::nullopt;
  }
  Sending sending{.target = target.id, .lane = kChallenge};
  sending.expected = std::move(challenge->expected);
  sending.request.url = With(target.settings.style.url, challenge->query);
  target.challenging = true;
  ++target.stats.challenges;
  return sending;
}

void Webhooks::Send(Sending sending) {
  const Call call = BackgroundCall("sandbox");
  client_.SendAsync(
      call, std::move(sending.request),
      [this, target = sending.target, lane = sending.lane, expected = sending.expected](net::ClientResult result) {
        if (lane == kChallenge)
          Challenged(target, expected, result);
        else
          Delivered(target, lane, result);
      });
}

void Webhooks::Ask(const std::string& url, const std::string& query,
                   std::function<void(const net::ClientResult&)> answered) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    ++under_way_;
  }
  net::ClientRequest request;
  request.url = With(url, query);
  client_.SendAsync(BackgroundCall("sandbox"), std::move(request),
                    [this, answered = std::move(answered)](const net::ClientResult& result) {
                      answered(result);
                      std::lock_guard lock(mutex_);
                      --under_way_;
                      wake_.notify_all();
                    });
}

void Webhooks::Challenged(int64_t id, const std::string& expected, const net::ClientResult& result) {
  bool right = result.sent == net::Sent::kAnswered && result.http_status / 100 == 2;
  std::lock_guard lock(mutex_);
  --under_way_;
  look_again_ = true;
  wake_.notify_all();
  auto it = targets_.find(id);
  if (it == targets_.end()) return;
  Target& target = *it->second;
  right = right && target.how->Answered(expected, result.body);
  target.challenging = false;
  if (right != target.stats.verified) {
    obs::Info(right ? "webhook target verified" : "webhook target lost",
              {{"target", id}, {"status", result.http_status}});
  }
  target.stats.verified = right;
  const Instant now = clock_.Now();
  if (right) {
    target.challenge_attempts = 0;
    const absl::Duration every = target.settings.challenge_every;
    target.challenge_at = every > absl::ZeroDuration() ? now + every * (0.5 + target.rng.Unit()) : Instant::Max();
  } else {
    ++target.stats.challenges_failed;
    target.challenge_at = now + absl::Milliseconds(250) * (1 << std::min(target.challenge_attempts++, 4));
  }
}

void Webhooks::Delivered(int64_t id, int index, const net::ClientResult& result) {
  std::lock_guard lock(mutex_);
  --under_way_;
  look_again_ = true;
  wake_.notify_all();
  auto it = targets_.find(id);
  if (it == targets_.end()) return;
  Target& target = *it->second;
  const bool acked = result.sent == net::Sent::kAnswered && target.how->Acknowledges(result.http_status);
  if (index == kOddity) {
    target.stats.oddities_refused += acked ? 0 : 1;
    return;
  }
  Lane& lane = target.lanes[static_cast<size_t>(index)];
  const int n = lane.under_way;
  lane.under_way = 0;
  if (!acked) {
    ++target.stats.failures;
    ++lane.attempts;
    const int max = target.settings.attempts_max;
    if (max <= 0 || lane.attempts < max) {
      // At once, then with falling frequency.
      const absl::Duration wait = lane.attempts == 1
                                      ? absl::ZeroDuration()
                                      : target.settings.retry_min * (1 << std::min(lane.attempts - 2, 16));
      lane.retry_at = clock_.Now() + std::min(wait, target.settings.retry_max);
      return;
    }
  }
  for (int i = 0; i < n; ++i) {
    const bool copy = lane.queue.front().copy;
    lane.queue.pop_front();
    --target.stats.pending;
    if (!copy) ++(acked ? target.stats.acked : target.stats.dropped);
  }
  lane.attempts = 0;
  lane.retry_at = Instant{};
}

}  // namespace parvis::sandbox
