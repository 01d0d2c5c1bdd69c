#include "publishing/domain/fetch_media.h"

#include <algorithm>

namespace parvis::publishing {
namespace {

Status Nothing() { return MakeError(Code::kNotFound, "NOT_FOUND", "there is nothing here, or not any more"); }

StatusOr<MediaPiece> Fetch(const Call& call, const FetchContext& context, const MediaFetch& asked) {
  const auto ref = ParseMediaName(asked.name);
  if (!ref || !context.addresses.Verify(*ref, asked.expires, asked.signature)) return Nothing();
  Call own = call;
  own.workspace_id = ref->workspace_id;
  PARVIS_ASSIGN_OR_RETURN(const MediaItem item, context.media.GetMedia(own, ref->id));
  if (item.state != MediaState::kReady) return Nothing();
  MediaPiece piece{item.facts.type, item.sha256, "", item.size_bytes};
  if (asked.length <= 0) return piece;
  PARVIS_ASSIGN_OR_RETURN(const MediaBytes bytes, OpenMedia(own, context.media, context.objects, item));
  PARVIS_ASSIGN_OR_RETURN(piece.content, bytes.read(own, asked.offset, std::min(asked.length, kPieceBytesMax)));
  return piece;
}

}  // namespace

StatusOr<MediaPiece> FetchMedia(const Call& call, const FetchContext& context, const MediaFetch& asked) {
  StatusOr<MediaPiece> piece = Fetch(call, context, asked);
  if (piece.status().code() == Code::kNotFound) piece = Nothing();   // whatever it was that is not there
  if (context.observer.fetched) {
    context.observer.fetched(piece.ok() ? "ok" : ReasonOf(piece.status()), piece.ok() ? static_cast<int64_t>(piece->content.size()) : 0);
  }
  return piece;
}

}  // namespace parvis::publishing
