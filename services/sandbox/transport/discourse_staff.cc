// The staff's deeds: topics closed, likes and flags, sanctions, the review queue.
#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/transport/discourse.h"
#include "sandbox/transport/discourse_json.h"

namespace parvis::sandbox {
namespace {

constexpr int kAll = 1'000'000;
constexpr size_t kReviewPage = 10;

net::HttpResponse InvalidParameters(std::string_view name) {
  return DiscourseError(400, "invalid_parameters", Cat("You supplied invalid parameters to the request: ", name));
}

}  // namespace

net::HttpResponse Discourse::SetTopicStatus(const Asked& asked, Answer answer) {
  const std::string status = asked.request.Param("status"), enabled = asked.request.Param("enabled");
  if (status.empty()) return DiscourseMissing("status");
  if (enabled.empty()) return DiscourseMissing("enabled");
  if (status != "closed" && status != "archived" && status != "visible" && status != "pinned")
    return InvalidParameters("status");
  if (enabled != "true" && enabled != "false") return InvalidParameters("enabled");
  const ItemPtr first = TopicOf(asked, asked.path[1]);
  if (first == nullptr || first->deleted) return DiscourseNotFound();
  const bool on = enabled == "true";
  const char* const deed = status == "closed"     ? (on ? "lock" : "unlock")
                           : status == "visible"  ? (on ? "unhide" : "hide")
                           : status == "archived" ? (on ? "archive" : "unarchive")
                                                  : (on ? "pin" : "unpin");
  const bool now = status == "visible" ? !first->hidden : Extra(*first, status) == "true";
  if (now != on) {  // what is so already is no deed
    const auto changed = context_.world.Mark(Network::kDiscourse, first->id, deed, Us(asked, answer), [&](Item& item) {
      KeepTextTime(item, TextTime(item));
      if (status == "visible") {
        item.hidden = !on;
      } else {
        item.extra[status] = on ? "true" : "false";
      }
    });
    if (!changed.ok()) return Stored(asked, changed);
  }
  return DiscourseAnswer({{"success", "OK"}, {"topic_status_update", nullptr}});
}

net::HttpResponse Discourse::Act(const Asked& asked, Answer answer) {
  const std::string id = asked.request.Param("id"), type = asked.request.Param("post_action_type_id");
  if (id.empty()) return DiscourseMissing("id");
  if (type.empty()) return DiscourseMissing("post_action_type_id");
  const ItemPtr post = PostOf(asked, id);
  if (post == nullptr || post->deleted) return DiscourseNotFound();
  const bool like = type == "2", flag = type == "3" || type == "4" || type == "7" || type == "8";
  if (!like && !flag) return InvalidParameters("post_action_type_id");
  if (post->by_us || !Extra(*post, like ? "liked" : "flagged").empty()) return DiscourseForbidden();
  StatusOr<ItemPtr> acted = post;
  if (like) {
    const int64_t likes = ForumValue(Extra(*post, "likes"));
    acted = context_.world.SetExtra(Network::kDiscourse, post->id,
                                    {{"liked", "true"}, {"likes", std::to_string(likes + 1)}});
  } else {
    acted = context_.world.Mark(Network::kDiscourse, post->id, "report", Us(asked, answer), [&](Item& item) {
      KeepTextTime(item, TextTime(item));
      item.extra["flagged"] = type;
    });
  }
  if (!acted.ok()) return Stored(asked, acted);
  return DiscourseAnswer(Shown(asked, **acted, true));
}

net::HttpResponse Discourse::Unlike(const Asked& asked) {
  const ItemPtr post = PostOf(asked, asked.path[1]);
  if (post == nullptr || post->deleted || Extra(*post, "liked").empty()) return DiscourseNotFound();
  if (asked.request.Param("post_action_type_id") != "2") return DiscourseForbidden();
  const int64_t likes = ForumValue(Extra(*post, "likes"));
  const auto acted = context_.world.SetExtra(
      Network::kDiscourse, post->id, {{"liked", ""}, {"likes", std::to_string(std::max<int64_t>(0, likes - 1))}});
  return acted.ok() ? DiscourseAnswer(Shown(asked, **acted, true)) : Stored(asked, acted);
}

net::HttpResponse Discourse::Sanction(const Asked& asked, Answer answer) {
  const std::string &person = asked.path[2], &what = asked.path[3];
  const World& world = context_.world;
  if (person == asked.forum->id) return DiscourseForbidden();
  const Page found = world.Read(Network::kDiscourse, World::List::kInbox, asked.forum->id,
                                {.limit = 1, .filter = [&](const Item& item) { return item.author_id == person; }});
  if (found.items.empty()) return DiscourseNotFound();
  const bool on = !what.starts_with("un"), silence = what.ends_with("silence");
  const std::string kind = silence ? "mute" : "ban";
  const std::string till = asked.request.Param(silence ? "silenced_till" : "suspend_until"),
                    reason = asked.request.Param("reason");
  if (on && !silence && till.empty()) return DiscourseMissing("suspend_until");
  if (on && !silence && reason.empty()) return DiscourseMissing("reason");
  absl::Time until;
  if (!till.empty() && !absl::ParseTime(absl::RFC3339_full, till, &until, nullptr) &&
      !absl::ParseTime("%Y-%m-%d", till, absl::UTCTimeZone(), &until, nullptr)) {
    return InvalidParameters(silence ? "silenced_till" : "suspend_until");
  }
  const bool already = world.IsMarked(Network::kDiscourse, asked.forum->id, person, kind);
  if (on && already) {
    return DiscourseAnswer(
        {{"failed", "FAILED"},
         {"message", Cat("User was already ", silence ? "silenced" : "suspended", " by ", asked.forum->handle, ".")}},
        409);
  }
  if (on || already) {
    const Status done = context_.world.MarkPerson(Network::kDiscourse, asked.forum->id, person,
                                                  on ? kind : Cat("un", kind), Us(asked, answer));
    if (!done.ok()) return Stored(asked, done);
  }
  const Json by = {{"id", ForumNumber(asked.forum->id)}, {"username", asked.forum->handle}};
  const Json end = till.empty() ? Json() : Json(till);
  if (!silence) {
    if (!on) return DiscourseAnswer({{"suspension", {{"suspended_till", nullptr}, {"suspended_at", nullptr}}}});
    return DiscourseAnswer({{"suspension",
                             {{"suspend_reason", reason},
                              {"full_suspend_reason", reason},
                              {"suspended_till", end},
                              {"suspended_at", ForumTime(context_.clock.WallNow())},
                              {"suspended_by", by}}}});
  }
  if (!on)
    return DiscourseAnswer(
        {{"unsilence", {{"silenced", false}, {"silence_reason", nullptr}, {"silenced_till", nullptr}}}});
  return DiscourseAnswer({{"silence",
                           {{"silenced", true},
                            {"silence_reason", reason},
                            {"silenced_till", end},
                            {"silenced_at", ForumTime(context_.clock.WallNow())},
                            {"silenced_by", by}}}});
}

ItemPtr Discourse::Queued(const Asked& asked, const std::string& id) const {
  ItemPtr item = context_.world.Find(Network::kDiscourse, id);
  return item == nullptr || item->account != asked.forum->id || item->deleted || !InQueue(*item) ? nullptr : item;
}

std::vector<ItemPtr> Discourse::Queue(const Asked& asked, std::string_view status) const {
  std::vector<ItemPtr> out;
  for (const World::List list : {World::List::kPosts, World::List::kInbox}) {
    Page page = context_.world.Read(Network::kDiscourse, list, asked.forum->id,
                                    {.newest_first = false, .limit = kAll, .filter = [&](const Item& item) {
                                       return InQueue(item) && (status == "all" || item.status == status);
                                     }});
    out.insert(out.end(), page.items.begin(), page.items.end());
  }
  return out;
}

net::HttpResponse Discourse::Reviewables(const Asked& asked, Answer answer) {
  const std::string status = asked.request.Param("status", "pending"), type = asked.request.Param("type");
  const std::string_view wanted = status == "pending"    ? kQueued
                                  : status == "approved" ? kQueueAccepted
                                  : status == "rejected" ? kQueueRejected
                                  : status == "all"      ? "all"
                                                         : "";
  if (wanted.empty()) return InvalidParameters("status");
  if (!type.empty() && type != "ReviewableQueuedPost" && type != "ReviewableFlaggedPost" && type != "ReviewableUser") {
    return InvalidParameters("type");
  }
  const auto offset = ReadNumber(asked.request.Param("offset"), 0, 0, kAll);
  std::vector<ItemPtr> queue;
  if (type.empty() || type == "ReviewableQueuedPost") queue = Queue(asked, wanted);
  const auto begin = static_cast<size_t>(offset.value_or(0));
  Json rows = Json::array();
  for (size_t i = begin; answer != Answer::kEmptyPage && i < std::min(queue.size(), begin + kReviewPage); ++i) {
    const ItemPtr first = context_.world.Find(Network::kDiscourse, queue[i]->post);
    rows.push_back(DiscourseReviewable(*queue[i], first.get(), asked.base));
  }
  Json meta = {{"total_rows_reviewables", queue.size()},
               {"reviewable_count", Queue(asked, kQueued).size()},
               {"reviewable_types", {"ReviewableFlaggedPost", "ReviewableQueuedPost", "ReviewableUser"}},
               {"status", status}};
  if (begin + kReviewPage < queue.size()) {
    meta["load_more_reviewables"] = Cat("/review?offset=", begin + kReviewPage, "&status=", status);
  }
  return DiscourseAnswer({{"reviewables", rows}, {"users", Json::array()}, {"topics", Json::array()}, {"meta", meta}});
}

net::HttpResponse Discourse::ShowReviewable(const Asked& asked) {
  const ItemPtr item = Queued(asked, asked.path[1]);
  if (item == nullptr) return DiscourseNotFound();
  const ItemPtr first = context_.world.Find(Network::kDiscourse, item->post);
  return DiscourseAnswer(
      {{"reviewable", DiscourseReviewable(*item, first.get(), asked.base)}, {"meta", Json::object()}});
}

// What is approved becomes a post with a number of its own; what waited stays in the queue's history.
net::HttpResponse Discourse::Review(const Asked& asked, Answer answer) {
  const std::string& action = asked.path[3];
  const std::string version = asked.request.Param("version");
  if (version.empty()) return DiscourseError(422, "", "You must provide a version");
  const ItemPtr item = Queued(asked, asked.path[1]);
  if (item == nullptr) return DiscourseNotFound();
  const bool approve = action == "approve_post";
  if ((!approve && action != "reject_post") || item->status != kQueued) return DiscourseForbidden();
  if (version != "0") {
    return DiscourseError(409, "", "There was a review conflict, somebody else changed it. Reload and try again.");
  }
  const auto created = Decide(context_.world, *item, approve, Us(asked, answer),
                              item->extra.contains("recipients") ? "private" : "");
  if (!created.ok()) return Stored(asked, created);
  if (approve) {
    (void)context_.world.SetExtra(Network::kDiscourse, item->id, {{"created_post_id", (*created)->id}});
  }
  Json result = {{"success", true},
                 {"transition_to", approve ? "approved" : "rejected"},
                 {"transition_to_id", approve ? 1 : 2},
                 {"created_post_id", nullptr},
                 {"created_post_topic_id", nullptr},
                 {"remove_reviewable_ids", {ForumNumber(item->id)}},
                 {"version", 1},
                 {"reviewable_count", Queue(asked, kQueued).size()}};
  if (approve) {
    result["created_post_id"] = ForumNumber((*created)->id);
    result["created_post_topic_id"] = ForumNumber(Extra(**created, "topic_id"));
  }
  return DiscourseAnswer({{"reviewable_perform_result", result}});
}

// One takes back what one has written oneself.
net::HttpResponse Discourse::Withdraw(const Asked& asked, Answer answer) {
  const ItemPtr item = Queued(asked, asked.path[1]);
  if (item == nullptr || !item->by_us || item->status != kQueued) return DiscourseNotFound();
  const auto gone = context_.world.Delete(Network::kDiscourse, item->id, Us(asked, answer));
  return gone.ok() ? DiscourseAnswer({{"success", "OK"}}) : Stored(asked, gone);
}

net::HttpResponse Discourse::Pending(const Asked& asked) {
  const std::string& name = asked.path[1];
  Json rows = Json::array();
  for (const ItemPtr& item : Queue(asked, kQueued)) {
    if (item->author_handle != name) continue;
    rows.push_back(DiscoursePending(*item, context_.world.Find(Network::kDiscourse, item->post).get()));
  }
  if (rows.empty() && name != asked.forum->handle) {
    const Page known =
        context_.world.Read(Network::kDiscourse, World::List::kInbox, asked.forum->id,
                            {.limit = 1, .filter = [&](const Item& item) { return item.author_handle == name; }});
    if (known.items.empty()) return DiscourseNotFound();
  }
  return DiscourseAnswer({{"pending_posts", rows}});
}

}  // namespace parvis::sandbox
