#include "sandbox/domain/audience.h"

#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"
#include "sandbox/domain/tweet_text.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kRemembered = 4096;    // comments that can still be answered, edited or removed
constexpr int64_t kChangeWithin = 400;  // steps until an edit or removal follows its comment

Status CheckShare(std::string_view field, double value) {
  if (value >= 0 && value <= 1) return absl::OkStatus();
  return InvalidField(field, "OUT_OF_RANGE", "must lie between 0 and 1");
}

}  // namespace

Status CheckPlan(const AudiencePlan& plan) {
  PARVIS_RETURN_IF_ERROR(CheckShare("threads.reply_share", plan.reply_share));
  PARVIS_RETURN_IF_ERROR(CheckShare("threads.hot_share", plan.hot_share));
  PARVIS_RETURN_IF_ERROR(CheckShare("mention_share", plan.mention_share));
  PARVIS_RETURN_IF_ERROR(CheckShare("edit_ratio", plan.edit_ratio));
  PARVIS_RETURN_IF_ERROR(CheckShare("removal_ratio", plan.removal_ratio));
  PARVIS_RETURN_IF_ERROR(CheckShare("french", plan.mix.french));
  if (plan.count < 0 || plan.count > 10'000'000) return InvalidField("count", "OUT_OF_RANGE", "0 to 10000000");
  if (plan.people < 1 || plan.people > 1'000'000) return InvalidField("people", "OUT_OF_RANGE", "1 to 1000000");
  if (plan.hot_threads < 0 || plan.hot_threads > 100) return InvalidField("threads.hot", "OUT_OF_RANGE", "0 to 100");
  if (plan.long_text_max < 200 || plan.long_text_max > 8000) {
    return InvalidField("long_text_max", "OUT_OF_RANGE", "200 to 8000");
  }
  double sum = 0;
  for (double weight : plan.mix.weights) {
    if (!(weight >= 0 && weight <= 1e6)) return InvalidField("kinds", "OUT_OF_RANGE", "weights are 0 to 1000000");
    sum += weight;
  }
  if (sum <= 0) return InvalidField("kinds", "OUT_OF_RANGE", "at least one weight must be above 0");
  return absl::OkStatus();
}

Audience::Audience(const AudiencePlan& plan, World& world) : plan_(plan), world_(world), rng_(plan.seed) {}

StatusOr<bool> Audience::Step(const std::vector<Post>& posts) {
  ++step_;
  const bool all_written = progress_.written + progress_.skipped >= plan_.count;
  if (!due_.empty() && (all_written || due_.begin()->first <= step_)) {
    const Due due = due_.begin()->second;
    due_.erase(due_.begin());
    PARVIS_RETURN_IF_ERROR(Change(due));
    return true;
  }
  if (all_written) return false;
  PARVIS_RETURN_IF_ERROR(Write(posts));
  return true;
}

AudienceText Audience::NextText() {
  if (plan_.texts.empty()) return WriteText(plan_.mix, plan_.long_text_max, rng_);
  const size_t at = static_cast<size_t>(progress_.written + progress_.skipped) % plan_.texts.size();
  return {plan_.texts[at], TextKind::kQuestion, ""};
}

Audience::Made* Audience::MadeAt(int64_t number) {
  const int64_t index = number - first_made_;
  if (index < 0 || index >= static_cast<int64_t>(made_.size())) return nullptr;
  return &made_[static_cast<size_t>(index)];
}

// What a new comment below `post` answers: nullptr for the post itself.
const Audience::Made* Audience::ChooseParent(const Post& post) {
  if (!rng_.Chance(plan_.reply_share)) return nullptr;
  auto hot = hot_.find(post.id);
  if (hot != hot_.end() && rng_.Chance(plan_.hot_share)) return &hot->second[rng_.Below(hot->second.size())];
  // A few tries among the recent comments of all posts; most are below another post when there are many.
  for (int i = 0; i < 16 && !made_.empty(); ++i) {
    const Made& made = made_[made_.size() - 1 - rng_.Below(std::min<size_t>(made_.size(), 256))];
    if (made.post == post.id && !made.gone) return &made;
  }
  return nullptr;
}

