// Videos, reels and stories of a Page (facts 1.2). A medium is in the journal (`media`) when its upload begins; its
// bytes change it without a line; the post is the effect.
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/facebook.h"
#include "sandbox/transport/facebook_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kPiece = 256 << 10;  // that the network asks for next: a number of ours
constexpr int64_t kFileMax = int64_t{10} << 30;
constexpr int64_t kDescriptionMax = 63206;
constexpr int64_t kSessionOffset = 1'000'000'000'000;  // sessions have other numbers than their videos

const Part* FileOf(const Request& request, std::string_view name) {
  for (const Part& part : request.parts) {
    if (part.name == name && !part.body.empty()) return &part;
  }
  return nullptr;
}

Json Offsets(int64_t received, int64_t size) {
  return {{"start_offset", std::to_string(received)},
          {"end_offset", std::to_string(std::min(received + kPiece, size))}};
}

}  // namespace

StatusOr<ItemPtr> Facebook::PublishMedia(const Asked& asked, Answer answer, const Item& media) {
  NewItem item = Ours(asked, Item::Kind::kPost);
  item.text = asked.Param("description");
  item.title = asked.Param("title");
  item.media = media.id;
  if (media.media == "video") item.extra["video"] = "1";
  if (media.title == "story") {
    item.text.clear();  // a story shows none
    item.extra["story"] = media.media;
  }
  PARVIS_ASSIGN_OR_RETURN(const ItemPtr post, context_.world.Create(item, Us(asked, answer)));
  PARVIS_RETURN_IF_ERROR(
      context_.world.SetExtra(Network::kFacebook, media.id, {{"post", post->id}, {"description", item.text}}).status());
  return post;
}

net::HttpResponse Facebook::SimpleVideo(const Asked& asked, Answer answer) {
  const std::string url = asked.Param("file_url");
  if (url.empty() && FileOf(asked.request, "source") == nullptr) {
    return GraphErrorResponse(
        {.code = 390, .message = "(#390) There was a problem uploading your video file. Please try again."});
  }
  if (static_cast<int64_t>(CodePoints(asked.Param("description"))) > kDescriptionMax)
    return GraphInvalid("Param description is too long");
  NewItem video = Ours(asked, Item::Kind::kMedia);
  video.media = "video";
  video.title = "video";
  video.link = url;
  video.extra = {{"size", "1"}, {"received", "1"}};
  const auto made = context_.world.Create(video, Us(asked, Answer::kOk));
  if (!made.ok()) return GraphFailed(made.status());
  const auto post = PublishMedia(asked, answer, **made);
  return post.ok() ? JsonResponse(200, {{"id", (*made)->id}}) : GraphFailed(post.status());
}

net::HttpResponse Facebook::StartVideo(const Asked& asked, Answer answer, const char* kind) {
  NewItem video = Ours(asked, Item::Kind::kMedia);
  video.media = "video";
  video.title = kind;
  video.published = false;
  video.extra = {{"received", "0"}};
  const bool chunked = video.title == "video";
  const auto size = ReadNumber(asked.Param("file_size"), -1, 1, kFileMax);
  if (chunked) {
    if (!size || *size < 0) return GraphInvalid("Param file_size must be greater than or equal to 1");
    video.extra["size"] = std::to_string(*size);
  } else {
    video.extra["upload"] = kind;
  }
  const auto made = context_.world.Create(video, Us(asked, answer));
  if (!made.ok()) return GraphFailed(made.status());
  const std::string& id = (*made)->id;
  if (!chunked) return JsonResponse(200, {{"video_id", id}, {"upload_url", UploadUrl(asked, id)}});
  Json json = Offsets(0, *size);
  json["video_id"] = id;
  json["upload_session_id"] = std::to_string(ReadNumber(id, 0, 0, INT64_MAX).value_or(0) + kSessionOffset);
  return JsonResponse(200, json);
}

ItemPtr Facebook::Session(const Asked& asked) const {
  const auto number = ReadNumber(asked.Param("upload_session_id"), -1, kSessionOffset, INT64_MAX);
  if (!number || *number < 0) return nullptr;
  const ItemPtr video = Find(asked, std::to_string(*number - kSessionOffset));
  return video == nullptr || video->title != "video" || Extra(*video, "size").empty() ? nullptr : video;
}

net::HttpResponse Facebook::TransferVideo(const Asked& asked) {
  const ItemPtr video = Session(asked);
  if (video == nullptr) return GraphInvalid("Invalid upload_session_id");
  const int64_t received = Number(*video, "received"), size = Number(*video, "size");
  const auto start = ReadNumber(asked.Param("start_offset"), -1, 0, kFileMax);
  const Part* piece = FileOf(asked.request, "video_file_chunk");
  if (!start || piece == nullptr) return GraphInvalid("start_offset and video_file_chunk are required");
  const int64_t length = static_cast<int64_t>(piece->body.size());
  if (*start != received || received + length > std::min(received + kPiece, size)) {
    return GraphErrorResponse(
        {.code = 6001,
         .subcode = 1363037,
         .message = "There was a problem uploading your video file. Please try again with the right offsets.",
         .data = Offsets(received, size)});
  }
  const auto taken =
      context_.world.SetExtra(Network::kFacebook, video->id, {{"received", std::to_string(received + length)}});
  return taken.ok() ? JsonResponse(200, Offsets(received + length, size)) : GraphFailed(taken.status());
}

