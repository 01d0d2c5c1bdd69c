// Topics, replies, removals, votes, sanctions, the queue, uploads.
#include <absl/strings/ascii.h>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/transport/discourse_json.h"
#include "sandbox/transport/nodebb.h"
#include "sandbox/transport/nodebb_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kContentMin = 8, kContentMax = 32'767, kTitleMax = 255;  // as it is shipped (facts 0.3)
constexpr std::string_view kQueuedCategory = "7";  // all that is written there waits for approval

// "" when the content may be.
std::string WhatIsWrong(const std::string& content) {
  std::string trimmed = content;
  absl::StripAsciiWhitespace(&trimmed);
  const size_t length = CodePoints(trimmed);
  if (length < kContentMin) return Cat("[[error:content-too-short, ", kContentMin, "]]");
  if (length > kContentMax) return Cat("[[error:content-too-long, ", kContentMax, "]]");
  return "";
}

bool IsText(const Request& request, const char* name) {
  return request.json.is_object() ? request.json.contains(name) && request.json.at(name).is_string()
                                  : request.params.contains(name);
}

}  // namespace

net::HttpResponse Nodebb::Stored(const Asked& asked, const StatusOr<ItemPtr>& item) {
  if (!item.ok()) {
    return item.status().code() == Code::kNotFound ? NodebbError(404, "[[error:no-post]]")
                                                   : NodebbError(500, "[[error:api.500]]");
  }
  const Item& made = **item;
  const bool topic = made.kind == Item::Kind::kPost;
  if (InQueue(made)) {  // 202 for a topic, 200 for a reply: so it is there
    return NodebbAnswer({{"id", QueueIdOf(made)},
                         {"type", topic ? "topic" : "reply"},
                         {"queued", true},
                         {"message", "[[success:post-queued]]"}},
                        topic ? 202 : 200);
  }
  const ItemPtr first = context_.world.Find(Network::kNodebb, made.post);
  if (first == nullptr) return NodebbError(404, "[[error:no-topic]]");
  if (!topic) return NodebbAnswer(NodebbPost(made, *first, 0, true));
  Json answer = NodebbTopic(made, 1, made);
  answer["mainPost"] = NodebbPost(made, made, 0, true);
  answer["index"] = 0;
  return NodebbAnswer(answer);
}

net::HttpResponse Nodebb::CreateTopic(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  std::string missing;
  for (const char* name : {"cid", "title", "content"}) {
    if (!request.params.contains(name)) Append(missing, missing.empty() ? "" : ", ", name);
  }
  if (!missing.empty()) return NodebbError(400, Cat("[[error:required-parameters-missing, ", missing, "]]"));
  const std::string cid = request.Param("cid"), title = request.Param("title"), content = request.Param("content");
  if (!IsText(request, "title") || !IsText(request, "content")) return NodebbError(400, "[[error:invalid-data]]");
  if (cid != "1" && cid != "2" && cid != kQueuedCategory) return NodebbError(400, "[[error:no-category]]");
  if (CodePoints(title) > kTitleMax) return NodebbError(400, Cat("[[error:title-too-long, ", kTitleMax, "]]"));
  if (const std::string wrong = WhatIsWrong(content); !wrong.empty()) return NodebbError(400, wrong);
  std::map<std::string, std::string> extra = {{"cid", cid}};
  absl::Time created = absl::InfinitePast();
  if (const std::string timestamp = request.Param("timestamp"); !timestamp.empty()) {
    const int64_t millis = ForumValue(timestamp);
    if (millis == 0) return NodebbError(400, "[[error:invalid-data]]");
    created = absl::FromUnixMillis(millis);
    if (created > context_.clock.WallNow()) extra["scheduled"] = "1";
  }
  const bool held = cid == kQueuedCategory;
  return Stored(asked, context_.world.Create({.network = Network::kNodebb,
                                              .account = asked.forum->id,
                                              .author_id = asked.forum->id,
                                              .author_name = asked.forum->name,
                                              .author_handle = asked.forum->handle,
                                              .text = content,
                                              .title = title,
                                              .status = held ? std::string(kQueued) : "",
                                              .extra = extra,
                                              .by_us = true,
                                              .published = !held,
                                              .created = created},
                                             Us(asked, answer)));
}

net::HttpResponse Nodebb::CreateReply(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const ItemPtr first = TopicOf(asked, asked.path[1]);
  if (first == nullptr || first->deleted) return NodebbError(404, "[[error:no-topic]]");
  if (!IsText(request, "content")) return NodebbError(400, "[[error:required-parameters-missing, content]]");
  const std::string content = request.Param("content"), to = request.Param("toPid");
  if (const std::string wrong = WhatIsWrong(content); !wrong.empty()) return NodebbError(400, wrong);
  ItemPtr parent = first;
  std::map<std::string, std::string> extra;
  if (!to.empty()) {
    parent = PostOf(asked, to);
    if (parent == nullptr || parent->post != first->id || parent->deleted)
      return NodebbError(400, "[[error:invalid-pid]]");
    if (parent == first || parent->id == first->id) extra["to_first"] = "true";
  }
  const bool held = Extra(*first, "cid") == kQueuedCategory;
  return Stored(asked, context_.world.Create({.network = Network::kNodebb,
                                              .kind = Item::Kind::kComment,
                                              .account = asked.forum->id,
                                              .parent = parent->id,
                                              .author_id = asked.forum->id,
                                              .author_name = asked.forum->name,
                                              .author_handle = asked.forum->handle,
                                              .text = content,
                                              .status = held ? std::string(kQueued) : "",
                                              .extra = extra,
                                              .by_us = true},
                                             Us(asked, answer)));
}

