// Statuses: writing, editing, deleting, reading (facts 7.2, 7.3).
#include <algorithm>
#include <set>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/graphemes.h"
#include "sandbox/transport/mastodon.h"
#include "sandbox/transport/mastodon_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kCharacters = 500, kAttachments = 4, kBatch = 20, kSentMax = 200'000, kContextMax = 4096;
constexpr absl::Duration kKeyKept = absl::Hours(1);

net::HttpResponse Failed(const Status& status) {
  if (status.code() == Code::kNotFound) return MastodonGone();
  return MastodonError(503, "There was a temporary problem serving your request, please try again");
}

// The poll as it is kept, "" when none is asked for; `wrong` says what is wrong with it.
std::string ReadPoll(const Request& request, std::string* wrong) {
  const Json given = Member(request.json, "poll");
  std::vector<std::string> options = ListOf(request, "poll[options]");
  for (const Json& option : Member(given, "options"))
    options.push_back(option.is_string() ? option.get<std::string>() : "");
  const Json seconds = Member(given, "expires_in");
  const std::string expires = seconds.is_null()     ? request.Param("poll[expires_in]")
                              : seconds.is_string() ? seconds.get<std::string>()
                                                    : seconds.dump();
  if (options.empty() && expires.empty() && given.is_null()) return "";
  const std::set<std::string> distinct(options.begin(), options.end());
  const auto expires_in = ReadNumber(expires, -1, 0, INT32_MAX);
  if (options.size() < 2) *wrong = "Options must have more than one item";
  if (options.size() > 4) *wrong = "Options can't contain more than 4 items";
  if (distinct.size() != options.size()) *wrong = "Options contain duplicate items";
  for (const std::string& option : options) {
    if (option.empty()) *wrong = "Options can't be blank";
    if (Graphemes(option) > 50) *wrong = "Options can't be longer than 50 characters each";
  }
  if (!expires_in || *expires_in < 0) *wrong = "Expires at can't be blank";
  if (expires_in && *expires_in >= 0 && *expires_in < 300) *wrong = "Duration is too soon";
  if (expires_in && *expires_in > 2'629'746) *wrong = "Duration is too far into the future";
  const Json multiple = Member(given, "multiple");
  const bool several = multiple.is_boolean() ? multiple.get<bool>() : IsTrue(request.Param("poll[multiple]"));
  return Json{{"options", options}, {"expires_in", expires_in.value_or(0)}, {"multiple", several}}.dump();
}

Json ShownPoll(const Item& item) {
  const auto kept = item.extra.find("poll");
  if (kept == item.extra.end()) return Json();
  const Json poll = Json::parse(kept->second, nullptr, false);
  Json options = Json::array();
  for (const Json& title : poll["options"]) options.push_back({{"title", title}, {"votes_count", 0}});
  const absl::Time end = item.created + absl::Seconds(poll["expires_in"].get<int64_t>());
  return {{"id", item.id},      {"expires_at", MastodonTime(end)},
          {"expired", false},   {"multiple", poll["multiple"]},
          {"votes_count", 0},   {"voters_count", 0},
          {"options", options}, {"emojis", Json::array()},
          {"voted", true},      {"own_votes", Json::array()}};
}

}  // namespace

