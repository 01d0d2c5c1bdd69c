// Comments: threads and replies, and what their moderators do (facts 4.3).
#include <set>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/youtube.h"
#include "sandbox/transport/youtube_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kCommentMax = 10'000;
constexpr int kSample = 5;  // replies that a thread shows
constexpr int kPendingMax = 10'000;
constexpr char kChannel[] = "http://www.youtube.com/channel/";
constexpr char kThreads[] = "youtube#commentThreadListResponse";

std::string Value(const std::map<std::string, std::string>& query, const char* name) {
  const auto it = query.find(name);
  return it == query.end() ? "" : it->second;
}

// Of a comment, in the API's words.
std::string_view StatusOfComment(const Item& comment) {
  if (comment.status == "hold") return "heldForReview";
  if (comment.status == "spam") return "likelySpam";
  if (comment.status == "rejected") return "rejected";
  return "published";
}

net::HttpResponse Comment400(std::string_view reason, std::string_view message, std::string_view location = "") {
  return YoutubeError(400, "youtube.comment", reason, message, location);
}

net::HttpResponse Incompatible(std::string_view names) {
  return YoutubeError(400, "youtube.parameter", "incompatibleParameters",
                      Cat("Incompatible parameters specified in the request: ", names), "parameters.");
}

std::optional<net::HttpResponse> OneOf(const std::map<std::string, std::string>& query, const char* name,
                                       const std::set<std::string>& values) {
  const std::string value = Value(query, name);
  if (value.empty() || values.contains(value)) return std::nullopt;
  return YoutubeError(400, "global", "invalidParameter",
                      Cat("Invalid string value: '", value, "'. Allowed values are listed in the documentation."),
                      name);
}

// maxResults and pageToken.
struct Paging {
  int64_t limit = 20, position = -1;
  std::optional<net::HttpResponse> wrong;
};
Paging ReadPaging(const std::map<std::string, std::string>& query) {
  Paging paging;
  const auto limit = ReadNumber(Value(query, "maxResults"), 20, 1, 100);
  const auto position = YoutubePosition(Value(query, "pageToken"));
  if (!limit) {
    paging.wrong =
        YoutubeError(400, "youtube.parameter", "invalidValue",
                     "Invalid value for maxResults. Values must be within the range: [1, 100]", "maxResults");
  } else if (!position) {
    paging.wrong = YoutubeError(400, "youtube.commentThread", "invalidPageToken",
                                "The request specifies an invalid page token.", "pageToken");
  } else {
    paging.limit = *limit;
    paging.position = *position;
  }
  return paging;
}

}  // namespace

Json Youtube::ShownComment(const Asked& asked, const Item& comment, bool with_status) const {
  const bool plain = Value(asked.query, "textFormat") == "plainText";
  const bool ours = comment.author_id == asked.account->id;
  Json snippet = {
      {"channelId", comment.account},
      {"videoId", comment.post},
      {"textDisplay", plain ? comment.text : YoutubeHtml(comment.text)},
      {"authorDisplayName", comment.author_handle.empty() ? comment.author_name : Cat("@", comment.author_handle)},
      {"authorProfileImageUrl", Cat(asked.request.base_url, "/youtube/ytc/", comment.author_id)},
      {"authorChannelUrl", Cat(kChannel, comment.author_id)},
      {"authorChannelId", {{"value", comment.author_id}}},
      {"canRate", true},
      {"viewerRating", "none"},
      {"likeCount", 0},
      {"publishedAt", YoutubeTime(comment.created)},
      {"updatedAt", YoutubeTime(comment.edited ? comment.changed : comment.created)}};
  if (ours) snippet["textOriginal"] = comment.text;  // promised to its author alone
  if (comment.parent != comment.post) snippet["parentId"] = comment.parent;
  if (with_status && comment.account == asked.account->id) snippet["moderationStatus"] = StatusOfComment(comment);
  return {{"kind", "youtube#comment"},
          {"etag", Cat("etag-", absl::ToUnixMicros(comment.changed))},
          {"id", comment.id},
          {"snippet", std::move(snippet)}};
}

