// Channels, the uploads playlist and videos (facts 4.2, 4.3).
#include "sandbox/domain/cat.h"
#include "sandbox/transport/youtube.h"
#include "sandbox/transport/youtube_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kThumbnail = 50 << 20;  // since 2026-09-14

std::string Value(const std::map<std::string, std::string>& query, const char* name) {
  const auto it = query.find(name);
  return it == query.end() ? "" : it->second;
}

net::HttpResponse NoFilter(std::string_view expected) {
  return YoutubeError(400, "youtube.parameter", "missingRequiredParameter",
                      Cat("No filter selected. Expected one of: ", expected), "parameters.");
}

Json Thumbnails(const std::string& base, const std::string& id) {
  return {{"default", {{"url", Cat(base, "/youtube/vi/", id, "/default.jpg")}, {"width", 120}, {"height", 90}}}};
}

bool Shown(const Item& comment) {
  return comment.kind == Item::Kind::kComment && (comment.by_us || comment.status == "approved");
}

}  // namespace

net::HttpResponse Youtube::Channels(const Asked& asked, Answer) {
  AccountPtr account;
  if (Value(asked.query, "mine") == "true") {
    account = asked.account;
  } else if (const std::string id = Value(asked.query, "id"); !id.empty()) {
    account = context_.world.FindAccount(Network::kYoutube, id);
  } else if (std::string handle = Value(asked.query, "forHandle"); !handle.empty()) {
    if (handle[0] == '@') handle.erase(0, 1);
    account = context_.world.FindByUser(Network::kYoutube, handle);
  } else {
    return NoFilter("forHandle, forUsername, id, mine");
  }
  if (account == nullptr) {  // a list without results has no items at all
    Json page = YoutubePage("youtube#channelListResponse", Json::array(), 0, 5, -1);
    page.erase("items");
    return JsonResponse(200, page, false);
  }
  const auto own = [&](World::List list) {
    return context_.world.Read(Network::kYoutube, list, account->id, {.limit = 0, .count_all = true}).total;
  };
  Json channel = {{"kind", "youtube#channel"}, {"etag", Cat("etag-", account->id)}, {"id", account->id}};
  if (Has(asked.parts, "snippet")) {
    channel["snippet"] = {{"title", account->name},
                          {"description", ""},
                          {"customUrl", Cat("@", account->handle)},
                          {"publishedAt", "2019-03-01T08:00:00Z"},
                          {"thumbnails", Thumbnails(asked.request.base_url, account->id)},
                          {"localized", {{"title", account->name}, {"description", ""}}}};
  }
  if (Has(asked.parts, "contentDetails")) {
    channel["contentDetails"] = {{"relatedPlaylists", {{"likes", ""}, {"uploads", YoutubeUploads(account->id)}}}};
  }
  if (Has(asked.parts, "statistics")) {  // numbers are text
    const int64_t videos = own(World::List::kPosts);
    channel["statistics"] = {{"viewCount", std::to_string(videos * 1000)},
                             {"subscriberCount", "1250"},
                             {"hiddenSubscriberCount", false},
                             {"videoCount", std::to_string(videos)}};
  }
  return JsonResponse(200, YoutubePage("youtube#channelListResponse", Json::array({channel}), 1, 5, -1), false);
}

// The uploads of a channel, newest first; its owner sees private ones, too.
net::HttpResponse Youtube::Playlist(const Asked& asked, Answer answer) {
  const std::string id = Value(asked.query, "playlistId");
  if (id.empty()) return NoFilter("id, playlistId");
  const auto limit = ReadNumber(Value(asked.query, "maxResults"), 5, 0, 50);
  if (!limit) {
    return YoutubeError(400, "youtube.parameter", "invalidValue",
                        "Invalid value for maxResults. Values must be within the range: [0, 50]", "maxResults");
  }
  const auto position = YoutubePosition(Value(asked.query, "pageToken"));
  if (!position) {
    return YoutubeError(400, "youtube.parameter", "invalidPageToken", "The request specifies an invalid page token.",
                        "pageToken");
  }
  const AccountPtr account = id.size() > 2 && id.starts_with("UU")
                                 ? context_.world.FindAccount(Network::kYoutube, Cat("UC", id.substr(2)))
                                 : nullptr;
  if (account == nullptr) {
    return YoutubeError(404, "youtube.playlistItem", "playlistNotFound",
                        "The playlist identified with the request's playlistId parameter cannot be found.",
                        "playlistId");
  }
  const char* kind = "youtube#playlistItemListResponse";
  if (answer == Answer::kEmptyPage) {
    Json empty = YoutubePage(kind, Json::array(), 0, *limit, -1);
    empty["nextPageToken"] = YoutubeToken(*position);
    return JsonResponse(200, empty, false);
  }
  const bool owner = account->id == asked.account->id;
  const Page page = context_.world.Read(
      Network::kYoutube, World::List::kPosts, account->id,
      {.position = *position, .limit = static_cast<int>(*limit), .count_all = true, .filter = [&](const Item& item) {
         return owner || Extra(item, "privacy") == "public";
       }});
  Json items = Json::array();
  for (const ItemPtr& video : page.items) {
    Json one = {{"kind", "youtube#playlistItem"}, {"etag", Cat("etag-", video->id)}, {"id", Cat("VVU", video->id)}};
    if (Has(asked.parts, "snippet")) {
      one["snippet"] = {{"publishedAt", YoutubeTime(video->created)},
                        {"channelId", account->id},
                        {"title", video->title},
                        {"description", video->text},
                        {"thumbnails", Thumbnails(asked.request.base_url, video->id)},
                        {"channelTitle", account->name},
                        {"playlistId", id},
                        {"position", items.size()},
                        {"resourceId", {{"kind", "youtube#video"}, {"videoId", video->id}}}};
    }
    if (Has(asked.parts, "contentDetails")) {
      one["contentDetails"] = {{"videoId", video->id}, {"videoPublishedAt", YoutubeTime(video->created)}};
    }
    if (Has(asked.parts, "status")) one["status"] = {{"privacyStatus", Extra(*video, "privacy", "public")}};
    items.push_back(std::move(one));
  }
  return JsonResponse(200, YoutubePage(kind, std::move(items), page.total, *limit, page.next), false);
}

