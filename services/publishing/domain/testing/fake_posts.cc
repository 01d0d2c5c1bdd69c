#include <algorithm>

#include "publishing/domain/testing/fake_store.h"
#include "publishing/domain/thread.h"

namespace parvis::publishing {
namespace {

using State = DeliveryState;

Status EtagMismatch() {
  return MakeError(Code::kAborted, "ETAG_MISMATCH", "it was changed since it was read; read it again");
}
Status AlreadySent() { return MakeError(Code::kFailedPrecondition, "ALREADY_SENT", "it was sent"); }
bool Waits(const Delivery& d) { return d.state == State::kScheduled || d.state == State::kClaimed; }

// One page of `items`, which hold (time, id) keys, descending.
template <class Item, class TimeOf>
std::vector<Item> Paged(std::vector<Item> items, const Page& page, TimeOf time_of) {
  std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    return std::pair(time_of(a), a.id) > std::pair(time_of(b), b.id);
  });
  std::vector<Item> list;
  for (const Item& item : items) {
    if (page.after && std::pair(time_of(item), item.id) >= *page.after) continue;
    if (static_cast<int>(list.size()) == page.size) break;
    list.push_back(item);
  }
  return list;
}

}  // namespace

StatusOr<Campaign> FakeStore::InsertCampaign(const Call& call, const Campaign& campaign) {
  const std::lock_guard lock(mutex_);
  return campaigns_.emplace(Key(call.workspace_id, campaign.id), campaign).first->second;
}

StatusOr<Campaign> FakeStore::GetCampaign(const Call& call, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = campaigns_.find({call.workspace_id, id});
  if (at == campaigns_.end()) return NotFound("campaigns/" + id);
  return at->second;
}

StatusOr<std::vector<Campaign>> FakeStore::ListCampaigns(const Call& call, const Page& page) {
  const std::lock_guard lock(mutex_);
  std::vector<Campaign> mine;
  for (const auto& [key, campaign] : campaigns_) {
    if (key.first == call.workspace_id) mine.push_back(campaign);
  }
  return Paged(mine, page, [](const Campaign& c) { return c.create_time; });
}

StatusOr<Campaign> FakeStore::SaveCampaign(const Call& call, const Campaign& campaign) {
  const std::lock_guard lock(mutex_);
  const auto at = campaigns_.find({call.workspace_id, campaign.id});
  if (at == campaigns_.end() || at->second.version != campaign.version) return EtagMismatch();
  at->second = campaign;
  at->second.version += 1;
  return at->second;
}

StatusOr<Post> FakeStore::InsertPost(const Call& call, const Post& post) {
  const std::lock_guard lock(mutex_);
  return posts_.emplace(Key(call.workspace_id, post.id), post).first->second;
}

StatusOr<Post> FakeStore::GetPost(const Call& call, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = posts_.find({call.workspace_id, id});
  if (at == posts_.end()) return NotFound("posts/" + id);
  return at->second;
}

StatusOr<std::vector<Post>> FakeStore::ListPosts(const Call& call, const PostFilter& filter, const Page& page) {
  const std::lock_guard lock(mutex_);
  std::vector<Post> mine;
  for (const auto& [key, post] : posts_) {
    if (key.first == call.workspace_id && (filter.campaign_id.empty() || filter.campaign_id == post.campaign_id) &&
        (!filter.state || *filter.state == post.state)) {
      mine.push_back(post);
    }
  }
  return Paged(mine, page, [](const Post& p) { return p.create_time; });
}

Status FakeStore::EditDeliveries(Post& post, const DeliveryEdit& edit) {
  using Kind = DeliveryEdit::Kind;
  if (edit.kind == Kind::kNone) return absl::OkStatus();
  if (edit.kind == Kind::kInsert) {
    Insert(edit.inserts, post.update_time, edit.actor);
    return absl::OkStatus();
  }
  std::vector<Change> changes;
  std::vector<Delivery> all;
  bool goes_on = false;
  for (const auto& [key, d] : deliveries_) {
    if (key.first != post.workspace_id || d.post_id != post.id || d.generation != post.generation) continue;
    goes_on = goes_on || ((d.state == State::kSent || d.state == State::kUnknown) && !d.content.thread.empty());
    all.push_back(d);
    if (edit.kind == Kind::kResume) {
      if (CanResume(d)) changes.push_back(ResumePart(d, edit.due_time, edit.expire_time, edit.actor));
      continue;
    }
    if (!Waits(d)) continue;
    Change change{d, {d.state}, d.fence, "", edit.actor, false};
    change.after.fence += 1;
    change.after.check_time = absl::InfiniteFuture();
    change.after.state = edit.kind == Kind::kMove ? State::kScheduled : State::kCancelled;
    change.detail = edit.kind == Kind::kMove ? "moved" : "cancelled";
    if (edit.kind == Kind::kMove) {
      change.after.due_time = change.after.ready_time = edit.due_time;
      change.after.expire_time = edit.expire_time;
    }
    all.back() = change.after;
    changes.push_back(std::move(change));
  }
  if (edit.kind == Kind::kResume && changes.empty()) return NothingToResume();
  const bool all_wait = changes.size() == all.size();
  if ((edit.kind == Kind::kMove || edit.kind == Kind::kWithdraw) && !all_wait) return AlreadySent();
  if (edit.kind == Kind::kCancel) {
    if (changes.empty() && !goes_on) return AlreadySent();
    for (auto& [key, d] : deliveries_) {
      if (d.post_id != post.id || d.generation != post.generation || Waits(d) || d.state == State::kDelivered) continue;
      d.content.thread.clear();
      d.content.ended = true;
    }
    post.state = StateFromDeliveries(all);
  }
  ApplyLocked(changes, post.update_time);
  return absl::OkStatus();
}