// `status`: which replies it shows a sample of, besides published ones.
Json Youtube::ShownThread(const Asked& asked, const Item& top, bool with_status, const std::string& status) const {
  const auto shown = [&](const Item& reply) {
    const std::string_view is = StatusOfComment(reply);
    return is == "published" || is == status;
  };
  const Page replies = context_.world.Read(Network::kYoutube, World::List::kChildren, top.id,
                                           {.limit = kSample, .count_all = true, .filter = shown});
  Json thread = {{"kind", "youtube#commentThread"},
                 {"etag", Cat("etag-", absl::ToUnixMicros(top.changed), "-", replies.total)},
                 {"id", top.id},
                 {"snippet",
                  {{"channelId", top.account},
                   {"videoId", top.post},
                   {"topLevelComment", ShownComment(asked, top, with_status)},
                   {"canReply", true},
                   {"totalReplyCount", replies.total},
                   {"isPublic", StatusOfComment(top) == "published"}}}};
  if (Has(asked.parts, "replies") && !replies.items.empty()) {
    Json sample = Json::array();
    for (const ItemPtr& reply : replies.items) sample.push_back(ShownComment(asked, *reply, with_status));
    thread["replies"] = {{"comments", std::move(sample)}};
  }
  return thread;
}

net::HttpResponse Youtube::ThreadsById(const Asked& asked, const std::string& ids) const {
  for (const char* name : {"maxResults", "moderationStatus", "order", "pageToken", "searchTerms"}) {
    if (asked.query.contains(name)) return Incompatible(Cat(name, ", id"));
  }
  Json items = Json::array();
  for (const std::string& id : YoutubeList(ids)) {
    const ItemPtr top = FindComment(id);
    if (top != nullptr && top->parent == top->post) items.push_back(ShownThread(asked, *top, false, "published"));
  }
  const int64_t n = static_cast<int64_t>(items.size());
  return JsonResponse(200, YoutubePage(kThreads, std::move(items), n, n, -1), false);
}