net::HttpResponse Nodebb::EditPost(const Asked& asked, Answer answer) {
  const ItemPtr post = PostOf(asked, asked.path[1]);
  if (post == nullptr || post->deleted) return NodebbError(404, "[[error:no-post]]");
  if (!IsText(asked.request, "content")) return NodebbError(400, "[[error:invalid-data]]");
  const std::string content = asked.request.Param("content"), title = asked.request.Param("title", post->title);
  if (const std::string wrong = WhatIsWrong(content); !wrong.empty()) return NodebbError(400, wrong);
  const auto edited = context_.world.EditPost(
      Network::kNodebb, post->id,
      [&](Item& item) {
        item.text = content;
        if (item.kind == Item::Kind::kPost) item.title = title;
      },
      Us(asked, answer));
  if (!edited.ok()) return Stored(asked, edited);
  const ItemPtr first = context_.world.Find(Network::kNodebb, post->post);
  return NodebbAnswer(NodebbPost(**edited, first == nullptr ? **edited : *first, Replies(*post), true));
}

// DELETE removes, PUT brings back.
net::HttpResponse Nodebb::SetRemoved(const Asked& asked, Answer answer) {
  const ItemPtr post = Target(asked);
  const bool topic = asked.path[0] == "topics", remove = asked.request.http.method == "DELETE";
  if (post == nullptr) return NodebbError(404, topic ? "[[error:no-topic]]" : "[[error:no-post]]");
  if (IsRemoved(*post) == remove) {
    return NodebbError(
        400, Cat("[[error:", topic ? "topic" : "post", remove ? "-already-deleted" : "-already-restored", "]]"));
  }
  const auto changed =
      context_.world.Mark(Network::kNodebb, post->id, remove ? "delete" : "unhide", Us(asked, answer), [&](Item& item) {
        KeepTextTime(item, TextTime(item));
        item.extra["deleted"] = remove ? "1" : "0";
        item.extra["deleter"] = remove ? asked.forum->id : "";
      });
  return changed.ok() ? NodebbAnswer(Json::object()) : NodebbError(403, "[[error:no-privileges]]");
}

net::HttpResponse Nodebb::Purge(const Asked& asked, Answer answer) {
  const ItemPtr post = Target(asked);
  if (post == nullptr) return NodebbError(404, asked.path[0] == "topics" ? "[[error:no-topic]]" : "[[error:no-post]]");
  if (post->deleted) return NodebbError(403, "[[error:no-privileges]]");
  const auto marked = context_.world.SetExtra(Network::kNodebb, post->id, {{"purged", "1"}});
  if (!marked.ok()) return Stored(asked, marked);
  const auto gone = context_.world.Delete(Network::kNodebb, post->id, Us(asked, answer));
  return gone.ok() ? NodebbAnswer(Json::object()) : Stored(asked, gone);
}

// Locking and pinning.
net::HttpResponse Nodebb::SetTopic(const Asked& asked, Answer answer) {
  const ItemPtr first = TopicOf(asked, asked.path[1]);
  if (first == nullptr || first->deleted) return NodebbError(404, "[[error:no-topic]]");
  const bool on = asked.request.http.method == "PUT", lock = asked.path[2] == "lock";
  const std::string name = lock ? "locked" : "pinned";
  if ((Extra(*first, name) == "1") != on) {
    const char* const deed = lock ? (on ? "lock" : "unlock") : (on ? "pin" : "unpin");
    const auto changed = context_.world.Mark(Network::kNodebb, first->id, deed, Us(asked, answer), [&](Item& item) {
      KeepTextTime(item, TextTime(item));
      item.extra[name] = on ? "1" : "0";
    });
    if (!changed.ok()) return Stored(asked, changed);
  }
  return NodebbAnswer(Json::object());
}

net::HttpResponse Nodebb::Vote(const Asked& asked) {
  const ItemPtr post = PostOf(asked, asked.path[1]);
  if (post == nullptr || post->deleted) return NodebbError(404, "[[error:no-post]]");
  if (post->by_us) return NodebbError(400, "[[error:self-vote]]");
  const std::string delta = asked.request.http.method == "DELETE" ? "0" : asked.request.Param("delta");
  if (delta != "1" && delta != "-1" && delta != "0") return NodebbError(400, "[[error:invalid-data]]");
  const auto voted = context_.world.SetExtra(Network::kNodebb, post->id,
                                             {{"up", delta == "1" ? "1" : "0"}, {"down", delta == "-1" ? "1" : "0"}});
  return voted.ok() ? NodebbAnswer(Json::object()) : Stored(asked, voted);
}

