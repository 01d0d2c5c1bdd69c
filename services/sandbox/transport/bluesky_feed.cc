// app.bsky: what the AppView makes of the repositories.
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/bluesky.h"
#include "sandbox/transport/bluesky_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kUrisMax = 25;
constexpr int kThreadMax = 2000, kThreadDepthMax = 200;  // of one answer: the network has no bounds but those it is asked with
constexpr int kNotifyDepth = 5;  // REPLY_NOTIF_DEPTH: ancestors less high than that are notified

constexpr int64_t kStart = INT32_MAX;  // where one goes on behind an empty page that was the first

// A page's cursor is the position behind it plus one: 0 is behind the oldest.
std::string CursorOf(int64_t position) { return Cat("bs", position + 1); }
std::optional<int64_t> PositionOf(const std::string& cursor) {
  if (cursor.empty()) return -1;
  if (!cursor.starts_with("bs") || cursor.size() < 3) return std::nullopt;
  auto position = ReadNumber(std::string_view(cursor).substr(2), 0, 0, INT64_MAX);
  if (position == kStart + 1) position = -1;
  return position;
}

Json NotFoundPost(const std::string& uri) {
  return {{"$type", "app.bsky.feed.defs#notFoundPost"}, {"uri", uri}, {"notFound", true}};
}

Json BlockedPost(const Item& item) {
  return {{"$type", "app.bsky.feed.defs#blockedPost"},
          {"uri", item.id},
          {"blocked", true},
          {"author", {{"did", item.author_id}, {"viewer", {{"blockedBy", false}}}}}};
}

// Why somebody's post is told, and the post of ours that it is about; "" when it is not told. A reply is told to those whom it hangs
// below, from the nearest up, but to nobody above one that was hidden when it was written (notifsForInsert).
std::string NotifiedFor(const World& world, const Item& item, std::string* subject) {
  if (item.by_us) return "";
  if (item.kind == Item::Kind::kMention) return "mention";
  ItemPtr at = world.Find(Network::kBluesky, item.parent);
  for (int height = 1; at != nullptr && height < kNotifyDepth; ++height) {
    if (at->by_us) {
      *subject = at->id;
      // One that we hid is not listed any more, though it was told (listNotifications).
      return item.hidden ? "" : "reply";
    }
    if (at->hidden && at->changed <= item.created) return "";
    at = world.Find(Network::kBluesky, at->parent);
  }
  return "";
}

}  // namespace

Json Bluesky::Author(const Asked& asked, const Item& item) const {
  const World& world = context_.world;
  const std::string& me = asked.account->id;
  Json viewer = {{"muted", world.IsMarked(Network::kBluesky, me, item.author_id, "mute")}, {"blockedBy", false}};
  return {{"did", item.author_id},           {"handle", BskyHandle(item.author_handle)},
          {"displayName", item.author_name}, {"viewer", viewer},
          {"labels", Json::array()},         {"createdAt", "2024-02-06T18:00:00.000Z"}};
}

Json Bluesky::PostView(const Asked& asked, const Item& item) {
  const Page replies =
      context_.world.Read(Network::kBluesky, World::List::kChildren, item.id, {.limit = 0, .count_all = true});
  Json view = {{"uri", item.id},
               {"cid", CidOf(item)},
               {"author", Author(asked, item)},
               {"record", BskyRecord(context_.world, item, true)},
               {"replyCount", replies.total},
               {"repostCount", ExtraNumber(item, "repostCount")},
               {"likeCount", ExtraNumber(item, "likeCount")},
               {"quoteCount", ExtraNumber(item, "quoteCount")},
               {"bookmarkCount", ExtraNumber(item, "bookmarkCount")},
               {"indexedAt", BskyTime(item.created)},
               {"viewer", {{"threadMuted", false}, {"embeddingDisabled", false}}},
               {"labels", Json::array()}};
  const std::string gate = Key{item.author_id, std::string(kBskyGate), item.id.substr(item.id.rfind('/') + 1)}.uri();
  std::lock_guard lock(mutex_);
  if (const auto it = records_.find(gate); it != records_.end()) {
    view["threadgate"] = {
        {"uri", gate}, {"cid", it->second.cid}, {"record", it->second.value}, {"lists", Json::array()}};
  }
  return view;
}

// Of the audience those are known who wrote to the account.
net::HttpResponse Bluesky::StrangersProfile(const Asked& asked, const std::string& did) {
  const std::string& me = asked.account->id;
  const Page found = context_.world.Read(Network::kBluesky, World::List::kInbox, me,
                                         {.limit = 1, .filter = [&](const Item& item) { return item.author_id == did; }});
  if (found.items.empty()) return XrpcInvalid("Profile not found");
  Json profile = Author(asked, *found.items[0]);
  profile["indexedAt"] = profile["createdAt"];
  const std::string blocks = Key{me, std::string(kBskyBlock), ""}.uri();
  std::lock_guard lock(mutex_);
  for (auto it = records_.lower_bound(blocks); it != records_.end() && it->first.starts_with(blocks); ++it) {
    if (Member(it->second.value, "subject") == did) profile["viewer"]["blocking"] = it->first;
  }
  return JsonResponse(200, profile, false);
}

