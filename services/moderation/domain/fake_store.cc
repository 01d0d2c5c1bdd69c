#include "moderation/domain/fake_store.h"

#include <algorithm>

#include <absl/strings/str_cat.h>

namespace parvis::moderation {
namespace {

Status NoPolicy(const Call& call, const std::string& id) {
  return NotFound(absl::StrCat("workspaces/", call.workspace_id, "/policies/", id));
}

}  // namespace

Status FakeData::Up() const {
  if (!down) return absl::OkStatus();
  ++refused;
  return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "the database is down");
}

StatusOr<FakeData::Kept*> FakePolicyStore::Find(const Call& call, const std::string& id) {
  PARVIS_RETURN_IF_ERROR(d_.Up());
  auto it = d_.policies.find({call.workspace_id, id});
  if (it == d_.policies.end()) return NoPolicy(call, id);
  return &it->second;
}

PolicyRecord FakePolicyStore::View(const Call& call, const FakeData::Kept& kept) const {
  PolicyRecord out = kept.record;
  auto it = d_.active.find(call.workspace_id);
  out.active_version = it != d_.active.end() && it->second.policy_id == out.id ? it->second.version : 0;
  return out;
}

StatusOr<PolicyRecord> FakePolicyStore::Create(const Call& call, const PolicyRecord& policy,
                                               const std::string& member_id, const std::string& request_id) {
  std::lock_guard lock(d_.mutex);
  PARVIS_RETURN_IF_ERROR(d_.Up());
  int there = 0;
  for (const auto& [key, kept] : d_.policies) {
    if (key.first != call.workspace_id) continue;
    if (!request_id.empty() && kept.request_id == request_id) return View(call, kept);
    ++there;
  }
  if (there >= quota_.policies) return PoliciesTooMany(quota_);
  FakeData::Kept kept{policy, {{1, policy.source, member_id, policy.create_time}}, request_id};
  d_.policies[{call.workspace_id, policy.id}] = kept;
  return View(call, kept);
}

StatusOr<PolicyRecord> FakePolicyStore::Get(const Call& call, const std::string& id) {
  std::lock_guard lock(d_.mutex);
  PARVIS_ASSIGN_OR_RETURN(FakeData::Kept * kept, Find(call, id));
  return View(call, *kept);
}

StatusOr<std::vector<PolicyRecord>> FakePolicyStore::List(const Call& call, const std::optional<TimeCursor>& after,
                                                          int limit) {
  std::lock_guard lock(d_.mutex);
  PARVIS_RETURN_IF_ERROR(d_.Up());
  std::vector<PolicyRecord> out;
  for (const auto& [key, kept] : d_.policies) {
    const PolicyRecord& r = kept.record;
    if (key.first != call.workspace_id) continue;
    if (after && std::pair(r.create_time, r.id) >= std::pair(after->time, after->id)) continue;
    out.push_back(View(call, kept));
  }
  std::sort(out.begin(), out.end(), [](const PolicyRecord& a, const PolicyRecord& b) {
    return std::pair(a.create_time, a.id) > std::pair(b.create_time, b.id);
  });
  if (static_cast<int>(out.size()) > limit) out.resize(static_cast<size_t>(limit));
  return out;
}

StatusOr<PolicyRecord> FakePolicyStore::Update(const Call& call, const std::string& id, const PolicyChange& change,
                                               const std::string& member_id, absl::Time now) {
  std::lock_guard lock(d_.mutex);
  PARVIS_ASSIGN_OR_RETURN(FakeData::Kept * kept, Find(call, id));
  if (change.if_revision && *change.if_revision != kept->record.revision) {
    return MakeError(Code::kAborted, "ETAG_MISMATCH", "the policy was changed since it was read");
  }
  if (change.source && *change.source != kept->record.source) {
    if (kept->record.version >= quota_.versions) return VersionsTooMany(quota_);
    kept->record.source = *change.source;
    kept->versions.push_back({++kept->record.version, *change.source, member_id, now});
  }
  if (change.display_name) kept->record.display_name = *change.display_name;
  ++kept->record.revision;
  kept->record.update_time = now;
  return View(call, *kept);
}

