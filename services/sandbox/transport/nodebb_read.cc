// Reading: newest posts, topics, the queue, people.
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/transport/discourse_json.h"
#include "sandbox/transport/nodebb.h"
#include "sandbox/transport/nodebb_json.h"

namespace parvis::sandbox {
namespace {

constexpr int kPerPage = 20, kAll = 1'000'000;

int64_t PageOf(const Request& request) { return ReadNumber(request.Param("page"), 1, 1, kAll).value_or(1); }

Json Pagination(int64_t page, size_t total) {
  const int64_t count = std::max<int64_t>(1, (static_cast<int64_t>(total) + kPerPage - 1) / kPerPage);
  return {{"currentPage", page},
          {"pageCount", count},
          {"prev", {{"page", std::max<int64_t>(1, page - 1)}, {"active", page > 1}}},
          {"next", {{"page", std::min(count, page + 1)}, {"active", page < count}}}};
}

}  // namespace

ItemPtr Nodebb::PostOf(const Asked& asked, const std::string& pid) const {
  ItemPtr item = context_.world.Find(Network::kNodebb, pid);
  const bool post = item != nullptr && item->account == asked.forum->id && item->kind != Item::Kind::kMedia;
  return post && !InQueue(*item) && Extra(*item, "purged").empty() ? item : nullptr;
}

ItemPtr Nodebb::TopicOf(const Asked& asked, const std::string& tid) const {
  ItemPtr first = PostOf(asked, FirstPostOfTopic(tid));
  return first == nullptr || first->kind != Item::Kind::kPost ? nullptr : first;
}

ItemPtr Nodebb::Target(const Asked& asked) const {
  return asked.path[0] == "topics" ? TopicOf(asked, asked.path[1]) : PostOf(asked, asked.path[1]);
}

std::vector<ItemPtr> Nodebb::StreamOf(const ItemPtr& first) const {
  std::vector<ItemPtr> posts = {first};
  Page page = context_.world.Read(
      Network::kNodebb, World::List::kComments, first->id,
      {.newest_first = false, .limit = kAll, .filter = [](const Item& item) { return !InQueue(item); }});
  std::ranges::move(page.items, std::back_inserter(posts));
  return posts;
}

int64_t Nodebb::Replies(const Item& item) const {
  return context_.world
      .Read(Network::kNodebb, World::List::kChildren, item.id,
            {.limit = 0, .count_all = true, .filter = [](const Item& i) { return !InQueue(i); }})
      .total;
}

bool Nodebb::Knows(const Asked& asked, const std::string& uid) const {
  return !context_.world
              .Read(Network::kNodebb, World::List::kInbox, asked.forum->id,
                    {.limit = 1, .filter = [&](const Item& item) { return item.author_id == uid; }})
              .items.empty();
}

net::HttpResponse Nodebb::Self(const Asked& asked) {
  Json user = NodebbUser(asked.forum->id, asked.forum->name, asked.forum->handle);
  user["isAdmin"] = false;
  user["isGlobalModerator"] = true;
  return NodebbPage(user);
}

// A bare list, newest first, without what was removed.
net::HttpResponse Nodebb::RecentPosts(const Asked& asked, Answer answer) {
  const int64_t page = PageOf(asked.request);
  const int limit = static_cast<int>(std::min<int64_t>(kAll, page * kPerPage));
  std::vector<ItemPtr> posts;
  for (const World::List list : {World::List::kPosts, World::List::kInbox}) {
    Page read = context_.world.Read(
        Network::kNodebb, list, asked.forum->id,
        {.limit = limit, .filter = [](const Item& item) { return !InQueue(item) && !IsRemoved(item); }});
    std::ranges::move(read.items, std::back_inserter(posts));
  }
  std::ranges::sort(posts, [](const ItemPtr& a, const ItemPtr& b) { return ForumValue(a->id) > ForumValue(b->id); });
  Json rows = Json::array();
  const auto begin = static_cast<size_t>(page - 1) * kPerPage;
  for (size_t i = begin; answer != Answer::kEmptyPage && i < std::min(posts.size(), begin + kPerPage); ++i) {
    const ItemPtr first = context_.world.Find(Network::kNodebb, posts[i]->post);
    if (first != nullptr && !IsRemoved(*first)) rows.push_back(NodebbPost(*posts[i], *first, Replies(*posts[i]), true));
  }
  return NodebbPage(rows);
}

net::HttpResponse Nodebb::Topics(const Asked& asked, Answer answer) {
  const int64_t page = PageOf(asked.request);
  const Page posts = context_.world.Read(
      Network::kNodebb, World::List::kPosts, asked.forum->id,
      {.limit = kAll, .filter = [](const Item& item) { return !InQueue(item) && !IsRemoved(item); }});
  std::vector<std::pair<ItemPtr, std::vector<ItemPtr>>> topics;
  for (const ItemPtr& first : posts.items) topics.emplace_back(first, StreamOf(first));
  // The topic in which somebody wrote last comes first.
  std::ranges::sort(topics, [](const auto& a, const auto& b) {
    return ForumValue(a.second.back()->id) > ForumValue(b.second.back()->id);
  });
  Json rows = Json::array();
  const auto begin = static_cast<size_t>(page - 1) * kPerPage;
  for (size_t i = begin; answer != Answer::kEmptyPage && i < std::min(topics.size(), begin + kPerPage); ++i) {
    const auto& [first, stream] = topics[i];
    Json row = NodebbTopic(*first, static_cast<int64_t>(stream.size()), *stream.back());
    row["unread"] = !stream.back()->by_us;
    rows.push_back(row);
  }
  return NodebbPage({{"topics", rows}, {"topicCount", topics.size()}, {"pagination", Pagination(page, topics.size())}});
}

// /api/topic/{tid}[/{slug}] with its posts, or the bare topic in the envelope of v3.
net::HttpResponse Nodebb::ShowTopic(const Asked& asked) {
  const ItemPtr first = TopicOf(asked, asked.path[1]);
  const bool v3 = asked.path[0] == "topics";
  if (first == nullptr) {
    return v3 ? NodebbError(404, "[[error:no-topic]]")
              : NodebbPage({{"path", asked.request.http.path}, {"title", "[[global:404.title]]"}}, 404);
  }
  const std::vector<ItemPtr> stream = StreamOf(first);
  Json topic = NodebbTopic(*first, static_cast<int64_t>(stream.size()), *stream.back());
  if (v3) return NodebbAnswer(topic);
  const int64_t page = PageOf(asked.request);
  const auto begin = static_cast<size_t>(page - 1) * kPerPage;
  Json posts = Json::array();
  for (size_t i = begin; i < std::min(stream.size(), begin + kPerPage); ++i) {
    posts.push_back(NodebbPost(*stream[i], *first, Replies(*stream[i]), true));
  }
  topic["posts"] = posts;
  topic["pagination"] = Pagination(page, stream.size());
  topic["privileges"] = {{"topics:reply", true}, {"editable", true}, {"deletable", true}, {"isAdminOrMod", true}};
  return NodebbPage(topic);
}

net::HttpResponse Nodebb::ShowPost(const Asked& asked) {
  const ItemPtr post = PostOf(asked, asked.path[1]);
  const ItemPtr first = post == nullptr ? nullptr : context_.world.Find(Network::kNodebb, post->post);
  if (first == nullptr) return NodebbError(404, "[[error:no-post]]");
  if (asked.path.size() == 3 && asked.path[2] == "raw") return NodebbAnswer({{"content", post->text}});
  return NodebbAnswer(NodebbPost(*post, *first, Replies(*post), asked.path.size() == 3));
}

net::HttpResponse Nodebb::PostQueue(const Asked& asked, Answer answer) {
  const std::string wanted = asked.path.size() > 1 ? asked.path[1] : "";
  const int64_t page = PageOf(asked.request);
  std::vector<ItemPtr> queue;
  for (const World::List list : {World::List::kPosts, World::List::kInbox}) {
    Page read = context_.world.Read(Network::kNodebb, list, asked.forum->id,
                                    {.newest_first = false, .limit = kAll, .filter = [&](const Item& item) {
                                       return item.status == kQueued && (wanted.empty() || QueueIdOf(item) == wanted);
                                     }});
    std::ranges::move(read.items, std::back_inserter(queue));
  }
  if (!wanted.empty() && queue.empty()) {
    return NodebbPage({{"path", asked.request.http.path}, {"title", "[[global:404.title]]"}}, 404);
  }
  Json rows = Json::array();
  const auto begin = static_cast<size_t>(page - 1) * kPerPage;
  for (size_t i = begin; answer != Answer::kEmptyPage && i < std::min(queue.size(), begin + kPerPage); ++i) {
    rows.push_back(NodebbQueued(*queue[i], context_.world.Find(Network::kNodebb, queue[i]->post).get()));
  }
  return NodebbPage({{"title", "[[pages:post-queue]]"},
                     {"enabled", true},
                     {"posts", rows},
                     {"pagination", Pagination(page, queue.size())}});
}

net::HttpResponse Nodebb::Person(const Asked& asked, const std::string& uid, const std::string& handle, bool envelope) {
  Json user;
  if (uid == asked.forum->id || handle == asked.forum->handle) {
    user = NodebbUser(asked.forum->id, asked.forum->name, asked.forum->handle);
  } else {
    const Page found = context_.world.Read(Network::kNodebb, World::List::kInbox, asked.forum->id,
                                           {.limit = 1, .filter = [&](const Item& item) {
                                              return uid.empty() ? item.author_handle == handle : item.author_id == uid;
                                            }});
    if (found.items.empty()) {
      return envelope ? NodebbError(404, "[[error:no-user]]")
                      : NodebbPage({{"path", asked.request.http.path}, {"title", "[[global:404.title]]"}}, 404);
    }
    const Item& item = *found.items[0];
    user = NodebbUser(item.author_id, item.author_name, item.author_handle);
    user["banned"] = context_.world.IsMarked(Network::kNodebb, asked.forum->id, item.author_id, "ban");
    user["muted"] = context_.world.IsMarked(Network::kNodebb, asked.forum->id, item.author_id, "mute");
  }
  return envelope ? NodebbAnswer(user) : NodebbPage(user);
}

net::HttpResponse Nodebb::Categories(const Asked& asked) {
  Json rows = Json::array();
  for (const auto& [cid, name] :
       {std::pair{1, "Announcements"}, std::pair{2, "General Discussion"}, std::pair{7, "Moderated"}}) {
    rows.push_back({{"cid", cid},
                    {"name", name},
                    {"slug", Cat(cid, "/", ForumSlug(name))},
                    {"parentCid", 0},
                    {"disabled", false}});
  }
  return NodebbPage({{"title", "[[pages:categories]]"}, {"categories", rows}});
}

}  // namespace parvis::sandbox