net::HttpResponse Facebook::FinishVideo(const Asked& asked, Answer answer) {
  const ItemPtr video = Session(asked);
  if (video == nullptr || !Extra(*video, "post").empty()) return GraphInvalid("Invalid upload_session_id");
  if (!Arrived(*video)) {
    return GraphErrorResponse({.code = 6000,
                               .subcode = 1363019,
                               .message = "There was a problem uploading your video file. It is not complete."});
  }
  const auto post = PublishMedia(asked, answer, *video);
  return post.ok() ? JsonResponse(200, {{"success", true}}) : GraphFailed(post.status());
}

// Reels and stories: their upload is not in pieces.
net::HttpResponse Facebook::FinishReel(const Asked& asked, Answer answer) {
  const ItemPtr video = Find(asked, asked.Param("video_id"));
  const bool story = asked.edge == "video_stories";
  if (video == nullptr || video->title != (story ? "story" : "reel") || !Extra(*video, "post").empty())
    return GraphInvalid("Invalid video_id");
  const std::string state = asked.Param("video_state");
  if (!story && state != "PUBLISHED") return GraphInvalid("Sandbox: video_state PUBLISHED only");
  if (!Arrived(*video)) {
    return GraphErrorResponse({.code = 6000, .subcode = 1363130, .message = "Video Upload Is Missing"});
  }
  const auto post = PublishMedia(asked, answer, *video);
  if (!post.ok()) return GraphFailed(post.status());
  Json json = {{"success", true}};
  if (story) json["post_id"] = (*post)->id.substr((*post)->id.find('_') + 1);
  return JsonResponse(200, json);
}

net::HttpResponse Facebook::PhotoStory(const Asked& asked, Answer answer) {
  const ItemPtr photo = Find(asked, asked.Param("photo_id"));
  if (photo == nullptr || photo->media != "image" || photo->published)
    return GraphInvalid("Invalid photo_id: an unpublished photo is needed");
  Item story = *photo;
  story.title = "story";
  const auto post = PublishMedia(asked, answer, story);
  if (!post.ok()) return GraphFailed(post.status());
  return JsonResponse(200, {{"success", true}, {"post_id", (*post)->id.substr((*post)->id.find('_') + 1)}});
}

net::HttpResponse Facebook::Reels(const Asked& asked, Answer answer) {
  auto options = Listing(asked, answer);
  if (!options) return GraphInvalid("Invalid limit or after");
  options->filter = [](const Item& item) { return item.title == "reel" && item.extra.contains("post"); };
  const auto fields = GraphFields(asked.Param("fields"));
  return Paged(asked, context_.world.Read(Network::kFacebook, World::List::kMedia, asked.account->id, *options),
               [&](const Item& item) { return FacebookVideo(item, fields); });
}

net::HttpResponse Facebook::Stories(const Asked& asked, Answer answer) {
  auto options = Listing(asked, answer);
  if (!options) return GraphInvalid("Invalid limit or after");
  const absl::Time oldest = context_.clock.WallNow() - absl::Hours(24);
  options->filter = [&](const Item& item) { return item.extra.contains("story") && item.created >= oldest; };
  return Paged(asked, context_.world.Read(Network::kFacebook, World::List::kPosts, asked.account->id, *options),
               [](const Item& item) {
                 const std::string number = item.id.substr(item.id.find('_') + 1);
                 return Json{{"post_id", number},
                             {"status", "published"},
                             {"creation_time", std::to_string(absl::ToUnixSeconds(item.created))},
                             {"media_type", item.extra.at("story")},
                             {"media_id", item.media},
                             {"url", Cat("https://www.facebook.com/stories/", item.account, "/", number)}};
               });
}

net::HttpResponse Facebook::Thumbnail(const Asked& asked) {
  const ItemPtr video = Target(asked);
  if (video == nullptr || video->media != "video") return GraphGone(asked.object);
  if (FileOf(asked.request, "source") == nullptr)
    return GraphErrorResponse({.code = 324, .message = "(#324) Requires upload file"});
  const auto taken = context_.world.SetExtra(Network::kFacebook, video->id, {{"thumbnail", "1"}});
  return taken.ok() ? JsonResponse(200, {{"success", true}}) : GraphFailed(taken.status());
}

net::HttpResponse Facebook::ReadMedia(const Item& media, const std::set<std::string>& fields) {
  if (media.media == "video") {
    Json json = FacebookVideo(media, fields);
    if (fields.contains("status")) {
      const bool published = !Extra(media, "post").empty();
      json["status"] = {{"video_status", published        ? "ready"
                                         : Arrived(media) ? "upload_complete"
                                                          : "uploading"},
                        {"uploading_phase", UploadingPhase(media)},
                        {"processing_phase", {{"status", published ? "complete" : "not_started"}}},
                        {"publishing_phase", {{"status", published ? "complete" : "not_started"}}}};
    }
    return JsonResponse(200, json);
  }
  return JsonResponse(200, GraphOnly({{"id", media.id},
                                      {"created_time", GraphTime(media.created)},
                                      {"name", media.text},
                                      {"link", Cat("https://www.facebook.com/photo.php?fbid=", media.id)}},
                                     fields));
}

}  // namespace parvis::sandbox