StatusOr<std::vector<PolicyVersionRecord>> FakePolicyStore::ListVersions(const Call& call, const std::string& id,
                                                                         int64_t before, int limit) {
  std::lock_guard lock(d_.mutex);
  PARVIS_ASSIGN_OR_RETURN(FakeData::Kept * kept, Find(call, id));
  std::vector<PolicyVersionRecord> out;
  for (auto it = kept->versions.rbegin(); it != kept->versions.rend() && static_cast<int>(out.size()) < limit; ++it) {
    if (before == 0 || it->version < before) out.push_back(*it);
  }
  return out;
}

StatusOr<PolicyRecord> FakePolicyStore::Activate(const Call& call, const std::string& id, int64_t version,
                                                 const std::string& member_id, absl::Time now) {
  std::lock_guard lock(d_.mutex);
  PARVIS_ASSIGN_OR_RETURN(FakeData::Kept * kept, Find(call, id));
  if (version == 0) version = kept->record.version;
  if (version > kept->record.version) return NotFound(absl::StrCat("versions/", version));
  d_.active[call.workspace_id] = {id, version};
  return View(call, *kept);
}

StatusOr<PolicyRecord> FakePolicyStore::Deactivate(const Call& call, const std::string& id) {
  std::lock_guard lock(d_.mutex);
  PARVIS_ASSIGN_OR_RETURN(FakeData::Kept * kept, Find(call, id));
  auto it = d_.active.find(call.workspace_id);
  if (it != d_.active.end() && it->second.policy_id == id) d_.active.erase(it);
  return View(call, *kept);
}

StatusOr<std::map<std::string, ActivePolicy>> FakePolicyStore::Active(const std::vector<std::string>& workspace_ids) {
  std::lock_guard lock(d_.mutex);
  PARVIS_RETURN_IF_ERROR(d_.Up());
  ++d_.active_questions;
  std::map<std::string, ActivePolicy> out;
  for (const std::string& id : workspace_ids) {
    if (auto it = d_.active.find(id); it != d_.active.end()) out.insert(*it);
  }
  return out;
}

StatusOr<std::string> FakePolicyStore::Source(const std::string& workspace_id, const ActivePolicy& policy) {
  std::lock_guard lock(d_.mutex);
  PARVIS_RETURN_IF_ERROR(d_.Up());
  auto it = d_.policies.find({workspace_id, policy.policy_id});
  if (it != d_.policies.end()) {
    for (const PolicyVersionRecord& v : it->second.versions) {
      if (v.version == policy.version) return v.source;
    }
  }
  return NotFound(absl::StrCat("policies/", policy.policy_id, "/versions/", policy.version));
}

Review FakeReviewStore::Load(const Review& review) const {
  Review out = review;
  auto it = d_.comments.find({review.workspace_id, review.channel_id, review.remote_id});
  out.hidden = it != d_.comments.end() && (it->second.hidden || it->second.hide_asked);
  return out;
}

StatusOr<Review> FakeReviewStore::Get(const Call& call, const std::string& id) {
  std::lock_guard lock(d_.mutex);
  PARVIS_RETURN_IF_ERROR(d_.Up());
  auto it = d_.reviews.find({call.workspace_id, id});
  if (it == d_.reviews.end()) return NotFound(absl::StrCat("workspaces/", call.workspace_id, "/reviews/", id));
  return Load(it->second);
}

StatusOr<std::vector<Review>> FakeReviewStore::List(const Call& call, const ReviewFilter& filter,
                                                    const std::optional<ReviewCursor>& after, absl::Time now,
                                                    int limit) {
  std::lock_guard lock(d_.mutex);
  PARVIS_RETURN_IF_ERROR(d_.Up());
  const auto place = [](const Review& r) {
    return std::tuple(r.verdict.action != Action::kEscalate, r.create_time, r.id);
  };
  std::vector<Review> out;
  for (const auto& [key, r] : d_.reviews) {
    if (key.first != call.workspace_id) continue;
    if (filter.state != ReviewState::kUnspecified && r.StateAt(now) != filter.state) continue;
    if (!filter.channel_id.empty() && r.channel_id != filter.channel_id) continue;
    if (!filter.language.empty() && r.verdict.language != filter.language) continue;
    if (after && place(r) <= std::tuple(!after->escalated, after->time, after->id)) continue;
    out.push_back(Load(r));
  }
  std::sort(out.begin(), out.end(), [&](const Review& a, const Review& b) { return place(a) < place(b); });
  if (static_cast<int>(out.size()) > limit) out.resize(static_cast<size_t>(limit));
  return out;
}

