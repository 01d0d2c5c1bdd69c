// Attachments, which may take their time (facts 7.2), and what the instance allows.
#include "sandbox/domain/cat.h"
#include "sandbox/transport/mastodon.h"
#include "sandbox/transport/mastodon_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kImageBytes = 16'777'216, kVideoBytes = 103'809'024, kDescription = 1500;
constexpr char kKinds[] =
    " image/jpeg image/png image/gif image/webp image/avif image/heic video/mp4 video/webm video/quicktime audio/mpeg "
    "audio/ogg audio/wav audio/flac audio/mp4 ";

}  // namespace

// Images are ready at once; what must be transcoded answers 202 and is asked for. Bytes that begin with "broken" cannot
// be made anything of: an image is refused, a video fails while it is processed.
net::HttpResponse Mastodon::Upload(const Asked& asked, Answer answer) {
  const Part* file = nullptr;
  for (const Part& part : asked.request.parts) {
    if (part.name == "file" && !part.filename.empty()) file = &part;
  }
  if (file == nullptr) return MastodonInvalid("File can't be blank");
  const std::string type = file->content_type.substr(0, file->content_type.find(';'));
  if (type.empty() || std::string_view(kKinds).find(Cat(" ", type, " ")) == std::string_view::npos) {
    return MastodonInvalid("File content type is invalid, File is invalid");
  }
  const bool image = type.starts_with("image/") && type != "image/gif";
  if (file->body.size() > (image ? kImageBytes : kVideoBytes)) {
    return MastodonInvalid(Cat("File file size must be less than ", image ? "16 MB" : "99 MB"));
  }
  const std::string description = asked.request.Param("description");
  if (CodePoints(description) > kDescription)
    return MastodonInvalid("Description is too long (maximum is 1500 characters)");
  const bool broken = file->body.starts_with("broken");
  if (image && broken) return MastodonError(422, "Error processing thumbnail for uploaded media");
  std::map<std::string, std::string> extra = {{"asked", broken ? "broken" : "0"}, {"size", std::to_string(file->body.size())}};
  if (!description.empty()) extra["description"] = description;
  const auto made = context_.world.Create({.network = Network::kMastodon,
                                           .kind = Item::Kind::kMedia,
                                           .account = asked.account->id,
                                           .author_id = asked.account->id,
                                           .author_name = asked.account->name,
                                           .author_handle = asked.account->handle,
                                           .status = image ? "ready" : "processing",
                                           .media = type,
                                           .extra = extra,
                                           .by_us = true},
                                          Us(asked, answer));
  if (!made.ok()) return MastodonError(503, "There was a temporary problem serving your request, please try again");
  return JsonResponse(image ? 200 : 202, MastodonMedia(**made, asked.request.base_url), false);
}

// The first question about a video finds it unfinished, the next one ready.
net::HttpResponse Mastodon::ShowMedia(const Asked& asked, Answer) {
  ItemPtr media = context_.world.Find(Network::kMastodon, asked.path[2]);
  if (media == nullptr || media->kind != Item::Kind::kMedia || media->account != asked.account->id)
    return MastodonGone();
  if (media->status == "ready") return JsonResponse(200, MastodonMedia(*media, asked.request.base_url), false);
  const std::string was = media->extra.at("asked");
  if (was == "broken") return MastodonError(422, "Error processing thumbnail for uploaded media");
  const bool ready = was != "0";
  const auto changed = context_.world.SetExtra(Network::kMastodon, media->id, {{"asked", ready ? "ready" : "once"}});
  if (!changed.ok()) return MastodonGone();
  return JsonResponse(ready ? 200 : 206, MastodonMedia(**changed, asked.request.base_url), false);
}

net::HttpResponse Mastodon::Describe(const Asked& asked, Answer) {
  const ItemPtr media = context_.world.Find(Network::kMastodon, asked.path[2]);
  if (media == nullptr || media->kind != Item::Kind::kMedia || media->account != asked.account->id)
    return MastodonGone();
  const std::string description = asked.request.Param("description");
  if (CodePoints(description) > kDescription)
    return MastodonInvalid("Description is too long (maximum is 1500 characters)");
  const auto changed = context_.world.SetExtra(Network::kMastodon, media->id, {{"description", description}});
  return changed.ok() ? JsonResponse(200, MastodonMedia(**changed, asked.request.base_url), false) : MastodonGone();
}

net::HttpResponse Mastodon::Instance(const Request& request) {
  Json kinds = Json::array();
  for (std::string_view rest = kKinds; rest.size() > 1;) {
    rest.remove_prefix(1);
    kinds.push_back(std::string(rest.substr(0, rest.find(' '))));
    rest.remove_prefix(rest.find(' '));
  }
  const Json statuses = {{"max_characters", 500}, {"max_media_attachments", 4}, {"characters_reserved_per_url", 23}};
  const Json media = {{"supported_mime_types", kinds},   {"description_limit", kDescription},
                      {"image_size_limit", kImageBytes}, {"image_matrix_limit", 33'177'600},
                      {"video_size_limit", kVideoBytes}, {"video_frame_rate_limit", 120},
                      {"video_matrix_limit", 8'294'400}};
  const Json polls = {
      {"max_options", 4}, {"max_characters_per_option", 50}, {"min_expiration", 300}, {"max_expiration", 2'629'746}};
  return JsonResponse(200,
                      {{"domain", "sandbox.invalid"},
                       {"title", "Sandbox"},
                       {"version", "4.5.0"},
                       {"source_url", "https://github.com/mastodon/mastodon"},
                       {"description", ""},
                       {"languages", {"fr"}},
                       {"api_versions", {{"mastodon", 7}}},
                       {"configuration",
                        {{"urls", {{"streaming", Cat("ws", request.base_url.substr(4), "/mastodon")}}},
                         {"accounts", {{"max_featured_tags", 10}, {"max_pinned_statuses", 5}}},
                         {"statuses", statuses},
                         {"media_attachments", media},
                         {"polls", polls}}},
                       {"registrations", {{"enabled", false}}},
                       {"rules", Json::array()}},
                      false);
}

}  // namespace parvis::sandbox
