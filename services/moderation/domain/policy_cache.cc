#include "moderation/domain/policy_cache.h"

#include <absl/strings/str_cat.h>

namespace parvis::moderation {

PolicyCache::PolicyCache(ActivePolicyStore& store, const Normalizer& normalizer, Executor& compiler, const Clock& clock,
                         const Options& options)
    : store_(store),
      normalizer_(normalizer),
      compiler_(compiler),
      clock_(clock),
      options_(options),
      empty_(CompiledPolicy::Empty(normalizer)) {}

StatusOr<std::map<std::string, PolicyInForce>> PolicyCache::Of(const std::vector<std::string>& workspace_ids) {
  std::vector<std::string> stale;
  std::map<std::string, PolicyInForce> out;
  const Instant now = clock_.Now();
  {
    std::lock_guard lock(mutex_);
    for (const std::string& id : workspace_ids) {
      auto it = entries_.find(id);
      if (it != entries_.end()) uses_.splice(uses_.begin(), uses_, it->second.use);
      if (it == entries_.end() || now - it->second.asked >= options_.fresh)
        stale.push_back(id);
      else
        out.emplace(id, it->second.in_force);
    }
  }
  if (!stale.empty()) PARVIS_RETURN_IF_ERROR(Refresh(stale, &out));
  return out;
}

Status PolicyCache::Refresh(const std::vector<std::string>& workspace_ids, std::map<std::string, PolicyInForce>* out) {
  const Instant asked = clock_.Now();
  auto active = store_.Active(workspace_ids);
  if (!active.ok()) {
    return MakeError(Code::kUnavailable, "POLICY_UNAVAILABLE",
                     absl::StrCat("the workspaces' policies cannot be read: ", std::string(active.status().message())));
  }
  for (const std::string& id : workspace_ids) {
    auto it = active->find(id);
    PARVIS_ASSIGN_OR_RETURN(PolicyInForce in_force,
                            Adopt(id, it == active->end() ? ActivePolicy{} : it->second, asked));
    out->emplace(id, std::move(in_force));
  }
  return absl::OkStatus();
}

// Makes `active` the policy in force: at once if it is none, or if nothing else moderates meanwhile; otherwise as soon
// as it is compiled. Returns what is in force now.
StatusOr<PolicyInForce> PolicyCache::Adopt(const std::string& workspace_id, const ActivePolicy& active, Instant asked) {
  if (active.policy_id.empty()) return Put(workspace_id, {active, empty_}, asked);
  {
    std::lock_guard lock(mutex_);
    auto it = entries_.find(workspace_id);
    if (it != entries_.end() &&
        (it->second.in_force.active == active || !it->second.in_force.active.policy_id.empty())) {
      Entry& entry = it->second;
      entry.asked = asked;
      if (entry.in_force.active == active)
        entry.compiling = {};  // also when a change was taken back
      else if (entry.compiling != active && Submit(workspace_id, active))
        entry.compiling = active;
      return entry.in_force;
    }
  }
  PARVIS_ASSIGN_OR_RETURN(auto compiled, Load(workspace_id, active));
  return Put(workspace_id, {active, std::move(compiled)}, asked);
}

PolicyCache::~PolicyCache() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return compilations_ == 0; });
}

// Compiles beside the stream; false when too much is waiting, then the next refresh tries again. mutex_ is held.
bool PolicyCache::Submit(const std::string& workspace_id, const ActivePolicy& active) {
  ++compilations_;
  const bool submitted = compiler_.TrySubmit([this, workspace_id, active] {
    auto compiled = Load(workspace_id, active);
    std::lock_guard lock(mutex_);
    auto it = entries_.find(workspace_id);
    if (it != entries_.end() && it->second.compiling == active) {  // else overtaken
      it->second.compiling = {};
      if (compiled.ok()) it->second.in_force = {active, *std::move(compiled)};
    }
    --compilations_;
    idle_.notify_all();  // under the lock: the cache may be gone as soon as it is free
  });
  if (!submitted) --compilations_;
  return submitted;
}

StatusOr<std::shared_ptr<const CompiledPolicy>> PolicyCache::Load(const std::string& workspace_id,
                                                                  const ActivePolicy& active) {
  const auto unavailable = [&](const Status& why) {
    return MakeError(Code::kUnavailable, "POLICY_UNAVAILABLE",
                     absl::StrCat("policy ", active.policy_id, "@", active.version,
                                  " cannot be loaded: ", std::string(why.message())));
  };
  auto source = store_.Source(workspace_id, active);
  if (!source.ok()) return unavailable(source.status());
  auto compiled = CompiledPolicy::FromYaml(*source, options_.limits, normalizer_, "source");
  if (!compiled.ok()) return unavailable(compiled.status());
  return compiled;
}

PolicyInForce PolicyCache::Put(const std::string& workspace_id, PolicyInForce in_force, Instant asked) {
  std::lock_guard lock(mutex_);
  auto [it, fresh] = entries_.try_emplace(workspace_id);
  if (fresh) {
    uses_.push_front(workspace_id);
    it->second.use = uses_.begin();
  }
  it->second.in_force = in_force;
  it->second.asked = asked;
  it->second.compiling = {};
  while (static_cast<int>(entries_.size()) > options_.entries_max) {
    entries_.erase(uses_.back());
    uses_.pop_back();
  }
  return in_force;
}

int PolicyCache::entries() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(entries_.size());
}

}  // namespace parvis::moderation
