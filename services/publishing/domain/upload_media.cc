#include <algorithm>

#include "publishing/domain/media.h"
#include "publishing/domain/posts.h"
#include "publishing/domain/sha256.h"
#include "publishing/domain/text_rules.h"

namespace parvis::publishing {
namespace {

Status OffsetWrong(const MediaItem& item) {
  Error error;
  error.code = Code::kFailedPrecondition;
  error.reason = "OFFSET_WRONG";
  error.message = "the next chunk begins at byte " + std::to_string(item.received_bytes);
  error.metadata["received_bytes"] = std::to_string(item.received_bytes);
  return ToStatus(error);
}

void CheckLabels(const MediaLimits& limits, const std::string& display_name, const std::string& alt_text,
                 std::vector<Violation>& violations) {
  CheckName("media.display_name", display_name, limits.name_max, false, violations);
  CheckName("media.alt_text", alt_text, limits.alt_text_max, false, violations);
}

int64_t ChunkSize(const MediaItem& item, int64_t offset) {
  return std::min<int64_t>(item.chunk_bytes, item.size_bytes - offset);
}

// A chunk that is there already: well if it is the same.
StatusOr<MediaItem> Repeated(const Call& call, const MediaContext& context, const MediaItem& item, int64_t offset,
                             const std::string& digest) {
  PARVIS_ASSIGN_OR_RETURN(const auto digests, context.media.ListChunks(call, item.id));
  const auto number = static_cast<size_t>(offset / item.chunk_bytes);
  if (number < digests.size() && digests[number] == digest) return item;
  return MakeError(Code::kFailedPrecondition, "CHUNK_DIFFERS",
                   "another content was uploaded at byte " + std::to_string(offset) + "; begin a new upload to change it");
}

StatusOr<MediaChunk> NextChunk(const MediaContext& context, const MediaItem& item, std::string_view content, std::string digest) {
  MediaChunk chunk;
  chunk.offset = item.received_bytes;
  chunk.bytes = static_cast<int64_t>(content.size());
  chunk.digest = std::move(digest);
  auto hash = Sha256::Resume(item.hash_state);
  if (!hash) return MakeError(Code::kInternal, "MEDIA_HASH_STATE", "the upload's hash cannot be gone on with");
  hash->Add(content);
  if (chunk.offset + chunk.bytes == item.size_bytes) chunk.sha256 = hash->Finish();
  else chunk.hash_state = hash->Save();
  chunk.time = context.clock.WallNow();
  chunk.expire_time = chunk.time + context.limits.upload_keep;
  return chunk;
}

// Somebody else was faster: well if it was the same.
StatusOr<MediaItem> AfterRace(const Call& call, const MediaContext& context, const MediaItem& before, int64_t offset,
                              const std::string& key, const std::string& digest) {
  StatusOr<MediaItem> now = context.media.GetMedia(call, before.id);
  if (now.ok()) {
    StatusOr<MediaItem> same = now->received_bytes > offset ? Repeated(call, context, *now, offset, digest) : OffsetWrong(*now);
    if (same.ok()) return same;
    now = std::move(same);
  } else if (now.status().code() != Code::kNotFound) {
    return now;   // nobody knows whose object it is
  }
  (void)context.objects.Delete(call, key);   // named by its digest: nobody else's
  return now;
}

void SetRefused(const MediaContext& context, MediaItem& item, const std::string& reason, const std::string& why) {
  item.state = MediaState::kRefused;
  item.refusal_reason = reason;
  item.refusal = why;
  item.update_time = context.clock.WallNow();
  item.expire_time = item.update_time + context.limits.upload_keep;
}

// Looks at what is there; the item as it follows, not stored.
StatusOr<MediaItem> Inspected(const Call& call, const MediaContext& context, MediaItem item) {
  PARVIS_ASSIGN_OR_RETURN(const MediaBytes content, OpenMedia(call, context.media, context.objects, item));
  StatusOr<MediaFacts> facts = context.inspector.Inspect(call, content);
  if (!facts.ok() && !IsMediaVerdict(facts.status())) return facts.status();
  if (!facts.ok()) {
    const Error error = ToError(facts.status());
    SetRefused(context, item, error.reason, error.message);
    return item;
  }
  if (!IsVideo(*facts) && item.size_bytes > context.limits.picture_bytes_max) {
    SetRefused(context, item, "MEDIA_TOO_LARGE",
               "it has " + std::to_string(item.size_bytes) + " bytes; only videos may have more than " +
                   std::to_string(context.limits.picture_bytes_max));
    return item;
  }
  item.facts = *std::move(facts);
  item.state = MediaState::kReady;
  item.update_time = context.clock.WallNow();
  item.expire_time = item.update_time + context.limits.unused_keep;
  return item;
}

// Stores it, or gives what another finisher has made of it meanwhile.
StatusOr<MediaItem> Save(const Call& call, const MediaContext& context, const MediaItem& item, MediaState from) {
  StatusOr<MediaItem> saved = context.media.SaveMedia(call, item, from);
  if (saved.ok() || ReasonOf(saved.status()) != "MEDIA_CHANGED") return saved;
  return context.media.GetMedia(call, item.id);
}

}  // namespace

bool IsMediaVerdict(const Status& status) {
  return status.code() == Code::kInvalidArgument || ReasonOf(status) == "MEDIA_OVER_LIMIT";
}

StatusOr<MediaItem> CreateMedia(const Call& call, const MediaContext& context, const NewMedia& asked, const std::string& request_id) {
  std::vector<Violation> violations;
  CheckLabels(context.limits, asked.display_name, asked.alt_text, violations);
  const int64_t max = std::max(context.limits.picture_bytes_max, context.limits.video_bytes_max);
  if (asked.size_bytes <= 0 || asked.size_bytes > max) {
    violations.push_back({"media.size_bytes", "must be 1 to " + std::to_string(max), "SIZE"});
  }
  if (!violations.empty()) return InvalidFields(std::move(violations));
  MediaItem item;
  item.workspace_id = call.workspace_id;
  item.id = request_id.empty() ? context.ids.New() : UuidOfName("media/" + call.workspace_id + "/" + request_id);
  item.display_name = asked.display_name;
  item.alt_text = asked.alt_text;
  item.author = ActorOf(call);
  item.size_bytes = asked.size_bytes;
  item.chunk_bytes = context.limits.chunk_bytes / 64 * 64;
  item.create_time = item.update_time = context.clock.WallNow();
  item.expire_time = item.create_time + context.limits.upload_keep;
  return context.media.InsertMedia(call, item, context.limits.quota);
}

StatusOr<MediaItem> UpdateMedia(const Call& call, const MediaContext& context, const std::string& id, const MediaLabels& labels) {
  std::vector<Violation> violations;
  CheckLabels(context.limits, labels.display_name.value_or(""), labels.alt_text.value_or(""), violations);
  if (!violations.empty()) return InvalidFields(std::move(violations));
  return context.media.UpdateMedia(call, id, labels, context.clock.WallNow());
}

StatusOr<MediaItem> UploadChunk(const Call& call, const MediaContext& context, const std::string& id, int64_t offset,
                                std::string_view content) {
  PARVIS_ASSIGN_OR_RETURN(const MediaItem item, context.media.GetMedia(call, id));
  if (item.state == MediaState::kConverting) {
    return MakeError(Code::kFailedPrecondition, "MEDIA_CONVERTING", "the medium is made here, by a conversion; nothing is uploaded to it");
  }
  if (offset < 0 || offset % item.chunk_bytes != 0 || offset > item.received_bytes || offset >= item.size_bytes) {
    return OffsetWrong(item);
  }
  if (const int64_t size = ChunkSize(item, offset); static_cast<int64_t>(content.size()) != size) {
    return InvalidField("content", "CHUNK_SIZE",
                        "has " + std::to_string(content.size()) + " bytes; the chunk at byte " + std::to_string(offset) +
                            " has " + std::to_string(size));
  }
  std::string digest = Sha256::Of(content);
  if (offset < item.received_bytes) return Repeated(call, context, item, offset, digest);
  const std::string key = ChunkKey(item.workspace_id, id, static_cast<size_t>(offset / item.chunk_bytes), digest);
  PARVIS_ASSIGN_OR_RETURN(const MediaChunk chunk, NextChunk(context, item, content, digest));
  PARVIS_RETURN_IF_ERROR(context.objects.Put(call, key, content));
  StatusOr<MediaItem> added = context.media.AddChunk(call, id, chunk);
  if (added.ok()) {
    if (context.observer.received) context.observer.received(chunk.bytes);
    return added;
  }
  const bool lost = ReasonOf(added.status()) == "MEDIA_CHANGED" || added.status().code() == Code::kNotFound;
  return lost ? AfterRace(call, context, item, offset, key, digest) : added;
}

StatusOr<MediaItem> FinishMedia(const Call& call, const MediaContext& context, const std::string& id, const std::string& sha256) {
  if (!sha256.empty() && !IsSha256(sha256)) {
    return InvalidField("sha256", "SHA256", "must be 64 lower-case hex characters, or empty");
  }
  PARVIS_ASSIGN_OR_RETURN(MediaItem item, context.media.GetMedia(call, id));
  if (item.state == MediaState::kConverting) return item;
  if (item.received_bytes < item.size_bytes) {
    return MakeError(Code::kFailedPrecondition, "MEDIA_INCOMPLETE",
                     std::to_string(item.received_bytes) + " of " + std::to_string(item.size_bytes) + " bytes have arrived");
  }
  if (item.state == MediaState::kUploading) {
    item.update_time = context.clock.WallNow();
    item.state = MediaState::kUploaded;
    if (!sha256.empty() && sha256 != item.sha256) {
      SetRefused(context, item, "SHA256_MISMATCH", "what arrived has the SHA-256 " + item.sha256 + ", not the one that was told");
    }
    PARVIS_ASSIGN_OR_RETURN(item, Save(call, context, item, MediaState::kUploading));
  }
  if (item.state != MediaState::kUploaded) return item;
  PARVIS_ASSIGN_OR_RETURN(item, Inspected(call, context, std::move(item)));
  if (context.observer.inspected) {
    context.observer.inspected(item.state == MediaState::kReady ? "ready" : item.refusal_reason);
  }
  return Save(call, context, item, MediaState::kUploaded);
}

}  // namespace parvis::publishing
