#include "sandbox/domain/audience_runs.h"

#include <algorithm>

#include "sandbox/domain/nature.h"

namespace parvis::sandbox {
namespace {

constexpr int kBatch = 128;                                // steps between two looks at the clock
constexpr absl::Duration kLook = absl::Milliseconds(100);  // how often new posts are looked for
constexpr int kPostsMax = 2000;                            // posts of one account that are followed

// Of a post: blogs have states, Mastodon who may see it.
bool IsShown(std::string_view status) {
  return status.empty() || status == "publish" || status == "published" || status == "public" || status == "unlisted";
}

}  // namespace

AudienceRuns::AudienceRuns(int runs_max, World& world, const Clock& clock, std::function<bool()> may_write)
    : runs_max_(runs_max), world_(world), clock_(clock), may_write_(std::move(may_write)) {}

AudienceRuns::~AudienceRuns() { StopAll(); }

StatusOr<int64_t> AudienceRuns::Start(const AudienceRequest& request) {
  PARVIS_RETURN_IF_ERROR(CheckPlan(request.plan));
  if (!(request.rate >= 0 && request.rate <= 1e6)) return InvalidField("rate", "OUT_OF_RANGE", "0 to 1000000");
  if (request.posts.empty() && request.accounts.empty()) {
    return InvalidField("accounts", "REQUIRED", "name accounts or posts");
  }
  for (const auto& [network, id] : request.accounts) {
    if (world_.FindAccount(network, id) == nullptr) return NotFound(id);
  }
  for (const auto& [network, id] : request.posts) {
    if (world_.Find(network, id) == nullptr) return NotFound(id);
  }
  std::lock_guard lock(mutex_);
  if (static_cast<int>(runs_.size()) >= runs_max_) {
    std::erase_if(runs_, [](auto& entry) {
      Run& run = *entry.second;
      {
        std::lock_guard run_lock(run.mutex);
        if (run.status.state == "running" || run.status.state == "waiting") return false;
      }
      run.thread.join();
      return true;
    });
    if (static_cast<int>(runs_.size()) >= runs_max_) {
      return MakeError(Code::kResourceExhausted, "TOO_MANY_AUDIENCES", "Wait for an audience to end, or stop one.");
    }
  }
  const int64_t id = next_id_++;
  auto run = std::make_unique<Run>(request, world_);
  run->started = clock_.Now();
  run->status.id = id;
  run->status.state = "waiting";
  run->status.count = request.plan.count;
  Run& ref = *run;
  runs_[id] = std::move(run);
  ref.thread = std::thread([this, &ref] { Work(ref); });
  return id;
}

void AudienceRuns::Note(Run& run, std::string state, std::string error) {
  std::lock_guard lock(run.mutex);
  run.status.state = std::move(state);
  run.status.error = std::move(error);
  run.status.progress = run.audience.progress();
  run.status.elapsed = clock_.Now() - run.started;
}

bool AudienceRuns::Wait(Run& run, absl::Duration d) {
  std::unique_lock lock(run.mutex);
  run.wake.wait_for(lock, absl::ToChronoMicroseconds(d), [&] { return run.stop; });
  return !run.stop;
}

std::vector<Audience::Post> AudienceRuns::Posts(const AudienceRequest& request) const {
  std::vector<Audience::Post> out;
  for (const auto& [network, id] : request.posts) {
    const ItemPtr item = world_.Find(network, id);
    if (item == nullptr || item->deleted) continue;
    if (AccountPtr account = world_.FindAccount(network, item->account)) out.push_back({account, item->id});
  }
  if (!request.posts.empty()) return out;
  for (const auto& [network, id] : request.accounts) {
    AccountPtr account = world_.FindAccount(network, id);
    if (account == nullptr) continue;
    if (!NatureOf(network).comments) out.push_back({account, ""});  // nobody posts there: it is only mentioned
    const Page page = world_.Read(network, World::List::kPosts, id,
                                  {.limit = kPostsMax, .filter = [](const Item& item) {
                                     return item.published && IsShown(item.status);
                                   }});
    for (auto it = page.items.rbegin(); it != page.items.rend(); ++it) out.push_back({account, (*it)->id});
  }
  return out;
}

void AudienceRuns::Work(Run& run) {
  std::vector<Audience::Post> posts;
  Instant looked;
  Instant began;
  while (true) {
    if (posts.empty() || clock_.Now() - looked > kLook) {
      posts = Posts(run.request);
      looked = clock_.Now();
      if (posts.empty()) {
        Note(run, "waiting");
        if (!Wait(run, kLook)) break;
        continue;
      }
      if (began == Instant{}) began = clock_.Now();
    }
    Note(run, "running");
    if (may_write_ && !may_write_()) {
      if (!Wait(run, absl::Milliseconds(2))) break;
      continue;
    }
    int64_t steps = kBatch;
    if (run.request.rate > 0) {
      const auto& progress = run.audience.progress();
      const int64_t allowed = static_cast<int64_t>(absl::ToDoubleSeconds(clock_.Now() - began) * run.request.rate) + 1;
      steps = std::min<int64_t>(kBatch, allowed - progress.written - progress.skipped);
      if (steps <= 0) {
        if (!Wait(run, std::min(absl::Milliseconds(5), absl::Seconds(1 / run.request.rate)))) break;
        continue;
      }
    }
    for (int64_t i = 0; i < steps; ++i) {
      const StatusOr<bool> more = run.audience.Step(posts);
      if (!more.ok()) return Note(run, "failed", ReasonOf(more.status()));
      if (!*more) return Note(run, "done");
    }
    if (!Wait(run, absl::ZeroDuration())) break;
  }
  Note(run, "stopped");
}

StatusOr<AudienceStatus> AudienceRuns::Get(int64_t id) const {
  std::lock_guard lock(mutex_);
  auto it = runs_.find(id);
  if (it == runs_.end()) return NotFound("audiences/" + std::to_string(id));
  std::lock_guard run_lock(it->second->mutex);
  return it->second->status;
}

std::vector<AudienceStatus> AudienceRuns::List() const {
  std::lock_guard lock(mutex_);
  std::vector<AudienceStatus> out;
  for (const auto& [id, run] : runs_) {
    std::lock_guard run_lock(run->mutex);
    out.push_back(run->status);
  }
  return out;
}

bool AudienceRuns::Stop(int64_t id) {
  std::lock_guard lock(mutex_);
  auto it = runs_.find(id);
  if (it == runs_.end()) return false;
  std::lock_guard run_lock(it->second->mutex);
  it->second->stop = true;
  it->second->wake.notify_all();
  return true;
}

void AudienceRuns::StopAll() {
  std::lock_guard lock(mutex_);
  for (auto& [id, run] : runs_) {
    std::lock_guard run_lock(run->mutex);
    run->stop = true;
    run->wake.notify_all();
  }
  for (auto& [id, run] : runs_) run->thread.join();
  runs_.clear();
}

}  // namespace parvis::sandbox
