#include <algorithm>
#include <memory>

#include "publishing/domain/media.h"

namespace parvis::publishing {

// A piece may span chunks: each is an object of its own.
StatusOr<MediaBytes> OpenMedia(const Call& call, MediaStore& media, blob::BlobStore& objects, const MediaItem& item) {
  PARVIS_ASSIGN_OR_RETURN(auto digests, media.ListChunks(call, item.id));
  const int64_t chunks = (item.size_bytes + item.chunk_bytes - 1) / item.chunk_bytes;
  if (static_cast<int64_t>(digests.size()) != chunks) return NotFound(MediaName(item.workspace_id, item.id));
  const auto shared = std::make_shared<const std::vector<std::string>>(std::move(digests));
  MediaBytes out;
  out.size = item.size_bytes;
  out.read = [&objects, shared, workspace = item.workspace_id, id = item.id, size = item.size_bytes,
              chunk = int64_t{item.chunk_bytes}](const Call& reader, int64_t offset, int64_t length) -> StatusOr<std::string> {
    std::string bytes;
    if (offset < 0 || length <= 0 || offset >= size) return bytes;
    const int64_t end = std::min(size, length > size - offset ? size : offset + length);
    bytes.reserve(static_cast<size_t>(end - offset));
    while (offset < end) {
      const auto number = static_cast<size_t>(offset / chunk);
      const int64_t within = offset % chunk, wanted = std::min(chunk - within, end - offset);
      PARVIS_ASSIGN_OR_RETURN(const std::string piece,
                              objects.Read(reader, ChunkKey(workspace, id, number, (*shared)[number]), within, wanted));
      if (static_cast<int64_t>(piece.size()) != wanted) {
        return MakeError(Code::kDataLoss, "MEDIA_CUT", "an object of the medium is shorter than it was");
      }
      bytes += piece;
      offset += wanted;
    }
    return bytes;
  };
  return out;
}

StatusOr<MediaBytes> KeptMedia::Open(const Call& call, const std::string& workspace_id, const std::string& media_id) {
  Call own = call;
  own.workspace_id = workspace_id;
  PARVIS_ASSIGN_OR_RETURN(const MediaItem item, media_.GetMedia(own, media_id));
  return OpenMedia(own, media_, objects_, item);
}

StatusOr<std::vector<ChannelFit>> CheckMedia(const Call& call, const MediaContext& context, const std::string& id,
                                             const std::vector<std::string>& channel_ids) {
  if (channel_ids.empty() || static_cast<int>(channel_ids.size()) > context.limits.channels_max) {
    return InvalidField("channels", "CHANNELS", "needs 1 to " + std::to_string(context.limits.channels_max));
  }
  PARVIS_ASSIGN_OR_RETURN(const MediaItem item, context.media.GetMedia(call, id));
  if (item.state != MediaState::kReady) {
    return MakeError(Code::kFailedPrecondition, "MEDIA_NOT_READY", std::string("the medium is ") + MediaStateName(item.state));
  }
  std::vector<ChannelFit> fits;
  for (const std::string& channel_id : channel_ids) {
    PARVIS_ASSIGN_OR_RETURN(const Channel channel, context.channels.GetChannel(call, call.workspace_id, channel_id));
    fits.push_back({channel_id, channel.network, context.rules.Fit(channel.network, item)});
  }
  return fits;
}

}  // namespace parvis::publishing
