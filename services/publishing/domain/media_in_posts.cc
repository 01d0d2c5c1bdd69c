#include "publishing/domain/media.h"

namespace parvis::publishing {
namespace {

Status Resolve(const Call& call, MediaStore* store, const std::string& field, Media& media, std::vector<Violation>& violations) {
  if (media.media.empty()) return absl::OkStatus();
  const std::string at = field + ".media";
  const auto ref = ParseMediaName(media.media);
  if (!ref) return absl::OkStatus();   // CheckContent says so
  if (ref->workspace_id != call.workspace_id) {
    violations.push_back({at, "must be a medium of the same workspace", "OTHER_WORKSPACE"});
    return absl::OkStatus();
  }
  const StatusOr<MediaItem> item = store == nullptr ? NotFound(media.media) : store->GetMedia(call, ref->id);
  if (item.status().code() == Code::kNotFound) {
    violations.push_back({at, "the workspace has no such medium", "NOT_FOUND"});
    return absl::OkStatus();
  }
  if (!item.ok()) return item.status();
  if (item->state == MediaState::kRefused) {
    violations.push_back({at, "cannot be used: " + item->refusal, "MEDIA_REFUSED"});
  } else if (item->state == MediaState::kConverting) {
    violations.push_back({at, "is still being converted; wait until it is ready", "MEDIA_NOT_READY"});
  } else if (item->state != MediaState::kReady) {
    violations.push_back({at, std::string("is ") + MediaStateName(item->state) + "; finish its upload first", "MEDIA_NOT_READY"});
  }
  media.type = item->facts.type;
  media.size_bytes = item->size_bytes;
  media.width = item->facts.width;
  media.height = item->facts.height;
  media.duration = item->facts.duration;
  media.video_codec = item->facts.video_codec;
  media.audio_codec = item->facts.audio_codec;
  if (media.alt_text.empty()) media.alt_text = item->alt_text;
  return absl::OkStatus();
}

}  // namespace

Status ResolveMedia(const Call& call, MediaStore* media, const std::string& prefix, Content& content,
                    std::vector<Violation>& violations) {
  for (const auto& [field, shown] : AllMedia(content)) {
    PARVIS_RETURN_IF_ERROR(Resolve(call, media, prefix + "." + field, *shown, violations));
  }
  return absl::OkStatus();
}

}  // namespace parvis::publishing