StatusOr<Review> FakeReviewStore::Alter(const Call& call, const std::string& id, const Change& change) {
  std::lock_guard lock(d_.mutex);
  PARVIS_RETURN_IF_ERROR(d_.Up());
  auto it = d_.reviews.find({call.workspace_id, id});
  if (it == d_.reviews.end()) return NotFound(absl::StrCat("workspaces/", call.workspace_id, "/reviews/", id));
  Review review = Load(it->second);
  ReviewEffects effects;
  PARVIS_RETURN_IF_ERROR(change(review, effects));
  it->second = review;
  if (effects.decision) d_.decisions.try_emplace({call.workspace_id, effects.decision->id}, *effects.decision);
  if (effects.command) {
    d_.commands.push_back(effects.command->command_id);
    auto comment = d_.comments.find({review.workspace_id, review.channel_id, review.remote_id});
    if (comment != d_.comments.end()) {
      comment->second.hide_asked = effects.command->kind != Command::Kind::kUnhide;
      comment->second.hidden = comment->second.hidden && comment->second.hide_asked;
    }
  }
  return review;
}

StatusOr<std::vector<Decision>> FakeReviewStore::ListDecisions(const Call& call, const DecisionFilter& filter,
                                                               const std::optional<TimeCursor>& after, int limit) {
  std::lock_guard lock(d_.mutex);
  PARVIS_RETURN_IF_ERROR(d_.Up());
  std::vector<Decision> out;
  for (const auto& [key, d] : d_.decisions) {
    if (key.first != call.workspace_id) continue;
    if (!filter.channel_id.empty() && d.channel_id != filter.channel_id) continue;
    if (filter.source != DecisionSource::kUnspecified && d.source != filter.source) continue;
    if (filter.action != Action::kUnspecified && d.action != filter.action) continue;
    if (after && std::pair(d.create_time, d.id) >= std::pair(after->time, after->id)) continue;
    out.push_back(d);
  }
  std::sort(out.begin(), out.end(), [](const Decision& a, const Decision& b) {
    return std::pair(a.create_time, a.id) > std::pair(b.create_time, b.id);
  });
  if (static_cast<int>(out.size()) > limit) out.resize(static_cast<size_t>(limit));
  return out;
}

Status FakeQueueStore::Apply(const StreamPositions& positions, const std::vector<CommentKey>& keys, const Planner& plan) {
  std::lock_guard lock(d_.mutex);
  PARVIS_RETURN_IF_ERROR(d_.Up());
  const auto name = [](const StreamPosition& p) { return absl::StrCat(p.group, "/", p.topic, "/", p.partition); };
  for (const StreamPosition& p : positions) {
    if (p.epoch != d_.positions[name(p)].epoch) return MakeError(Code::kAborted, "FENCED", "another owner has the partition");
  }
  std::map<CommentKey, CommentState> known;
  for (const CommentKey& key : keys) {
    if (auto it = d_.comments.find(key); it != d_.comments.end()) known.insert(*it);
  }
  const QueueEffects effects = plan(known);
  for (const auto& [key, state] : effects.comments) d_.comments[key] = state;
  for (const CommentKey& key : effects.close) {
    for (auto& [id, r] : d_.reviews) {
      if (CommentKey{r.workspace_id, r.channel_id, r.remote_id} != key || r.state != ReviewState::kOpen) continue;
      r.state = ReviewState::kClosed;
      r.end_time = effects.time;
      r.claim_member_id.clear();
      r.claim_expire_time.reset();
    }
  }
  for (const Review& r : effects.reviews) d_.reviews.try_emplace({r.workspace_id, r.id}, r);
  for (const Decision& d : effects.decisions) d_.decisions.try_emplace({d.workspace_id, d.id}, d);
  for (const Command& c : effects.commands) d_.commands.push_back(c.command_id);
  for (const StreamPosition& p : positions) d_.positions[name(p)] = p;
  return absl::OkStatus();
}

}  // namespace parvis::moderation