net::HttpResponse Youtube::Threads(const Asked& asked, Answer answer) {
  const std::string channel = Value(asked.query, "allThreadsRelatedToChannelId"), video = Value(asked.query, "videoId");
  const std::string ids = Value(asked.query, "id"), about = Value(asked.query, "channelId");
  const int filters = !channel.empty() + !video.empty() + !ids.empty() + !about.empty();
  if (filters == 0) {
    return YoutubeError(400, "youtube.parameter", "missingRequiredParameter",
                        "No filter selected. Expected one of: allThreadsRelatedToChannelId, channelId, videoId, id",
                        "parameters.");
  }
  if (filters > 1) return Incompatible("more than one filter");
  if (auto wrong = OneOf(asked.query, "moderationStatus", {"published", "heldForReview", "likelySpam", "rejected"}))
    return *wrong;
  if (auto wrong = OneOf(asked.query, "order", {"time", "relevance"})) return *wrong;
  if (auto wrong = OneOf(asked.query, "textFormat", {"html", "plainText"})) return *wrong;
  if (!ids.empty()) return ThreadsById(asked, ids);
  const Paging paging = ReadPaging(asked.query);
  if (paging.wrong) return *paging.wrong;
  const ItemPtr post = video.empty() ? nullptr : FindVideo(video);
  if (!video.empty() && post == nullptr) return YoutubeMissing("videoNotFound", "video");
  const std::string owner = post != nullptr ? post->account : channel + about;
  if (context_.world.FindAccount(Network::kYoutube, owner) == nullptr) {
    return YoutubeError(404, "youtube.commentThread", "channelNotFound", "The channel cannot be found.");
  }
  std::string status = Value(asked.query, "moderationStatus");
  if (status.empty()) status = "published";
  if (status != "published" && owner != asked.account->id) {
    return YoutubeForbidden("The comment threads cannot be retrieved: the moderation status is for the owner.");
  }
  if (answer == Answer::kEmptyPage) {
    Json empty = YoutubePage(kThreads, Json::array(), 0, paging.limit, -1);
    empty["nextPageToken"] = YoutubeToken(paging.position);
    return JsonResponse(200, empty, false);
  }
  // A thread is among those that wait when its first comment or one of its replies does.
  std::set<std::string> waiting;
  if (status != "published") {
    const Page pending = context_.world.Read(
        Network::kYoutube, World::List::kInbox, owner,
        {.limit = kPendingMax, .filter = [&](const Item& item) { return StatusOfComment(item) == status; }});
    for (const ItemPtr& item : pending.items) waiting.insert(item->thread);
  }
  const std::string terms = Value(asked.query, "searchTerms");
  const Page page = context_.world.Read(
      Network::kYoutube, post != nullptr ? World::List::kChildren : World::List::kInbox,
      post != nullptr ? video : owner,
      {.position = paging.position, .limit = static_cast<int>(paging.limit), .filter = [&](const Item& item) {
         if (item.kind != Item::Kind::kComment || item.parent != item.post || !about.empty()) return false;
         if (!terms.empty() && item.text.find(terms) == std::string::npos) return false;
         return status == "published" ? StatusOfComment(item) == status : waiting.contains(item.id);
       }});
  Json items = Json::array();
  for (const ItemPtr& top : page.items) {
    if (FindVideo(top->post) != nullptr) items.push_back(ShownThread(asked, *top, true, status));
  }
  const int64_t n = static_cast<int64_t>(items.size());
  return JsonResponse(200, YoutubePage(kThreads, std::move(items), n, paging.limit, page.next), false);
}

net::HttpResponse Youtube::Comments(const Asked& asked, Answer answer) {
  const std::string ids = Value(asked.query, "id"), parent = Value(asked.query, "parentId");
  if (ids.empty() == parent.empty()) {
    return ids.empty() ? YoutubeError(400, "youtube.parameter", "missingRequiredParameter",
                                      "No filter selected. Expected one of: id, parentId", "parameters.")
                       : Incompatible("id, parentId");
  }
  if (auto wrong = OneOf(asked.query, "textFormat", {"html", "plainText"})) return *wrong;
  const char* kind = "youtube#commentListResponse";
  Json items = Json::array();
  if (!ids.empty()) {
    for (const char* name : {"maxResults", "pageToken"}) {
      if (asked.query.contains(name)) return Incompatible(Cat(name, ", id"));
    }
    for (const std::string& id : YoutubeList(ids)) {
      const ItemPtr comment = FindComment(id);
      if (comment != nullptr) items.push_back(ShownComment(asked, *comment, false));  // no status with the id filter
    }
    if (items.empty()) return YoutubeMissing("commentNotFound", "comment");
    const int64_t n = static_cast<int64_t>(items.size());
    return JsonResponse(200, YoutubePage(kind, std::move(items), n, n, -1), false);
  }
  const Paging paging = ReadPaging(asked.query);
  if (paging.wrong) return *paging.wrong;
  if (FindComment(parent) == nullptr) return YoutubeMissing("commentNotFound", "comment");
  if (answer == Answer::kEmptyPage) {
    Json empty = YoutubePage(kind, Json::array(), 0, paging.limit, -1);
    empty["nextPageToken"] = YoutubeToken(paging.position);
    return JsonResponse(200, empty, false);
  }
  const Page page = context_.world.Read(
      Network::kYoutube, World::List::kChildren, parent,
      {.position = paging.position, .limit = static_cast<int>(paging.limit), .filter = [](const Item& item) {
         return StatusOfComment(item) == "published";
       }});
  for (const ItemPtr& reply : page.items) items.push_back(ShownComment(asked, *reply, true));
  const int64_t n = static_cast<int64_t>(items.size());
  return JsonResponse(200, YoutubePage(kind, std::move(items), n, paging.limit, page.next), false);
}

