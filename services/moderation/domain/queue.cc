#include "moderation/domain/queue.h"

#include <algorithm>
#include <set>

#include <absl/strings/str_cat.h>

#include "platform/base/ids.h"

namespace parvis::moderation {
namespace {

bool IsText(Kind kind) {
  return kind == Kind::kComment || kind == Kind::kMention || kind == Kind::kMessage || kind == Kind::kEdit;
}

CommentKey KeyOf(const Assessed& a) { return {a.workspace_id, a.channel_id, a.remote_id}; }

class Planning {
 public:
  Planning(const std::map<CommentKey, CommentState>& known, absl::Time now) : known_(known), now_(now) {}

  void Take(const Assessed& a) {
    if (a.kind == Kind::kRemoval) return Removal(a);
    if (a.kind == Kind::kHide || a.kind == Kind::kUnhide) return Visibility(a);
    if (IsText(a.kind) && !a.by_us) return Text(a);
  }

  QueueEffects Finish() {
    for (const CommentKey& key : close_) effects_.close.push_back(key);
    effects_.time = now_;
    return std::move(effects_);
  }

 private:
  const CommentState* Find(const CommentKey& key) const {
    if (auto it = effects_.comments.find(key); it != effects_.comments.end()) return &it->second;
    auto it = known_.find(key);
    return it == known_.end() ? nullptr : &it->second;
  }
  CommentState& Touch(const CommentKey& key) {
    const CommentState* state = Find(key);
    return effects_.comments.try_emplace(key, state != nullptr ? *state : CommentState{}).first->second;
  }

  void Removal(const Assessed& a) {
    const CommentKey key = KeyOf(a);
    if (const CommentState* state = Find(key); state != nullptr && state->removed) return;
    Touch(key).removed = true;
    Close(key);
  }

  void Visibility(const Assessed& a) {
    const CommentKey key = KeyOf(a);
    if (const CommentState* state = Find(key); state != nullptr && state->hidden_revision >= a.revision) return;
    CommentState& state = Touch(key);
    state.hidden = a.kind == Kind::kHide;
    state.hidden_revision = a.revision;
    if (!state.hidden) state.hide_asked = false;
  }

  void Text(const Assessed& a) {
    const CommentKey key = KeyOf(a);
    const CommentState* state = Find(key);
    if (state != nullptr && (state->removed || state->revision >= a.revision)) return;  // late, or seen already
    const bool changed = state != nullptr && state->revision != INT64_MIN;
    const bool acts = a.verdict.action != Action::kAllow && a.verdict.action != Action::kUnspecified;
    if (acts || changed || a.kind == Kind::kEdit) Touch(key).revision = a.revision;
    if (changed) Close(key);
    if (a.verdict.reasons.empty() && !acts) return;

    Decision line{UuidOfName(absl::StrCat("decision/policy/", a.activity_id)),
                  a.workspace_id,
                  a.activity_id,
                  a.channel_id,
                  a.remote_id,
                  DecisionSource::kPolicy,
                  a.verdict.action,
                  a.verdict.reasons,
                  a.verdict.policy_id,
                  a.verdict.policy_version,
                  "",
                  "",
                  "",
                  now_};
    if (a.verdict.action == Action::kHold || a.verdict.action == Action::kEscalate) {
      effects_.reviews.push_back(MakeReview(a));
    } else if (a.verdict.action == Action::kHide || a.verdict.action == Action::kDelete) {
      line.command_id = Ask(a, Touch(key));
    }
    effects_.decisions.push_back(std::move(line));
  }

  // The command that hides or deletes; "" when the comment is hidden already (an edit does not make it visible).
  std::string Ask(const Assessed& a, CommentState& state) {
    const auto kind = a.verdict.action == Action::kHide ? Command::Kind::kHide : Command::Kind::kDelete;
    if (kind == Command::Kind::kHide && (state.hide_asked || state.hidden)) return "";
    state.hide_asked = true;
    Command command{CommandId(kind, a.activity_id),
                    a.workspace_id,
                    a.channel_id,
                    kind,
                    a.remote_id,
                    a.post_remote_id,
                    a.thread,
                    absl::StrCat("policy/", a.verdict.policy_id, "@", a.verdict.policy_version),
                    now_,
                    a.trace};
    std::string id = command.command_id;
    effects_.commands.push_back(std::move(command));
    return id;
  }

  Review MakeReview(const Assessed& a) const {
    Review r;
    r.id = ReviewId(a.activity_id);
    r.workspace_id = a.workspace_id, r.activity_id = a.activity_id, r.channel_id = a.channel_id, r.network = a.network;
    r.remote_id = a.remote_id, r.thread = a.thread, r.post_remote_id = a.post_remote_id, r.author = a.author;
    r.text = a.text, r.permalink = a.permalink, r.verdict = a.verdict;
    r.occurred_time = a.occurred_time, r.create_time = now_;
    return r;
  }

  // Ends the open reviews of a comment: those stored before, and those of this batch.
  void Close(const CommentKey& key) {
    close_.insert(key);
    for (Review& r : effects_.reviews) {
      if (CommentKey{r.workspace_id, r.channel_id, r.remote_id} != key || r.state != ReviewState::kOpen) continue;
      r.state = ReviewState::kClosed;
      r.end_time = now_;
    }
  }

  const std::map<CommentKey, CommentState>& known_;
  const absl::Time now_;
  QueueEffects effects_;
  std::set<CommentKey> close_;
};

}  // namespace

std::vector<CommentKey> KeysOf(const std::vector<Assessed>& batch) {
  std::set<CommentKey> keys;
  for (const Assessed& a : batch) keys.insert(KeyOf(a));
  return {keys.begin(), keys.end()};
}

QueueEffects Plan(const std::vector<Assessed>& batch, const std::map<CommentKey, CommentState>& known, absl::Time now) {
  Planning planning(known, now);
  for (const Assessed& a : batch) planning.Take(a);
  return planning.Finish();
}

}  // namespace parvis::moderation