StatusOr<Post> FakeStore::SavePost(const Call& call, const Post& given, const DeliveryEdit& edit) {
  const std::lock_guard lock(mutex_);
  const auto at = posts_.find({call.workspace_id, given.id});
  if (at == posts_.end() || at->second.version != given.version) return EtagMismatch();
  Post post = given;
  PARVIS_RETURN_IF_ERROR(EditDeliveries(post, edit));
  post.version = at->second.version + 1;
  at->second = post;
  return post;
}

Status FakeStore::DeletePost(const Call& call, const Post& post, const std::string& actor) {
  const std::lock_guard lock(mutex_);
  const auto at = posts_.find({call.workspace_id, post.id});
  if (at == posts_.end() || at->second.version != post.version) return EtagMismatch();
  for (const auto& [key, d] : deliveries_) {
    if (d.post_id == post.id && (d.attempts > 0 || (!Waits(d) && !IsFinal(d.state)))) return AlreadySent();
  }
  DeliveryEdit edit;
  edit.kind = DeliveryEdit::Kind::kWithdraw;
  edit.actor = actor;
  Post copy = post;
  (void)EditDeliveries(copy, edit);
  posts_.erase(at);
  return absl::OkStatus();
}

StatusOr<Delivery> FakeStore::GetDelivery(const Call& call, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = deliveries_.find({call.workspace_id, id});
  if (at == deliveries_.end()) return NotFound("deliveries/" + id);
  Delivery found = at->second;
  const auto pause = paused_.find({found.workspace_id, found.channel_id});
  if (pause != paused_.end() && found.state == State::kScheduled) found.error_reason = pause->second.reason;
  return found;
}

StatusOr<std::vector<Delivery>> FakeStore::ListDeliveries(const Call& call, const DeliveryFilter& filter,
                                                          const Page& page) {
  const std::lock_guard lock(mutex_);
  std::vector<Delivery> mine;
  for (const auto& [key, d] : deliveries_) {
    if (key.first != call.workspace_id || (filter.state && *filter.state != d.state) ||
        (filter.kind && *filter.kind != d.kind) || (!filter.campaign_id.empty() && filter.campaign_id != d.campaign_id) ||
        (!filter.channel_id.empty() && filter.channel_id != d.channel_id) ||
        (!filter.post_id.empty() && filter.post_id != d.post_id) || (filter.needs_human && !d.needs_human)) {
      continue;
    }
    mine.push_back(d);
  }
  return Paged(mine, page, [](const Delivery& d) { return d.due_time; });
}

StatusOr<std::vector<Transition>> FakeStore::ListTransitions(const Call& call, const std::string& id,
                                                             int64_t after_number, int limit) {
  const std::lock_guard lock(mutex_);
  if (!deliveries_.contains({call.workspace_id, id})) return NotFound("deliveries/" + id);
  std::vector<Transition> list;
  for (const Transition& step : history_[id]) {
    if (step.number > after_number && static_cast<int>(list.size()) < limit) list.push_back(step);
  }
  return list;
}

StatusOr<Delivery> FakeStore::InsertDelivery(const Call& call, const Delivery& delivery, absl::Time now,
                                             const std::string& actor) {
  const std::lock_guard lock(mutex_);
  if (delivery.workspace_id != call.workspace_id) return MakeError(Code::kPermissionDenied, "ROW_LEVEL_SECURITY", "another workspace");
  Insert({delivery}, now, actor);
  return deliveries_.at({call.workspace_id, delivery.id});
}

StatusOr<Delivery> FakeStore::SettleByPerson(const Call& call, const Change& change, absl::Time now) {
  const std::lock_guard lock(mutex_);
  if (change.after.workspace_id != call.workspace_id) return NotFound("deliveries/" + change.after.id);
  const auto applied = ApplyLocked({change}, now);
  if (!applied.front()) return MakeError(Code::kAborted, "DELIVERY_CHANGED", "it has changed meanwhile");
  return *applied.front();
}

}  // namespace parvis::publishing