Status Audience::Write(const std::vector<Post>& posts) {
  const Post& post = posts[rng_.Below(posts.size())];
  const Account& account = *post.account;
  const Nature& nature = NatureOf(account.network);
  const Made* parent = nature.comments ? ChooseParent(post) : nullptr;
  Person person = PersonOf(rng_.Below(static_cast<uint64_t>(plan_.people)));
  person.id = nature.person_id(person.id);
  AudienceText text = NextText();
  const bool mention = !nature.comments || (nature.mentions && parent == nullptr && rng_.Chance(plan_.mention_share));

  NewItem item{.network = account.network,
               .kind = mention ? Item::Kind::kMention : Item::Kind::kComment,
               .account = account.id,
               .parent = mention             ? ""
                         : parent != nullptr ? parent->id
                                             : post.id,
               .author_id = person.id,
               .author_name = person.name,
               .author_handle = person.handle};
  std::string written = text.text;
  // An answer to somebody else names both; that is how X makes a mention of it.
  if (nature.names_in_answers && parent != nullptr) {
    written = Cat("@", parent->author_handle, " @", account.handle, " ", written);
  }
  if (mention && nature.comments) written = Cat("@", account.handle, " ", written);
  if (nature.short_links) {
    ShortenedTweet tweet = ShortenUrls(FitTweet(written), person.id);
    written = std::move(tweet.text);
    item.urls = std::move(tweet.urls);
  }
  if (nature.holds) item.status = account.hold_comments ? "hold" : "approved";
  item.text = written;
  const WriteContext context{.by = "audience",
                             .label = plan_.texts.empty() ? std::string(NameOf(text.kind)) : "replay",
                             .language = std::string(text.language)};
  auto created = world_.Create(item, context);
  if (!created.ok() && created.status().code() == Code::kNotFound && parent != nullptr) {
    item.parent = post.id;  // what it answered was deleted meanwhile
    created = world_.Create(item, context);
  }
  if (!created.ok()) {
    if (created.status().code() != Code::kNotFound) return created.status();
    ++progress_.skipped;  // the post itself has gone
    return absl::OkStatus();
  }
  ++progress_.written;
  Made made{post.account, (*created)->id, post.id, person.handle, written, person, text.kind, text.language, false};
  if (parent == nullptr && !mention) {
    auto& hot = hot_[post.id];
    if (static_cast<int>(hot.size()) < plan_.hot_threads) hot.push_back(made);
    if (hot.empty()) hot_.erase(post.id);
  }
  made_.push_back(std::move(made));
  if (made_.size() > kRemembered) {
    made_.pop_front();
    ++first_made_;
  }
  PlanChanges(made_.back());
  return absl::OkStatus();
}

void Audience::PlanChanges(const Made& made) {
  const int64_t number = first_made_ + static_cast<int64_t>(made_.size()) - 1;
  const Nature& nature = NatureOf(made.account->network);
  const bool edit = rng_.Chance(plan_.edit_ratio), removal = rng_.Chance(plan_.removal_ratio);
  const int64_t edit_in = 1 + static_cast<int64_t>(rng_.Below(kChangeWithin));
  const int64_t removal_in = edit_in + 1 + static_cast<int64_t>(rng_.Below(kChangeWithin));
  if (edit && nature.edits) due_.emplace(step_ + edit_in, Due{step_ + edit_in, false, number});
  if (removal && nature.removals) due_.emplace(step_ + removal_in, Due{step_ + removal_in, true, number});
}

Status Audience::Change(const Due& due) {
  Made* made = MadeAt(due.made);
  if (made == nullptr || made->gone) return absl::OkStatus();
  WriteContext context{
      .by = "audience", .label = std::string(NameOf(made->kind)), .language = std::string(made->language)};
  Status status;
  if (due.removal) {
    status = world_.Delete(made->account->network, made->id, context).status();
    made->gone = true;
    if (status.ok()) ++progress_.removals;
  } else {
    made->written += made->language == "fr" ? " (modifié : je corrige ma faute)" : " (edited: fixed a typo)";
    status = world_.Edit(made->account->network, made->id, made->written, context).status();
    if (status.ok()) ++progress_.edits;
  }
  return status.code() == Code::kNotFound ? absl::OkStatus() : status;  // deleted by the brand: nothing to change
}

}  // namespace parvis::sandbox
