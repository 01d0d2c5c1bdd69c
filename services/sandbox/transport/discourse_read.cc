// Reading: newest posts, topics and their streams, profiles, notifications.
#include <algorithm>
#include <set>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/transport/discourse.h"
#include "sandbox/transport/discourse_json.h"

namespace parvis::sandbox {
namespace {

constexpr int kChunk = 20, kLatest = 50, kTopicsPerPage = 30, kNotifications = 60, kAll = 1'000'000;

// post_ids[]=1&post_ids[]=2: a parameter that comes more than once.
std::set<std::string> Repeated(std::string_view query, std::string_view name) {
  std::set<std::string> values;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos) {
      const auto key = net::UrlDecode(pair.substr(0, equals), true),
                 value = net::UrlDecode(pair.substr(equals + 1), true);
      if (key.ok() && value.ok() && *key == name) values.insert(*value);
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return values;
}

Json TopicRow(const Item& first, const std::vector<ItemPtr>& stream) {
  int64_t likes = 0;
  for (const ItemPtr& post : stream) likes += ForumValue(Extra(*post, "likes"));
  const bool priv = first.status == "private";
  const int64_t count = static_cast<int64_t>(stream.size());
  return {{"id", ForumNumber(Extra(first, "topic_id"))},
          {"title", first.title},
          {"fancy_title", first.title},
          {"slug", ForumSlug(first.title)},
          {"posts_count", count},
          {"reply_count", std::max<int64_t>(0, count - 1)},
          {"highest_post_number", stream.empty() ? 1 : ForumValue(Extra(*stream.back(), "post_number"))},
          {"created_at", ForumTime(first.created)},
          {"last_posted_at", ForumTime(stream.empty() ? first.created : stream.back()->created)},
          {"bumped_at", ForumTime(stream.empty() ? first.created : stream.back()->created)},
          {"archetype", priv ? "private_message" : "regular"},
          {"pinned", Extra(first, "pinned") == "true"},
          {"visible", !first.hidden},
          {"closed", Extra(first, "closed") == "true"},
          {"archived", Extra(first, "archived") == "true"},
          {"views", 1 + 3 * count},
          {"like_count", likes},
          {"category_id", priv ? Json() : ForumNumber(Extra(first, "category_id"))}};
}

}  // namespace

ItemPtr Discourse::PostOf(const Asked& asked, const std::string& id) const {
  ItemPtr item = context_.world.Find(Network::kDiscourse, id);
  const bool post = item != nullptr && item->account == asked.forum->id && item->kind != Item::Kind::kMedia;
  return post && !InQueue(*item) ? item : nullptr;
}

ItemPtr Discourse::TopicOf(const Asked& asked, const std::string& topic_id) const {
  ItemPtr first = PostOf(asked, FirstPostOfTopic(topic_id));
  return first == nullptr || first->kind != Item::Kind::kPost ? nullptr : first;
}

std::vector<ItemPtr> Discourse::StreamOf(const ItemPtr& first) const {
  std::vector<ItemPtr> posts = {first};
  Page page = context_.world.Read(
      Network::kDiscourse, World::List::kComments, first->id,
      {.newest_first = false, .limit = kAll, .filter = [](const Item& item) { return !InQueue(item); }});
  std::ranges::move(page.items, std::back_inserter(posts));
  return posts;
}

Json Discourse::Shown(const Asked& asked, const Item& item, bool raw) const {
  const ItemPtr first = context_.world.Find(Network::kDiscourse, item.post);
  const ItemPtr parent = item.parent.empty() ? nullptr : context_.world.Find(Network::kDiscourse, item.parent);
  const Page answers =
      context_.world.Read(Network::kDiscourse, World::List::kChildren, item.id,
                          {.limit = 0, .count_all = true, .filter = [](const Item& i) { return !InQueue(i); }});
  return DiscoursePost({item, first.get(), parent.get(), *asked.forum, answers.total, raw});
}

std::vector<ItemPtr> Discourse::Below(const Asked& asked, int64_t before, int limit) const {
  const World& world = context_.world;
  std::vector<ItemPtr> posts;
  for (const World::List list : {World::List::kPosts, World::List::kInbox}) {
    const auto read = [&](int64_t position, int count, const std::function<bool(const Item&)>& filter) {
      return world.Read(Network::kDiscourse, list, asked.forum->id,
                        {.position = position, .limit = count, .filter = filter});
    };
    // Lists are in order of their numbers: the place to begin at is looked for by halves.
    const Page newest = read(-1, 1, nullptr);
    int64_t low = 0, high = newest.items.empty() ? -1 : newest.first;
    while (before > 0 && low < high) {
      const int64_t middle = low + (high - low + 1) / 2;
      const Page page = read(middle, 1, nullptr);
      if (page.items.empty() || ForumValue(page.items[0]->id) < before) {
        low = middle;
      } else {
        high = std::min(middle - 1, page.first - 1);
      }
    }
    Page page = read(before > 0 ? std::max<int64_t>(high, 0) : -1, limit, [&](const Item& item) {
      return !InQueue(item) && item.status != "private" && (before <= 0 || ForumValue(item.id) < before);
    });
    std::ranges::move(page.items, std::back_inserter(posts));
  }
  // What hangs below a topic that is gone is gone with it.
  std::erase_if(posts, [&](const ItemPtr& post) {
    const ItemPtr first = world.Find(Network::kDiscourse, post->post);
    return first == nullptr || first->deleted || first->status == "private";
  });
  std::ranges::sort(posts, [](const ItemPtr& a, const ItemPtr& b) { return ForumValue(a->id) > ForumValue(b->id); });
  if (static_cast<int>(posts.size()) > limit) posts.resize(static_cast<size_t>(limit));
  return posts;
}

net::HttpResponse Discourse::Latest(const Asked& asked, Answer answer) {
  Json posts = Json::array();
  if (answer != Answer::kEmptyPage) {
    for (const ItemPtr& post : Below(asked, ForumValue(asked.request.Param("before")), kLatest)) {
      posts.push_back(Shown(asked, *post, true));
    }
  }
  return DiscourseAnswer({{"latest_posts", posts}});
}

net::HttpResponse Discourse::ShowPost(const Asked& asked) {
  const ItemPtr post = PostOf(asked, asked.path[1]);
  return post == nullptr ? DiscourseNotFound() : DiscourseAnswer(Shown(asked, *post, true));
}

net::HttpResponse Discourse::ShowTopic(const Asked& asked, const std::string& id, const std::string& number) {
  const ItemPtr first = TopicOf(asked, id);
  if (first == nullptr) return DiscourseNotFound();
  const std::vector<ItemPtr> stream = StreamOf(first);
  const bool raw = asked.request.Param("include_raw") == "true" || asked.request.Param("include_raw") == "1";
  size_t begin = 0;
  if (const auto page = ReadNumber(asked.request.Param("page"), 1, 1, kAll); page)
    begin = static_cast<size_t>(*page - 1) * kChunk;
  if (const int64_t near = ForumValue(number); near > 0) {  // some posts before the one that is asked for, too
    const auto at = std::ranges::find_if(
        stream, [&](const ItemPtr& post) { return ForumValue(Extra(*post, "post_number")) >= near; });
    const auto index = static_cast<size_t>(at - stream.begin());
    begin = index > 5 ? index - 5 : 0;
  }
  if (begin >= stream.size() && begin > 0) return DiscourseNotFound();
  Json posts = Json::array(), ids = Json::array();
  for (const ItemPtr& post : stream) ids.push_back(ForumNumber(post->id));
  for (size_t i = begin; i < std::min(stream.size(), begin + kChunk); ++i)
    posts.push_back(Shown(asked, *stream[i], raw));
  Json topic = TopicRow(*first, stream);
  topic["post_stream"] = {{"posts", posts}, {"stream", ids}};
  topic["timeline_lookup"] = {{1, 0}};
  topic["user_id"] = ForumNumber(first->author_id);
  topic["chunk_size"] = kChunk;
  topic["has_summary"] = false;
  topic["word_count"] = 0;
  topic["draft"] = nullptr;
  topic["deleted_at"] = first->deleted ? Json(ForumTime(first->changed)) : Json();
  topic["external_id"] = Extra(*first, "external_id").empty() ? Json() : Json(Extra(*first, "external_id"));
  topic["details"] = {{"can_edit", true}, {"can_create_post", true}, {"notification_level", 3}};
  return DiscourseAnswer(topic);
}

net::HttpResponse Discourse::TopicPosts(const Asked& asked) {
  const ItemPtr first = TopicOf(asked, asked.path[1]);
  if (first == nullptr) return DiscourseNotFound();
  std::set<std::string> wanted = Repeated(asked.request.http.query, "post_ids[]");
  if (asked.request.json.is_object() &&
      asked.request.json.contains("post_ids")) {  // the documented form: a body of a GET
    for (const Json& id : asked.request.json.at("post_ids"))
      wanted.insert(id.is_string() ? id.get<std::string>() : id.dump());
  }
  const bool raw = asked.request.Param("include_raw") == "true" || asked.request.Param("include_raw") == "1";
  Json posts = Json::array();
  size_t shown = 0;
  for (const ItemPtr& post : StreamOf(first)) {
    if (wanted.empty() ? shown >= kChunk : !wanted.contains(post->id)) continue;
    posts.push_back(Shown(asked, *post, raw));
    ++shown;
  }
  return DiscourseAnswer({{"post_stream", {{"posts", posts}}}, {"id", ForumNumber(asked.path[1])}});
}

net::HttpResponse Discourse::ByExternalId(const Asked& asked) {
  const std::string& external = asked.path[2];
  const Page found = context_.world.Read(Network::kDiscourse, World::List::kPosts, asked.forum->id,
                                         {.limit = 1, .filter = [&](const Item& item) {
                                            return !InQueue(item) && Extra(item, "external_id") == external;
                                          }});
  if (found.items.empty()) return DiscourseNotFound();
  net::HttpResponse response;
  response.status = 301;
  response.headers["Content-Type"] = "text/html; charset=utf-8";
  response.headers["Location"] =
      Cat(asked.base, "/t/", ForumSlug(found.items[0]->title), "/", Extra(*found.items[0], "topic_id"), ".json");
  response.body = "<html><body>You are being redirected.</body></html>";
  return response;
}

net::HttpResponse Discourse::Topics(const Asked& asked, Answer answer) {
  const auto page = ReadNumber(asked.request.Param("page"), 0, 0, kAll);
  if (!page) return DiscourseError(400, "invalid_parameters", "You supplied invalid parameters to the request: page");
  const Page posts = context_.world.Read(Network::kDiscourse, World::List::kPosts, asked.forum->id,
                                         {.limit = kAll, .filter = [](const Item& item) {
                                            return !InQueue(item) && item.status != "private" && !item.hidden;
                                          }});
  Json rows = Json::array();
  const auto begin = static_cast<size_t>(*page) * kTopicsPerPage;
  for (size_t i = begin; answer != Answer::kEmptyPage && i < std::min(posts.items.size(), begin + kTopicsPerPage);
       ++i) {
    rows.push_back(TopicRow(*posts.items[i], StreamOf(posts.items[i])));
  }
  Json list = {{"can_create_topic", true}, {"per_page", kTopicsPerPage}, {"topics", rows}};
  if (begin + kTopicsPerPage < posts.items.size()) list["more_topics_url"] = Cat("/latest?page=", *page + 1);
  return DiscourseAnswer({{"users", Json::array()}, {"topic_list", list}});
}

net::HttpResponse Discourse::Notifications(const Asked& asked, Answer answer) {
  const Page page = context_.world.Read(Network::kDiscourse, World::List::kInbox, asked.forum->id,
                                        {.limit = kNotifications, .count_all = true, .filter = [](const Item& item) {
                                           return !item.by_us && !InQueue(item);
                                         }});
  Json rows = Json::array();
  for (const ItemPtr& post : page.items) {
    if (answer == Answer::kEmptyPage) break;
    rows.push_back({{"id", ForumNumber(post->id)},
                    {"user_id", ForumNumber(asked.forum->id)},
                    {"notification_type", post->parent == post->post ? 9 : 2},  // posted; replied
                    {"read", false},
                    {"high_priority", false},
                    {"created_at", ForumTime(post->created)},
                    {"post_number", ForumValue(Extra(*post, "post_number"))},
                    {"topic_id", ForumNumber(Extra(*post, "topic_id"))},
                    {"data",
                     {{"original_post_id", ForumNumber(post->id)},
                      {"original_post_type", 1},
                      {"original_username", post->author_handle},
                      {"display_username", post->author_handle}}}});
  }
  return DiscourseAnswer({{"notifications", rows},
                          {"total_rows_notifications", page.total},
                          {"seen_notification_id", 0},
                          {"load_more_notifications", Cat("/notifications?offset=60&username=", asked.forum->handle)}});
}

net::HttpResponse Discourse::Profile(const Asked& asked) {
  const std::string& name = asked.path[1];
  if (name == asked.forum->handle)
    return DiscourseAnswer({{"user_badges", Json::array()}, {"user", DiscourseUser(*asked.forum)}});
  const Page found =
      context_.world.Read(Network::kDiscourse, World::List::kInbox, asked.forum->id,
                          {.limit = 1, .filter = [&](const Item& item) { return item.author_handle == name; }});
  if (found.items.empty()) return DiscourseNotFound();
  const Item& item = *found.items[0];
  return DiscourseAnswer({{"user_badges", Json::array()},
                          {"user",
                           {{"id", ForumNumber(item.author_id)},
                            {"username", item.author_handle},
                            {"name", item.author_name},
                            {"trust_level", 1},
                            {"moderator", false},
                            {"admin", false}}}});
}

net::HttpResponse Discourse::Categories(const Asked& asked) {
  Json rows = Json::array();
  for (const auto& [id, name] : {std::pair{1, "Uncategorized"}, std::pair{4, "General"}, std::pair{7, "Moderated"}}) {
    rows.push_back(
        {{"id", id}, {"name", name}, {"slug", ForumSlug(name)}, {"read_restricted", false}, {"permission", 1}});
  }
  if (asked.path[0] == "site") return DiscourseAnswer({{"categories", rows}, {"uncategorized_category_id", 1}});
  return DiscourseAnswer({{"category_list", {{"can_create_category", true}, {"categories", rows}}}});
}

}  // namespace parvis::sandbox
