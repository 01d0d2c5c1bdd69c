#include <algorithm>

#include "publishing/domain/media.h"
#include "publishing/domain/posts.h"

namespace parvis::publishing {
namespace {

// Longer than any conversion is tried: one that ends so late was never begun, as no replica makes any.
constexpr absl::Duration kConversionKeep = absl::Hours(48);

Status NoConversion(const MediaFit& fit, const std::string& network) {
  std::string why = fit.fits ? network + " takes it as it is" : "nothing would make it fit " + network;
  if (!fit.violations.empty()) why += ": " + fit.violations[0].description;
  return MakeError(Code::kFailedPrecondition, "NO_CONVERSION", why);
}

// The converted picture goes the way of every upload, so a call that was cut off goes on where it stopped.
StatusOr<MediaItem> Keep(const Call& call, const MediaContext& context, MediaItem item, const std::string& bytes) {
  if (item.size_bytes != static_cast<int64_t>(bytes.size())) {
    return MakeError(Code::kAborted, "MEDIA_CHANGED", "an earlier try with this request_id made something else; use another one");
  }
  while (item.received_bytes < item.size_bytes) {
    const int64_t offset = item.received_bytes;
    PARVIS_ASSIGN_OR_RETURN(item, UploadChunk(call, context, item.id, offset,
                                              std::string_view(bytes).substr(static_cast<size_t>(offset),
                                                                             static_cast<size_t>(item.chunk_bytes))));
  }
  return FinishMedia(call, context, item.id, "");
}

// What is about to be made of `source`, before anything is there of it.
MediaItem MadeOf(const Call& call, const MediaContext& context, const MediaItem& source, const std::string& made_id) {
  MediaItem item = source;
  item.id = made_id;
  item.source_id = source.id;
  item.author = ActorOf(call);
  item.state = MediaState::kUploading;
  item.received_bytes = 0;
  item.chunk_bytes = context.limits.chunk_bytes / 64 * 64;
  item.hash_state.clear();
  item.sha256.clear();
  item.facts = {};
  item.create_time = item.update_time = context.clock.WallNow();
  item.expire_time = item.create_time + context.limits.upload_keep;
  return item;
}

}  // namespace

StatusOr<MediaItem> ConvertMedia(const Call& call, const MediaContext& context, const std::string& id, const std::string& channel_id,
                                 const std::string& request_id) {
  const std::string made_id =
      request_id.empty() ? context.ids.New() : UuidOfName("media/converted/" + call.workspace_id + "/" + id + "/" + request_id);
  StatusOr<MediaItem> made = context.media.GetMedia(call, made_id);
  if (made.ok() && made->state != MediaState::kUploading && made->state != MediaState::kUploaded) return made;
  if (!made.ok() && made.status().code() != Code::kNotFound) return made;
  PARVIS_ASSIGN_OR_RETURN(const auto fits, CheckMedia(call, context, id, {channel_id}));
  const ChannelFit& fit = fits.front();
  if (!fit.fit.target && !fit.fit.video) return NoConversion(fit.fit, fit.network);
  PARVIS_ASSIGN_OR_RETURN(const MediaItem source, context.media.GetMedia(call, id));
  if (fit.fit.video) {
    VideoTarget target = *fit.fit.video;
    target.bytes_max = std::min(target.bytes_max, context.limits.video_bytes_max);
    MediaItem item = MadeOf(call, context, source, made_id);
    item.state = MediaState::kConverting;
    item.size_bytes = target.bytes_max;
    item.expire_time = item.create_time + std::max(context.limits.upload_keep, kConversionKeep);
    return context.media.InsertConversion(call, item, target, context.limits.quota);
  }
  PARVIS_ASSIGN_OR_RETURN(const MediaBytes content, OpenMedia(call, context.media, context.objects, source));
  const StatusOr<std::string> bytes = context.inspector.Convert(call, content, *fit.fit.target);
  if (context.observer.converted) context.observer.converted(bytes.ok() ? "ready" : ReasonOf(bytes.status()));
  if (!bytes.ok()) return bytes.status();
  if (!made.ok()) {
    MediaItem item = MadeOf(call, context, source, made_id);
    item.size_bytes = static_cast<int64_t>(bytes->size());
    made = context.media.InsertMedia(call, item, context.limits.quota);
    if (!made.ok()) return made;
  }
  return Keep(call, context, *std::move(made), *bytes);
}

}  // namespace parvis::publishing