Json Mastodon::Shown(const std::string& base, const Item& item) const {
  const World& world = context_.world;
  const Page children =
      world.Read(Network::kMastodon, World::List::kChildren, item.id, {.limit = 0, .count_all = true});
  const auto extra = [&](const char* name) {
    const auto it = item.extra.find(name);
    return it == item.extra.end() ? std::string() : it->second;
  };
  Json media = Json::array(), mentions = Json::array(), to_account;
  for (std::string_view rest = item.media; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (const ItemPtr one = world.Find(Network::kMastodon, rest.substr(0, comma)))
      media.push_back(MastodonMedia(*one, base));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  const auto mention = [&](std::string_view id, std::string_view handle) {
    mentions.push_back({{"id", id}, {"username", handle}, {"acct", handle}, {"url", Cat(base, "/@", handle)}});
  };
  if (const AccountPtr owner = world.FindAccount(Network::kMastodon, item.account); owner != nullptr && !item.by_us) {
    mention(owner->id, owner->handle);
  }
  if (const ItemPtr parent = item.parent.empty() ? nullptr : world.Find(Network::kMastodon, item.parent)) {
    to_account = parent->author_id;
    if (!parent->by_us) mention(parent->author_id, parent->author_handle);
  }
  const std::string url = Cat(base, "/@", item.author_handle, "/", item.id);
  return {{"id", item.id},
          {"created_at", MastodonTime(item.created)},
          {"in_reply_to_id", item.parent.empty() ? Json() : Json(item.parent)},
          {"in_reply_to_account_id", to_account},
          {"sensitive", extra("sensitive") == "true"},
          {"spoiler_text", extra("spoiler_text")},
          {"visibility", item.status.empty() ? "public" : item.status},
          {"language", extra("language").empty() ? Json() : Json(extra("language"))},
          {"uri", url},
          {"url", url},
          {"replies_count", children.total},
          {"reblogs_count", ExtraNumber(item, "reblogs_count")},
          {"favourites_count", ExtraNumber(item, "favourites_count")},
          {"quotes_count", ExtraNumber(item, "quotes_count")},
          {"edited_at", item.edited ? Json(MastodonTime(item.changed)) : Json()},
          {"content", MastodonHtml(item.text)},
          {"reblog", Json()},
          {"account", MastodonAccount(item.author_id, item.author_name, item.author_handle, base)},
          {"media_attachments", media},
          {"mentions", mentions},
          {"tags", Json::array()},
          {"emojis", Json::array()},
          {"card", Json()},
          {"poll", ShownPoll(item)}};
}

std::string Mastodon::CheckText(const Asked& asked, const std::string& text, bool more) const {
  if (text.empty() && !more) return "Text can't be blank";
  if (MastodonLength(text) + MastodonLength(asked.request.Param("spoiler_text")) > kCharacters) {
    return "Text character limit of 500 exceeded";
  }
  return "";
}

std::string Mastodon::CheckMedia(const Asked& asked, const std::vector<std::string>& ids) const {
  if (ids.size() > kAttachments) return "Cannot attach more than 4 files";
  int images = 0, others = 0;
  for (const std::string& id : ids) {
    const ItemPtr media = context_.world.Find(Network::kMastodon, id);
    if (media == nullptr || media->kind != Item::Kind::kMedia || media->account != asked.account->id ||
        media->extra.contains("attached")) {
      return Cat("Media ", id, " not found or already attached to another post");
    }
    if (media->status != "ready" && media->extra.at("asked") != "ready") {
      return "Cannot attach files that have not finished processing. Try again in a moment!";
    }
    ++(media->status == "ready" ? images : others);
  }
  if (others > 1 || (others == 1 && images > 0)) return "Cannot attach a video to a post that already contains images";
  return "";
}

net::HttpResponse Mastodon::CreateStatus(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const std::string key = net::HeaderOf(request.http.headers, "idempotency-key");
  std::lock_guard lock(mutex_);
  const absl::Time now = context_.clock.WallNow();
  const std::string sent = Cat(asked.account->id, "\n", key);
  if (const auto it = sent_.find(sent); !key.empty() && it != sent_.end() && now - it->second.time < kKeyKept) {
    const ItemPtr item = FindStatus(it->second.id);
    if (item != nullptr) return JsonResponse(200, Shown(asked.request.base_url, *item), false);
  }
  const std::string parent = request.Param("in_reply_to_id");
  if (!parent.empty() && FindStatus(parent) == nullptr) {
    return MastodonError(404, "The post you are trying to reply to does not appear to exist.");
  }
  if (!request.Param("scheduled_at").empty()) return MastodonInvalid("Scheduled at: the sandbox keeps no calendar");
  const std::string visibility = request.Param("visibility", "public");
  if (visibility != "public" && visibility != "unlisted" && visibility != "private" && visibility != "direct") {
    return MastodonError(422, Cat("'", visibility, "' is not a valid visibility"));
  }
  std::string wrong;
  const std::string poll = ReadPoll(request, &wrong);
  const std::vector<std::string> media = ListOf(request, "media_ids");
  if (!wrong.empty()) return MastodonInvalid(wrong);
  if (!poll.empty() && !media.empty()) return MastodonError(422, "Cannot attach a poll to a post with media");
  if (const std::string refused = CheckMedia(asked, media); !refused.empty()) return MastodonError(422, refused);
  const std::string text = request.Param("status");
  if (const std::string refused = CheckText(asked, text, !media.empty()); !refused.empty()) {
    return MastodonInvalid(refused);
  }
  net::HttpResponse written = Write(asked, answer, parent, poll);
  if (written.status == 200 && !key.empty()) {
    if (sent_.size() >= kSentMax) sent_.clear();
    sent_[sent] = {Json::parse(written.body).at("id").get<std::string>(), now};
  }
  return written;
}

net::HttpResponse Mastodon::Write(const Asked& asked, Answer answer, const std::string& parent,
                                  const std::string& poll) {
  const Request& request = asked.request;
  std::map<std::string, std::string> extra;
  for (const char* name : {"spoiler_text", "sensitive", "language"}) {
    if (const std::string value = request.Param(name); !value.empty()) extra[name] = value;
  }
  if (!poll.empty()) extra["poll"] = poll;
  std::string media;
  const std::vector<std::string> ids = ListOf(request, "media_ids");
  for (const std::string& id : ids) Append(media, media.empty() ? "" : ",", id);
  const auto made = context_.world.Create({.network = Network::kMastodon,
                                           .kind = parent.empty() ? Item::Kind::kPost : Item::Kind::kComment,
                                           .account = asked.account->id,
                                           .parent = parent,
                                           .author_id = asked.account->id,
                                           .author_name = asked.account->name,
                                           .author_handle = asked.account->handle,
                                           .text = request.Param("status"),
                                           .status = request.Param("visibility", "public"),
                                           .media = media,
                                           .extra = extra,
                                           .by_us = true},
                                          Us(asked, answer));
  if (!made.ok()) return Failed(made.status());
  for (const std::string& id : ids) {
    const auto attached = context_.world.SetExtra(Network::kMastodon, id, {{"attached", (*made)->id}});
    if (!attached.ok()) return Failed(attached.status());
  }
  return JsonResponse(200, Shown(asked.request.base_url, **made), false);
}

net::HttpResponse Mastodon::EditStatus(const Asked& asked, Answer answer) {
  const ItemPtr item = FindStatus(asked.path[2]);
  if (item == nullptr || item->author_id != asked.account->id) return MastodonGone();
  const std::string text = asked.request.Param("status");
  if (const std::string refused = CheckText(asked, text, !item->media.empty()); !refused.empty()) {
    return MastodonInvalid(refused);
  }
  const auto changed = context_.world.Edit(Network::kMastodon, item->id, text, Us(asked, answer));
  return changed.ok() ? JsonResponse(200, Shown(asked.request.base_url, **changed), false) : Failed(changed.status());
}

// The answer is the status with its source, so that it can be written again.
net::HttpResponse Mastodon::DeleteStatus(const Asked& asked, Answer answer) {
  const ItemPtr item = FindStatus(asked.path[2]);
  if (item == nullptr || item->author_id != asked.account->id) return MastodonGone();
  Json shown = Shown(asked.request.base_url, *item);
  shown["text"] = item->text;
  const auto gone = context_.world.Delete(Network::kMastodon, item->id, Us(asked, answer));
  return gone.ok() ? JsonResponse(200, shown, false) : Failed(gone.status());
}

net::HttpResponse Mastodon::ShowStatus(const Asked& asked, Answer) {
  const ItemPtr item = FindStatus(asked.path[2]);
  return item == nullptr ? MastodonGone() : JsonResponse(200, Shown(asked.request.base_url, *item), false);
}

// What is gone is left out.
net::HttpResponse Mastodon::ShowStatuses(const Asked& asked, Answer) {
  const std::vector<std::string> ids = ListOf(asked.request, "id");
  if (ids.size() > kBatch) return MastodonError(422, "Too many ids");
  Json json = Json::array();
  for (const std::string& id : ids) {
    if (const ItemPtr item = FindStatus(id)) json.push_back(Shown(asked.request.base_url, *item));
  }
  return JsonResponse(200, json, false);
}

net::HttpResponse Mastodon::ShowContext(const Asked& asked, Answer) {
  const ItemPtr item = FindStatus(asked.path[2]);
  if (item == nullptr) return MastodonGone();
  Json ancestors = Json::array(), descendants = Json::array();
  for (ItemPtr at = item; !at->parent.empty() && ancestors.size() < kContextMax;) {
    at = FindStatus(at->parent);
    if (at == nullptr) break;
    ancestors.insert(ancestors.begin(), Shown(asked.request.base_url, *at));
  }
  std::vector<ItemPtr> waiting = {item};  // depth first, the oldest answer first
  while (!waiting.empty() && descendants.size() < kContextMax) {
    const ItemPtr at = waiting.back();
    waiting.pop_back();
    if (at != item) descendants.push_back(Shown(asked.request.base_url, *at));
    const Page page = context_.world.Read(Network::kMastodon, World::List::kChildren, at->id,
                                          {.limit = static_cast<int>(kContextMax)});
    waiting.insert(waiting.end(), page.items.begin(),
                   page.items.end());  // the newest comes first: the oldest is taken first
  }
  return JsonResponse(200, {{"ancestors", ancestors}, {"descendants", descendants}}, false);
}

}  // namespace parvis::sandbox