net::HttpResponse Bluesky::GetProfile(const Asked& asked, Answer) {
  const std::string actor = asked.request.Param("actor");
  if (actor.empty()) return XrpcInvalid("Error: Params must have the property \"actor\"");
  const AccountPtr account = FindActor(actor);
  if (account == nullptr) return StrangersProfile(asked, actor);
  const Page own =
      context_.world.Read(Network::kBluesky, World::List::kOwn, account->id, {.limit = 0, .count_all = true});
  return JsonResponse(200,
                      {{"did", account->id},
                       {"handle", BskyHandle(account->handle)},
                       {"displayName", account->name},
                       {"description", ""},
                       {"followersCount", 0},
                       {"followsCount", 0},
                       {"postsCount", own.total},
                       {"labels", Json::array()},
                       {"viewer", {{"muted", false}, {"blockedBy", false}}},
                       {"indexedAt", "2024-02-06T18:00:00.000Z"},
                       {"createdAt", "2024-02-06T18:00:00.000Z"}},
                      false);
}

// What is gone is left out without a word.
net::HttpResponse Bluesky::GetPosts(const Asked& asked, Answer) {
  const std::vector<std::string> uris = AllOf(asked.request.http.query, "uris");
  if (uris.empty()) return XrpcInvalid("Error: Params must have the property \"uris\"");
  if (uris.size() > kUrisMax) return XrpcInvalid("Error: uris must not have more than 25 elements");
  Json json = {{"posts", Json::array()}};
  for (const std::string& uri : uris) {
    if (!IsAtUri(uri)) return XrpcInvalid("Error: uris must be a valid at-uri");
    if (const ItemPtr item = FindPost(uri)) json["posts"].push_back(PostView(asked, *item));
  }
  return JsonResponse(200, json, false);
}

// The post and what hangs below it, `depth` levels deep, at most `left` posts. Below somebody whom we blocked nothing is shown; what
// we hid is.
Json Bluesky::Thread(const Asked& asked, const ItemPtr& item, int depth, int* left) {
  if (context_.world.IsMarked(Network::kBluesky, asked.account->id, item->author_id, "ban")) return BlockedPost(*item);
  Json node = {{"$type", "app.bsky.feed.defs#threadViewPost"}, {"post", PostView(asked, *item)}};
  if (depth == 0) return node;
  node["replies"] = Json::array();
  const Page page =
      context_.world.Read(Network::kBluesky, World::List::kChildren, item->id, {.limit = std::max(*left, 0)});
  *left -= static_cast<int>(page.items.size());
  for (const ItemPtr& child : page.items) node["replies"].push_back(Thread(asked, child, depth - 1, left));
  return node;
}

net::HttpResponse Bluesky::GetPostThread(const Asked& asked, Answer) {
  const std::string uri = asked.request.Param("uri");
  if (!IsAtUri(uri)) return XrpcInvalid("Error: uri must be a valid at-uri");
  const auto depth = ReadNumber(asked.request.Param("depth"), 6, 0, 1000);
  const auto height = ReadNumber(asked.request.Param("parentHeight"), 80, 0, 1000);
  if (!depth || !height) return XrpcInvalid("Error: depth can not be greater than 1000");
  const ItemPtr item = FindPost(uri);
  if (item == nullptr) return XrpcError(400, "NotFound", Cat("Post not found: ", uri));
  int left = kThreadMax;
  Json thread = Thread(asked, item, static_cast<int>(std::min<int64_t>(*depth, kThreadDepthMax)), &left);
  // Ancestors, each within the one below it: built from the top.
  std::vector<std::string> above;
  const size_t highest = static_cast<size_t>(std::min<int64_t>(*height, kThreadDepthMax));
  for (ItemPtr at = item; !at->parent.empty() && above.size() < highest;) {
    above.push_back(at->parent);
    at = FindPost(at->parent);
    if (at == nullptr) break;
  }
  Json parent;
  for (auto it = above.rbegin(); it != above.rend(); ++it) {
    const ItemPtr ancestor = FindPost(*it);
    Json node = ancestor == nullptr
                    ? NotFoundPost(*it)
                    : Json{{"$type", "app.bsky.feed.defs#threadViewPost"}, {"post", PostView(asked, *ancestor)}};
    if (!parent.is_null()) node["parent"] = std::move(parent);
    parent = std::move(node);
  }
  if (!parent.is_null() && thread.contains("post")) thread["parent"] = std::move(parent);
  Json json = {{"thread", thread}};
  const ItemPtr root = FindPost(item->thread);
  if (const Json view = root == nullptr ? Json() : PostView(asked, *root); view.contains("threadgate")) {
    json["threadgate"] = view["threadgate"];
  }
  return JsonResponse(200, json, false);
}