Json Youtube::ShownVideo(const Item& video, const std::vector<std::string>& parts, const std::string& base) const {
  const std::string upload = Extra(video, "upload", "processed"), privacy = Extra(video, "privacy", "public");
  Json out = {{"kind", "youtube#video"}, {"etag", Cat("etag-", absl::ToUnixMicros(video.changed))}, {"id", video.id}};
  if (Has(parts, "snippet")) {
    out["snippet"] = {{"publishedAt", YoutubeTime(video.created)},
                      {"channelId", video.account},
                      {"title", video.title},
                      {"description", video.text},
                      {"thumbnails", Thumbnails(base, video.id)},
                      {"channelTitle", video.author_name},
                      {"categoryId", Extra(video, "category", "22")},
                      {"liveBroadcastContent", "none"},
                      {"localized", {{"title", video.title}, {"description", video.text}}}};
    if (const std::string tags = Extra(video, "tags"); !tags.empty()) out["snippet"]["tags"] = Json::parse(tags);
  }
  if (Has(parts, "status")) {
    Json& status = out["status"];
    status = {{"uploadStatus", upload == "broken" ? "failed" : upload},
              {"privacyStatus", privacy},
              {"license", Extra(video, "license", "youtube")},
              {"embeddable", Extra(video, "embeddable", "true") == "true"},
              {"publicStatsViewable", true},
              {"madeForKids", Extra(video, "selfDeclaredMadeForKids") == "true"}};
    if (upload == "broken") status["failureReason"] = "conversion";
    if (const std::string at = Extra(video, "publishAt"); !at.empty()) status["publishAt"] = at;
  }
  if (Has(parts, "statistics")) {
    const Page comments = context_.world.Read(Network::kYoutube, World::List::kComments, video.id,
                                              {.limit = 0, .count_all = true, .filter = Shown});
    out["statistics"] = {{"viewCount", Extra(video, "views", "0")},
                         {"favoriteCount", "0"},
                         {"commentCount", std::to_string(comments.total)}};
    // Left out where the channel hides them.
    if (const std::string likes = Extra(video, "likes", "0"); likes != "hidden") out["statistics"]["likeCount"] = likes;
  }
  if (Has(parts, "processingDetails")) {
    out["processingDetails"] = {{"processingStatus", upload == "broken"      ? "failed"
                                                     : upload == "processed" ? "succeeded"
                                                                             : "processing"}};
  }
  if (Has(parts, "contentDetails")) {
    out["contentDetails"] = {{"duration", "PT42S"}, {"dimension", "2d"}, {"definition", "hd"}, {"caption", "false"}};
  }
  return out;
}

// A video is being processed until somebody has looked once. What is not there is left out.
net::HttpResponse Youtube::Videos(const Asked& asked, Answer) {
  if (Value(asked.query, "id").empty()) return NoFilter("id, chart, myRating");
  const std::vector<std::string> ids = YoutubeList(Value(asked.query, "id"));
  if (ids.size() > 50) {
    return YoutubeError(400, "youtube.parameter", "invalidFilters", "The request specifies too many ids.", "id");
  }
  Json items = Json::array();
  for (const std::string& id : ids) {
    const ItemPtr video = FindVideo(id);
    if (video == nullptr || (video->account != asked.account->id && Extra(*video, "privacy") == "private")) continue;
    items.push_back(ShownVideo(*video, asked.parts, asked.request.base_url));
    const bool looked = Has(asked.parts, "status") || Has(asked.parts, "processingDetails");
    if (looked && Extra(*video, "upload") == "uploaded") {
      (void)context_.world.SetExtra(Network::kYoutube, id, {{"upload", "processed"}});
    }
  }
  const int64_t n = static_cast<int64_t>(items.size());
  return JsonResponse(200, YoutubePage("youtube#videoListResponse", std::move(items), n, n, -1), false);
}