net::HttpResponse Youtube::Write(const Asked& asked, Answer answer, const std::string& parent, const Json& text,
                                 bool thread) {
  if (!text.is_string() || text.get<std::string>().find_first_not_of(" \t\r\n") == std::string::npos) {
    return Comment400("commentTextRequired", "The text of the comment is required.", "body.snippet.textOriginal");
  }
  const std::string words = text.get<std::string>();
  if (CodePoints(words) > kCommentMax) {
    return Comment400("commentTextTooLong", "The text of the comment is too long.", "body.snippet.textOriginal");
  }
  const ItemPtr below = context_.world.Find(Network::kYoutube, parent);
  if (below == nullptr) return YoutubeError(503, "global", "backendError", "Backend Error");
  const auto made = context_.world.Create({.network = Network::kYoutube,
                                           .kind = Item::Kind::kComment,
                                           .account = below->account,
                                           .parent = parent,
                                           .author_id = asked.account->id,
                                           .author_name = asked.account->name,
                                           .author_handle = asked.account->handle,
                                           .text = words,
                                           .status = "approved",
                                           .by_us = true},
                                          Us(*asked.account, asked.request.digest, answer));
  if (!made.ok()) return YoutubeError(503, "global", "backendError", "Backend Error");
  return JsonResponse(200, thread ? ShownThread(asked, **made, true, "published") : ShownComment(asked, **made, true),
                      false);
}

net::HttpResponse Youtube::NewThread(const Asked& asked, Answer answer) {
  const Json snippet = Member(asked.request.json, "snippet"), id = Member(snippet, "videoId");
  const ItemPtr video = id.is_string() ? FindVideo(id.get<std::string>()) : nullptr;
  if (!id.is_string()) {
    return Comment400("invalidCommentThreadMetadata", "The request metadata is invalid.", "body.snippet.videoId");
  }
  if (video == nullptr) return YoutubeMissing("videoNotFound", "video");
  const auto off = video->extra.find("comments");
  if (off != video->extra.end() && off->second == "off") {
    return YoutubeError(403, "youtube.commentThread", "commentsDisabled", "The video has disabled comments.");
  }
  return Write(asked, answer, video->id, Member(Member(Member(snippet, "topLevelComment"), "snippet"), "textOriginal"),
               true);
}

net::HttpResponse Youtube::NewReply(const Asked& asked, Answer answer) {
  const Json snippet = Member(asked.request.json, "snippet"), id = Member(snippet, "parentId");
  if (!id.is_string() || id.get<std::string>().empty()) {
    return Comment400("parentIdMissing", "The comment must have a parent.", "body.snippet.parentId");
  }
  const ItemPtr parent = FindComment(id.get<std::string>());
  if (parent == nullptr) return YoutubeMissing("parentCommentNotFound", "parent comment");
  if (parent->parent != parent->post) {
    return Comment400("invalidCommentMetadata", "Only top-level comments can be answered.", "body.snippet.parentId");
  }
  if (StatusOfComment(*parent) != "published") {
    return Comment400("parentCommentIsPrivate", "The specified parent comment is private.", "body.snippet.parentId");
  }
  return Write(asked, answer, parent->id, Member(snippet, "textOriginal"), false);
}

