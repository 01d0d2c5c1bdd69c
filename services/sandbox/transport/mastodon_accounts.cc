// Accounts, their statuses, notifications, and what one does about people (facts 7.3).
#include <algorithm>
#include <atomic>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/mastodon.h"
#include "sandbox/transport/mastodon_json.h"

namespace parvis::sandbox {
namespace {

// Notifications count for themselves: their ids are those of the statuses, moved.
constexpr int64_t kNotificationShift = 100'000'000'000'000'000;
constexpr char kNewest[] = "999999999999999999";

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= 19 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string Moved(const std::string& id, int64_t shift) {
  const auto number = ReadNumber(id, 0, 0, INT64_MAX);
  return number ? std::to_string(*number - shift) : id;
}

}  // namespace

net::HttpResponse Mastodon::VerifyCredentials(const Asked& asked, Answer) {
  const Account& account = *asked.account;
  Json json = MastodonAccount(account.id, account.name, account.handle, asked.request.base_url);
  json["source"] = {{"privacy", "public"}, {"sensitive", false},      {"language", "fr"},
                    {"note", ""},          {"fields", Json::array()}, {"follow_requests_count", 0}};
  json["role"] = {{"id", "-99"}, {"name", ""}, {"permissions", "0"}};
  const Page own =
      context_.world.Read(Network::kMastodon, World::List::kOwn, account.id, {.limit = 0, .count_all = true});
  json["statuses_count"] = own.total;
  return JsonResponse(200, json, false);
}

net::HttpResponse Mastodon::ShowAccount(const Asked& asked, Answer) {
  const AccountPtr account = context_.world.FindAccount(Network::kMastodon, asked.path[2]);
  if (account == nullptr) return MastodonGone();
  return JsonResponse(200, MastodonAccount(account->id, account->name, account->handle, asked.request.base_url), false);
}

net::HttpResponse Mastodon::Lookup(const Asked& asked, Answer) {
  const AccountPtr account = context_.world.FindByUser(Network::kMastodon, asked.request.Param("acct"));
  if (account == nullptr) return MastodonGone();
  return JsonResponse(200, MastodonAccount(account->id, account->name, account->handle, asked.request.base_url), false);
}

// max_id: older than; since_id: newer than, the newest of them; min_id: newer than, the oldest of them. Ids in the
// answer and in the parameters are those of the statuses less `shift`.
net::HttpResponse Mastodon::Paged(const Asked& asked, Answer answer, World::List list, const std::string& id,
                                  int64_t most, int64_t shift, const std::function<bool(const Item&)>& filter,
                                  const std::function<Json(const Item&)>& show) {
  const Request& request = asked.request;
  const auto asked_for = ReadNumber(request.Param("limit"), most / 2, 1, INT32_MAX);
  const int64_t limit = std::min(asked_for.value_or(most / 2), most);  // more is cut, not refused
  const std::string older = request.Param("max_id"), since = request.Param("since_id"), least = request.Param("min_id");
  for (const std::string& one : {older, since, least}) {
    if (!one.empty() && !IsId(one)) return MastodonGone();
  }
  const auto link = [&](const char* name, const std::string& value) {
    std::string url = Cat("<", request.base_url, request.http.path, "?limit=", limit);
    for (const char* list_name : {"types", "exclude_types"}) {
      for (const std::string& type : ListOf(request, list_name)) Append(url, "&", list_name, "[]=", type);
    }
    for (const char* flag : {"exclude_replies", "exclude_reblogs", "only_media"}) {
      if (!request.Param(flag).empty()) Append(url, "&", flag, "=", request.Param(flag));
    }
    return Cat(url, "&", name, "=", value, ">; rel=\"", name == std::string_view("max_id") ? "next" : "prev", "\"");
  };
  if (answer == Answer::kEmptyPage) {
    net::HttpResponse empty = JsonResponse(200, Json::array(), false);
    empty.headers["Link"] = link("max_id", older.empty() ? kNewest : older);
    return empty;
  }
  ListOptions options{.newest_first = least.empty(), .limit = static_cast<int>(limit)};
  options.filter = [&](const Item& item) {
    const std::string shown = Moved(item.id, shift);
    return (older.empty() || NewerId(older, shown)) && (since.empty() || NewerId(shown, since)) &&
           (least.empty() || NewerId(shown, least)) && filter(item);
  };
  if (const std::string& from = least.empty() ? since : least; !from.empty()) {  // ids hold their time
    const int64_t millis = (ReadNumber(from, 0, 0, INT64_MAX).value_or(0) + shift) >> 16;
    options.since = absl::FromUnixMillis(millis) - absl::Seconds(1);
  }
  Page page = context_.world.Read(Network::kMastodon, list, id, options);
  if (!least.empty()) std::ranges::reverse(page.items);
  Json json = Json::array();
  for (const ItemPtr& item : page.items) json.push_back(show(*item));
  net::HttpResponse response = JsonResponse(200, json, false);
  if (page.items.empty()) return response;
  std::string& links = response.headers["Link"];
  if (static_cast<int64_t>(page.items.size()) == limit) {
    links = Cat(link("max_id", Moved(page.items.back()->id, shift)), ", ");
  }
  links += link("min_id", Moved(page.items.front()->id, shift));
  return response;
}

net::HttpResponse Mastodon::AccountStatuses(const Asked& asked, Answer answer) {
  const AccountPtr account = context_.world.FindAccount(Network::kMastodon, asked.path[2]);
  if (account == nullptr) return MastodonGone();
  const bool no_replies = IsTrue(asked.request.Param("exclude_replies"));
  const bool media = IsTrue(asked.request.Param("only_media")), pinned = IsTrue(asked.request.Param("pinned"));
  return Paged(
      asked, answer, World::List::kOwn, account->id, 40, 0,
      [&](const Item& item) {
        return !pinned && !(no_replies && !item.parent.empty()) && !(media && item.media.empty());
      },
      [&](const Item& item) { return Shown(asked.request.base_url, item); });
}

Json Mastodon::Notification(const std::string& base, const Item& item) const {
  return {{"id", Moved(item.id, kNotificationShift)},
          {"type", "mention"},
          {"created_at", MastodonTime(item.created)},
          {"group_key", Cat("ungrouped-", Moved(item.id, kNotificationShift))},
          {"account", MastodonAccount(item.author_id, item.author_name, item.author_handle, base)},
          {"status", Shown(base, item)}};
}

// Only mentions happen here: whoever answers us names us.
net::HttpResponse Mastodon::Notifications(const Asked& asked, Answer answer) {
  const auto types = ListOf(asked.request, "types"), without = ListOf(asked.request, "exclude_types");
  const bool told = (types.empty() || std::ranges::count(types, "mention")) && !std::ranges::count(without, "mention");
  const auto unwanted = [&](const Item& item) {
    return context_.world.IsMarked(Network::kMastodon, asked.account->id, item.author_id, "ban") ||
           context_.world.IsMarked(Network::kMastodon, asked.account->id, item.author_id, "mute");
  };
  net::HttpResponse response = Paged(
      asked, answer, World::List::kInbox, asked.account->id, 80, kNotificationShift,
      [&](const Item& item) { return told && !item.by_us; },
      [&](const Item& item) {
        if (unwanted(item)) return Json();
        return Notification(asked.request.base_url, item);
      });
  if (response.status != 200) return response;
  Json shown = Json::array();
  for (Json& one : Json::parse(response.body)) {
    if (!one.is_null()) shown.push_back(std::move(one));
  }
  response.body = shown.dump();
  return response;
}

net::HttpResponse Mastodon::Relate(const Asked& asked, Answer answer) {
  const std::string &person = asked.path[2], &what = asked.path[3];
  const std::string kind = what == "block" ? "ban" : what == "unblock" ? "unban" : what;
  if (!IsId(person)) return MastodonGone();
  if (person == asked.account->id) return MastodonError(403, "This action is not allowed");
  World& world = context_.world;
  const std::string& me = asked.account->id;
  const bool on = !kind.starts_with("un");
  std::lock_guard lock(mutex_);
  if (world.IsMarked(Network::kMastodon, me, person, on ? kind : kind.substr(2)) != on) {
    const Status done = world.MarkPerson(Network::kMastodon, me, person, kind, Us(asked, answer));
    if (!done.ok()) return MastodonGone();
  }
  const bool muting = world.IsMarked(Network::kMastodon, me, person, "mute");
  return JsonResponse(200,
                      {{"id", person},
                       {"following", false},
                       {"showing_reblogs", false},
                       {"notifying", false},
                       {"languages", Json()},
                       {"followed_by", false},
                       {"blocking", world.IsMarked(Network::kMastodon, me, person, "ban")},
                       {"blocked_by", false},
                       {"muting", muting},
                       {"muting_notifications", muting},
                       {"requested", false},
                       {"requested_by", false},
                       {"domain_blocking", false},
                       {"endorsed", false},
                       {"note", ""}},
                      false);
}

net::HttpResponse Mastodon::Report(const Asked& asked, Answer answer) {
  static std::atomic<int64_t> last{40'000};
  const Request& request = asked.request;
  const std::string person = request.Param("account_id"), comment = request.Param("comment");
  const std::string category = request.Param("category", "other");
  if (!IsId(person)) return MastodonGone();
  if (CodePoints(comment) > 1000) return MastodonInvalid("Comment is too long (maximum is 1000 characters)");
  if (category != "other" && category != "spam" && category != "violation" && category != "legal") {
    return MastodonError(422, Cat("'", category, "' is not a valid category"));
  }
  const std::vector<std::string> ids = ListOf(request, "status_ids");
  for (const std::string& id : ids) {
    const ItemPtr item = FindStatus(id);
    if (item == nullptr || item->author_id != person) return MastodonGone();
  }
  for (const std::string& id : ids) {
    const auto marked = context_.world.Mark(Network::kMastodon, id, "report", Us(asked, answer), [](Item&) {});
    if (!marked.ok()) return MastodonGone();
  }
  if (ids.empty() &&
      !context_.world.MarkPerson(Network::kMastodon, asked.account->id, person, "report", Us(asked, answer)).ok()) {
    return MastodonGone();
  }
  return JsonResponse(200,
                      {{"id", std::to_string(++last)},
                       {"action_taken", false},
                       {"action_taken_at", Json()},
                       {"category", category},
                       {"comment", comment},
                       {"forwarded", IsTrue(request.Param("forward"))},
                       {"created_at", MastodonTime(context_.clock.WallNow())},
                       {"status_ids", ids},
                       {"rule_ids", Json()},
                       {"target_account", MastodonAccount(person, "", person, request.base_url)}},
                      false);
}

}  // namespace parvis::sandbox