net::HttpResponse Bluesky::GetAuthorFeed(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const AccountPtr author = FindActor(request.Param("actor"));
  if (author == nullptr) return XrpcInvalid("Profile not found");
  const auto limit = ReadNumber(request.Param("limit"), 50, 1, 100);
  if (!limit) return XrpcInvalid("Error: limit can not be greater than 100");
  const auto position = PositionOf(request.Param("cursor"));
  if (!position) return XrpcError(400, "InvalidRequest", "Malformed cursor");
  const std::string filter = request.Param("filter", "posts_with_replies");
  if (filter != "posts_with_replies" && filter != "posts_no_replies" && filter != "posts_with_media" &&
      filter != "posts_and_author_threads") {
    return XrpcInvalid("Error: filter must be one of (posts_with_replies|posts_no_replies|posts_with_media)");
  }
  Json json = {{"feed", Json::array()}};
  if (answer == Answer::kEmptyPage) {
    json["cursor"] = request.Param("cursor", CursorOf(kStart));
    return JsonResponse(200, json, false);
  }
  if (*position == 0) return JsonResponse(200, json, false);  // behind the oldest
  const Page page = context_.world.Read(Network::kBluesky, World::List::kOwn, author->id,
                                        {.position = *position < 0 ? -1 : *position - 1,
                                         .limit = static_cast<int>(*limit),
                                         .filter = [&](const Item& item) {
                                           if (filter == "posts_with_media")
                                             return item.extra.at("record").find("\"embed\":") != std::string::npos;
                                           return filter == "posts_with_replies" || item.parent.empty();
                                         }});
  for (const ItemPtr& item : page.items) {
    Json entry = {{"post", PostView(asked, *item)}};
    if (!item->parent.empty()) {
      for (const auto& [name, uri] : {std::pair{"root", item->thread}, std::pair{"parent", item->parent}}) {
        const ItemPtr other = FindPost(uri);
        entry["reply"][name] = other == nullptr ? NotFoundPost(uri) : PostView(asked, *other);
        if (other != nullptr) entry["reply"][name]["$type"] = "app.bsky.feed.defs#postView";
      }
    }
    json["feed"].push_back(std::move(entry));
  }
  if (!page.items.empty()) json["cursor"] = CursorOf(page.after);
  return JsonResponse(200, json, false);
}

net::HttpResponse Bluesky::ListNotifications(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const auto limit = ReadNumber(request.Param("limit"), 50, 1, 100);
  if (!limit) return XrpcInvalid("Error: limit can not be greater than 100");
  const auto position = PositionOf(request.Param("cursor"));
  if (!position) return XrpcInvalid("Malformed cursor");
  const std::vector<std::string> reasons = AllOf(request.http.query, "reasons");
  Json json = {{"notifications", Json::array()}, {"priority", false}};
  if (answer == Answer::kEmptyPage) {
    json["cursor"] = request.Param("cursor", CursorOf(kStart));
    return JsonResponse(200, json, false);
  }
  if (*position == 0) return JsonResponse(200, json, false);
  // The inbox is read in whole pages and picked from afterwards, so that a page may be short or empty and go on.
  const Page page =
      context_.world.Read(Network::kBluesky, World::List::kInbox, asked.account->id,
                          {.position = *position < 0 ? -1 : *position - 1, .limit = static_cast<int>(*limit)});
  for (const ItemPtr& item : page.items) {
    std::string subject;
    const std::string reason = NotifiedFor(context_.world, *item, &subject);
    if (reason.empty() || (!reasons.empty() && !std::ranges::count(reasons, reason))) continue;
    if (context_.world.IsMarked(Network::kBluesky, asked.account->id, item->author_id, "mute") ||
        context_.world.IsMarked(Network::kBluesky, asked.account->id, item->author_id, "ban")) {
      continue;
    }
    Json told = {{"uri", item->id},
                 {"cid", CidOf(*item)},
                 {"author", Author(asked, *item)},
                 {"reason", reason},
                 {"record", BskyRecord(context_.world, *item, true)},
                 {"isRead", false},
                 {"indexedAt", BskyTime(item->created)},
                 {"labels", Json::array()}};
    if (!subject.empty()) told["reasonSubject"] = subject;
    json["notifications"].push_back(std::move(told));
  }
  if (!page.items.empty()) json["cursor"] = CursorOf(page.after);
  return JsonResponse(200, json, false);
}

}  // namespace parvis::sandbox