net::HttpResponse Nodebb::Sanction(const Asked& asked, Answer answer) {
  const std::string &uid = asked.path[1], &what = asked.path[2];
  if (uid == asked.forum->id) return NodebbError(403, "[[error:no-privileges]]");
  if (!Knows(asked, uid)) return NodebbError(404, "[[error:no-user]]");
  const bool on = asked.request.http.method == "PUT";
  const std::string until = asked.request.Param("until");  // milliseconds; none or 0: for good
  if (on && !until.empty() && until != "0" && absl::FromUnixMillis(ForumValue(until)) <= context_.clock.WallNow()) {
    return NodebbError(400, what == "ban" ? "[[error:ban-expiry-missing]]" : "[[error:invalid-data]]");
  }
  const bool now = context_.world.IsMarked(Network::kNodebb, asked.forum->id, uid, what);
  if (now != on) {
    const Status done = context_.world.MarkPerson(Network::kNodebb, asked.forum->id, uid, on ? what : Cat("un", what),
                                                  Us(asked, answer));
    if (!done.ok()) return Stored(asked, done);
  }
  return NodebbAnswer(Json::object());
}

net::HttpResponse Nodebb::Flag(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const std::string type = request.Param("type"), id = request.Param("id"), reason = request.Param("reason");
  if (type.empty() || id.empty() || reason.empty())
    return NodebbError(400, "[[error:required-parameters-missing, type, id, reason]]");
  if (type != "post" && type != "user") return NodebbError(400, "[[error:invalid-data]]");
  if (type == "user") {
    if (!Knows(asked, id)) return NodebbError(400, "[[error:no-user]]");
    const Status done = context_.world.MarkPerson(Network::kNodebb, asked.forum->id, id, "report", Us(asked, answer));
    if (!done.ok()) return Stored(asked, done);
  } else {
    const ItemPtr post = PostOf(asked, id);
    if (post == nullptr || post->deleted) return NodebbError(400, "[[error:no-post]]");
    if (!Extra(*post, "flagged").empty()) return NodebbError(400, "[[error:post-already-flagged]]");
    const auto done = context_.world.Mark(Network::kNodebb, id, "report", Us(asked, answer), [&](Item& item) {
      KeepTextTime(item, TextTime(item));
      item.extra["flagged"] = reason;
    });
    if (!done.ok()) return Stored(asked, done);
  }
  return NodebbAnswer({{"flagId", ForumNumber(id)}, {"type", type}, {"targetId", ForumNumber(id)}, {"state", "open"}});
}

// POST accepts, DELETE rejects, PUT edits what waits. What is accepted becomes a post with a number of its own.
net::HttpResponse Nodebb::Review(const Asked& asked, Answer answer) {
  const std::string& id = asked.path[2];
  const ItemPtr item = context_.world.Find(Network::kNodebb, id.substr(std::min(id.size(), id.find('-') + 1)));
  const bool there =
      item != nullptr && item->account == asked.forum->id && item->status == kQueued && QueueIdOf(*item) == id;
  if (!there) return NodebbError(404, "[[error:no-post]]");
  const std::string& method = asked.request.http.method;
  if (method == "PUT") {
    const std::string content = asked.request.Param("content", item->text),
                      title = asked.request.Param("title", item->title);
    const auto edited = context_.world.EditPost(
        Network::kNodebb, item->id,
        [&](Item& queued) {
          queued.text = content;
          queued.title = title;
        },
        Us(asked, answer));
    if (!edited.ok()) return Stored(asked, edited);
    return NodebbAnswer({{"postData", NodebbQueued(**edited, nullptr)["data"]}});
  }
  const bool accept = method == "POST";
  const auto created = Decide(context_.world, *item, accept, Us(asked, answer));
  if (!created.ok()) return Stored(asked, created);
  if (!accept) return NodebbAnswer({{"type", "reject"}});
  return NodebbAnswer({{"type", item->kind == Item::Kind::kPost ? "topic" : "reply"},
                       {"pid", ForumNumber((*created)->id)},
                       {"tid", ForumNumber(Extra(**created, "tid"))}});
}

net::HttpResponse Nodebb::Upload(const Asked& asked, Answer answer) {
  const Part* file = nullptr;
  for (const Part& part : asked.request.parts) {
    if (part.name == "files[]" || part.name == "files") file = &part;
  }
  if (file == nullptr || file->body.empty()) return NodebbError(400, "[[error:invalid-file]]");
  const auto media = context_.world.Create({.network = Network::kNodebb,
                                            .kind = Item::Kind::kMedia,
                                            .account = asked.forum->id,
                                            .author_id = asked.forum->id,
                                            .title = file->filename,
                                            .media = file->content_type,
                                            .by_us = true},
                                           Us(asked, answer));
  if (!media.ok()) return Stored(asked, media);
  return NodebbAnswer(
      {{"images",
        {{{"url", Cat("/assets/uploads/files/", (*media)->id, "-", file->filename)}, {"name", file->filename}}}}});
}

}  // namespace parvis::sandbox