net::HttpResponse Youtube::EditComment(const Asked& asked, Answer answer) {
  const Json id = Member(asked.request.json, "id"),
             text = Member(Member(asked.request.json, "snippet"), "textOriginal");
  const ItemPtr comment = id.is_string() ? FindComment(id.get<std::string>()) : nullptr;
  if (comment == nullptr) return YoutubeMissing("commentNotFound", "comment");
  if (comment->author_id != asked.account->id) return YoutubeForbidden("Only its author may change a comment.");
  if (!text.is_string() || text.get<std::string>().empty()) {
    return Comment400("commentTextRequired", "The text of the comment is required.", "body.snippet.textOriginal");
  }
  if (CodePoints(text.get<std::string>()) > kCommentMax) {
    return Comment400("commentTextTooLong", "The text of the comment is too long.", "body.snippet.textOriginal");
  }
  const auto changed = context_.world.Edit(Network::kYoutube, comment->id, text.get<std::string>(),
                                           Us(*asked.account, asked.request.digest, answer));
  if (!changed.ok()) return YoutubeMissing("commentNotFound", "comment");
  return JsonResponse(200, ShownComment(asked, **changed, true), false);
}

net::HttpResponse Youtube::DeleteComment(const Asked& asked, Answer answer) {
  const ItemPtr comment = FindComment(Value(asked.query, "id"));
  if (comment == nullptr) return YoutubeMissing("commentNotFound", "comment");
  if (comment->author_id != asked.account->id) return YoutubeForbidden("Only its author may delete a comment.");
  const auto gone =
      context_.world.Delete(Network::kYoutube, comment->id, Us(*asked.account, asked.request.digest, answer));
  if (!gone.ok()) return YoutubeMissing("commentNotFound", "comment");
  net::HttpResponse done;
  done.status = 204;
  return done;
}

// All of them or none. Each that changes is a line in the journal: hide, unhide, delete (rejected), and a ban its own.
net::HttpResponse Youtube::Moderate(const Asked& asked, Answer answer) {
  const std::string to = Value(asked.query, "moderationStatus"), ban = Value(asked.query, "banAuthor");
  const std::vector<std::string> ids = YoutubeList(Value(asked.query, "id"));
  if (ids.empty()) return YoutubeError(400, "global", "required", "Required parameter: id", "id");
  if (to != "published" && to != "heldForReview" && to != "rejected") {
    return to.empty()
               ? YoutubeError(400, "global", "required", "Required parameter: moderationStatus", "moderationStatus")
               : Comment400("operationNotSupported", "The comment moderation status cannot be set to this value.",
                            "moderationStatus");
  }
  if (ban == "true" && to != "rejected") {
    return Comment400("banWithoutReject",
                      "The banAuthor parameter may only be used with the rejected moderation status.", "banAuthor");
  }
  if (ids.size() > 50) return Comment400("invalidFilters", "The request specifies too many ids.", "id");
  std::vector<ItemPtr> comments;
  for (const std::string& id : ids) {
    const ItemPtr comment = context_.world.Find(Network::kYoutube, id);
    if (comment == nullptr || comment->kind != Item::Kind::kComment)
      return YoutubeMissing("commentNotFound", "comment");
    if (comment->deleted || comment->account != asked.account->id) {
      return YoutubeForbidden("The moderation status of the comment cannot be set due to insufficient permissions.");
    }
    if (StatusOfComment(*comment) == "rejected" && to != "rejected") {
      return Comment400("processingFailure", "The API server failed to successfully process the request.");
    }
    comments.push_back(comment);
  }
  const WriteContext us = Us(*asked.account, asked.request.digest, answer);
  for (const ItemPtr& comment : comments) {
    if (StatusOfComment(*comment) != to) {
      const auto set = [&](Item& item) {
        item.status = to == "published" ? "approved" : to == "rejected" ? "rejected" : "hold";
        item.hidden = to != "published";
      };
      const char* deed = to == "published" ? "unhide" : to == "rejected" ? "delete" : "hide";
      (void)context_.world.Mark(Network::kYoutube, comment->id, deed, us, set);
    }
    if (ban == "true")
      (void)context_.world.MarkPerson(Network::kYoutube, asked.account->id, comment->author_id, "ban", us);
  }
  net::HttpResponse done;
  done.status = 204;
  return done;
}

}  // namespace parvis::sandbox