// Sets the parts that are named, as a whole.
net::HttpResponse Youtube::UpdateVideo(const Asked& asked, Answer answer) {
  const Json& body = asked.request.json;
  if (auto wrong = CheckYoutubeVideo(body, asked.parts, context_.clock.WallNow())) return *std::move(wrong);
  const Json id = Member(body, "id");
  const ItemPtr video = id.is_string() ? FindVideo(id.get<std::string>()) : nullptr;
  if (video == nullptr) return YoutubeMissing("videoNotFound", "video");
  if (video->account != asked.account->id) return YoutubeForbidden("The video may not be changed by this channel.");
  const Json snippet = Member(body, "snippet"), status = Member(body, "status");
  const auto text = [](const Json& from, const char* name, const std::string& otherwise) {
    const Json value = Member(from, name);
    return value.is_string() ? value.get<std::string>() : otherwise;
  };
  if (Has(asked.parts, "snippet") && text(snippet, "categoryId", "").empty()) {
    return YoutubeError(400, "youtube.video", "invalidCategoryId",
                        "The snippet.categoryId property specifies an invalid category ID.", "body.snippet.categoryId");
  }
  const auto changed = context_.world.EditPost(
      Network::kYoutube, video->id,
      [&](Item& item) {
        if (Has(asked.parts, "snippet")) {
          item.title = text(snippet, "title", "");
          item.text = text(snippet, "description", "");
          item.extra["category"] = text(snippet, "categoryId", "22");
          item.extra["tags"] = Member(snippet, "tags").is_array() ? Member(snippet, "tags").dump() : "";
        }
        if (Has(asked.parts, "status")) {
          item.extra["privacy"] = text(status, "privacyStatus", Extra(item, "privacy", "public"));
          item.extra["publishAt"] = text(status, "publishAt", "");
          item.published = item.extra["privacy"] != "private";
        }
      },
      Us(*asked.account, asked.request.digest, answer));
  if (!changed.ok()) return YoutubeMissing("videoNotFound", "video");
  return JsonResponse(200, ShownVideo(**changed, asked.parts, asked.request.base_url), false);
}

net::HttpResponse Youtube::DeleteVideo(const Asked& asked, Answer answer) {
  const ItemPtr video = FindVideo(Value(asked.query, "id"));
  if (video == nullptr) return YoutubeMissing("videoNotFound", "video");
  if (video->account != asked.account->id) return YoutubeForbidden("The video may not be deleted by this channel.");
  const auto gone =
      context_.world.Delete(Network::kYoutube, video->id, Us(*asked.account, asked.request.digest, answer));
  if (!gone.ok()) return YoutubeMissing("videoNotFound", "video");
  net::HttpResponse done;
  done.status = 204;
  return done;
}

net::HttpResponse Youtube::SetThumbnail(const Asked& asked, Answer answer) {
  const net::HttpRequest& http = asked.request.http;
  const ItemPtr video = FindVideo(Value(asked.query, "videoId"));
  if (video == nullptr) return YoutubeMissing("videoNotFound", "video");
  if (video->account != asked.account->id) return YoutubeForbidden("The thumbnail may not be set by this channel.");
  const std::string type = net::HeaderOf(http.headers, "content-type");
  if (http.body.empty()) {
    return YoutubeError(400, "youtube.thumbnail", "mediaBodyRequired",
                        "The request does not include the image content.");
  }
  if ((type != "image/jpeg" && type != "image/png" && type != "application/octet-stream") ||
      http.body.size() > kThumbnail) {
    return YoutubeError(400, "youtube.thumbnail", "invalidImage", "The provided image content is invalid.");
  }
  const auto marked =
      context_.world.Mark(Network::kYoutube, video->id, "thumbnail", Us(*asked.account, asked.request.digest, answer),
                          [&](Item& item) { item.extra["thumbnail"] = asked.request.digest; });
  if (!marked.ok()) return YoutubeMissing("videoNotFound", "video");
  return JsonResponse(200,
                      {{"kind", "youtube#thumbnailSetResponse"},
                       {"etag", Cat("etag-", asked.request.digest)},
                       {"items", {Thumbnails(asked.request.base_url, video->id)}}},
                      false);
}

}  // namespace parvis::sandbox
